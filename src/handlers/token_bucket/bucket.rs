//! Buckets of tokens, by key.
use crate::handlers::rate_limit::store::{Bounds, Store, Value};
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

/// How fast buckets fill, and what they hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    /// That come `per` time.
    pub(super) tokens: u32,
    pub(super) per: Duration,
    pub(super) burst: u32,
}
/// The buckets of one name, shared by all handlers that name it and kept over reloads. Handlers whose rates differ are
/// each judged by their own.
#[derive(Debug)]
pub(super) struct Zone {
    pub(super) name: String,
    epoch: Instant,
    buckets: Store<Bucket>,
    /// Requests, since the zone came to be.
    pub(super) refused: AtomicU64,
}
#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// Tokens, and parts of one, that were missing from a full one …
    missing: f64,
    /// … at this time: nanoseconds since the zone's epoch.
    at: u64,
}
impl Value for Bucket {
    fn heap(&self) -> usize {
        0
    }
}
/// Half a nanosecond's worth of a fast rate: what rounding may add up to.
const ROUNDING: f64 = 1e-6;

impl Zone {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            epoch: Instant::now(),
            buckets: Store::default(),
            refused: AtomicU64::new(0),
        }
    }
    /// Takes a token of a key's bucket, which is full before anything is taken.
    ///
    /// # Errors
    /// There is none: how long it takes until there is.
    pub(super) fn take(&self, key: &str, now: Instant, rate: &Rate, bounds: Bounds) -> Result<(), Duration> {
        let now = self.nanos(now);
        self.buckets.with(
            key,
            bounds,
            |()| Bucket { missing: 0.0, at: now },
            // The fuller a bucket, the less is lost when it is forgotten.
            |bucket, ()| u64::MAX - bucket.full_at(rate),
            |bucket, ()| bucket.take(now, rate),
        )
    }
    /// Forgets the buckets that are full.
    pub(super) fn sweep(&self, rate: &Rate, now: Instant) {
        let now = self.nanos(now);
        self.buckets.sweep(|bucket, ()| bucket.full_at(rate) <= now);
    }
    pub(super) fn keys(&self) -> usize {
        self.buckets.keys()
    }
    /// Keys forgotten before their time, because the zone was full.
    pub(super) fn evicted(&self) -> u64 {
        self.buckets.evicted.load(Relaxed)
    }
    fn nanos(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.epoch).as_nanos()).unwrap_or(u64::MAX)
    }
}
impl Rate {
    /// Tokens in a nanosecond.
    fn speed(&self) -> f64 {
        f64::from(self.tokens) / self.per.as_nanos() as f64
    }
}
impl Bucket {
    fn take(&mut self, now: u64, rate: &Rate) -> Result<(), Duration> {
        // Another thread may have taken a time that is a little later.
        let passed = now.saturating_sub(self.at) as f64;
        self.missing = (self.missing - passed * rate.speed()).max(0.0);
        self.at = self.at.max(now);
        let lacking = self.missing + 1.0 - f64::from(rate.burst);
        if lacking <= ROUNDING {
            self.missing += 1.0;
            return Ok(());
        }
        Err(Duration::from_nanos((lacking / rate.speed()).ceil() as u64))
    }
    fn full_at(&self, rate: &Rate) -> u64 {
        self.at.saturating_add((self.missing / rate.speed()).ceil() as u64)
    }
}
