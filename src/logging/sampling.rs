//! `sampling`: of many entries with one level and message only some are written.
use super::Level;
use serde::Deserialize;
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::SystemTime,
};

/// JSON: `sampling` of a log.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Sampling {
    /// In nanoseconds, and no text as elsewhere; 0: a second.
    interval: u64,
    /// So many are written within an interval; 0: 100.
    first: u64,
    /// Of those beyond, each that many-th; 0: 100.
    thereafter: u64,
}
/// Messages share a counter if their hashes meet, as in zap.
const COUNTERS: u32 = 4096;
const LEVELS: u32 = 6;

#[derive(Debug)]
pub(super) struct Sampler {
    interval: u64,
    first: u64,
    thereafter: u64,
    counters: Box<[Counter]>,
}
#[derive(Debug, Default)]
struct Counter {
    /// When it begins anew, in nanoseconds since 1970.
    reset: AtomicU64,
    count: AtomicU64,
}
impl Sampler {
    pub(super) fn new(config: &Sampling) -> Self {
        let or = |set: u64, default: u64| if set == 0 { default } else { set };
        Self {
            interval: or(config.interval, 1_000_000_000),
            first: or(config.first, 100),
            thereafter: or(config.thereafter, 100),
            counters: (0..LEVELS * COUNTERS).map(|_| Counter::default()).collect(),
        }
    }
    /// Whether this entry is one of those that are written.
    pub(super) fn takes(&self, level: Level, message: &str, time: SystemTime) -> bool {
        let at = level as u32 * COUNTERS + fnv1a(message) % COUNTERS;
        let Some(counter) = self.counters.get(at as usize) else { return true };
        let now = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos() as u64;
        let number = counter.next(now, self.interval);
        number <= self.first || (number - self.first).is_multiple_of(self.thereafter)
    }
}
impl Counter {
    fn next(&self, now: u64, interval: u64) -> u64 {
        let reset = self.reset.load(Relaxed);
        if reset > now {
            return self.count.fetch_add(1, Relaxed) + 1;
        }
        self.count.store(1, Relaxed);
        match self.reset.compare_exchange(reset, now.saturating_add(interval), Relaxed, Relaxed) {
            Ok(_) => 1,
            // Another thread has begun the interval.
            Err(_) => self.count.fetch_add(1, Relaxed) + 1,
        }
    }
}
fn fnv1a(text: &str) -> u32 {
    text.bytes().fold(2_166_136_261, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619))
}
#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_first_of_an_interval_are_written_and_then_each_nth() {
        let sampler = Sampler::new(&Sampling { interval: 0, first: 2, thereafter: 3 });
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
        let taken = |at: Duration| {
            let takes = |_| sampler.takes(Level::Info, "handled request", start + at);
            (0..11).map(takes).collect::<Vec<_>>()
        };
        let expected: Vec<bool> = (1..=11).map(|n| [1, 2, 5, 8, 11].contains(&n)).collect();
        assert_eq!(taken(Duration::ZERO), expected);
        assert_eq!(taken(Duration::from_secs(1)), expected, "a new interval");
        assert!(sampler.takes(Level::Info, "another message", start));
        assert!(sampler.takes(Level::Error, "handled request", start + Duration::from_secs(1)));
    }
}
