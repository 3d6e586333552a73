//! What passwords were found right or wrong: the hashes are made to be slow.
use super::hash::{Algorithm, compare};
use aws_lc_rs::digest::{Context, SHA256};
use dashmap::DashMap;
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::OnceCell;

/// Of a hash and a password. The password itself is not kept.
pub(super) type Key = [u8; 32];

pub(super) struct Cache {
    /// So that the keys of one process tell nothing about those of another.
    seed: [u8; 32],
    found: DashMap<Key, bool, foldhash::fast::RandomState>,
    /// What is being compared right now: all who ask for the same wait for one.
    running: Mutex<Vec<(Key, Arc<OnceCell<bool>>)>>,
}
/// Caddy keeps as many.
const CAPACITY: usize = 1000;
/// The part of the entries that goes when there is no more room.
const EVICTED: f32 = 0.1;

impl Default for Cache {
    fn default() -> Self {
        let mut seed = [0; 32];
        // Without randomness the keys are what they are; nothing depends on the seed.
        _ = aws_lc_rs::rand::fill(&mut seed);
        Self { seed, found: DashMap::default(), running: Mutex::default() }
    }
}
impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cache({})", self.found.len())
    }
}
impl Cache {
    /// Unknown users have keys of their own: how fast they are refused must not tell whether someone has that password.
    pub(super) fn key(&self, known: bool, hash: &[u8], password: &[u8]) -> Key {
        let mut digest = Context::new(&SHA256);
        digest.update(&self.seed);
        digest.update(&[u8::from(known)]);
        digest.update(&hash.len().to_le_bytes());
        digest.update(hash);
        digest.update(password);
        let mut key = Key::default();
        key.copy_from_slice(digest.finish().as_ref());
        key
    }
    pub(super) fn get(&self, key: &Key) -> Option<bool> {
        self.found.get(key).map(|found| *found)
    }
    /// Compares, unless someone is just doing so, and remembers.
    ///
    /// # Errors
    /// The hash cannot be read. That is not remembered.
    pub(super) async fn compare(
        &self,
        key: Key,
        algorithm: Algorithm,
        hash: Arc<[u8]>,
        password: Vec<u8>,
    ) -> Result<bool, String> {
        let running = Running { cache: self, key, cell: self.running(key) };
        let compared = running.cell.get_or_try_init(|| compare(algorithm, hash, password)).await.copied();
        if let Ok(same) = compared {
            self.remember(key, same);
        }
        compared
    }
    fn running(&self, key: Key) -> Arc<OnceCell<bool>> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, cell)) = running.iter().find(|(known, _)| *known == key) {
            return cell.clone();
        }
        let cell = Arc::default();
        running.push((key, Arc::clone(&cell)));
        cell
    }
    fn remember(&self, key: Key, same: bool) {
        if self.found.len() >= CAPACITY {
            self.found.retain(|_, _| fastrand::f32() > EVICTED);
        }
        self.found.insert(key, same);
    }
}

/// Someone compares. Ends when that is done, or when the client has gone.
struct Running<'c> {
    cache: &'c Cache,
    key: Key,
    cell: Arc<OnceCell<bool>>,
}
impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut running = self.cache.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|(known, _)| *known != self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_bounded() {
        let cache = Cache::default();
        for number in 0..10 * CAPACITY {
            cache.remember(cache.key(true, b"hash", &number.to_le_bytes()), false);
        }
        assert!(cache.found.len() <= CAPACITY);
        assert!(cache.found.len() > CAPACITY / 2);
    }
    #[test]
    fn keys_differ_by_all_that_is_compared() {
        let cache = Cache::default();
        let keys = [
            cache.key(true, b"hash", b"word"),
            cache.key(false, b"hash", b"word"),
            cache.key(true, b"hashw", b"ord"),
            cache.key(true, b"hash", b"wort"),
            Cache::default().key(true, b"hash", b"word"),
        ];
        for (at, key) in keys.iter().enumerate() {
            assert!(!keys[at + 1..].contains(key));
        }
    }
}
