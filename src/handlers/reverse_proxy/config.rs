//! JSON: `http.handlers.reverse_proxy`, and the modules within it.
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
    /// An extension: `{"type": "error_rate", …}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) circuit_breaker: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) load_balancing: Option<LoadBalancing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) health_checks: Option<HealthChecks>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) upstreams: Vec<UpstreamConfig>,
    /// A module named by `source`, asked before each attempt.
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
    /// What the proxy calls itself in `Proxy-Status` (RFC 9209).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) proxy_status_name: String,
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
    pub(super) retries: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) try_duration: Duration,
    /// 250 ms if there is a `try_duration`.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) try_interval: Duration,
    /// An extension: how long an upstream that is well again gets less than its share.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) slow_start: Duration,
    /// Which requests may be sent again once an upstream may have seen them; those with GET if there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) retry_match: Vec<MatcherSet>,
}
#[derive(Clone, Default, Deserialize, Serialize)]
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
    pub(super) port: i64,
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
    pub(super) passes: i64,
    /// In a row, until an upstream is down; 1.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) fails: i64,
    /// Bytes of a response that are read at the most.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) max_size: u64,
    /// A single digit stands for its class; 0: any success.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) expect_status: i64,
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
    pub(super) max_fails: i64,
    /// How many requests at once make an upstream unavailable; 0: no limit.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) unhealthy_request_count: i64,
    /// Which responses are failures; a single digit stands for its class.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) unhealthy_status: Vec<i64>,
    /// How long a response may take before it is a failure.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) unhealthy_latency: Duration,
}

/// JSON: `http.reverse_proxy.transport.http`.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct HttpTransport {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) resolver: Option<Resolver>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tls: Option<TlsConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) keep_alive: Option<KeepAlive>,
    /// Ask for compressed responses on behalf of clients that do not; `true` if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) compression: Option<bool>,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) max_conns_per_host: i64,
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
    pub(super) max_idle_conns: i64,
    /// 32.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) max_idle_conns_per_host: i64,
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

/// DNS servers to ask instead of the system's.
#[derive(Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Resolver {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) addresses: Vec<String>,
}

/// JSON: `http.reverse_proxy.transport.fastcgi`.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct FastCgiTransport {
    /// Where the scripts lie, as the upstream sees it; `{http.vars.root}` or `.` if there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) root: String,
    /// Behind which of these a path goes on as `PATH_INFO`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) split_path: Vec<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) resolve_root_symlink: bool,
    /// Beside those that CGI has; placeholders are allowed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) env: BTreeMap<String, String>,
    /// 3 s.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) dial_timeout: Duration,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) read_timeout: Duration,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) write_timeout: Duration,
    /// Whether what scripts write to stderr is logged.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) capture_stderr: bool,
}

/// JSON: `http.reverse_proxy.upstreams.a`.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DynamicA {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) name: String,
    /// 80.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) port: String,
    /// 1 min.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) refresh: Duration,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) resolver: Option<Resolver>,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) dial_timeout: Duration,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) dial_fallback_delay: Duration,
    /// Both if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) versions: Option<IpVersions>,
}
#[derive(Clone, Copy, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct IpVersions {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ipv4: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ipv6: Option<bool>,
}
/// JSON: `http.reverse_proxy.upstreams.srv`.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DynamicSrv {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) service: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) proto: String,
    /// With neither `service` nor `proto`: all of it, `_service._proto.name`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) name: String,
    /// 1 min.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) refresh: Duration,
    /// How long an answer serves on when there is no newer one.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) grace_period: Duration,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) resolver: Option<Resolver>,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) dial_timeout: Duration,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) dial_fallback_delay: Duration,
    /// Of the upstreams that are found: `tcp` if there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) dial_network: String,
}
/// JSON: `http.reverse_proxy.upstreams.multi`.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DynamicMulti {
    /// Modules named by `source`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) sources: Vec<Value>,
}
