//! How many connections there may be to one upstream, over all workers. Who comes too late waits for one to close, or to
//! become idle.
use super::Stream;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;

#[derive(Debug)]
pub struct Limit {
    most: usize,
    inner: Mutex<Inner>,
}
#[derive(Debug, Default)]
struct Inner {
    open: usize,
    waiting: VecDeque<oneshot::Sender<Turn>>,
}
/// What one has waited for.
#[derive(Debug)]
pub enum Turn {
    /// A connection may be opened; it holds on to this.
    Open(Permit),
    /// A connection that somebody else does not need any more.
    Use(Box<Stream>),
}
/// Counts as a connection until it is dropped.
#[derive(Debug)]
pub struct Permit(Arc<Limit>);

impl Limit {
    pub fn new(most: usize) -> Self {
        Self { most, inner: Mutex::default() }
    }
    /// A place in the queue; it may be there at once.
    pub fn queue(self: &Arc<Self>) -> oneshot::Receiver<Turn> {
        let (sender, receiver) = oneshot::channel();
        let mut inner = self.lock();
        if inner.open < self.most {
            inner.open += 1;
            drop(inner);
            // The receiver is in our hands.
            let _ = sender.send(Turn::Open(Permit(self.clone())));
        } else {
            inner.waiting.push_back(sender);
        }
        receiver
    }
    pub(super) fn has_waiting(&self) -> bool {
        self.lock().waiting.iter().any(|waiting| !waiting.is_closed())
    }
    /// Gives a connection to who has waited for the longest; gives it back if nobody does.
    pub(super) fn hand_over(&self, stream: Stream) -> Option<Stream> {
        let mut stream = Box::new(stream);
        while let Some(next) = self.next() {
            match next.send(Turn::Use(stream)) {
                Err(Turn::Use(back)) => stream = back,
                _ => return None,
            }
        }
        Some(*stream)
    }
    fn next(&self) -> Option<oneshot::Sender<Turn>> {
        self.lock().waiting.pop_front()
    }
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
impl Permit {
    pub(super) fn limit(&self) -> Arc<Limit> {
        self.0.clone()
    }
}
impl Drop for Permit {
    fn drop(&mut self) {
        let next = {
            let mut inner = self.0.lock();
            let next = inner.waiting.pop_front();
            if next.is_none() {
                inner.open -= 1;
            }
            next
        };
        // Who has gone in the meantime drops it again, and so it comes to the one behind.
        if let Some(next) = next {
            let _ = next.send(Turn::Open(Self(self.0.clone())));
        }
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    fn permit(turn: Result<Turn, oneshot::error::TryRecvError>) -> Option<Permit> {
        match turn {
            Ok(Turn::Open(permit)) => Some(permit),
            _ => None,
        }
    }
    #[test]
    fn those_beyond_the_limit_wait_for_others_to_close() {
        let limit = Arc::new(Limit::new(2));
        let mut queued: Vec<_> = (0..5).map(|_| limit.queue()).collect();
        let mut first = permit(queued[0].try_recv());
        let second = permit(queued[1].try_recv());
        assert!(first.is_some() && second.is_some());
        assert!(permit(queued[2].try_recv()).is_none());
        // The third gives up: it is the fourth's turn.
        drop(queued.remove(2));
        first.take();
        let fourth = permit(queued[2].try_recv());
        assert!(fourth.is_some());
        assert!(permit(queued[3].try_recv()).is_none());
        drop((second, fourth));
        assert!(permit(queued[3].try_recv()).is_some());
        assert_eq!(limit.lock().open, 0, "all have been dropped");
    }
}
