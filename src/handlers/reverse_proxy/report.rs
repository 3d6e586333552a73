//! What there is to tell of upstreams: for the admin API and for metrics.
use super::upstream::{Health, Host};
use crate::{
    metrics::{Family, Kind},
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
    for (upstream, healthy) in healthy {
        family.add(vec![("upstream", upstream)], f64::from(u8::from(healthy)));
    }
    vec![family]
}
