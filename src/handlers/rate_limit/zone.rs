//! A zone's windows: who has had how many events lately, bounded in keys and in bytes.
//!
//! An own table rather than a `DashMap`, because a full zone has to look at a few keys *at random* to find one to
//! forget, and no concurrent map offers that without walking over it.
use super::{
    report::Traffic,
    ring::{Ring, Tick, age},
};
use foldhash::quality::RandomState;
use hashbrown::HashTable;
use std::{
    hash::BuildHasher,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

const SHARDS: usize = 64;
/// How many keys a full zone looks at before it forgets the one that has been quiet for longest.
const SAMPLE: usize = 8;

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
    hasher: RandomState,
    shards: Box<[Mutex<Shard>]>,
    keys: AtomicUsize,
    bytes: AtomicUsize,
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
    /// Keys forgotten before their time, because the zone was full.
    pub evicted: AtomicU64,
}
#[derive(Debug)]
struct Shard {
    /// A tick is 2^shift nanoseconds.
    shift: u32,
    index: HashTable<u32>,
    entries: Vec<Entry>,
}
#[derive(Debug)]
struct Entry {
    key: Box<str>,
    ring: Ring,
    /// The latest event, allowed or refused: who keeps knocking is not forgotten.
    seen: Tick,
}
/// A key's place in the table, beside what it holds on the heap.
const ENTRY: usize = size_of::<Entry>() + 2 * size_of::<u32>();

impl Zone {
    pub fn new(name: &str) -> Self {
        let shard = || Mutex::new(Shard { shift: 0, index: HashTable::new(), entries: vec![] });
        Self {
            name: name.to_owned(),
            epoch: Instant::now(),
            hasher: RandomState::default(),
            shards: (0..SHARDS).map(|_| shard()).collect(),
            keys: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
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
        for shard in &self.shards {
            lock(shard).coarsen(shift, now.saturating_duration_since(self.epoch));
        }
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
        self.keys.load(Relaxed)
    }
    /// An estimate of the memory they take, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }
    /// Forgets the keys whose events are all out of the window.
    pub fn sweep(&self, now: Instant) {
        let since = now.saturating_duration_since(self.epoch);
        for shard in &self.shards {
            let mut shard = lock(shard);
            let (now, window) = (shard.tick(since), shard.ticks(self.longest.load(Relaxed)));
            let mut at = 0;
            while let Some(entry) = shard.entries.get(at) {
                if entry.ring.newest().is_none_or(|newest| age(now, newest) > window) {
                    self.forget(&mut shard, at);
                } else {
                    at += 1;
                }
            }
            shard.shrink(&self.hasher);
        }
    }
    fn decide(&self, key: &str, since: Duration, limit: &Limit) -> Result<(), Duration> {
        if limit.events == 0 {
            return Err(limit.window);
        }
        let hash = self.hasher.hash_one(key);
        // The table inside a shard uses the hash's low and top bits; the shard is told by others.
        let shard = &self.shards[(hash >> 32) as usize % SHARDS];
        let mut shard = lock(shard);
        let now = shard.tick(since);
        let window = shard.ticks(nanos(limit.window));
        let longest = shard.ticks(self.longest.load(Relaxed)).max(window);
        let at = match shard.find(hash, key) {
            Some(at) => at,
            None => self.insert(&mut shard, hash, key, now, limit),
        };
        let shift = shard.shift;
        let Entry { ring, seen, .. } = &mut shard.entries[at];
        *seen = now;
        while ring.get(0).is_some_and(|oldest| age(now, oldest) > longest) {
            ring.pop_oldest();
        }
        // Allowed if the event `events` back is out of the window, or if there have been fewer.
        let back = ring.len().checked_sub(limit.events as usize).and_then(|i| ring.get(i));
        if let Some(tick) = back.filter(|&tick| age(now, tick) <= window) {
            let wait = u64::from((window - age(now, tick)).max(1)) << shift;
            return Err(Duration::from_nanos(wait.min(nanos(limit.window))));
        }
        let before = ring.bytes();
        ring.push(now, self.most.load(Relaxed).max(limit.events as usize));
        let grown = ring.bytes() - before;
        if grown > 0 {
            self.bytes.fetch_add(grown, Relaxed);
        }
        Ok(())
    }
    fn insert(&self, shard: &mut Shard, hash: u64, key: &str, now: Tick, limit: &Limit) -> usize {
        let full = || self.keys() >= limit.max_keys || self.bytes() >= limit.max_bytes;
        while full() && !shard.entries.is_empty() {
            let oldest = shard.quietest_of_a_sample(now);
            self.forget(shard, oldest);
            self.stats.evicted.fetch_add(1, Relaxed);
        }
        let at = shard.entries.len();
        shard.entries.push(Entry { key: key.into(), ring: Ring::default(), seen: now });
        let Shard { index, entries, .. } = shard;
        index.insert_unique(hash, at as u32, |&i| self.hasher.hash_one(&*entries[i as usize].key));
        self.keys.fetch_add(1, Relaxed);
        self.bytes.fetch_add(ENTRY + key.len(), Relaxed);
        at
    }
    /// Removes the entry at `at`; the last one takes its place.
    fn forget(&self, shard: &mut Shard, at: usize) {
        let last = shard.entries.len() - 1;
        let hash = |i: usize| self.hasher.hash_one(&*shard.entries[i].key);
        let (gone, moved) = (hash(at), hash(last));
        if let Ok(slot) = shard.index.find_entry(gone, |&i| i as usize == at) {
            slot.remove();
        }
        if at != last
            && let Some(slot) = shard.index.find_mut(moved, |&i| i as usize == last)
        {
            *slot = at as u32;
        }
        let entry = shard.entries.swap_remove(at);
        self.keys.fetch_sub(1, Relaxed);
        self.bytes.fetch_sub(ENTRY + entry.key.len() + entry.ring.bytes(), Relaxed);
    }
}
impl Shard {
    fn find(&self, hash: u64, key: &str) -> Option<usize> {
        self.index.find(hash, |&i| *self.entries[i as usize].key == *key).map(|&i| i as usize)
    }
    fn tick(&self, since: Duration) -> Tick {
        (nanos(since) >> self.shift) as Tick
    }
    /// Rounded up, so that nothing is allowed early.
    fn ticks(&self, nanos: u64) -> Tick {
        (nanos >> self.shift) as Tick + 1
    }
    fn quietest_of_a_sample(&self, now: Tick) -> usize {
        let sample = (0..SAMPLE).map(|_| fastrand::usize(..self.entries.len()));
        sample.max_by_key(|&at| age(now, self.entries[at].seen)).unwrap_or(0)
    }
    /// Goes over to longer ticks, for longer windows.
    fn coarsen(&mut self, shift: u32, since: Duration) {
        if shift <= self.shift {
            return;
        }
        let by = shift - self.shift;
        let before = self.tick(since);
        self.shift = shift;
        let after = self.tick(since);
        for entry in &mut self.entries {
            let coarse = |tick| after.wrapping_sub(age(before, tick) >> by);
            entry.ring.for_each(coarse);
            entry.seen = coarse(entry.seen);
        }
    }
    /// Gives memory back once a flood is over.
    fn shrink(&mut self, hasher: &RandomState) {
        if self.entries.len() < self.entries.capacity() / 4 {
            let Self { index, entries, .. } = self;
            entries.shrink_to(entries.len() * 2);
            index.shrink_to(entries.len() * 2, |&i| hasher.hash_one(&*entries[i as usize].key));
        }
    }
}
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
/// A panic cannot leave a shard in a state that is worse than none.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
