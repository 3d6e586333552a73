//! A zone's windows: who has had how many events lately, bounded in keys and in bytes.
use super::{
    report::Traffic,
    ring::{Ring, Tick, age},
    store::{Bounds, Store, Value},
};
use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    time::{Duration, Instant},
};

/// What a handler asks of a zone. Handlers that share a zone may differ: each is judged by its own limit.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// Allowed within any window; zero refuses all.
    pub events: u32,
    pub window: Duration,
    pub max_keys: usize,
    /// Heap and table memory of all keys, in bytes.
    pub max_bytes: usize,
}
/// The state of a zone, shared by all handlers that name it and kept over reloads.
#[derive(Debug)]
pub struct Zone {
    pub name: String,
    epoch: Instant,
    windows: Store<Window, Scale>,
    /// The longest window and the most events that any handler has asked for: what must be remembered.
    longest: AtomicU64,
    most: AtomicUsize,
    pub stats: Stats,
    pub(super) traffic: Traffic,
}
/// Counted since the zone came to be.
#[derive(Debug, Default)]
pub struct Stats {
    pub allowed: AtomicU64,
    pub declined: AtomicU64,
}
/// Of one key.
#[derive(Debug)]
struct Window {
    ring: Ring,
    /// The latest event, allowed or refused: who keeps knocking is not forgotten.
    seen: Tick,
}
impl Value for Window {
    fn heap(&self) -> usize {
        self.ring.bytes()
    }
}
/// A tick is 2^shift nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
struct Scale {
    shift: u32,
}

impl Zone {
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            epoch: Instant::now(),
            windows: Store::default(),
            longest: AtomicU64::new(0),
            most: AtomicUsize::new(0),
            stats: Stats::default(),
            traffic: Traffic::default(),
        }
    }
    /// Has the zone remember enough for `limit`, when it is swept every `sweep`. To be called before the first
    /// [`check`](Self::check) with that limit.
    pub fn remember(&self, limit: &Limit, sweep: Duration, now: Instant) {
        let window = nanos(limit.window);
        self.longest.fetch_max(window, Relaxed);
        self.most.fetch_max(limit.events as usize, Relaxed);
        // The ages of all that is remembered must stay clear of the ticks' wrap-around, late sweeps included.
        let range = window.saturating_add(nanos(sweep).saturating_mul(4)).saturating_add(60_000_000_000);
        let shift = (64 - range.leading_zeros()).saturating_sub(31).max(10);
        let since = now.saturating_duration_since(self.epoch);
        self.windows.each_shard(|shard| {
            let earlier = shard.common;
            if shift > earlier.shift {
                shard.common = Scale { shift };
                shard.values().for_each(|window| window.coarsen(earlier, Scale { shift }, since));
            }
        });
    }
    /// Whether an event of `key` at `now` is within the limit; it is counted only if it is.
    ///
    /// # Errors
    /// If not: how long it takes until it would be.
    pub fn check(&self, key: &str, now: Instant, limit: &Limit) -> Result<(), Duration> {
        let verdict = self.decide(key, now.saturating_duration_since(self.epoch), limit);
        let count = if verdict.is_ok() { &self.stats.allowed } else { &self.stats.declined };
        count.fetch_add(1, Relaxed);
        verdict
    }
    /// How many keys are remembered.
    pub fn keys(&self) -> usize {
        self.windows.keys()
    }
    /// An estimate of the memory they take, in bytes.
    pub fn bytes(&self) -> usize {
        self.windows.bytes()
    }
    /// Keys forgotten before their time, because the zone was full.
    pub fn evicted(&self) -> u64 {
        self.windows.evicted.load(Relaxed)
    }
    /// Forgets the keys whose events are all out of the window.
    pub fn sweep(&self, now: Instant) {
        let since = now.saturating_duration_since(self.epoch);
        let longest = self.longest.load(Relaxed);
        self.windows.sweep(|window, scale| {
            window.ring.newest().is_none_or(|newest| age(scale.tick(since), newest) > scale.ticks(longest))
        });
    }
    fn decide(&self, key: &str, since: Duration, limit: &Limit) -> Result<(), Duration> {
        if limit.events == 0 {
            return Err(limit.window);
        }
        let (longest, most) = (self.longest.load(Relaxed), self.most.load(Relaxed));
        self.windows.with(
            key,
            Bounds { keys: limit.max_keys, bytes: limit.max_bytes },
            |scale| Window { ring: Ring::default(), seen: scale.tick(since) },
            |window, scale| age(scale.tick(since), window.seen).into(),
            |window, scale| window.decide(*scale, since, limit, longest, most),
        )
    }
}
impl Window {
    fn decide(
        &mut self,
        scale: Scale,
        since: Duration,
        limit: &Limit,
        longest: u64,
        most: usize,
    ) -> Result<(), Duration> {
        let now = scale.tick(since);
        let window = scale.ticks(nanos(limit.window));
        let longest = scale.ticks(longest).max(window);
        let Self { ring, seen } = self;
        *seen = now;
        while ring.get(0).is_some_and(|oldest| age(now, oldest) > longest) {
            ring.pop_oldest();
        }
        // Allowed if the event `events` back is out of the window, or if there have been fewer.
        let back = ring.len().checked_sub(limit.events as usize).and_then(|i| ring.get(i));
        if let Some(tick) = back.filter(|&tick| age(now, tick) <= window) {
            let wait = u64::from((window - age(now, tick)).max(1)) << scale.shift;
            return Err(Duration::from_nanos(wait.min(nanos(limit.window))));
        }
        ring.push(now, most.max(limit.events as usize));
        Ok(())
    }
    /// Goes over to longer ticks, for longer windows.
    fn coarsen(&mut self, earlier: Scale, later: Scale, since: Duration) {
        let by = later.shift - earlier.shift;
        let (before, after) = (earlier.tick(since), later.tick(since));
        let coarse = |tick| after.wrapping_sub(age(before, tick) >> by);
        self.ring.for_each(coarse);
        self.seen = coarse(self.seen);
    }
}
impl Scale {
    fn tick(self, since: Duration) -> Tick {
        (nanos(since) >> self.shift) as Tick
    }
    /// Rounded up, so that nothing is allowed early.
    fn ticks(self, nanos: u64) -> Tick {
        (nanos >> self.shift) as Tick + 1
    }
}
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
