//! What is remembered by key, bounded in keys and in bytes.
//!
//! An own table rather than a `DashMap`, because a full one has to look at a few keys *at random* to find one to
//! forget, and no concurrent map offers that without walking over it.
use super::table::{Entry, Key, Table};
use foldhash::quality::RandomState;
use std::{
    hash::BuildHasher,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
};

const SHARDS: usize = 64;
/// How many keys a full store looks at before it forgets the one that has been quiet for longest.
const SAMPLE: usize = 8;

/// What is remembered of a key.
pub trait Value {
    /// Memory on the heap, in bytes.
    fn heap(&self) -> usize;
}
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub keys: usize,
    /// Heap and table memory of all keys.
    pub bytes: usize,
}
/// Values by key; each shard has a `C` beside them, under the same lock.
#[derive(Debug)]
pub struct Store<V, C = ()> {
    hasher: RandomState,
    shards: Box<[Mutex<Shard<V, C>>]>,
    keys: AtomicUsize,
    bytes: AtomicUsize,
    /// Keys forgotten before their time, because the store was full.
    pub evicted: AtomicU64,
}
#[derive(Debug)]
pub(super) struct Shard<V, C> {
    pub(super) common: C,
    entries: Table<V>,
}
impl<V: Value, C: Default> Default for Store<V, C> {
    fn default() -> Self {
        let shard = || Mutex::new(Shard { common: C::default(), entries: Table::default() });
        Self {
            hasher: RandomState::default(),
            shards: (0..SHARDS).map(|_| shard()).collect(),
            keys: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            evicted: AtomicU64::new(0),
        }
    }
}
impl<V: Value, C> Store<V, C> {
    /// How many keys are remembered.
    pub fn keys(&self) -> usize {
        self.keys.load(Relaxed)
    }
    /// An estimate of the memory they take, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }
    /// Does `with` a key's value, which is `new` if there is none yet. If it has to make room, that of a few keys is
    /// forgotten which has been quiet for longest.
    pub fn with<R>(
        &self,
        key: &str,
        bounds: Bounds,
        new: impl FnOnce(&C) -> V,
        quiet: impl Fn(&V, &C) -> u64,
        with: impl FnOnce(&mut V, &C) -> R,
    ) -> R {
        let key = key.as_bytes();
        let hash = self.hasher.hash_one(key);
        // The table inside a shard uses the hash's lower half; the shard is told by the other.
        let mut shard = lock(&self.shards[(hash >> 32) as usize % SHARDS]);
        let Shard { common, entries } = &mut *shard;
        if let Some(entry) = entries.find(hash, key) {
            return self.change(&mut entry.value, |value| with(value, common));
        }
        self.make_room(entries, bounds, |value| quiet(value, common));
        let entry = Entry { key: Key::new(key), value: new(common) };
        self.keys.fetch_add(1, Relaxed);
        self.bytes.fetch_add(bytes(&entry), Relaxed);
        let value = entries.insert(hash, entry, &self.hasher);
        self.change(value, |value| with(value, common))
    }
    /// Forgets the keys whose values are of no more use, and gives memory back once a flood is over.
    pub fn sweep(&self, useless: impl Fn(&V, &C) -> bool) {
        for shard in &self.shards {
            let mut shard = lock(shard);
            let Shard { common, entries } = &mut *shard;
            let mut at = 0;
            while at < entries.places() {
                match entries.get(at) {
                    // Another one may move up to its place.
                    Some(entry) if useless(&entry.value, common) => self.forget(entries, at),
                    _ => at += 1,
                }
            }
            entries.shrink(&self.hasher);
        }
    }
    /// Each shard, locked.
    pub(super) fn each_shard(&self, mut change: impl FnMut(&mut Shard<V, C>)) {
        self.shards.iter().for_each(|shard| change(&mut lock(shard)));
    }
    /// Changes a value, and counts what it grows by.
    fn change<R>(&self, value: &mut V, change: impl FnOnce(&mut V) -> R) -> R {
        let before = value.heap();
        let outcome = change(value);
        let grown = value.heap().saturating_sub(before);
        if grown > 0 {
            self.bytes.fetch_add(grown, Relaxed);
        }
        outcome
    }
    fn make_room(&self, entries: &mut Table<V>, bounds: Bounds, quiet: impl Fn(&V) -> u64) {
        while self.keys() >= bounds.keys || self.bytes() >= bounds.bytes {
            let sample = (0..SAMPLE).filter_map(|_| entries.any());
            let Some((oldest, _)) = sample.max_by_key(|(_, entry)| quiet(&entry.value)) else { return };
            self.forget(entries, oldest);
            self.evicted.fetch_add(1, Relaxed);
        }
    }
    fn forget(&self, entries: &mut Table<V>, at: usize) {
        if let Some(entry) = entries.remove(at, &self.hasher) {
            self.keys.fetch_sub(1, Relaxed);
            self.bytes.fetch_sub(bytes(&entry), Relaxed);
        }
    }
}
fn bytes<V: Value>(entry: &Entry<V>) -> usize {
    Table::<V>::PLACE + entry.key.heap() + entry.value.heap()
}
impl<V, C> Shard<V, C> {
    pub(super) fn values(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.values()
    }
}
/// A panic cannot leave a shard in a state that is worse than none.
fn lock<V, C>(shard: &Mutex<Shard<V, C>>) -> MutexGuard<'_, Shard<V, C>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
