//! A request on its way: picks upstreams until one answers, and passes that answer on.
use super::{
    LOGGER, Proxy,
    breaker::{Breaker, Change, Trial},
    forward::{Attempt, Failure, What},
    request::{self, Length, Outgoing},
    respond,
    upstream::{Target, Upstream},
};
use crate::http::{
    Action, Body, Exchange, Flow, Handler, HttpError, Result, Step, Upstream as Received, uri::request_uri,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use http_body::Body as _;
use std::{
    borrow::Cow,
    mem,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

impl Handler for Proxy {
    fn handle<'t: 'x, 'x>(&'t self, x: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        Flow::wait(self.pass_on(x))
    }
}
/// What stays the same over all attempts.
struct Plan {
    method: Method,
    /// `None`: the request's own.
    uri: Option<Uri>,
    length: Length,
    upgrade: Option<HeaderValue>,
    key: Option<HeaderValue>,
    trusted: bool,
    started: Instant,
}
impl Proxy {
    async fn pass_on(&self, x: &mut Exchange) -> Result<Step<'_>> {
        let (mut received, tried) = self.ask(x).await?;
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
        let incremental = self.response_buffers != 0 && respond::is_incremental(&received.headers);
        if incremental && !received.body.is_end_stream() {
            return Err(self.refuse_incremental(&received.headers, x));
        }
        let response = respond::back(received, x);
        // Not known any sooner, as in Caddy.
        x.proxied.retries = Some(tried);
        Ok(Step::Done(response))
    }
    /// A message that is to be passed on as it comes (RFC 10036) cannot be buffered.
    fn refuse_incremental(&self, upstream: &HeaderMap, x: &mut Exchange) -> Box<HttpError> {
        if let Some(value) = respond::proxy_status(&self.status_name, upstream) {
            x.headers.insert(respond::PROXY_STATUS, value);
        }
        HttpError::new(StatusCode::NOT_IMPLEMENTED, "refusing to forward the message incrementally")
    }
    /// Tries upstreams until one answers, or it is enough. Gives the number of failures before that, too.
    async fn ask(&self, x: &mut Exchange) -> Result<(Received, u32)> {
        let (plan, mut body) = self.plan(x).await?;
        let mut last = None;
        let mut tried = 0;
        loop {
            let found = self.found(x, tried).await;
            let pool = found.as_deref().unwrap_or(&self.upstreams);
            let failure = match self.select(x, pool) {
                None => last.take().unwrap_or(Failure::NoUpstream),
                Some(upstream) => {
                    // The clock is not read twice for one moment.
                    let begun = if tried == 0 && found.is_none() { plan.started } else { Instant::now() };
                    match self.attempt(x, (upstream, pool.len()), (&plan, begun), &mut body).await {
                        Ok(received) => {
                            x.proxied.duration = x.proxied.latency.map(|took| begun - plan.started + took);
                            return Ok((received, tried));
                        }
                        Err(failure) => failure,
                    }
                }
            };
            // What of the body is gone cannot be sent again.
            let lost = matches!(body, Body::Abort);
            if lost || !self.tries_again(x, &failure, tried, &plan).await? {
                x.proxied.retries = Some(tried);
                // Whoever handles the error may have a use for it.
                x.body = body;
                return Err(failure.into_error());
            }
            tracing::debug!(target: LOGGER, error = failure.message(), "retrying");
            last = Some(failure);
            tried += 1;
            if !self.try_interval.is_zero() {
                tokio::time::sleep(self.try_interval).await;
            }
        }
    }
    /// What is to be sent, and its body.
    async fn plan(&self, x: &mut Exchange) -> Result<(Plan, Body)> {
        let (method, uri) = match &self.rewrite {
            None => (None, None),
            Some(rewrite) => rewrite.apply(x)?,
        };
        let key = request::websocket_key(x);
        let upgrade = match key {
            Some(_) => Some(HeaderValue::from_static("websocket")),
            None => request::upgrade(&x.request.headers),
        };
        let own = if key.is_some() { Method::GET } else { x.request.method.clone() };
        let method = method.unwrap_or(own);
        // A request that is rewritten into one without a body leaves the body to whoever is behind us.
        let changed = method != x.request.method || uri.as_ref().is_some_and(|uri| *uri != x.request.uri);
        let bodiless = self.drops_body && changed;
        let mut body = if bodiless { Body::Empty } else { taken(&mut x.body)? };
        if self.request_buffers != 0 {
            if !body.is_end_stream() && respond::is_incremental(&x.request.headers) {
                return Err(self.refuse_incremental(&HeaderMap::new(), x));
            }
            let buffered = respond::buffer(body, self.request_buffers).await;
            // A body that cannot be read is the client's fault.
            body = buffered.map_err(|error| match error.status {
                Some(StatusCode::BAD_GATEWAY) => HttpError::new(StatusCode::BAD_REQUEST, error.message),
                _ => error,
            })?;
        }
        let peer = x.connection.remote.map(|peer| peer.ip().to_canonical());
        let among = |peer| self.trusted.iter().any(|range| range.contains(&peer));
        let plan = Plan {
            length: length(&method, &body),
            upgrade,
            key,
            trusted: x.trusted_proxy || peer.is_some_and(among),
            started: Instant::now(),
            method,
            uri,
        };
        Ok((plan, body))
    }
    /// Whether a failure is not the end of it.
    async fn tries_again(
        &self,
        x: &mut Exchange,
        failure: &Failure,
        tried: u32,
        plan: &Plan,
    ) -> Result<bool> {
        let over = !self.try_duration.is_zero() && plan.started.elapsed() >= self.try_duration;
        let enough = self.retries > 0 && tried >= self.retries;
        if over || enough || (self.retries == 0 && self.try_duration.is_zero()) {
            return Ok(false);
        }
        match failure {
            Failure::Body(_) | Failure::Address(_) => Ok(false),
            Failure::Dial(_) | Failure::NoUpstream | Failure::Unwanted(_) => Ok(true),
            Failure::Timeout(_) | Failure::Broken(_) => match &self.retry_match {
                None => Ok(plan.method == Method::GET),
                Some(sets) => {
                    x.proxied.transport_error = true;
                    let matches = sets.any(x).await;
                    x.proxied.transport_error = false;
                    matches
                }
            },
        }
    }
    /// The upstreams that are asked instead of those that the configuration names, if there is a source of others.
    async fn found(&self, x: &mut Exchange, tried: u32) -> Option<Arc<[Upstream]>> {
        let source = self.source.as_ref()?;
        if tried > 0 {
            source.forget(x);
        }
        match Box::pin(source.upstreams(x)).await {
            Ok(found) => Some(found),
            Err(error) => {
                let message = "failed getting dynamic upstreams; falling back to static upstreams";
                tracing::error!(target: LOGGER, error, "{message}");
                None
            }
        }
    }
    fn select<'u>(&self, x: &mut Exchange, pool: &'u [Upstream]) -> Option<&'u Upstream> {
        let available = |upstream: &Upstream| upstream.health.is_healthy() && self.passive.allows(upstream);
        if let [one] = pool
            && !self.policy.remembers()
        {
            return available(one).then_some(one);
        }
        if let Some(ramp) = self.slow_start.filter(|_| self.policy.spreads()) {
            let share = |upstream: &Upstream| {
                let share = upstream.host.share(ramp);
                share >= 1.0 || fastrand::f64() < share
            };
            let selected = self.policy.select(pool, &|upstream| available(upstream) && share(upstream), x);
            if selected.is_some() {
                return selected;
            }
        }
        self.policy.select(pool, &available, x)
    }
    async fn attempt(
        &self,
        x: &mut Exchange,
        (upstream, total_upstreams): (&Upstream, usize),
        (plan, begun): (&Plan, Instant),
        body: &mut Body,
    ) -> std::result::Result<Received, Failure> {
        let target = upstream.target(x).map_err(Failure::Address)?;
        let address = &target.address;
        tracing::debug!(target: LOGGER, dial = address.hostport, total_upstreams, "selected upstream");
        x.proxied.upstream = Some(target.clone());
        x.proxied.in_flight = target.host.requests.load(Relaxed);
        let path = plan.uri.as_ref().map(ToString::to_string);
        let own = x.request.uri.clone();
        let way = self.transport.way(x, address, plan.upgrade.is_some())?;
        let proxy = way.asks_proxy().map(|proxy| proxy.authorization());
        let outgoing = Outgoing {
            method: &plan.method,
            target: &path.map_or_else(|| request_uri(&own), Cow::Owned),
            length: plan.length,
            upgrade: plan.upgrade.as_ref(),
            key: plan.key.as_ref(),
            trusted: plan.trusted,
            hostport: &address.hostport,
            // Over TLS upstreams are called by their own name.
            own_host: self.transport.has_tls(),
            closes: !self.transport.keeps_alive(),
            proxy,
            compression: self.transport.compression && self.fastcgi.is_none(),
            operations: &self.request_ops,
        };
        let trial = upstream.breaker.as_ref().map(Breaker::begin);
        let sent = if let Some(fastcgi) = &self.fastcgi {
            let received = Box::pin(fastcgi.send(x, &target, &outgoing, body)).await;
            received.map(|received| (received, false))
        } else {
            let what = What::Passed(outgoing);
            Attempt { transport: &self.transport, target: &target, way, what }.send(x, body).await
        };
        let took = begun.elapsed();
        judged(trial, &target, &sent);
        match sent {
            Ok((received, gzip)) => self.received(x, received, gzip, (&target, plan, took)).await,
            Err(failure) => {
                if failure.is_strike() {
                    self.passive.strike(&target);
                }
                tracing::debug!(
                    target: LOGGER,
                    upstream = address.text, duration = took.as_secs_f64(), error = failure.message(),
                    "upstream roundtrip"
                );
                Err(failure)
            }
        }
    }
    /// Looks at a response before it is passed on.
    async fn received(
        &self,
        x: &mut Exchange,
        mut received: Received,
        gzip: bool,
        (target, plan, took): (&Arc<Target>, &Plan, Duration),
    ) -> std::result::Result<Received, Failure> {
        let status = received.status;
        tracing::debug!(
            target: LOGGER,
            upstream = target.address.text, duration = took.as_secs_f64(), status = status.as_u16(),
            "upstream roundtrip"
        );
        self.passive.judge(target, status, took);
        if status == StatusCode::SWITCHING_PROTOCOLS {
            check_switch(plan.upgrade.as_ref(), received.headers.get(header::UPGRADE))?;
            if let Some(limit) = self.stream_timeout {
                received.body = respond::ending(received.body, limit);
            }
        }
        respond::receive(&mut received, gzip);
        (x.proxied.status, x.proxied.latency) = (Some(status), Some(took));
        if self.response_buffers != 0 && !respond::is_incremental(&received.headers) {
            let buffered = respond::buffer(received.body, self.response_buffers).await;
            received.body = buffered.map_err(|error| Failure::Broken(error.message.clone()))?;
        }
        if self.shows_headers {
            x.set_response("http.reverse_proxy", status, &received.headers);
        }
        if let Some(sets) = &self.retry_responses
            && sets.any(x).await.unwrap_or(false)
        {
            return Err(Failure::Unwanted(status));
        }
        received.passing.clone_from(&self.down);
        Ok(received)
    }
}
/// Tells the circuit breaker how it went. A client that has failed says nothing of the upstream.
fn judged(trial: Option<Trial>, target: &Target, sent: &std::result::Result<(Received, bool), Failure>) {
    let Some(trial) = trial else { return };
    let failed = match sent {
        Ok((received, _)) => received.status.is_server_error(),
        Err(failure) if failure.is_strike() => true,
        Err(_) => return,
    };
    let upstream = &target.address.text;
    match trial.end(failed) {
        Some(Change::Opened) => tracing::warn!(target: LOGGER, upstream, "circuit breaker has opened"),
        Some(Change::Closed) => {
            target.host.recovered();
            tracing::info!(target: LOGGER, upstream, "circuit breaker has closed");
        }
        None => {}
    }
}
/// A protocol that nobody asked for is nobody's to speak.
fn check_switch(
    asked: Option<&HeaderValue>,
    switched: Option<&HeaderValue>,
) -> std::result::Result<(), Failure> {
    let bytes = |value: Option<&HeaderValue>| value.map_or(vec![], |value| value.as_bytes().to_vec());
    let (asked, switched) = (bytes(asked), bytes(switched));
    if !asked.is_empty() && switched.eq_ignore_ascii_case(&asked) {
        return Ok(());
    }
    let (asked, switched) = (String::from_utf8_lossy(&asked), String::from_utf8_lossy(&switched));
    let message = format!("backend tried to switch protocol \"{switched}\" when \"{asked}\" was requested");
    Err(Failure::Broken(message))
}
/// The request's body; whoever asks once more is told that it is gone.
fn taken(body: &mut Body) -> Result<Body> {
    match mem::take(body) {
        Body::Abort => Err(HttpError::new(
            StatusCode::BAD_GATEWAY,
            "the request's body has been sent to another upstream",
        )),
        taken => {
            if !taken.is_end_stream() {
                *body = Body::Abort;
            }
            Ok(taken)
        }
    }
}
/// How the upstream learns where the body ends.
fn length(method: &Method, body: &Body) -> Length {
    // As Go: where one would expect a body, it is said that there is none.
    let expects_body = || [Method::POST, Method::PUT, Method::PATCH].contains(method);
    match body.size_hint().exact() {
        Some(0) if !expects_body() => Length::None,
        Some(length) => Length::Exactly(length),
        None => Length::Chunked,
    }
}
