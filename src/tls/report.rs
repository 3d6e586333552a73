//! What there is to tell of certificates.
use super::certificate::Index;
use crate::state::State;
use arc_swap::ArcSwap;
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// The certificates that are served, by the configuration in force.
#[derive(Debug, Default)]
pub(super) struct Served(ArcSwap<Vec<Arc<ArcSwap<Index>>>>);
impl Served {
    pub(super) fn of(state: &State) -> Arc<Self> {
        state.get_or("tls/served", Self::default)
    }
    pub(super) fn replace(&self, indexes: Vec<Arc<ArcSwap<Index>>>) {
        self.0.store(Arc::new(indexes));
    }
}
/// How long each name's certificate is good for yet, in seconds; below zero if it is not.
pub fn expiries(state: &State) -> Vec<(String, f64)> {
    let mut ends: BTreeMap<String, SystemTime> = BTreeMap::new();
    for (_, served) in state.all::<Served>() {
        for index in served.0.load().iter() {
            for certificate in index.load().all() {
                for name in &certificate.names {
                    let end = ends.entry(name.clone()).or_insert(certificate.not_after);
                    *end = (*end).max(certificate.not_after);
                }
            }
        }
    }
    let now = SystemTime::now();
    let left =
        |end: SystemTime| end.duration_since(now).map_or_else(|past| -seconds(past.duration()), seconds);
    ends.into_iter().map(|(name, end)| (name, left(end))).collect()
}
fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64().floor()
}
