//! What has come from an upstream.
use crate::metrics::{Histogram, Value};
use http::StatusCode;
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

const SECONDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// From 100 on: what HTTP knows.
const STATUSES: usize = 500;

/// Its responses.
#[derive(Debug)]
pub(super) struct Traffic {
    by_status: Box<[AtomicU64]>,
    time: Histogram,
}
impl Default for Traffic {
    fn default() -> Self {
        Self { by_status: (0..STATUSES).map(|_| AtomicU64::new(0)).collect(), time: Histogram::new(SECONDS) }
    }
}
impl Traffic {
    /// A response's head has come, that long after it was asked for.
    pub(super) fn count(&self, status: StatusCode, took: Duration) {
        let slot = usize::from(status.as_u16()).checked_sub(100).and_then(|at| self.by_status.get(at));
        if let Some(slot) = slot {
            slot.fetch_add(1, Relaxed);
        }
        self.time.observe(took.as_secs_f64());
    }
    /// How many responses of each status there were, where there were any.
    pub(super) fn statuses(&self) -> impl Iterator<Item = (usize, u64)> {
        let counts = self.by_status.iter().enumerate().map(|(at, count)| (at + 100, count.load(Relaxed)));
        counts.filter(|(_, count)| *count > 0)
    }
    /// Until heads had come; `None` if none has.
    pub(super) fn time(&self) -> Option<Value> {
        (self.time.count() > 0).then(|| self.time.value())
    }
}
