//! The streams of an HTTP/2 connection: each is cut on its own when its client stalls, so that the others of the
//! connection hide nothing.
use super::{site::Limits, sweep::millis};
use crate::http::{Body, BoxError, Direction, Least, Pace};
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use std::{
    cell::{Cell, RefCell},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::task::AbortHandle;

/// What is under way on one connection.
#[derive(Default)]
pub(super) struct Streams {
    /// Of the stream whose task is about to be spawned.
    next: Cell<Option<Arc<Pace>>>,
    open: RefCell<Vec<Stream>>,
}
struct Stream {
    pace: Arc<Pace>,
    task: AbortHandle,
    begun: u32,
    read: Progress,
    write: Progress,
}
/// What the last look has seen of one direction.
#[derive(Default)]
struct Progress {
    moved: u64,
    /// The tick of the last movement, or of when nobody waited.
    at: u32,
    /// Of the first.
    from: Option<u32>,
}
impl Streams {
    /// A request begins, on a task that follows.
    pub(super) fn begin(&self) -> Arc<Pace> {
        let pace = Arc::<Pace>::default();
        self.next.set(Some(pace.clone()));
        pace
    }
    /// The task of the request that has begun.
    pub(super) fn spawned(&self, task: AbortHandle, now: u32) {
        let Some(pace) = self.next.take() else { return };
        let progress = || Progress { at: now, ..Progress::default() };
        let stream = Stream { pace, task, begun: now, read: progress(), write: progress() };
        self.open.borrow_mut().push(stream);
    }
    pub(super) fn end(&self, pace: &Arc<Pace>) {
        let mut open = self.open.borrow_mut();
        // The youngest ones are the first to end.
        if let Some(place) = open.iter().rposition(|stream| Arc::ptr_eq(&stream.pace, pace)) {
            open.swap_remove(place);
        }
    }
    /// Cuts those whose clients have stalled for too long.
    pub(super) fn tick(&self, now: u32, limits: &Limits) {
        for stream in &mut *self.open.borrow_mut() {
            let Stream { pace, begun, .. } = stream;
            let late = |limit: u32| limit > 0 && now.wrapping_sub(*begun) > limit;
            let reads = pace.read.is_waited_for() && !pace.is_answered();
            let read_stalls = stream.read.stalls(&pace.read, limits.read_least, now);
            let write_stalls = stream.write.stalls(&pace.write, limits.write_least, now);
            let sends_no_more = reads && (read_stalls || late(limits.read));
            if sends_no_more || write_stalls || late(limits.write) {
                stream.task.abort();
            }
        }
    }
}
impl Progress {
    fn stalls(&mut self, direction: &Direction, server: Least, now: u32) -> bool {
        let (moved, waits) = (direction.moved(), direction.is_waited_for());
        if moved != self.moved || !waits {
            (self.moved, self.at) = (moved, now);
        }
        if !waits {
            return false;
        }
        let from = *self.from.get_or_insert(now);
        let since = |tick: u32| millis(now.wrapping_sub(tick));
        direction.wanted(server).is_missed(since(self.at), since(from), moved)
    }
}
/// A request's body, whose progress is known.
pub(super) struct Received {
    pub(super) body: Body,
    pub(super) pace: Arc<Pace>,
}
impl HttpBody for Received {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        self.pace.read.waits(polled.is_pending());
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            self.pace.read.moves(frame.data_ref().map_or(0, Bytes::len));
        }
        polled
    }
    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
impl Drop for Received {
    fn drop(&mut self) {
        self.pace.read.waits(false);
    }
}
