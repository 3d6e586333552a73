//! A request on its way: picks upstreams until one answers, and passes that answer on.
use super::{
    LOGGER, Proxy,
    forward::{Attempt, Failure, What},
    request::{self, Length, Outgoing},
    respond,
    upstream::{Target, Upstream},
};
use crate::http::{
    Action, Body, Exchange, Flow, Handler, HttpError, Result, Step, Upstream as Received, uri::request_uri,
};
use http::{HeaderValue, Method, StatusCode, Uri, header};
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
        let response = respond::back(received, x);
        // Not known any sooner, as in Caddy.
        x.proxied.retries = Some(tried);
        Ok(Step::Done(response))
    }
    /// Tries upstreams until one answers, or it is enough. Gives the number of failures before that, too.
    async fn ask(&self, x: &mut Exchange) -> Result<(Received, u32)> {
        let (plan, mut body) = self.plan(x).await?;
        let mut last = None;
        let mut tried = 0;
        loop {
            let failure = match self.select(x) {
                None => last.take().unwrap_or(Failure::NoUpstream),
                Some(upstream) => {
                    // The clock is not read twice for one moment.
                    let begun = if tried == 0 { plan.started } else { Instant::now() };
                    match self.attempt(x, upstream, (&plan, begun), &mut body).await {
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
        let method = method.unwrap_or_else(|| x.request.method.clone());
        // A request that is rewritten into one without a body leaves the body to whoever is behind us.
        let changed = method != x.request.method || uri.as_ref().is_some_and(|uri| *uri != x.request.uri);
        let bodiless = self.drops_body && changed;
        let mut body = if bodiless { Body::Empty } else { mem::take(&mut x.body) };
        if self.request_buffers != 0 {
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
            length: length(x, &body, bodiless),
            upgrade: request::upgrade(&x.request.headers),
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
    fn select(&self, x: &mut Exchange) -> Option<&Upstream> {
        let available = |upstream: &Upstream| upstream.health.is_healthy() && self.passive.allows(upstream);
        match &*self.upstreams {
            [one] if !self.policy.remembers() => available(one).then_some(one),
            pool => self.policy.select(pool, &available, x),
        }
    }
    async fn attempt(
        &self,
        x: &mut Exchange,
        upstream: &Upstream,
        (plan, begun): (&Plan, Instant),
        body: &mut Body,
    ) -> std::result::Result<Received, Failure> {
        let target = upstream.target(x).map_err(Failure::Address)?;
        let address = &target.address;
        tracing::debug!(target: LOGGER, dial = address.hostport, total_upstreams = self.upstreams.len(), "selected upstream");
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
            trusted: plan.trusted,
            hostport: &address.hostport,
            // Over TLS upstreams are called by their own name.
            own_host: self.transport.has_tls(),
            closes: !self.transport.keeps_alive(),
            proxy,
            compression: self.transport.compression && self.fastcgi.is_none(),
            operations: &self.request_ops,
        };
        let sent = if let Some(fastcgi) = &self.fastcgi {
            let received = Box::pin(fastcgi.send(x, &target, &outgoing, body)).await;
            received.map(|received| (received, false))
        } else {
            let what = What::Passed(outgoing);
            Attempt { transport: &self.transport, target: &target, way, what }.send(x, body).await
        };
        let took = begun.elapsed();
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
        }
        respond::receive(&mut received, gzip);
        (x.proxied.status, x.proxied.latency) = (Some(status), Some(took));
        if self.response_buffers != 0 {
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
