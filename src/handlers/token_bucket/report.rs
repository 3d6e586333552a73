//! How many requests were refused: `proxy_ratelimit_rejected_total`.
use super::bucket::Zone;
use crate::{
    handlers::rate_limit::zone::Zone as Window,
    metrics::{Family, Kind},
    state::State,
};
use std::{collections::BTreeMap, sync::atomic::Ordering::Relaxed};

/// Of the zones of `rate_limit` too; `reason` is the zone.
pub fn families(state: &State) -> Vec<Family> {
    let mut refused: BTreeMap<String, u64> = BTreeMap::new();
    for (name, zone) in state.all::<Zone>() {
        *refused.entry(name).or_default() += zone.refused.load(Relaxed);
    }
    for (name, zone) in state.all::<Window>() {
        *refused.entry(name).or_default() += zone.stats.declined.load(Relaxed);
    }
    let mut family = Family::new(
        "proxy_ratelimit_rejected_total",
        "Requests refused for coming too often, by zone.",
        Kind::Counter,
    );
    for (zone, refused) in refused {
        family.add(vec![("reason", zone)], refused as f64);
    }
    vec![family]
}
