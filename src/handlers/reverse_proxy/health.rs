//! Active health checks: each upstream is asked in turn, whether requests come or not.
use super::{
    config::ActiveChecks,
    forward::Attempt,
    request::Length,
    transport::Transport,
    upstream::{Address, Target, Upstream},
};
use crate::{
    config::go_regex,
    http::{Body, Connection, Exchange, Text},
    state::State,
};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use regex::Regex;
use std::{sync::Arc, time::Duration};
use tokio::time::{MissedTickBehavior, interval, timeout};

const INTERVAL: Duration = Duration::from_secs(30);
const TIMEOUT: Duration = Duration::from_secs(5);
const LONGEST_BODY: u64 = 1 << 20;
const LOGGER: &str = "http.handlers.reverse_proxy.health_checker.active";

/// What is asked, and what answers are good.
pub(super) struct Checker {
    uri: String,
    method: Method,
    headers: Vec<(HeaderName, String)>,
    body: Bytes,
    port: u16,
    /// Whom to ask instead of the upstream itself.
    instead: Option<Target>,
    interval: Duration,
    timeout: Duration,
    passes: u32,
    fails: u32,
    expect_status: i64,
    expect_body: Option<Regex>,
    longest: u64,
    transport: Arc<Transport>,
    upstreams: Arc<[Upstream]>,
}
impl Checker {
    /// `None` if nothing says that upstreams are to be asked.
    ///
    /// # Errors
    /// An expression, a method or a field that is none; what does not run yet.
    pub(super) fn build(
        config: &ActiveChecks,
        transport: &Arc<Transport>,
        upstreams: &Arc<[Upstream]>,
        state: &State,
    ) -> Result<Option<Self>, String> {
        if config.uri.is_empty() && config.path.is_empty() && config.port == 0 {
            return Ok(None);
        }
        if config.follow_redirects {
            return Err("health_follow_redirects is not supported yet".into());
        }
        let uri = if config.uri.is_empty() { &config.path } else { &config.uri };
        let method = if config.method.is_empty() { "GET" } else { &config.method };
        let fields =
            config.headers.iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
        let field = |(name, value): (&String, &String)| {
            Ok::<_, String>((name.parse().map_err(|_| format!("not a header field: {name}"))?, value.clone()))
        };
        let body = &config.expect_body;
        Ok(Some(Self {
            uri: if uri.starts_with('/') { uri.clone() } else { format!("/{uri}") },
            method: method.to_uppercase().parse().map_err(|_| format!("not a method: {method}"))?,
            headers: fields.map(field).collect::<Result<_, _>>()?,
            body: config.body.clone().into(),
            port: u16::try_from(config.port).map_err(|_| format!("health_port {}: no port", config.port))?,
            instead: (!config.upstream.is_empty())
                .then(|| Target::parse(&config.upstream, state))
                .transpose()?,
            interval: config.interval.some().unwrap_or(INTERVAL),
            timeout: config.timeout.some().unwrap_or(TIMEOUT),
            passes: u32::try_from(config.passes).unwrap_or(0),
            fails: u32::try_from(config.fails).unwrap_or(0),
            expect_status: config.expect_status,
            expect_body: (!body.is_empty()).then(|| go_regex(body)).transpose()?,
            longest: if config.max_size > 0 { config.max_size } else { LONGEST_BODY },
            transport: transport.clone(),
            upstreams: upstreams.clone(),
        }))
    }
    /// Asks for as long as it is polled; the first time at once.
    pub(super) async fn run(self) {
        let mut ticks = interval(self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let checks = self.upstreams.iter().map(|upstream| self.check(upstream));
            futures_util::future::join_all(checks).await;
        }
    }
    async fn check(&self, upstream: &Upstream) {
        let Some(fixed) = &upstream.fixed else { return };
        let target = match self.target(fixed) {
            Ok(target) => target,
            Err(error) => {
                tracing::error!(target: LOGGER, error, "invalid health check address");
                return;
            }
        };
        let host = &fixed.address.text;
        let asked = timeout(self.timeout, self.ask(&target)).await;
        let outcome =
            asked.unwrap_or_else(|_| Err(("HTTP request failed", "context deadline exceeded".into())));
        if let Err((message, error)) = &outcome {
            tracing::info!(target: LOGGER, host, error, "{message}");
        }
        match upstream.health.count(outcome.is_ok(), self.passes, self.fails) {
            Some(true) => tracing::info!(target: LOGGER, host, "host is up"),
            Some(false) => tracing::warn!(target: LOGGER, host, "host is down"),
            None => {}
        }
    }
    fn target(&self, fixed: &Target) -> Result<Target, String> {
        let base = self.instead.as_ref().unwrap_or(fixed);
        if self.port == 0 {
            return Ok(base.clone());
        }
        let address = Address::with_port(&base.address, self.port)?;
        Ok(Target { address: Arc::new(address), host: base.host.clone() })
    }
    async fn ask(&self, target: &Target) -> Result<(), (&'static str, String)> {
        let failed = |error: String| ("HTTP request failed", error);
        let request = Request::builder().method(self.method.clone()).uri(&self.uri).body(());
        let (mut head, ()) = request.map_err(|error| failed(error.to_string()))?.into_parts();
        let host = HeaderValue::from_str(&target.address.host_field(self.transport.has_tls()));
        head.headers.insert(http::header::HOST, host.map_err(|error| failed(error.to_string()))?);
        let x = Exchange::new(head, Body::Empty, Arc::new(Connection::default()));
        let mut fields = x.request.headers.clone();
        for (name, value) in &self.headers {
            if let Ok(value) = HeaderValue::from_str(&Text::new(value).expand(&x)) {
                fields.insert(name, value);
            }
        }
        let length =
            if self.body.is_empty() { Length::None } else { Length::Exactly(self.body.len() as u64) };
        let attempt = Attempt {
            transport: &self.transport,
            target,
            server_name: self.transport.server_name(&x),
            method: &self.method,
            head: super::request::plain_head(&self.method, &self.uri, &fields, length),
            length,
        };
        drop(x);
        let mut body = if self.body.is_empty() { Body::Empty } else { Body::Bytes(self.body.clone()) };
        let answer = attempt.send(&mut body).await.map_err(|failure| failed(failure.message()))?;
        self.judge(answer.status, answer.body).await
    }
    async fn judge(&self, status: StatusCode, body: Body) -> Result<(), (&'static str, String)> {
        let code = i64::from(status.as_u16());
        let expected = match self.expect_status {
            0 => status.is_success(),
            class @ 1..10 => code / 100 == class,
            exactly => code == exactly,
        };
        if !expected {
            let why = if self.expect_status == 0 {
                "status code out of tolerances"
            } else {
                "unexpected status code"
            };
            return Err((why, format!("status code {code}")));
        }
        let limit = usize::try_from(self.longest).unwrap_or(usize::MAX);
        let read = Limited::new(body, limit).collect().await;
        let read = read.map_err(|error| ("failed to read response body", error.to_string()))?.to_bytes();
        match &self.expect_body {
            Some(expected) if !expected.is_match(&String::from_utf8_lossy(&read)) => {
                Err(("response body failed expectations", String::new()))
            }
            _ => Ok(()),
        }
    }
}
