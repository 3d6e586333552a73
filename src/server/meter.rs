//! Counts requests where the configuration asks for it: a handler before those of each route of a server, and its named
//! routes, notes that the route has taken the request; the end of the response is seen where the response is sent.
use crate::{
    http::{Answer, Exchange, Flow, Handler, Server, Step},
    metrics::{Observation, Outcomes, ServerMetrics},
};
use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use std::{sync::Arc, time::Instant};

/// Puts meters into a server's routes.
pub(super) fn install(tree: &mut Server, metrics: &Arc<ServerMetrics>) {
    tree.precede(|route| Box::new(Meter { metrics: metrics.clone(), route }));
}
#[derive(Debug)]
struct Meter {
    metrics: Arc<ServerMetrics>,
    /// Its number: those of the server's list first, then the named ones.
    route: usize,
}
impl Handler for Meter {
    fn handle<'t: 'x, 'x>(&'t self, x: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        let mut seen = taken(x).unwrap_or_else(|| {
            let (method, host) = (&x.request.method, x.hostport());
            Box::new(self.metrics.observe(method, host, x.connection.tls.is_some(), size(x)))
        });
        seen.enter(self.route);
        x.observation = Some(seen);
        Step::Next.into()
    }
}
/// What was seen of a request until now; `None` if no route has taken it.
fn taken(x: &mut Exchange) -> Option<Box<Observation>> {
    x.observation.take()?.downcast().ok()
}
/// About how many bytes the request has, as Caddy adds them up.
fn size(x: &Exchange) -> u64 {
    let request = &x.request;
    let fields = request.headers.iter().filter(|(name, _)| ![HOST, TRANSFER_ENCODING].contains(name));
    let fields: usize = fields.map(|(name, value)| name.as_str().len() + value.len()).sum();
    let target = request.uri.path_and_query().map_or(1, |target| target.as_str().len());
    let line = target + request.method.as_str().len() + "HTTP/1.1".len() + x.hostport().len();
    let body =
        request.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    (line + fields) as u64 + body.unwrap_or(0)
}
/// A request that routes have taken and that is answered: what is known before its response is sent.
pub(super) struct Measured {
    seen: Box<Observation>,
    outcomes: Outcomes,
}
impl Measured {
    /// `None` if there is nothing to wait for: nobody counts it, or it has failed and was counted.
    pub(super) fn of(x: &mut Exchange, answer: &Answer) -> Option<Box<Self>> {
        let seen = taken(x)?;
        let now = Instant::now();
        let error = answer.failure.as_ref().map(|failure| &failure.error);
        let status = match error {
            Some(error) => error.status,
            None => Some(answer.response.status),
        };
        let first_byte = (answer.handled && error.is_none()).then_some(now);
        let status = status.map(|status| status.as_u16());
        let outcomes = Outcomes { status, failed: error.is_some(), first_byte, end: now, response_size: 0 };
        if error.is_some() {
            // What error routes send is not this route's.
            seen.finish(&outcomes);
            return None;
        }
        Some(Box::new(Self { seen, outcomes }))
    }
    /// The response has ended, with so many bytes of its body.
    pub(super) fn finish(self, sent: u64) {
        self.seen.finish(&Outcomes { end: Instant::now(), response_size: sent, ..self.outcomes });
    }
}
