//! What is counted of requests, where the configuration asks for it (`metrics`): Caddy's `caddy_http_*`.
//!
//! Each route of a server's top list counts the requests that it takes. What they count in is made with the
//! configuration; hosts that it does not name are the only ones that are looked up under a lock.
use super::{
    Counter, Family, Gauge, Histogram, Kind, Sample, Value,
    process::method_label,
    routed::{self, Routed},
};
use crate::config::{HttpApp, Metrics, Server};
use dashmap::DashMap;
use http::Method;
use smallvec::SmallVec;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

const SECONDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
const BYTES: &[f64] = &[256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262_144.0, 1_048_576.0, 4_194_304.0];
/// The host of requests to hosts that have no label of their own.
const OTHER: &str = "_other";
/// However many hosts ask for one, so many get a label.
const MOST_HOSTS: usize = 10_000;
pub(super) const METHODS: [&str; 10] =
    ["GET", "PUT", "HEAD", "POST", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "OTHER"];

/// Of one configuration.
#[derive(Debug)]
pub struct HttpMetrics {
    servers: BTreeMap<String, Arc<ServerMetrics>>,
}
/// Of one server.
#[derive(Debug)]
pub struct ServerMetrics {
    /// One for each route of its top list, then one for each named route.
    routes: Box<[Route]>,
    /// Whether every host of a request over TLS gets a label, and of one without.
    all_hosts: Option<(bool, bool)>,
    routed: Routed,
}
#[derive(Debug)]
struct Route {
    /// The name of its first handler. Routes that share it are shown as one.
    handler: String,
    plain: Values,
    /// The hosts that the configuration names, in lower case.
    hosts: HashMap<Box<str>, Values, foldhash::fast::RandomState>,
    /// Those that were asked for besides.
    strangers: DashMap<Box<str>, Arc<Values>, foldhash::fast::RandomState>,
}
/// Of one route, and of one host where hosts are told apart.
#[derive(Debug, Default)]
pub(super) struct Values {
    in_flight: Gauge,
    requests: Counter,
    errors: Counter,
    outcomes: [OnceLock<Box<Codes>>; METHODS.len()],
}
/// By the first digit of the status and by the other two.
type Codes = [OnceLock<Box<Hundred>>; 10];
type Hundred = [OnceLock<Box<Outcome>>; 100];
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) duration: Histogram,
    first_byte: Histogram,
    request_size: Histogram,
    response_size: Histogram,
}
impl Default for Outcome {
    fn default() -> Self {
        Self {
            duration: Histogram::new(SECONDS),
            first_byte: Histogram::new(SECONDS),
            request_size: Histogram::new(BYTES),
            response_size: Histogram::new(BYTES),
        }
    }
}
/// One request: the routes that have taken it so far. Counts as in flight until it is dropped.
#[derive(Debug)]
pub struct Observation {
    server: Arc<ServerMetrics>,
    method: usize,
    /// The label, where hosts are told apart.
    host: Option<Box<str>>,
    /// Bytes, about: all of the request.
    size: u64,
    entered: SmallVec<[(usize, Instant); 2]>,
}
/// What became of a request.
#[derive(Clone, Copy, Debug)]
pub struct Outcomes {
    /// Of the answer, or of the error; `None`: an error without one.
    pub status: Option<u16>,
    /// The status is an error's.
    pub failed: bool,
    /// When the response's head was known; `None` where the routes gave none.
    pub first_byte: Option<Instant>,
    pub end: Instant,
    /// Bytes of the response's body.
    pub response_size: u64,
}
impl HttpMetrics {
    /// What `app` asks for; `None` if it does not.
    pub fn build(app: &HttpApp) -> Option<Arc<Self>> {
        let own = app.servers.values().filter_map(|server| server.metrics.as_ref());
        let asked: Vec<&Metrics> = app.metrics.iter().chain(own).collect();
        if asked.is_empty() {
            return None;
        }
        let per_host = asked.iter().any(|metrics| metrics.per_host);
        let all = asked.iter().any(|metrics| metrics.observe_catchall_hosts);
        let tls = app.servers.values().any(|server| !server.tls_connection_policies.is_empty());
        let all_hosts = per_host.then_some((all || tls, all));
        let known: Vec<String> = app.servers.values().flat_map(hosts).collect();
        let known = if per_host { &*known } else { &[] };
        let server = |(name, server): (&String, &Server)| {
            let routes = server.routes.iter().chain(server.named_routes.values()).map(|route| {
                let handler = route.handlers.first().map_or("", |module| &module.handler);
                Route {
                    handler: handler.to_owned(),
                    plain: Values::default(),
                    hosts: known.iter().map(|host| (host.as_str().into(), Values::default())).collect(),
                    strangers: DashMap::default(),
                }
            });
            (
                name.clone(),
                Arc::new(ServerMetrics { routes: routes.collect(), all_hosts, routed: Routed::new(server) }),
            )
        };
        Some(Arc::new(Self { servers: app.servers.iter().map(server).collect() }))
    }
    pub fn server(&self, name: &str) -> Option<Arc<ServerMetrics>> {
        self.servers.get(name).cloned()
    }
    pub fn families(&self) -> Vec<Family> {
        let mut shown = Shown::default();
        for (name, server) in &self.servers {
            for route in &server.routes {
                let mut add = |host: Option<&str>, values: &Values| shown.add(name, route, host, values);
                add(server.all_hosts.map(|_| OTHER), &route.plain);
                route.hosts.iter().for_each(|(host, values)| add(Some(host), values));
                route.strangers.iter().for_each(|entry| add(Some(entry.key()), entry.value()));
            }
        }
        let mut families = shown.families();
        families.extend(routed::families(self.servers.values().map(|server| &server.routed)));
        families
    }
}
/// Names, not patterns, of the `host` matchers of top routes.
fn hosts(server: &Server) -> Vec<String> {
    let sets = server.routes.iter().flat_map(|route| &route.matchers);
    let values = sets.filter_map(|set| set.get("host")?.as_array()).flatten();
    let names = values.filter_map(serde_json::Value::as_str).filter(|host| !host.contains(['*', '{']));
    names.map(str::to_lowercase).collect()
}
impl ServerMetrics {
    /// Begins to watch a request of `size` bytes. `host` is as it was sent, with port.
    pub fn observe(self: &Arc<Self>, method: &Method, host: &str, tls: bool, size: u64) -> Observation {
        let label = method_label(method);
        let method = METHODS.iter().position(|known| *known == label).unwrap_or(METHODS.len() - 1);
        let host = self.all_hosts.and_then(|(with_tls, without)| {
            let host = host.to_lowercase();
            let known = self.routes.first().is_some_and(|route| route.hosts.contains_key(host.as_str()));
            (known || if tls { with_tls } else { without }).then(|| host.into_boxed_str())
        });
        Observation { server: self.clone(), method, host, size, entered: SmallVec::new() }
    }
}
impl Observation {
    /// A route of the top list takes the request.
    pub fn enter(&mut self, route: usize) {
        if let Some(values) = self.server.routes.get(route) {
            values.with(self.host.as_deref(), |values| {
                values.in_flight.inc();
            });
            self.entered.push((route, Instant::now()));
        }
    }
    /// It has ended.
    pub fn finish(self, outcome: &Outcomes) {
        let Outcomes { status, failed, first_byte, end, response_size } = *outcome;
        if let Some((_, start)) = self.entered.first() {
            let entered = self.entered.iter().map(|(route, _)| *route);
            self.server.routed.finish(entered, self.method, status.unwrap_or(500), *start, end);
        }
        for (route, start) in &self.entered {
            let Some(route) = self.server.routes.get(*route) else { continue };
            route.with(self.host.as_deref(), |values| {
                values.requests.inc();
                if failed {
                    values.errors.inc();
                }
                let Some(of_status) = status.and_then(|status| values.outcome(self.method, status)) else {
                    return;
                };
                of_status.duration.observe(seconds(*start, end));
                if let Some(first_byte) = first_byte {
                    of_status.first_byte.observe(seconds(*start, first_byte));
                }
                of_status.request_size.observe(self.size as f64);
                of_status.response_size.observe(response_size as f64);
            });
        }
    }
}
impl Drop for Observation {
    fn drop(&mut self) {
        for (route, _) in &self.entered {
            if let Some(route) = self.server.routes.get(*route) {
                route.with(self.host.as_deref(), |values| {
                    values.in_flight.dec();
                });
            }
        }
    }
}
fn seconds(from: Instant, to: Instant) -> f64 {
    to.checked_duration_since(from).unwrap_or(Duration::ZERO).as_secs_f64()
}
impl Route {
    fn with(&self, host: Option<&str>, count: impl FnOnce(&Values)) {
        let Some(host) = host else { return count(&self.plain) };
        if let Some(values) = self.hosts.get(host) {
            return count(values);
        }
        if let Some(values) = self.strangers.get(host) {
            return count(&values);
        }
        if self.strangers.len() >= MOST_HOSTS {
            return count(&self.plain);
        }
        count(&self.strangers.entry(host.into()).or_default());
    }
}
impl Values {
    pub(super) fn outcome(&self, method: usize, status: u16) -> Option<&Outcome> {
        let status = usize::from(status);
        let codes = self.outcomes.get(method)?.get_or_init(Box::default);
        let hundred = codes.get(status / 100)?.get_or_init(|| Box::new([const { OnceLock::new() }; 100]));
        Some(hundred.get(status % 100)?.get_or_init(Box::default))
    }
    /// Each method and status that there were, and what was seen of them.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = (&'static str, usize, &Outcome)> {
        METHODS.iter().zip(&self.outcomes).flat_map(|(method, codes)| {
            let hundreds = codes.get().into_iter().flat_map(|codes| codes.iter().enumerate());
            hundreds.flat_map(move |(first, hundred)| {
                let list = hundred.get().into_iter().flat_map(|hundred| hundred.iter().enumerate());
                list.filter_map(move |(rest, outcome)| Some((*method, first * 100 + rest, &**outcome.get()?)))
            })
        })
    }
}

pub(super) type Labels = Vec<(&'static str, String)>;
/// What is shown, summed up over routes with the same labels.
#[derive(Default)]
struct Shown([BTreeMap<Labels, Value>; 7]);
impl Shown {
    fn add(&mut self, server: &str, route: &Route, host: Option<&str>, values: &Values) {
        let requests = values.requests.get();
        if requests == 0 && values.in_flight.get() == 0 {
            return;
        }
        let labels = |more: &[(&'static str, &str)]| {
            let own = [("handler", route.handler.as_str()), ("server", server)];
            let all = own.iter().chain(more).copied().chain(host.map(|host| ("host", host)));
            let mut all: Labels = all.map(|(name, value)| (name, value.to_owned())).collect();
            all.sort();
            all
        };
        let [in_flight, errors, total, duration, request_size, response_size, first_byte] = &mut self.0;
        add(in_flight, labels(&[]), Value::Number(values.in_flight.get() as f64));
        if requests > 0 {
            add(total, labels(&[]), Value::Number(requests as f64));
        }
        if values.errors.get() > 0 {
            add(errors, labels(&[]), Value::Number(values.errors.get() as f64));
        }
        for (method, code, outcome) in values.outcomes() {
            let labels = labels(&[("code", &code.to_string()), ("method", method)]);
            add(duration, labels.clone(), outcome.duration.value());
            add(request_size, labels.clone(), outcome.request_size.value());
            add(response_size, labels.clone(), outcome.response_size.value());
            if outcome.first_byte.count() > 0 {
                add(first_byte, labels, outcome.first_byte.value());
            }
        }
    }
    fn families(self) -> Vec<Family> {
        let named: [(&'static str, &'static str, Kind); 7] = [
            (
                "caddy_http_requests_in_flight",
                "Number of requests currently handled by this server.",
                Kind::Gauge,
            ),
            (
                "caddy_http_request_errors_total",
                "Number of requests resulting in middleware errors.",
                Kind::Counter,
            ),
            ("caddy_http_requests_total", "Counter of HTTP(S) requests made.", Kind::Counter),
            (
                "caddy_http_request_duration_seconds",
                "Histogram of round-trip request durations.",
                Kind::Histogram,
            ),
            ("caddy_http_request_size_bytes", "Total size of the request. Includes body", Kind::Histogram),
            ("caddy_http_response_size_bytes", "Size of the returned response.", Kind::Histogram),
            (
                "caddy_http_response_duration_seconds",
                "Histogram of times to first byte in response bodies.",
                Kind::Histogram,
            ),
        ];
        let families = named.into_iter().zip(self.0).map(|((name, help, kind), samples)| {
            let samples = samples.into_iter().map(|(labels, value)| Sample { labels, value });
            Family { name, help, kind, samples: samples.collect() }
        });
        families.collect()
    }
}
pub(super) fn add(to: &mut BTreeMap<Labels, Value>, labels: Labels, value: Value) {
    match (to.get_mut(&labels), value) {
        (Some(Value::Number(sum)), Value::Number(more)) => *sum += more,
        (Some(Value::Histogram { counts, sum, .. }), Value::Histogram { counts: more, sum: added, .. }) => {
            counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
            *sum += added;
        }
        (_, value) => drop(to.insert(labels, value)),
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Form, render};
    use serde_json::json;

    fn app(metrics: serde_json::Value) -> HttpApp {
        let route = |handler: &str, host: &str| json!({"match": [{"host": [host]}], "handle": [{"handler": handler}, {"handler": "later"}]});
        let routes =
            json!([route("subroute", "A.b"), route("subroute", "*.c"), {"handle": [{"handler": "vars"}]}]);
        serde_json::from_value(json!({"metrics": metrics, "servers": {"srv0": {"routes": routes}}})).unwrap()
    }
    fn request(metrics: &HttpMetrics, host: &str, routes: &[usize], status: u16, failed: bool) {
        let server = metrics.server("srv0").unwrap();
        let mut seen = server.observe(&Method::GET, host, false, 300);
        routes.iter().for_each(|route| seen.enter(*route));
        let end = Instant::now();
        let first_byte = (!failed).then_some(end);
        let outcome = Outcomes { status: Some(status), failed, first_byte, end, response_size: 5 };
        seen.finish(&outcome);
    }
    fn assert_shown(metrics: &HttpMetrics, lines: &[&str]) {
        let text = render(metrics.families(), Form::Prometheus);
        for line in lines {
            assert!(text.lines().any(|found| found == *line), "{line}\n{text}");
        }
    }
    #[test]
    fn routes_count_what_they_take() {
        let metrics = HttpMetrics::build(&app(json!({}))).unwrap();
        request(&metrics, "a.b", &[0], 200, false);
        request(&metrics, "x.c", &[1, 2], 200, false);
        request(&metrics, "x.c", &[1], 502, true);
        assert_shown(
            &metrics,
            &[
                r#"caddy_http_requests_total{handler="subroute",server="srv0"} 3"#,
                r#"caddy_http_requests_total{handler="vars",server="srv0"} 1"#,
                r#"caddy_http_requests_in_flight{handler="vars",server="srv0"} 0"#,
                r#"caddy_http_request_errors_total{handler="subroute",server="srv0"} 1"#,
                r#"caddy_http_request_duration_seconds_count{code="200",handler="subroute",method="GET",server="srv0"} 2"#,
                r#"caddy_http_request_duration_seconds_count{code="502",handler="subroute",method="GET",server="srv0"} 1"#,
                r#"caddy_http_request_size_bytes_bucket{code="200",handler="vars",method="GET",server="srv0",le="256"} 0"#,
                r#"caddy_http_request_size_bytes_bucket{code="200",handler="vars",method="GET",server="srv0",le="1024"} 1"#,
                r#"caddy_http_response_size_bytes_sum{code="200",handler="vars",method="GET",server="srv0"} 5"#,
            ],
        );
        let text = render(metrics.families(), Form::Prometheus);
        assert!(!text.contains(r#"caddy_http_response_duration_seconds_count{code="502""#));
    }
    #[test]
    fn a_request_is_in_flight_until_it_is_over_even_if_it_never_ends_well() {
        let metrics = HttpMetrics::build(&app(json!({}))).unwrap();
        let mut seen = metrics.server("srv0").unwrap().observe(&Method::GET, "a.b", false, 0);
        seen.enter(0);
        let line =
            |count| format!(r#"caddy_http_requests_in_flight{{handler="subroute",server="srv0"}} {count}"#);
        assert_shown(&metrics, &[&line(1)]);
        request(&metrics, "a.b", &[0], 200, false);
        drop(seen);
        assert_shown(&metrics, &[&line(0)]);
    }
    #[test]
    fn hosts_are_told_apart_only_if_they_are_known() {
        let metrics = HttpMetrics::build(&app(json!({"per_host": true}))).unwrap();
        for host in ["A.B", "a.b", "x.c", "evil.com"] {
            request(&metrics, host, &[0], 200, false);
        }
        assert_shown(
            &metrics,
            &[
                r#"caddy_http_requests_total{handler="subroute",host="a.b",server="srv0"} 2"#,
                r#"caddy_http_requests_total{handler="subroute",host="_other",server="srv0"} 2"#,
            ],
        );
        let all =
            HttpMetrics::build(&app(json!({"per_host": true, "observe_catchall_hosts": true}))).unwrap();
        request(&all, "Evil.com", &[2], 404, false);
        assert_shown(
            &all,
            &[
                r#"caddy_http_request_duration_seconds_count{code="404",handler="vars",host="evil.com",method="GET",server="srv0"} 1"#,
            ],
        );
    }
    #[test]
    fn nothing_is_counted_that_is_not_asked_for() {
        let mut app = app(json!(null));
        assert!(HttpMetrics::build(&app).is_none());
        app.servers.values_mut().for_each(|server| server.metrics = Some(Metrics::default()));
        assert!(HttpMetrics::build(&app).is_some());
    }
}
