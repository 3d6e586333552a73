//! Idle connections, a pool for each worker: no lock, and the one used last is used first.
use super::Stream;
use std::{
    cell::RefCell,
    collections::HashMap,
    time::{Duration, Instant},
};

/// Connections of one key are exchangeable: the same address, by the same transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PoolKey(pub u64);
/// How many idle connections are kept, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pooling {
    pub key: PoolKey,
    pub most_idle: usize,
    pub idle_timeout: Duration,
}
pub struct Idle {
    stream: Stream,
    since: Instant,
}
thread_local! {
    static IDLE: RefCell<HashMap<PoolKey, Vec<Idle>, foldhash::fast::RandomState>> = RefCell::default();
}
/// An idle connection that seems to be alive. It may still turn out that the upstream has just closed it.
pub fn take(pooling: &Pooling) -> Option<Stream> {
    IDLE.with_borrow_mut(|idle| {
        let all = idle.get_mut(&pooling.key)?;
        while let Some(Idle { stream, since }) = all.pop() {
            // Those below are older still.
            if since.elapsed() >= pooling.idle_timeout {
                all.clear();
                return None;
            }
            if !stream.is_stale() {
                return Some(stream);
            }
        }
        None
    })
}
/// Keeps a connection that nothing is in flight on, unless there are enough.
pub fn give_back(pooling: &Pooling, stream: Stream) {
    IDLE.with_borrow_mut(|idle| {
        let all = idle.entry(pooling.key).or_default();
        // The oldest is first; who has been idle for too long would not be taken any more.
        let old = all.iter().take_while(|idle| idle.since.elapsed() >= pooling.idle_timeout).count();
        all.drain(..old);
        if all.len() < pooling.most_idle {
            all.push(Idle { stream, since: Instant::now() });
        }
    });
}
/// How many connections of a key are idle on this thread.
pub fn idle_count(key: PoolKey) -> usize {
    IDLE.with_borrow(|idle| idle.get(&key).map_or(0, Vec::len))
}
