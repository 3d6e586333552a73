//! What zones have counted, in the plugin's families. Its label `key` is only ever empty here: keys have no bound.
use super::zone::{Limit, Zone};
use crate::{
    config,
    metrics::{Counter, Family, Histogram, Kind, Sample},
    state::State,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering::Relaxed},
    time::Instant,
};

const SECONDS: &[f64] = &[0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0];
/// The zone of requests that no zone matches, as the plugin has it.
const UNMATCHED: &str = "false";

/// Requests that ended with a zone: refused by it, or let through by it as the last one that matched.
#[derive(Debug)]
pub(super) struct Traffic {
    requests: Counter,
    time: Histogram,
}
impl Default for Traffic {
    fn default() -> Self {
        Self { requests: Counter::default(), time: Histogram::new(SECONDS) }
    }
}
impl Traffic {
    /// One of them, which the handler has looked at since `start`.
    pub(super) fn count(&self, start: Instant) {
        self.requests.inc();
        self.time.observe(start.elapsed().as_secs_f64());
    }
}
/// What handlers keep for the report.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) unmatched: Arc<Traffic>,
    configs: Arc<Configs>,
}
/// How often each configuration of a zone was built.
#[derive(Debug, Default)]
struct Configs(Mutex<BTreeMap<Vec<(&'static str, String)>, u64>>);
impl Kept {
    pub(super) fn of(state: &State) -> Self {
        Self {
            unmatched: state.get_or("rate_limit/unmatched", Traffic::default),
            configs: state.get_or("rate_limit/configs", Configs::default),
        }
    }
    pub(super) fn built(&self, zone: &str, limit: &Limit, ipv4_prefix: u8, ipv6_prefix: u8) {
        let labels = vec![
            ("ipv4_prefix", ipv4_prefix.to_string()),
            ("ipv6_prefix", ipv6_prefix.to_string()),
            ("max_events", limit.events.to_string()),
            ("window", config::Duration::from(limit.window).to_string()),
            ("zone", zone.to_owned()),
        ];
        let mut configs = self.configs.0.lock().unwrap_or_else(PoisonError::into_inner);
        *configs.entry(labels).or_insert(0) += 1;
    }
}
/// `caddy_rate_limit_*`: the plugin's, and how many keys were forgotten early.
pub fn families(state: &State) -> Vec<Family> {
    let mut declined = Family::new(
        "caddy_rate_limit_declined_requests_total",
        "Total number of requests for which rate limit was applied (Declined with HTTP 429 status code returned).",
        Kind::Counter,
    );
    let mut requests = Family::new(
        "caddy_rate_limit_requests_total",
        "Total number of requests that passed through Rate Limit module (both declined & processed).",
        Kind::Counter,
    );
    let mut time = Family::new(
        "caddy_rate_limit_process_time_seconds",
        "A time taken to process rate limiting for each request.",
        Kind::Histogram,
    );
    let mut keys = Family::new(
        "caddy_rate_limit_keys_total",
        "Total number of keys that each RL zone contains. (This metric is collected in the background for each zone.)",
        Kind::Gauge,
    );
    let mut evicted = Family::new(
        "caddy_rate_limit_evicted_keys_total",
        "Keys forgotten before their time because their zone was full.",
        Kind::Counter,
    );
    let mut config = Family::new(
        "caddy_rate_limit_config",
        "Shows configuration of the rate limiter module. Reported only once on bootstrap as configuration is not dynamically configurable.",
        Kind::Counter,
    );
    let mut ended = |zone: &str, traffic: &Traffic| {
        let count = traffic.requests.get();
        if count > 0 {
            let labels = || vec![("key", String::new()), ("zone", zone.to_owned())];
            requests.add(labels(), count as f64);
            time.samples.push(Sample { labels: labels(), value: traffic.time.value() });
        }
    };
    for (_, zone) in state.all::<Zone>() {
        let of_zone = || vec![("zone", zone.name.clone())];
        let refused = zone.stats.declined.load(Relaxed);
        if refused > 0 {
            let labels = vec![("key", String::new()), ("zone", zone.name.clone())];
            declined.add(labels, refused as f64);
        }
        keys.add(of_zone(), zone.keys() as f64);
        evicted.add(of_zone(), zone.evicted() as f64);
        ended(&zone.name, &zone.traffic);
    }
    state.all::<Traffic>().iter().for_each(|(_, unmatched)| ended(UNMATCHED, unmatched));
    for (_, configs) in state.all::<Configs>() {
        for (labels, times) in &*configs.0.lock().unwrap_or_else(PoisonError::into_inner) {
            config.add(labels.clone(), *times as f64);
        }
    }
    vec![declined, requests, time, keys, evicted, config]
}
