//! `tls`, the place of TLS among the wrappers, and `http_redirect`, which answers plain HTTP on a TLS socket with a
//! redirect.
//!
//! ```caddyfile
//! listener_wrappers {
//!     http_redirect
//!     tls
//! }
//! ```
use super::NAMESPACE;
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support},
    config::is_default,
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub const TLS: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "tls",
    docs: "tls: marks where among the wrappers TLS begins.",
    parse,
    support: Support::NotYet("its run time comes later"),
};
pub const HTTP_REDIRECT: ModuleSyntax = ModuleSyntax {
    name: "http_redirect",
    docs: "http_redirect: answers plain HTTP on a TLS socket with a redirect to HTTPS.",
    ..TLS
};
/// `caddy.listeners.http_redirect`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpRedirect {
    /// 0: 1 MiB.
    #[serde(skip_serializing_if = "is_default")]
    pub max_header_bytes: i64,
}
/// A Caddyfile can say nothing more, and what it says is not looked at.
fn parse(_: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    Ok(Map::new())
}
