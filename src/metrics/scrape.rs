//! What there is to show, whoever asks: the admin API and the handler `metrics` show the same.
use super::{Family, HttpMetrics, Process, process_families};
use crate::state::State;
use arc_swap::ArcSwapOption;
use std::sync::Arc;

/// What counts the requests of the configuration in force. Each configuration begins anew, as in Caddy.
#[derive(Debug, Default)]
pub struct Current(ArcSwapOption<HttpMetrics>);
impl Current {
    /// That of the process.
    pub fn of(state: &State) -> Arc<Self> {
        state.get_or("metrics/http", Self::default)
    }
    /// A configuration comes into force; `None` if it does not ask for requests to be counted. Gives the earlier one's.
    pub fn replace(&self, metrics: Option<Arc<HttpMetrics>>) -> Option<Arc<HttpMetrics>> {
        self.0.swap(metrics)
    }
}
/// All that does not belong to a handler of its own.
pub fn common(process: &Process, current: &Current) -> Vec<Family> {
    let mut all = process_families();
    all.extend(process.families());
    all.extend(current.0.load().iter().flat_map(|metrics| metrics.families()));
    all
}
