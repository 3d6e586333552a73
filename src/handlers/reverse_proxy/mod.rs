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
mod config;
pub mod copy_response;
mod forward;
mod health;
mod policy;
mod report;
mod request;
mod respond;
mod syntax;
mod transport;
mod upstream;
use crate::{
    caddyfile::{Directive, Order, Parse, Support},
    handlers::{headers::Operations, rewrite},
    http::{
        Action, Body, Build, BuildError, Exchange, Flow, Handler, HandlerConfig, HandlerModule, HttpError,
        MatcherSets, ResponseHandlers, Result, Step, Upstream as Received, ip_range,
    },
    state::State,
};
use config::{HttpTransport, PassiveChecks, ReverseProxy};
use forward::{Attempt, Failure};
use health::Checker;
use http::{HeaderValue, Method, StatusCode, Uri, header};
use http_body::Body as _;
use ipnet::IpNet;
use policy::Policy;
pub use report::{families, upstreams};
use request::{Length, Outgoing};
use serde::Deserialize;
use serde_json::Value;
use std::{
    mem,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};
pub use syntax::{dynamic, fastcgi, forward_auth, http_transport, php_fastcgi, policies};
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
    policy: Policy,
    transport: Arc<Transport>,
    state: Arc<State>,
    passive: Passive,
    retries: usize,
    try_duration: Duration,
    try_interval: Duration,
    /// Which requests may be sent again once an upstream may have seen them.
    retry_match: Option<MatcherSets>,
    trusted: Box<[IpNet]>,
    request_ops: Operations,
    response_ops: Operations,
    rewrite: Option<rewrite::Change>,
    request_buffers: i64,
    response_buffers: i64,
    responses: ResponseHandlers,
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
        for (set, what) in [
            (self.circuit_breaker.is_some(), "circuit_breaker"),
            (self.dynamic_upstreams.is_some(), "dynamic_upstreams"),
            (!self.stream_timeout.is_zero(), "stream_timeout"),
            (!self.proxy_status_name.is_empty(), "proxy_status_name"),
        ] {
            if set {
                return Err(format!("reverse_proxy: {what} is not supported yet").into());
            }
        }
        let transport = Arc::new(http_transport(self.transport)?);
        let checks = self.health_checks.unwrap_or_default();
        let identity = checks.active.as_ref().map(serde_json::to_string).transpose()?.unwrap_or_default();
        let state = cx.shared_state();
        let upstream = |config| Upstream::build(config, &identity, &state);
        let upstreams: Arc<[Upstream]> =
            self.upstreams.into_iter().map(upstream).collect::<std::result::Result<_, _>>()?;
        if let Some(active) = &checks.active
            && let Some(checker) = Checker::build(active, &transport, &upstreams, &state)?
        {
            cx.background(checker.run());
        }
        let balancing = self.load_balancing.unwrap_or_default();
        let try_duration = balancing.try_duration.std();
        let headers = self.headers.unwrap_or_default();
        let response_ops = headers.response.unwrap_or_default();
        if response_ops.deferred || response_ops.require.is_some() {
            return Err("reverse_proxy: header_down with require or deferred is not supported yet".into());
        }
        let retry_match = balancing.retry_match;
        Ok(Box::new(Proxy {
            policy: Policy::build(balancing.selection_policy.as_ref())?,
            upstreams,
            transport,
            state,
            passive: Passive::new(checks.passive.unwrap_or_default()),
            retries: usize::try_from(balancing.retries).unwrap_or(0),
            try_duration,
            try_interval: balancing.try_interval.some().unwrap_or(if try_duration.is_zero() {
                Duration::ZERO
            } else {
                TRY_INTERVAL
            }),
            retry_match: (!retry_match.is_empty()).then(|| cx.matcher_sets(retry_match)).transpose()?,
            trusted: self
                .trusted_proxies
                .iter()
                .map(|range| ip_range(range))
                .collect::<std::result::Result<_, _>>()?,
            request_ops: Operations::compile(headers.request.unwrap_or_default())?,
            response_ops: Operations::compile(response_ops.ops)?,
            rewrite: self.rewrite.map(rewrite::Rewrite::compile).transpose()?,
            request_buffers: self.request_buffers,
            response_buffers: self.response_buffers,
            responses: ResponseHandlers::build(self.handle_response, cx)?,
        }))
    }
}
/// The transport that a configuration names; HTTP if it names none.
fn http_transport(config: Option<Value>) -> std::result::Result<Transport, String> {
    let Some(Value::Object(mut fields)) = config else { return Transport::build(&HttpTransport::default()) };
    match fields.remove("protocol").as_ref().and_then(Value::as_str) {
        Some("http") => {}
        other => return Err(format!("transport {} is not supported yet", other.unwrap_or_default())),
    }
    let config = HttpTransport::deserialize(Value::Object(fields))
        .map_err(|error| format!("transport http: {error}"))?;
    Transport::build(&config)
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
        let Some(target) = &upstream.fixed else { return true };
        let full = |limit: usize| limit > 0 && target.host.requests.load(Relaxed) >= limit;
        (self.fail_duration.is_none() || target.host.fails() < self.max_fails)
            && !full(self.request_count)
            && !full(upstream.max_requests)
    }
    fn judges(&self, target: &Target, status: StatusCode, took: Duration) {
        let code = i64::from(status.as_u16());
        let bad = self.unhealthy_status.iter().any(|&s| s == code || s == code / 100);
        let slow = self.unhealthy_latency.is_some_and(|limit| took >= limit);
        if bad || slow {
            self.strike(target);
        }
    }
}
impl Handler for Proxy {
    fn handle<'t: 'x, 'x>(&'t self, x: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        Flow::wait(self.pass_on(x))
    }
}
impl Proxy {
    async fn pass_on(&self, x: &mut Exchange) -> Result<Step<'_>> {
        let mut received = self.ask(x).await?;
        if !self.response_ops.is_empty() {
            self.response_ops.apply_to(x, &mut received.headers);
        }
        match self.responses.action(x, received.status, &received.headers)? {
            Action::Pass => {}
            Action::Status(status) => received.status = status,
            // Nothing of the upstream's is passed back unless these routes, or what is behind us, copy it.
            Action::Enter(routes) => {
                x.set_response("http.reverse_proxy", received.status, &received.headers);
                x.upstream = Some(received);
                return Ok(Step::Enter(routes));
            }
        }
        if self.response_buffers != 0 {
            received.body = respond::buffer(received.body, self.response_buffers).await?;
        }
        Ok(Step::Done(respond::back(received, x)))
    }
    /// Tries upstreams until one answers, or it is enough.
    async fn ask(&self, x: &mut Exchange) -> Result<Received> {
        let (method, uri) = self.rewritten(x)?;
        // A request that is rewritten into one without a body leaves the body to whoever is behind us.
        let bodiless = method
            .as_ref()
            .is_some_and(|m| *m != x.request.method && [Method::GET, Method::HEAD].contains(m));
        let mut body = if bodiless { Body::Empty } else { mem::take(&mut x.body) };
        if self.request_buffers != 0 {
            body = respond::buffer(body, self.request_buffers).await?;
        }
        let method = method.unwrap_or_else(|| x.request.method.clone());
        let target = uri.map_or_else(|| x.uri().into_owned(), |uri| uri.to_string());
        let length = length(x, &body, bodiless);
        let started = Instant::now();
        for tried in 0.. {
            let failed = match self.select(x) {
                None => HttpError::new(StatusCode::SERVICE_UNAVAILABLE, "no upstreams available"),
                Some(upstream) => {
                    let at = upstream.target(x, &self.state).map_err(|why| {
                        HttpError::new(StatusCode::BAD_GATEWAY, format!("making dial info: {why}"))
                    })?;
                    match self.attempt(x, &at, (&method, &target), length, &mut body).await {
                        Ok(received) => return Ok(received),
                        Err(Failure::Body(error)) => {
                            let ours = HttpError::behind(&*error);
                            return Err(ours.unwrap_or_else(|| {
                                HttpError::new(StatusCode::BAD_GATEWAY, error.to_string())
                            }));
                        }
                        Err(failure) => {
                            self.passive.strike(&at);
                            let error = HttpError::new(failure.status(), failure.message());
                            if !matches!(failure, Failure::Dial(_)) && !self.may_repeat(x, &method).await? {
                                return Err(error);
                            }
                            error
                        }
                    }
                }
            };
            if !self.goes_on(tried, started) {
                return Err(failed);
            }
            tokio::time::sleep(self.try_interval).await;
        }
        unreachable!("the loop ends by returning")
    }
    fn goes_on(&self, tried: usize, started: Instant) -> bool {
        if self.try_duration.is_zero() {
            return tried < self.retries;
        }
        started.elapsed() < self.try_duration && (self.retries == 0 || tried < self.retries)
    }
    /// Whether a request that an upstream may have seen may be sent again.
    async fn may_repeat(&self, x: &mut Exchange, method: &Method) -> Result<bool> {
        match &self.retry_match {
            None => Ok(method == Method::GET),
            Some(sets) => sets.any(x).await,
        }
    }
    fn rewritten(&self, x: &Exchange) -> Result<(Option<Method>, Option<Uri>)> {
        self.rewrite.as_ref().map_or(Ok((None, None)), |rewrite| rewrite.apply(x))
    }
    fn select(&self, x: &mut Exchange) -> Option<&Upstream> {
        let available = |upstream: &Upstream| upstream.health.is_healthy() && self.passive.allows(upstream);
        match &*self.upstreams {
            [one] if matches!(self.policy, Policy::Random) => available(one).then_some(one),
            pool => self.policy.select(pool, &available, x),
        }
    }
    async fn attempt(
        &self,
        x: &mut Exchange,
        at: &Target,
        (method, target): (&Method, &str),
        length: Length,
        body: &mut Body,
    ) -> std::result::Result<Received, Failure> {
        let headers = &x.request.headers;
        let asks = |name| headers.contains_key(name);
        let gzip = self.transport.compression
            && !asks(header::ACCEPT_ENCODING)
            && !asks(header::RANGE)
            && method != Method::HEAD;
        let upgrade = request::upgrade(headers);
        let peer = x.connection.remote.map(|peer| peer.ip().to_canonical());
        let outgoing = Outgoing {
            method,
            target,
            length,
            upgrade: upgrade.as_ref(),
            trusted: x.trusted_proxy
                || peer.is_some_and(|peer| self.trusted.iter().any(|range| range.contains(&peer))),
            // Over TLS upstreams are called by their own name.
            host: self
                .transport
                .has_tls()
                .then(|| HeaderValue::from_str(&at.address.host_field(true)).ok())
                .flatten(),
            gzip: gzip && upgrade.is_none(),
            operations: &self.request_ops,
        };
        tracing::debug!(target: LOGGER, dial = at.address.text, total_upstreams = self.upstreams.len(), "selected upstream");
        let (head, gzip) = (outgoing.head(x), outgoing.gzip);
        let server_name = self.transport.server_name(x);
        let attempt = Attempt { transport: &self.transport, target: at, server_name, method, head, length };
        let begun = Instant::now();
        let mut received = attempt.send(body).await?;
        let took = begun.elapsed();
        self.passive.judges(at, received.status, took);
        tracing::debug!(
            target: LOGGER,
            upstream = at.address.text, duration = took.as_secs_f64(), status = received.status.as_u16(),
            "upstream roundtrip"
        );
        if received.status == StatusCode::SWITCHING_PROTOCOLS {
            let switched = received.headers.get(header::UPGRADE).map_or(&b""[..], HeaderValue::as_bytes);
            let asked = upgrade.as_ref().map_or(&b""[..], HeaderValue::as_bytes);
            if asked.is_empty() || !switched.eq_ignore_ascii_case(asked) {
                let text = String::from_utf8_lossy;
                let (switched, asked) = (text(switched), text(asked));
                return Err(Failure::Broken(format!(
                    "backend tried to switch protocol \"{switched}\" when \"{asked}\" was requested"
                )));
            }
        }
        respond::receive(&mut received, gzip);
        Ok(received)
    }
}
/// How the upstream learns where the body ends.
fn length(x: &Exchange, body: &Body, bodiless: bool) -> Length {
    if bodiless {
        return Length::None;
    }
    let said = x.request.headers.contains_key(header::CONTENT_LENGTH);
    match body.size_hint().exact() {
        Some(0) if !said => Length::None,
        Some(length) => Length::Exactly(length),
        None => Length::Chunked,
    }
}
