//! `reverse_proxy`: passes the request on to one of some upstreams, and the response back.
//!
//! ```caddyfile
//! reverse_proxy [<matcher>] [<upstreams...>] {
//!     to        <upstreams...>
//!     lb_policy <policy> …
//!     …
//! }
//! ```
//!
//! ```caddyfile
//! reverse_proxy /api/* app:8000
//! ```
mod answer;
mod breaker;
mod config;
pub mod copy_response;
mod dynamic;
mod fastcgi;
mod forward;
mod health;
mod policy;
mod proxy;
mod report;
mod request;
mod respond;
mod syntax;
mod traffic;
mod transport;
mod upstream;
use crate::{
    caddyfile::{Directive, Order, Parse, Support},
    handlers::{
        headers::{Operations, ResponseOps},
        rewrite,
    },
    http::{
        Build, BuildError, Handler, HandlerConfig, HandlerModule, MatcherSets, Passing, ResponseHandlers,
        ResponseMatcher, ip_range, wire,
    },
    state::State,
};
use breaker::{Breaker, BreakerConfig};
use config::{FastCgiTransport, HttpTransport, PassiveChecks, ReverseProxy, UpstreamConfig};
use dynamic::Source;
use fastcgi::FastCgi;
use health::Checker;
use http::StatusCode;
use ipnet::IpNet;
use policy::Policy;
pub use report::{families, upstreams};
use respond::Down;
use serde::Deserialize;
use serde_json::Value;
use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};
pub use syntax::{
    dials, dynamic as dynamic_syntax, fastcgi as fastcgi_syntax, forward_auth, http_transport, php_fastcgi,
    policies,
};
use transport::Transport;
use upstream::{Target, Upstream};

pub const REVERSE_PROXY: Directive = Directive {
    name: "reverse_proxy",
    docs: "reverse_proxy [<matcher>] [<upstreams...>] { … }: passes requests on to upstreams.",
    order: Order::ByRow,
    support: Support::Partly("see its options"),
    parse: Parse::Handler(syntax::reverse_proxy),
};
pub const MODULE: HandlerModule = HandlerModule::of::<ReverseProxy>();

const LOGGER: &str = "http.handlers.reverse_proxy";
const TRY_INTERVAL: Duration = Duration::from_millis(250);

/// The handler, compiled.
#[derive(Debug)]
struct Proxy {
    upstreams: Arc<[Upstream]>,
    /// Where others come from, which are asked instead.
    source: Option<Source>,
    policy: Policy,
    transport: Arc<Transport>,
    /// Asked instead of `transport`, if the upstreams speak FastCGI.
    fastcgi: Option<FastCgi>,
    passive: Passive,
    retries: u32,
    try_duration: Duration,
    try_interval: Duration,
    /// Which requests may be sent again once an upstream may have seen them.
    retry_match: Option<MatcherSets>,
    /// Those of them that look at responses: a response that matches is not good enough.
    retry_responses: Option<MatcherSets>,
    trusted: Box<[IpNet]>,
    request_ops: Operations,
    down: Option<Arc<dyn Passing>>,
    rewrite: Option<rewrite::Change>,
    /// Whether a request that is rewritten goes without its body.
    drops_body: bool,
    /// Whether something wants to know the fields of responses.
    shows_headers: bool,
    request_buffers: i64,
    response_buffers: i64,
    responses: ResponseHandlers,
    /// How long an upstream that is well again gets less than its share.
    slow_start: Option<Duration>,
    /// How long a connection that speaks another protocol may last.
    stream_timeout: Option<Duration>,
    /// What we call ourselves in `Proxy-Status`; empty: nothing.
    status_name: String,
}
/// When an upstream is left alone for a while because of what requests have met there.
#[derive(Debug)]
struct Passive {
    fail_duration: Option<Duration>,
    max_fails: usize,
    request_count: usize,
    unhealthy_status: Vec<i64>,
    unhealthy_latency: Option<Duration>,
}
impl HandlerConfig for ReverseProxy {
    const NAME: &'static str = "reverse_proxy";
    fn build(self, cx: &mut Build) -> std::result::Result<Box<dyn Handler>, BuildError> {
        let (transport, fastcgi) = transports(self.transport, cx.state())?;
        let checks = self.health_checks.unwrap_or_default();
        if fastcgi.is_some() && checks.active.is_some() {
            return Err("reverse_proxy: active health checks over FastCGI are not supported yet".into());
        }
        let identity = checks.active.as_ref().map(serde_json::to_string).transpose()?.unwrap_or_default();
        let state = cx.shared_state();
        let source = self.dynamic_upstreams.as_ref().map(|source| Source::build(source, &state));
        let source = source.transpose()?;
        let breakers = self.circuit_breaker.as_ref().map(BreakerConfig::deserialize).transpose()?;
        if breakers.is_some() && source.is_some() {
            return Err("circuit_breaker: dynamic upstreams are not supported yet".into());
        }
        let upstream = |config: &UpstreamConfig| {
            let breaker = breakers.as_ref().map(|breaker| self::breaker(breaker, &config.dial, &state));
            Ok(Upstream::build(config, &identity, breaker.transpose()?, &state))
        };
        let upstreams: std::result::Result<Arc<[Upstream]>, String> =
            self.upstreams.iter().map(upstream).collect();
        let upstreams = upstreams?;
        if let Some(active) = &checks.active
            && let Some(checker) = Checker::build(active, &transport, &upstreams)?
        {
            cx.background(checker.run());
        }
        cx.background(wire::sweep());
        let balancing = self.load_balancing.unwrap_or_default();
        let try_duration = balancing.try_duration.std();
        let headers = self.headers.unwrap_or_default();
        let down = headers.response.map(down).transpose()?;
        let retry_match = balancing.retry_match;
        // Expressions are the only matchers that can see a response.
        let retry_responses: Vec<_> =
            retry_match.iter().filter(|set| set.contains_key("expression")).cloned().collect();
        let drops_body = self.rewrite.as_ref().is_some_and(|r| ["GET", "HEAD"].contains(&r.method.as_str()));
        Ok(Box::new(Proxy {
            policy: Policy::build(balancing.selection_policy.as_ref())?,
            upstreams,
            source,
            slow_start: balancing.slow_start.some(),
            stream_timeout: self.stream_timeout.some(),
            status_name: self.proxy_status_name,
            transport,
            request_buffers: match self.request_buffers {
                0 if fastcgi.is_some() => fastcgi::BUFFER,
                configured => configured,
            },
            fastcgi,
            passive: Passive::new(checks.passive.unwrap_or_default()),
            retries: u32::try_from(balancing.retries).unwrap_or(0),
            try_duration,
            try_interval: balancing.try_interval.some().unwrap_or(if try_duration.is_zero() {
                Duration::ZERO
            } else {
                TRY_INTERVAL
            }),
            shows_headers: cx.shows_upstream(),
            drops_body,
            retry_responses: (!retry_responses.is_empty())
                .then(|| cx.matcher_sets(retry_responses))
                .transpose()?,
            retry_match: (!retry_match.is_empty()).then(|| cx.matcher_sets(retry_match)).transpose()?,
            trusted: self
                .trusted_proxies
                .iter()
                .map(|range| ip_range(range))
                .collect::<std::result::Result<_, _>>()?,
            request_ops: Operations::compile(headers.request.unwrap_or_default())?,
            down,
            rewrite: self.rewrite.map(rewrite::Rewrite::compile).transpose()?,
            response_buffers: self.response_buffers,
            responses: ResponseHandlers::build(self.handle_response, cx)?,
        }))
    }
}
/// The breaker of an address with these settings, wherever else it is used.
fn breaker(config: &BreakerConfig, dial: &str, state: &State) -> std::result::Result<Arc<Breaker>, String> {
    let settings = serde_json::to_string(config).unwrap_or_default();
    let breaker = Breaker::build(config)?;
    Ok(state.get_or(&format!("reverse_proxy/breaker/{dial}/{settings}"), || breaker))
}
fn down(config: ResponseOps) -> std::result::Result<Arc<dyn Passing>, BuildError> {
    let require = config.require.map(ResponseMatcher::build).transpose()?;
    Ok(Arc::new(Down { operations: Operations::compile(config.ops)?, require }))
}
/// The transport that a configuration names, HTTP if it names none; and the one of FastCGI, if that is it.
fn transports(
    config: Option<Value>,
    state: &State,
) -> std::result::Result<(Arc<Transport>, Option<FastCgi>), String> {
    let http = |config: &HttpTransport| Transport::build(config, state).map(Arc::new);
    let Some(Value::Object(mut fields)) = config else { return Ok((http(&HttpTransport::default())?, None)) };
    let protocol = fields.remove("protocol");
    let protocol = protocol.as_ref().and_then(Value::as_str).unwrap_or_default();
    let failed = |error| format!("transport {protocol}: {error}");
    match protocol {
        "http" => {
            let config = crate::config::decode::<HttpTransport, _>(Value::Object(fields)).map_err(failed)?;
            Ok((http(&config)?, None))
        }
        "fastcgi" => {
            let config =
                crate::config::decode::<FastCgiTransport, _>(Value::Object(fields)).map_err(failed)?;
            Ok((http(&HttpTransport::default())?, Some(FastCgi::build(config)?)))
        }
        other => Err(format!("transport {other} is not supported yet")),
    }
}
impl Passive {
    fn new(config: PassiveChecks) -> Self {
        Self {
            fail_duration: config.fail_duration.some(),
            max_fails: usize::try_from(config.max_fails).unwrap_or(0).max(1),
            request_count: usize::try_from(config.unhealthy_request_count).unwrap_or(0),
            unhealthy_status: config.unhealthy_status,
            unhealthy_latency: config.unhealthy_latency.some(),
        }
    }
    fn strike(&self, target: &Target) {
        if let Some(duration) = self.fail_duration {
            target.host.strike(duration);
        }
    }
    fn allows(&self, upstream: &Upstream) -> bool {
        let (own, host) = (upstream.max_requests, &upstream.host);
        let limit = if own > 0 { own } else { self.request_count };
        (self.fail_duration.is_none() || host.fails() < self.max_fails)
            && (limit == 0 || host.requests.load(Relaxed) < limit)
            && upstream.breaker.as_ref().is_none_or(|breaker| breaker.allows())
    }
    fn judge(&self, target: &Target, status: StatusCode, took: Duration) {
        target.host.traffic.count(status, took);
        let code = i64::from(status.as_u16());
        let bad = self.unhealthy_status.iter().any(|&s| s == code || s == code / 100);
        let slow = self.unhealthy_latency.is_some_and(|limit| took >= limit);
        if bad || slow {
            self.strike(target);
        }
    }
}
