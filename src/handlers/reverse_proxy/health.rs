//! Active health checks: each upstream is asked in turn, whether requests come or not.
use super::{
    config::ActiveChecks,
    forward::{Attempt, What},
    transport::Transport,
    upstream::{Address, Target, Upstream},
};
use crate::{
    config::go_regex,
    http::{Body, Exchange, Text},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body::Body as _;
use http_body_util::{BodyExt, Limited};
use regex::Regex;
use std::{sync::Arc, time::Duration};
use tokio::time::{MissedTickBehavior, interval, timeout};

/// A log message, and what is wrong.
type Complaint = (&'static str, String);
const INTERVAL: Duration = Duration::from_secs(30);
const TIMEOUT: Duration = Duration::from_secs(5);
const LONGEST_BODY: u64 = 1 << 20;
const LOGGER: &str = "http.handlers.reverse_proxy.health_checker.active";

/// What is asked, and what answers are good.
pub(super) struct Checker {
    uri: String,
    method: Method,
    headers: Vec<(HeaderName, String)>,
    body: String,
    follow_redirects: bool,
    port: u16,
    /// Whom to ask instead of the upstream itself.
    instead: Option<Address>,
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
    ) -> Result<Option<Self>, String> {
        if config.uri.is_empty() && config.path.is_empty() && config.port == 0 {
            return Ok(None);
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
            body: config.body.clone(),
            follow_redirects: config.follow_redirects,
            port: u16::try_from(config.port).map_err(|_| format!("health_port {}: no port", config.port))?,
            instead: (!config.upstream.is_empty()).then(|| Address::parse(&config.upstream)).transpose()?,
            interval: config.interval.some().unwrap_or(INTERVAL),
            timeout: config.timeout.some().unwrap_or(TIMEOUT),
            passes: u32::try_from(config.passes).unwrap_or(0),
            fails: u32::try_from(config.fails).unwrap_or(0),
            expect_status: config.expect_status,
            expect_body: (!body.is_empty())
                .then(|| go_regex(body))
                .transpose()
                .map_err(|why| format!("expect_body: compiling regular expression: {why}"))?,
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
        let blank = || Exchange::new(Request::new(()).into_parts().0, Body::Empty, Arc::default());
        // Of placeholders only those are known that do without a request.
        let base = upstream.dial.expand_or_err(&blank()).and_then(|dial| Address::parse(&dial));
        let target = base.and_then(|base| Ok((self.address(&base)?, base)));
        let (target, base) = match target {
            Ok(addresses) => addresses,
            Err(error) => {
                let address = &*upstream.name;
                tracing::error!(target: LOGGER, address, error, "bad network address");
                return;
            }
        };
        let host = &base.hostport;
        let asked = timeout(self.timeout, self.ask(&Arc::new(Target::of(target)), &base, blank())).await;
        let outcome =
            asked.unwrap_or_else(|_| Err(("HTTP request failed", "context deadline exceeded".into())));
        if let Err((message, error)) = &outcome {
            tracing::info!(target: LOGGER, host, error, "{message}");
        }
        match upstream.health.count(outcome.is_ok(), self.passes, self.fails) {
            Some(true) => {
                upstream.host.recovered();
                tracing::info!(target: LOGGER, host, "host is up");
            }
            Some(false) => tracing::warn!(target: LOGGER, host, "host is down"),
            None => {}
        }
    }
    /// Whom to ask about an upstream.
    fn address(&self, base: &Address) -> Result<Address, String> {
        match (&self.instead, self.port) {
            (Some(instead), _) => Ok(instead.clone()),
            (None, 0) => Ok(base.clone()),
            (None, port) => base.with_port(port),
        }
    }
    async fn ask(&self, target: &Arc<Target>, base: &Address, mut x: Exchange) -> Result<(), Complaint> {
        const MOST_REDIRECTS: usize = 10;
        let failed = |error: String| ("HTTP request failed", error);
        x.set("http.reverse_proxy.active.target_upstream", &*base.text);
        let host = HeaderValue::from_str(&target.address.host_field(self.transport.has_tls()));
        x.request.headers.insert(header::HOST, host.map_err(|error| failed(error.to_string()))?);
        for (name, value) in &self.headers {
            if let Ok(value) = HeaderValue::from_str(&Text::new(value).expand_known(&x)) {
                let known = name == header::HOST || !x.request.headers.contains_key(name);
                if known {
                    _ = x.request.headers.insert(name, value)
                } else {
                    _ = x.request.headers.append(name, value)
                };
            }
        }
        let text = Text::new(&self.body).expand_known(&x).into_owned();
        let (mut method, mut uri) = (self.method.clone(), self.uri.clone());
        let mut body = if text.is_empty() { Body::Empty } else { Body::Bytes(text.into()) };
        for _ in 0..=MOST_REDIRECTS {
            let length = body.size_hint().exact().filter(|&length| length > 0);
            let fields = &x.request.headers;
            let attempt = Attempt {
                transport: &self.transport,
                target,
                way: self
                    .transport
                    .way(&x, &target.address, false)
                    .map_err(|failure| failed(failure.message()))?,
                what: What::Own { method: &method, target: &uri, fields: &fields.clone(), length },
            };
            let answer = attempt.send(&mut x, &mut body).await;
            let (answer, _) = answer.map_err(|failure| failed(failure.message()))?;
            match self.redirect(&answer.status, &answer.headers, &uri) {
                None => return self.judge(answer.status, answer.body).await,
                Some(to) => uri = to,
            }
            if ![StatusCode::TEMPORARY_REDIRECT, StatusCode::PERMANENT_REDIRECT].contains(&answer.status) {
                (method, body) = (if method == Method::HEAD { method } else { Method::GET }, Body::Empty);
            }
        }
        Err(failed(format!("stopped after {MOST_REDIRECTS} redirects")))
    }
    /// Where a redirect leads on the same upstream, if redirects are followed.
    fn redirect(&self, status: &StatusCode, headers: &HeaderMap, from: &str) -> Option<String> {
        if !self.follow_redirects || ![301, 302, 303, 307, 308].contains(&status.as_u16()) {
            return None;
        }
        let to: Uri = headers.get(header::LOCATION)?.to_str().ok()?.parse().ok()?;
        let path = to.path_and_query()?.as_str();
        if path.starts_with('/') {
            return Some(path.into());
        }
        let folder = from.split('?').next()?.rsplit_once('/')?.0;
        Some(format!("{folder}/{path}"))
    }
    async fn judge(&self, status: StatusCode, body: Body) -> Result<(), Complaint> {
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
