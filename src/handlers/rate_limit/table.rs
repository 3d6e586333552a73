//! A shard's entries, in one row: whoever looks for a key begins where its hash points and goes on to the right, so at a
//! million keys a look-up misses the cache once, where a table with an index or tags beside it misses twice.
use foldhash::quality::RandomState;
use std::{hash::BuildHasher, mem};

/// A key and its value: one line of the cache, if the key is short and the value takes 40 bytes at most.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Entry<V> {
    pub(super) key: Key,
    pub(super) value: V,
}
#[derive(Debug)]
pub(super) enum Key {
    /// IPv4 addresses do with it, most names and networks too.
    Short {
        length: u8,
        text: [u8; Key::SHORT],
    },
    Long(Box<[u8]>),
}
impl Key {
    /// What fits beside the tag and the length where a `Long` one has its pointer.
    const SHORT: usize = 22;

    pub(super) fn new(key: &[u8]) -> Self {
        let mut text = [0; Self::SHORT];
        match text.get_mut(..key.len()) {
            Some(start) => {
                start.copy_from_slice(key);
                Self::Short { length: key.len() as u8, text }
            }
            None => Self::Long(key.into()),
        }
    }
    pub(super) fn text(&self) -> &[u8] {
        match self {
            Self::Short { length, text } => text.get(..usize::from(*length)).unwrap_or_default(),
            Self::Long(text) => text,
        }
    }
    /// Memory on the heap, in bytes.
    pub(super) fn heap(&self) -> usize {
        match self {
            Self::Short { .. } => 0,
            Self::Long(text) => text.len(),
        }
    }
}
#[derive(Debug)]
pub(super) struct Table<V> {
    /// No key has a gap between the place that its hash points to and its own; at least a quarter are gaps.
    slots: Box<[Option<Entry<V>>]>,
    len: usize,
}
impl<V> Default for Table<V> {
    fn default() -> Self {
        Self { slots: Box::default(), len: 0 }
    }
}
impl<V> Table<V> {
    /// The most that a key takes, in bytes: a table that has just grown is half full.
    pub(super) const PLACE: usize = 2 * size_of::<Option<Entry<V>>>();

    /// Those with an entry and the gaps.
    pub(super) fn places(&self) -> usize {
        self.slots.len()
    }
    pub(super) fn get(&self, at: usize) -> Option<&Entry<V>> {
        self.slots.get(at)?.as_ref()
    }
    pub(super) fn find(&mut self, hash: u64, key: &[u8]) -> Option<&mut Entry<V>> {
        let mut at = self.home(hash);
        while self.get(at)?.key.text() != key {
            at = self.next(at);
        }
        self.slots.get_mut(at)?.as_mut()
    }
    /// Adds an entry whose key is not there yet, and shows it.
    pub(super) fn insert(&mut self, hash: u64, entry: Entry<V>, hasher: &RandomState) -> &mut V {
        if (self.len + 1) * 4 > self.slots.len() * 3 {
            self.resize((self.slots.len() * 3 / 2).max(8), hasher);
        }
        let at = self.gap(hash);
        self.len += 1;
        &mut self.slots[at].insert(entry).value
    }
    pub(super) fn remove(&mut self, at: usize, hasher: &RandomState) -> Option<Entry<V>> {
        let removed = self.slots.get_mut(at)?.take()?;
        self.len -= 1;
        // What lies to the right moves up, unless it would come to lie left of where its hash points.
        let (mut gap, mut next) = (at, self.next(at));
        while let Some(entry) = self.get(next) {
            let home = self.home(hasher.hash_one(entry.key.text()));
            if self.steps(home, next) >= self.steps(gap, next) {
                self.slots.swap(gap, next);
                gap = next;
            }
            next = self.next(next);
        }
        Some(removed)
    }
    /// Gives memory back if most of it is not used.
    pub(super) fn shrink(&mut self, hasher: &RandomState) {
        if self.len < self.slots.len() / 4 {
            self.resize(self.len * 2, hasher);
        }
    }
    /// The first entry from a random place on; `None` if there are none at all.
    pub(super) fn any(&self) -> Option<(usize, &Entry<V>)> {
        let start = fastrand::usize(..self.slots.len().max(1));
        (start..self.slots.len()).chain(0..start).find_map(|at| Some((at, self.get(at)?)))
    }
    pub(super) fn values(&mut self) -> impl Iterator<Item = &mut V> {
        self.slots.iter_mut().flatten().map(|entry| &mut entry.value)
    }
    fn resize(&mut self, room: usize, hasher: &RandomState) {
        let slots = (0..room).map(|_| None).collect();
        for entry in mem::replace(&mut self.slots, slots).into_iter().flatten() {
            let at = self.gap(hasher.hash_one(entry.key.text()));
            self.slots[at] = Some(entry);
        }
    }
    /// The first gap for a key of that hash.
    fn gap(&self, hash: u64) -> usize {
        let mut at = self.home(hash);
        while self.get(at).is_some() {
            at = self.next(at);
        }
        at
    }
    /// Where a hash points: its lower half, as a part of the whole. So a table may be of any size.
    fn home(&self, hash: u64) -> usize {
        ((u64::from(hash as u32) * self.slots.len() as u64) >> 32) as usize
    }
    fn next(&self, at: usize) -> usize {
        if at + 1 < self.slots.len() { at + 1 } else { 0 }
    }
    /// How far it is to the right.
    fn steps(&self, from: usize, to: usize) -> usize {
        if from <= to { to - from } else { to + self.slots.len() - from }
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[test]
    fn an_entry_is_a_line_of_the_cache() {
        assert_eq!(size_of::<Option<Entry<[u64; 5]>>>(), 64);
    }
    proptest! {
        /// Whatever is done to it, it holds what a plain map would hold.
        #[test]
        fn is_a_map(steps in prop::collection::vec((0_u8..8, 0_u8..60), 0..300)) {
            let (mut table, mut map, hasher) = (Table::default(), HashMap::new(), RandomState::default());
            for (step, key) in steps {
                let name = format!("{key:0>width$}", width = usize::from(key));
                let hash = hasher.hash_one(name.as_bytes());
                match (step, map.contains_key(&name)) {
                    (0, _) => table.shrink(&hasher),
                    (1..=4, false) => {
                        let entry = Entry { key: Key::new(name.as_bytes()), value: step };
                        *table.insert(hash, entry, &hasher) += 1;
                        map.insert(name, step + 1);
                    }
                    (..=6, _) => if let Some((at, entry)) = table.any() {
                        let name = String::from_utf8(entry.key.text().to_vec()).unwrap();
                        let removed = table.remove(at, &hasher).map(|entry| entry.value);
                        prop_assert_eq!(removed, map.remove(&name));
                    },
                    _ => prop_assert_eq!(table.find(hash, name.as_bytes()).map(|entry| entry.value), map.get(&name).copied()),
                }
                prop_assert_eq!(table.len, map.len());
                for (name, value) in &map {
                    let found = table.find(hasher.hash_one(name.as_bytes()), name.as_bytes());
                    prop_assert_eq!(found.map(|entry| &entry.value), Some(value));
                }
            }
        }
    }
}
