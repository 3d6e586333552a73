//! What proxy-rs counts of requests: by the route as the configuration names it, never by what a client has sent.
//!
//! A route's label is `route` of a `vars` handler that it begins with; else the first host that it is for, with the path
//! it is for. Requests that no such route has taken have an empty label, and those for metrics are not counted.
use super::{
    Family, Kind, Sample,
    http::{Values, add},
};
use crate::config::{Route, Server};
use std::{collections::BTreeMap, time::Instant};

/// Of one server.
#[derive(Debug, Default)]
pub(super) struct Routed {
    /// The place of each route of the top list among the labels.
    places: Box<[Place]>,
    /// The first one is empty.
    labels: Box<[(String, Values)]>,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Requests go on to other routes, or have no route of their own.
    Unnamed,
    Label(usize),
    /// The route shows metrics.
    Metrics,
}
impl Routed {
    pub(super) fn new(server: &Server) -> Self {
        let mut labels = vec![(String::new(), Values::default())];
        let mut place = |route: &Route| {
            if route.handlers.first().is_some_and(|module| module.handler == "metrics") {
                return Place::Metrics;
            }
            let Some(label) = label(route) else { return Place::Unnamed };
            let known = labels.iter().position(|(known, _)| *known == label);
            Place::Label(known.unwrap_or_else(|| {
                labels.push((label, Values::default()));
                labels.len() - 1
            }))
        };
        Self { places: server.routes.iter().map(&mut place).collect(), labels: labels.into() }
    }
    /// A request has ended that these routes have taken, the first of them at `start`.
    pub(super) fn finish(
        &self,
        entered: impl Iterator<Item = usize> + Clone,
        method: usize,
        status: u16,
        start: Instant,
        end: Instant,
    ) {
        let places = entered.filter_map(|route| self.places.get(route));
        if places.clone().any(|place| *place == Place::Metrics) {
            return;
        }
        let label = places.filter_map(|place| match place {
            Place::Label(at) => Some(*at),
            Place::Unnamed | Place::Metrics => None,
        });
        let label = label.last().unwrap_or(0);
        if let Some(outcome) = self.labels.get(label).and_then(|(_, values)| values.outcome(method, status)) {
            outcome.duration.observe(end.saturating_duration_since(start).as_secs_f64());
        }
    }
}
fn label(route: &Route) -> Option<String> {
    let first = route.handlers.first()?;
    if first.handler == "vars"
        && let Some(named) = first.fields.get("route").and_then(|name| name.as_str())
    {
        return Some(named.to_owned());
    }
    let first_of = |name: &str| route.matchers.first()?.get(name)?.as_array()?.first()?.as_str();
    let path = first_of("path").unwrap_or_default().trim_end_matches('*').trim_end_matches('/');
    Some(format!("{}{path}", first_of("host")?))
}
/// `proxy_requests_total` and `proxy_request_duration_seconds` of all servers.
pub(super) fn families<'r>(all: impl Iterator<Item = &'r Routed>) -> Vec<Family> {
    let (mut totals, mut durations) = (BTreeMap::new(), BTreeMap::new());
    for (label, values) in all.flat_map(|routed| routed.labels.iter()) {
        for (method, status, outcome) in values.outcomes() {
            let (method, route) = (("method", method.to_owned()), ("route", label.clone()));
            let labels = vec![method.clone(), route.clone(), ("status", status.to_string())];
            add(&mut totals, labels, super::Value::Number(outcome.duration.count() as f64));
            add(&mut durations, vec![method, route], outcome.duration.value());
        }
    }
    let family = |name, help, kind, samples: BTreeMap<_, _>| {
        let samples = samples.into_iter().map(|(labels, value)| Sample { labels, value });
        Family { name, help, kind, samples: samples.collect() }
    };
    vec![
        family("proxy_requests_total", "Requests by route, method and status.", Kind::Counter, totals),
        family(
            "proxy_request_duration_seconds",
            "Time from a request's first byte to its response's last.",
            Kind::Histogram,
            durations,
        ),
    ]
}
