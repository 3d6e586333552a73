//! The body of a response on its way to the client: whoever wants to know how it ends asks here.
use super::{access::Entry, activity::Activity, meter::Measured};
use crate::http::{Body, BoxError, Pace};
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use std::{
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Instant,
};

/// Dropped by hyper when it is sent, or never will be.
pub(super) struct Reply {
    body: Body,
    in_flight: InFlight,
    /// They wait until what came before them is written.
    trailers: Option<Box<Frame<Bytes>>>,
}
/// A request that is being served; its end is when this is dropped.
pub(super) struct InFlight {
    activity: Rc<Activity>,
    /// Of a stream of HTTP/2.
    stream: Option<Arc<Pace>>,
    entry: Option<Box<Logged>>,
    /// What metrics wait for.
    measured: Option<Box<Measured>>,
    /// Bytes of the response's body, so far.
    sent: u64,
}
/// What the access log waits for.
struct Logged {
    entry: Entry,
    start: Instant,
    /// Bytes of the request's body, so far.
    read: Option<Arc<AtomicU64>>,
}
impl InFlight {
    pub(super) fn begin(activity: &Rc<Activity>, stream: Option<Arc<Pace>>) -> Self {
        activity.request_begins();
        Self { activity: activity.clone(), stream, entry: None, measured: None, sent: 0 }
    }
    /// Has `entry` written when the response has ended. Gives the request's body, whose bytes are counted.
    pub(super) fn log(&mut self, entry: Entry, start: Instant, body: Body) -> Body {
        let read = (!body.is_end_stream()).then(Arc::<AtomicU64>::default);
        let body = match &read {
            Some(read) => Body::boxed(Counted { body, read: read.clone() }),
            None => body,
        };
        self.entry = Some(Box::new(Logged { entry, start, read }));
        body
    }
    pub(super) fn entry(&mut self) -> Option<&mut Entry> {
        self.entry.as_mut().map(|logged| &mut logged.entry)
    }
    /// Has it counted when the response has ended.
    pub(super) fn measure(&mut self, measured: Option<Box<Measured>>) {
        self.measured = measured;
    }
    /// The client has been given something, and is to take it.
    fn given(&self, bytes: usize) {
        if let Some(stream) = &self.stream {
            stream.write.moves(bytes);
            stream.write.waits(true);
        }
    }
    /// The client has taken all that it was given.
    fn taken(&self) {
        if let Some(stream) = &self.stream {
            stream.write.waits(false);
        }
    }
    /// So many bytes count as sent though they never are: the answer to a HEAD.
    pub(super) fn count(&mut self, bytes: u64) {
        self.sent += bytes;
    }
}
impl Drop for InFlight {
    fn drop(&mut self) {
        self.activity.request_ends();
        if let Some(stream) = &self.stream {
            self.activity.streams.end(stream);
        }
        if let Some(measured) = self.measured.take() {
            measured.finish(self.sent);
        }
        if let Some(Logged { entry, start, read }) = self.entry.take().as_deref() {
            let read = read.as_ref().map_or(0, |read| read.load(Relaxed));
            entry.write(read, self.sent, start.elapsed());
        }
    }
}
impl Reply {
    pub(super) fn new(body: Body, in_flight: InFlight) -> Self {
        in_flight.activity.gives();
        in_flight.given(0);
        if let Some(stream) = &in_flight.stream {
            stream.answer();
        }
        Self { body, in_flight, trailers: None }
    }
}
impl HttpBody for Reply {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.in_flight.taken();
        if self.trailers.is_none() {
            let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
            match frame {
                Some(Ok(frame)) if frame.is_trailers() && self.in_flight.stream.is_none() => {
                    self.trailers = Some(Box::new(frame));
                }
                frame => {
                    self.in_flight.activity.gives();
                    if let Some(Ok(frame)) = &frame {
                        let bytes = frame.data_ref().map_or(0, Bytes::len);
                        self.in_flight.count(bytes as u64);
                        self.in_flight.given(bytes);
                    }
                    return Poll::Ready(frame);
                }
            }
        }
        // Their names are spelt as a head's are.
        ready!(self.in_flight.activity.poll_fields());
        Poll::Ready(self.trailers.take().map(|trailers| Ok(*trailers)))
    }
    fn is_end_stream(&self) -> bool {
        self.trailers.is_none() && self.body.is_end_stream()
    }
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
/// A request's body whose bytes are counted.
struct Counted {
    body: Body,
    read: Arc<AtomicU64>,
}
impl HttpBody for Counted {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame {
            self.read.fetch_add(frame.data_ref().map_or(0, |data| data.len() as u64), Relaxed);
        }
        Poll::Ready(frame)
    }
    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
