//! What is remembered by key, bounded in keys and in bytes.
//!
//! An own table rather than a `DashMap`, because a full one has to look at a few keys *at random* to find one to
//! forget, and no concurrent map offers that without walking over it.
use foldhash::quality::RandomState;
use hashbrown::HashTable;
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
    index: HashTable<u32>,
    entries: Vec<Entry<V>>,
}
#[derive(Debug)]
struct Entry<V> {
    key: Box<str>,
    value: V,
}
impl<V: Value, C: Default> Default for Store<V, C> {
    fn default() -> Self {
        let shard = || Mutex::new(Shard { common: C::default(), index: HashTable::new(), entries: vec![] });
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
    /// A key's place in the table, beside what it holds on the heap.
    const ENTRY: usize = size_of::<Entry<V>>() + 2 * size_of::<u32>();

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
        let hash = self.hasher.hash_one(key);
        // The table inside a shard uses the hash's low and top bits; the shard is told by others.
        let mut shard = lock(&self.shards[(hash >> 32) as usize % SHARDS]);
        let found = shard.index.find(hash, |&i| *shard.entries[i as usize].key == *key).map(|&i| i as usize);
        let at = match found {
            Some(at) => at,
            None => {
                self.make_room(&mut shard, bounds, quiet);
                let value = new(&shard.common);
                self.insert(&mut shard, hash, key, value)
            }
        };
        let Shard { common, entries, .. } = &mut *shard;
        let value = &mut entries[at].value;
        let before = value.heap();
        let outcome = with(value, common);
        let grown = value.heap().saturating_sub(before);
        if grown > 0 {
            self.bytes.fetch_add(grown, Relaxed);
        }
        outcome
    }
    /// Forgets the keys whose values are of no more use, and gives memory back once a flood is over.
    pub fn sweep(&self, useless: impl Fn(&V, &C) -> bool) {
        for shard in &self.shards {
            let mut shard = lock(shard);
            let mut at = 0;
            while let Some(entry) = shard.entries.get(at) {
                if useless(&entry.value, &shard.common) {
                    self.forget(&mut shard, at);
                } else {
                    at += 1;
                }
            }
            if shard.entries.len() < shard.entries.capacity() / 4 {
                let Shard { index, entries, .. } = &mut *shard;
                entries.shrink_to(entries.len() * 2);
                index.shrink_to(entries.len() * 2, |&i| self.hasher.hash_one(&*entries[i as usize].key));
            }
        }
    }
    /// Each shard, locked.
    pub(super) fn each_shard(&self, mut change: impl FnMut(&mut Shard<V, C>)) {
        self.shards.iter().for_each(|shard| change(&mut lock(shard)));
    }
    fn make_room(&self, shard: &mut Shard<V, C>, bounds: Bounds, quiet: impl Fn(&V, &C) -> u64) {
        let full = || self.keys() >= bounds.keys || self.bytes() >= bounds.bytes;
        while full() && !shard.entries.is_empty() {
            let sample = (0..SAMPLE).map(|_| fastrand::usize(..shard.entries.len()));
            let oldest = sample.max_by_key(|&at| quiet(&shard.entries[at].value, &shard.common)).unwrap_or(0);
            self.forget(shard, oldest);
            self.evicted.fetch_add(1, Relaxed);
        }
    }
    fn insert(&self, shard: &mut Shard<V, C>, hash: u64, key: &str, value: V) -> usize {
        let at = shard.entries.len();
        self.bytes.fetch_add(Self::ENTRY + key.len() + value.heap(), Relaxed);
        shard.entries.push(Entry { key: key.into(), value });
        let Shard { index, entries, .. } = shard;
        index.insert_unique(hash, at as u32, |&i| self.hasher.hash_one(&*entries[i as usize].key));
        self.keys.fetch_add(1, Relaxed);
        at
    }
    /// Removes the entry at `at`; the last one takes its place.
    fn forget(&self, shard: &mut Shard<V, C>, at: usize) {
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
        self.bytes.fetch_sub(Self::ENTRY + entry.key.len() + entry.value.heap(), Relaxed);
    }
}
impl<V, C> Shard<V, C> {
    pub(super) fn values(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.iter_mut().map(|entry| &mut entry.value)
    }
}
/// A panic cannot leave a shard in a state that is worse than none.
fn lock<V, C>(shard: &Mutex<Shard<V, C>>) -> MutexGuard<'_, Shard<V, C>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
