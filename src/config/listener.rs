//! Listener wrappers: what stands between a socket and the server.
use super::{Duration, is_default};
use serde::{Deserialize, Serialize};

/// One of `listener_wrappers`, in their order: the first sees a connection's bytes first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "wrapper", rename_all = "snake_case")]
pub enum ListenerWrapper {
    ProxyProtocol(ProxyProtocol),
    HttpRedirect(HttpRedirect),
    /// Where TLS begins; before all others, if it is not there.
    Tls(NoOptions),
}
/// There is nothing to say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoOptions {}
/// `caddy.listeners.proxy_protocol`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProxyProtocol {
    /// How long the header may take; 0: 5 seconds.
    #[serde(skip_serializing_if = "is_default")]
    pub timeout: Duration,
    /// From here the header is used.
    #[serde(skip_serializing_if = "is_default")]
    pub allow: Vec<String>,
    /// From here a connection with a header is refused; before `allow`.
    #[serde(skip_serializing_if = "is_default")]
    pub deny: Vec<String>,
    /// From elsewhere.
    #[serde(skip_serializing_if = "is_default")]
    pub fallback_policy: ProxyPolicy,
}
/// What to do about a PROXY header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ProxyPolicy {
    /// Take the connection, not the address.
    #[default]
    Ignore,
    Use,
    /// Refuse a connection that has one.
    Reject,
    /// Refuse a connection that has none.
    Require,
    /// Don't look for one.
    Skip,
}
/// `caddy.listeners.http_redirect`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpRedirect {
    /// 0: 1 MiB.
    #[serde(skip_serializing_if = "is_default")]
    pub max_header_bytes: i64,
}
