//! What there is to tell of upstreams: for the admin API and for metrics.
use super::upstream::{Health, Host};
use crate::{
    metrics::{Family, Kind, Sample},
    state::State,
};
use std::{collections::BTreeMap, sync::atomic::Ordering::Relaxed};

/// Each address that is in use, with its requests in flight and its failures that still count.
pub fn upstreams(state: &State) -> Vec<(String, usize, usize)> {
    let hosts = state.all::<Host>().into_iter();
    let shown = hosts.filter_map(|(key, host)| {
        let address = key.strip_prefix("reverse_proxy/host/")?;
        Some((address.to_owned(), host.requests.load(Relaxed), host.fails()))
    });
    shown.collect()
}
/// `caddy_reverse_proxy_upstreams_healthy`.
pub fn families(state: &State) -> Vec<Family> {
    let mut healthy: BTreeMap<String, bool> = BTreeMap::new();
    for (key, health) in state.all::<Health>() {
        // The upstream, a slash, and the JSON of its checks, if it has any.
        let rest = key.strip_prefix("reverse_proxy/health/");
        let upstream = rest
            .map(|rest| rest.split_once("/{\"").map_or(rest.trim_end_matches('/'), |(upstream, _)| upstream));
        if let Some(upstream) = upstream {
            let all = healthy.entry(upstream.to_owned()).or_insert(true);
            *all &= health.is_healthy();
        }
    }
    let mut family = Family::new(
        "caddy_reverse_proxy_upstreams_healthy",
        "Health status of reverse proxy upstreams.",
        Kind::Gauge,
    );
    let mut up = Family::new("proxy_backend_up", "Whether a backend passes its health checks.", Kind::Gauge);
    for (upstream, healthy) in healthy {
        let healthy = f64::from(u8::from(healthy));
        up.add(vec![("backend", upstream.clone())], healthy);
        family.add(vec![("upstream", upstream)], healthy);
    }
    let mut all = vec![family, up];
    all.extend(traffic(state));
    all
}
/// `proxy_backend_*`: the responses of each address that is in use.
fn traffic(state: &State) -> [Family; 2] {
    let mut requests =
        Family::new("proxy_backend_requests_total", "Responses of a backend, by status.", Kind::Counter);
    let mut times = Family::new(
        "proxy_backend_response_time_seconds",
        "Time until the head of a backend's response was there.",
        Kind::Histogram,
    );
    for (key, host) in state.all::<Host>() {
        let Some(address) = key.strip_prefix("reverse_proxy/host/") else { continue };
        let backend = || ("backend", address.to_owned());
        for (status, count) in host.traffic.statuses() {
            requests.add(vec![backend(), ("status", status.to_string())], count as f64);
        }
        times.samples.extend(host.traffic.time().map(|value| Sample { labels: vec![backend()], value }));
    }
    [requests, times]
}
