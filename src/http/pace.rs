//! How fast a client has to be, request by request: what handlers want of it, and how far it has come.
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Of one request. Shared by its handlers, its bodies and whoever watches over the connection.
#[derive(Debug, Default)]
pub struct Pace {
    /// The request's body.
    pub read: Direction,
    /// The response's.
    pub write: Direction,
    answered: AtomicBool,
}
impl Pace {
    /// The response has begun: from here on the request may rest, as the streams of gRPC do whose client listens.
    pub fn answer(&self) {
        self.answered.store(true, Relaxed);
    }
    pub fn is_answered(&self) -> bool {
        self.answered.load(Relaxed)
    }
}
/// One of the two ways.
#[derive(Debug, Default)]
pub struct Direction {
    /// Milliseconds; zero leaves it to the server.
    idle: AtomicU64,
    /// Bytes a second; zero: none.
    rate: AtomicU64,
    moved: AtomicU64,
    waits: AtomicBool,
}
/// What is wanted of a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Least {
    /// How long nothing may move, in milliseconds. Zero: for ever.
    pub idle: u64,
    /// Bytes a second on average, once `idle` is over. Zero: any.
    pub rate: u64,
}
impl Direction {
    /// For this request, instead of what the server wants.
    pub fn want(&self, least: Least) {
        self.idle.store(least.idle, Relaxed);
        self.rate.store(least.rate, Relaxed);
    }
    /// `server`'s word where nobody else has one.
    pub fn wanted(&self, server: Least) -> Least {
        let own = Least { idle: self.idle.load(Relaxed), rate: self.rate.load(Relaxed) };
        if own == Least::default() { server } else { own }
    }
    /// So many bytes have come, or are given away.
    pub fn moves(&self, bytes: usize) {
        self.moved.fetch_add(bytes as u64, Relaxed);
    }
    pub fn moved(&self) -> u64 {
        self.moved.load(Relaxed)
    }
    /// Whether it is the client that is waited for.
    pub fn waits(&self, waits: bool) {
        self.waits.store(waits, Relaxed);
    }
    pub fn is_waited_for(&self) -> bool {
        self.waits.load(Relaxed)
    }
}
impl Least {
    /// Whether a client is too slow: nothing has moved for `still` milliseconds, and `moved` bytes in `all`.
    pub fn is_missed(self, still: u64, all: u64, moved: u64) -> bool {
        if self.rate == 0 {
            return self.idle > 0 && still > self.idle;
        }
        all > self.idle.saturating_add(moved.saturating_mul(1000) / self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_moves_is_not_idle_but_may_be_slow() {
        let idle = Least { idle: 1000, rate: 0 };
        assert!(!idle.is_missed(1000, 60_000, 1));
        assert!(idle.is_missed(1001, 1001, 1_000_000));
        let rate = Least { idle: 1000, rate: 10 };
        assert!(!rate.is_missed(3000, 3000, 20), "two seconds' worth");
        assert!(rate.is_missed(1, 3001, 20));
        assert!(!Least::default().is_missed(u64::MAX, u64::MAX, 0));
    }
    #[test]
    fn a_request_s_own_word_goes_before_the_server_s() {
        let (server, own) = (Least { idle: 60_000, rate: 0 }, Least { idle: 5000, rate: 100 });
        let direction = Direction::default();
        assert_eq!(direction.wanted(server), server);
        direction.want(own);
        assert_eq!(direction.wanted(server), own);
    }
}
