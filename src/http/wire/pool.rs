//! Idle connections, a shelf for each worker; the one used last is used first. A shelf's lock is its worker's own, so it
//! is free but for the moment in which another worker, before it dials, looks here for what it does not have itself: an
//! upstream that serves one connection at a time would let it wait for ours.
use super::Stream;
use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
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
    /// The transport: `most_of_owner` of its connections may be idle, whatever they lead to; 0: no limit.
    pub owner: u64,
    pub most_of_owner: usize,
}
struct Idle {
    stream: Stream,
    since: Instant,
    timeout: Duration,
    owner: u64,
    most_idle: usize,
}
type Idles = HashMap<PoolKey, Vec<Idle>, foldhash::fast::RandomState>;
#[derive(Default)]
struct Shelf(Mutex<Idles>);
/// Of all threads that ever had one: there are as many as there are workers.
static SHELVES: RwLock<Vec<Arc<Shelf>>> = RwLock::new(vec![]);
thread_local! { static OWN: Arc<Shelf> = Shelf::new() }

/// How often idle connections are looked through.
const SWEEP: Duration = Duration::from_secs(1);
/// Those beyond the limit are kept for that long: as many as there are requests at a time are wanted again at once, and
/// dialling costs more than keeping them.
const SPARE: Duration = Duration::from_secs(1);
/// Held by who sweeps: one is enough, however many configurations and handlers there are.
static SWEEPING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

impl Shelf {
    fn new() -> Arc<Self> {
        let shelf = Arc::<Self>::default();
        SHELVES.write().unwrap_or_else(PoisonError::into_inner).push(shelf.clone());
        shelf
    }
    fn lock(&self) -> MutexGuard<'_, Idles> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn keep(&self, pooling: &Pooling, stream: Stream) {
        let Pooling { idle_timeout: timeout, owner, most_idle, .. } = *pooling;
        let idle = Idle { stream, since: Instant::now(), timeout, owner, most_idle };
        self.lock().entry(pooling.key).or_default().push(idle);
    }
    fn take(&self, key: PoolKey) -> Option<Stream> {
        let mut idle = self.lock();
        let all = idle.get_mut(&key)?;
        while let Some(Idle { stream, since, timeout, .. }) = all.pop() {
            // Those below are older still.
            if since.elapsed() >= timeout {
                all.clear();
                return None;
            }
            if !stream.is_stale() {
                return Some(stream);
            }
        }
        None
    }
}
fn shelves() -> Vec<Arc<Shelf>> {
    SHELVES.read().unwrap_or_else(PoisonError::into_inner).clone()
}
/// An idle connection that seems to be alive. It may still turn out that the upstream has just closed it.
pub fn take(pooling: &Pooling) -> Option<Stream> {
    if pooling.most_idle == 0 {
        return None;
    }
    OWN.with(|own| own.take(pooling.key)).or_else(|| take_over(pooling.key))
}
/// Another worker's.
fn take_over(key: PoolKey) -> Option<Stream> {
    let shelves = SHELVES.read().unwrap_or_else(PoisonError::into_inner);
    // A connection that cannot be moved is none to wait for.
    shelves.iter().find_map(|shelf| shelf.take(key))?.adopt().ok()
}
/// Keeps a connection that nothing is in flight on. Who waits for one gets it at once.
pub fn give_back(pooling: &Pooling, stream: Stream) {
    if pooling.most_idle == 0 {
        return;
    }
    let limit = stream.limit();
    let one_more =
        pooling.most_of_owner == 0 || count(|idle| idle.owner == pooling.owner) < pooling.most_of_owner;
    if one_more {
        OWN.with(|own| own.keep(pooling, stream));
    }
    // Asked only now: who has looked here in vain is in the queue already.
    if let Some(limit) = limit.filter(|limit| limit.has_waiting())
        && let Some(stream) = OWN.with(|own| own.take(pooling.key))
        && let Some(stream) = limit.hand_over(stream)
    {
        OWN.with(|own| own.keep(pooling, stream));
    }
}
fn count(counts: impl Fn(&Idle) -> bool) -> usize {
    shelves().iter().map(|shelf| shelf.lock().values().flatten().filter(|idle| counts(idle)).count()).sum()
}
/// How many connections of a key are idle, over all workers.
pub fn idle_count(key: PoolKey) -> usize {
    shelves().iter().map(|shelf| shelf.lock().get(&key).map_or(0, Vec::len)).sum()
}
/// Closes, for as long as it is polled, the idle connections that nobody has wanted for too long, those that are too
/// many, and those that their upstreams have closed.
pub async fn sweep() {
    let _lease = SWEEPING.lock().await;
    loop {
        tokio::time::sleep(SWEEP).await;
        let shelves = shelves();
        let enough = enough(&shelves);
        for shelf in shelves {
            drop(shelf.expired(&enough));
        }
    }
}
/// Since when connections have to be idle to count as one too many, by key, where there are too many on all shelves.
fn enough(shelves: &[Arc<Shelf>]) -> HashMap<PoolKey, Instant> {
    let mut found = HashMap::<PoolKey, (usize, Vec<Instant>)>::new();
    for shelf in shelves {
        for (key, all) in &*shelf.lock() {
            let (most, since) = found.entry(*key).or_default();
            *most = all.last().map_or(*most, |last| last.most_idle);
            since.extend(all.iter().map(|idle| idle.since));
        }
    }
    let first_kept = found.into_iter().filter_map(|(key, (most, mut since))| {
        since.sort_unstable();
        let spare = since.len().checked_sub(most).filter(|&spare| spare > 0)?;
        Some((key, *since.get(spare)?))
    });
    first_kept.collect()
}
impl Shelf {
    fn expired(&self, enough: &HashMap<PoolKey, Instant>) -> Vec<Idle> {
        let mut expired = vec![];
        self.lock().retain(|key, all| {
            let enough = enough.get(key);
            for idle in mem::take(all) {
                let age = idle.since.elapsed();
                let is_spare = enough.is_some_and(|&first_kept| idle.since < first_kept) && age >= SPARE;
                if age >= idle.timeout || idle.stream.is_stale() || is_spare {
                    expired.push(idle);
                } else {
                    all.push(idle);
                }
            }
            !all.is_empty()
        });
        expired
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::wire::Plain;
    use tokio::net::{TcpListener, TcpStream};

    fn pooling(key: u64, timeout: Duration) -> Pooling {
        Pooling { key: PoolKey(key), most_idle: 2, idle_timeout: timeout, owner: key, most_of_owner: 0 }
    }
    async fn pair() -> (Stream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (Stream::clear(Plain::Tcp(ours)), listener.accept().await.unwrap().0)
    }
    #[tokio::test]
    async fn a_connection_is_kept_and_found_again() {
        let pooling = pooling(1, Duration::from_secs(60));
        let mut theirs = vec![];
        for _ in 0..3 {
            let (stream, other) = pair().await;
            give_back(&pooling, stream);
            theirs.push(other);
        }
        assert_eq!(idle_count(pooling.key), 3);
        assert!((0..3).all(|_| take(&pooling).is_some()) && take(&pooling).is_none());
    }
    #[tokio::test]
    async fn those_beyond_the_limit_are_kept_for_a_moment() {
        let pooling = pooling(5, Duration::from_secs(60));
        let mut theirs = vec![];
        for at in 0..4 {
            let (stream, other) = pair().await;
            if at % 2 == 0 {
                give_back(&pooling, stream);
            } else {
                // The limit is one for all threads.
                std::thread::spawn(move || give_back(&pooling, stream)).join().unwrap();
            }
            theirs.push(other);
        }
        let sweep = tokio::spawn(sweep());
        while idle_count(pooling.key) > 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(idle_count(pooling.key), 2);
        sweep.abort();
    }
    #[tokio::test]
    async fn a_transport_keeps_no_more_than_it_may() {
        let mut theirs = vec![];
        for key in 10..13 {
            let pooling = Pooling { owner: 10, most_of_owner: 2, ..pooling(key, Duration::from_secs(60)) };
            let (stream, other) = pair().await;
            give_back(&pooling, stream);
            theirs.push(other);
        }
        assert_eq!([10, 11, 12].map(|key| idle_count(PoolKey(key))), [1, 1, 0]);
    }
    #[tokio::test]
    async fn another_threads_connection_is_taken_over() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let pooling = pooling(2, Duration::from_secs(60));
        let (stream, mut theirs) = pair().await;
        give_back(&pooling, stream);
        let other = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut stream = take(&pooling).unwrap();
                stream.write_all(b"hello").await.unwrap();
                let mut answer = [0; 2];
                stream.read_exact(&mut answer).await.unwrap();
                answer
            })
        });
        let mut heard = [0; 5];
        theirs.read_exact(&mut heard).await.unwrap();
        theirs.write_all(b"ok").await.unwrap();
        assert_eq!((&heard, &other.join().unwrap()), (b"hello", b"ok"));
    }
    #[tokio::test]
    async fn what_is_too_old_or_closed_is_swept_away() {
        let (pooling_short, pooling_long) = (pooling(3, Duration::ZERO), pooling(4, Duration::from_secs(60)));
        let (old, _theirs) = pair().await;
        let (closed, theirs) = pair().await;
        give_back(&pooling_short, old);
        give_back(&pooling_long, closed);
        drop(theirs);
        let sweep = tokio::spawn(sweep());
        while idle_count(pooling_short.key) + idle_count(pooling_long.key) > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        sweep.abort();
    }
}
