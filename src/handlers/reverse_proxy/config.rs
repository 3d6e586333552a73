//! JSON: `http.handlers.reverse_proxy`, and `http.reverse_proxy.transport.http`.
use crate::{
    config::{Duration, MatcherSet, ResponseHandler, is_default},
    handlers::{
        headers::{HeaderOps, ResponseOps},
        rewrite::Rewrite,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ReverseProxy {
    /// How to reach upstreams: a module named by `protocol`; HTTP if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) transport: Option<Value>,
    /// Refused for now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) circuit_breaker: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) load_balancing: Option<LoadBalancing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) health_checks: Option<HealthChecks>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) upstreams: Vec<UpstreamConfig>,
    /// A module named by `source`, asked before each attempt. Refused for now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dynamic_upstreams: Option<Value>,
    /// Negative: at once. Every response is passed on as it comes, whatever this says.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) flush_interval: Duration,
    /// Whose `X-Forwarded-*` are believed, beside those that the server trusts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) trusted_proxies: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) headers: Option<HeadersConfig>,
    /// Bytes of a request that are read before an upstream is asked; negative: all.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) request_buffers: i64,
    /// Bytes of a response that are read before any are passed on; negative: all.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) response_buffers: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) stream_buffer_size: i64,
    /// How long an upgraded connection may last; 0: no limit.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) stream_timeout: Duration,
    /// How long upgraded connections live on when the configuration goes: here always as long as they like.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) stream_close_delay: Duration,
    /// Of the request that the upstream gets, not of what the routes see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rewrite: Option<Rewrite>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) handle_response: Vec<ResponseHandler>,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) verbose_logs: bool,
}
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct UpstreamConfig {
    /// A network address; placeholders are allowed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) dial: String,
    /// At once; 0: no limit.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) max_requests: usize,
}
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct HeadersConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) request: Option<HeaderOps>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response: Option<ResponseOps>,
}
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LoadBalancing {
    /// A module named by `policy`; random if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) selection_policy: Option<Value>,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) retries: usize,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) try_duration: Duration,
    /// 250 ms if there is a `try_duration`.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) try_interval: Duration,
    /// Which requests may be sent again once an upstream may have seen them; those with GET if there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) retry_match: Vec<MatcherSet>,
}
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct HealthChecks {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) active: Option<ActiveChecks>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) passive: Option<PassiveChecks>,
}
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ActiveChecks {
    /// Deprecated: `uri`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) path: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) uri: String,
    /// Whom to ask instead of the upstream itself.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) upstream: String,
    /// 0: the upstream's own.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) port: u16,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) headers: BTreeMap<String, Vec<String>>,
    /// GET.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) method: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) body: String,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) follow_redirects: bool,
    /// 30 s.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) interval: Duration,
    /// 5 s.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) timeout: Duration,
    /// In a row, until an upstream is up again; 1.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) passes: u32,
    /// In a row, until an upstream is down; 1.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) fails: u32,
    /// Bytes of a response that are read at the most.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) max_size: u64,
    /// A single digit stands for its class; 0: any success.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) expect_status: u16,
    /// A regular expression.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) expect_body: String,
}
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PassiveChecks {
    /// How long a failure counts; 0: failures are not counted.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) fail_duration: Duration,
    /// How many make an upstream unavailable; 1.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) max_fails: u32,
    /// How many requests at once make an upstream unavailable; 0: no limit.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) unhealthy_request_count: usize,
    /// Which responses are failures; a single digit stands for its class.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) unhealthy_status: Vec<u16>,
    /// How long a response may take before it is a failure.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) unhealthy_latency: Duration,
}

/// JSON: `http.reverse_proxy.transport.http`.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct HttpTransport {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) resolver: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tls: Option<TlsConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) keep_alive: Option<KeepAlive>,
    /// Ask for compressed responses on behalf of clients that do not; `true` if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) compression: Option<bool>,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) max_conns_per_host: usize,
    /// `v1` or `v2`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) proxy_protocol: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) forward_proxy_url: String,
    /// 3 s.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) dial_timeout: Duration,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) dial_fallback_delay: Duration,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) response_header_timeout: Duration,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) expect_continue_timeout: Duration,
    /// In bytes; 10 MiB.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) max_response_header_size: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) write_buffer_size: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) read_buffer_size: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) read_timeout: Duration,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) write_timeout: Duration,
    /// `1.1`, `2`, `h2c`, `3`; the first two if there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) versions: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) local_address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) network_proxy: Option<Value>,
}
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct KeepAlive {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) enabled: Option<bool>,
    /// Of TCP: 30 s.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) probe_interval: Duration,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) max_idle_conns: usize,
    /// 32.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) max_idle_conns_per_host: usize,
    /// 2 min.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) idle_timeout: Duration,
}
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TlsConfig {
    /// A trust pool; the system's if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ca: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) root_ca_pool: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) root_ca_pem_files: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) client_certificate_file: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) client_certificate_key_file: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) client_certificate_automate: String,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) insecure_skip_verify: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) handshake_timeout: Duration,
    /// The upstream's host if there is none; placeholders are allowed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) server_name: String,
    /// `never`: rustls does not renegotiate.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) renegotiation: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) except_ports: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) curves: Vec<String>,
}
