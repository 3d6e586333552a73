//! The body of a response on its way to the client: whoever wants to know how it ends asks here.
use super::activity::Activity;
use crate::http::{Body, BoxError};
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use std::{
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

/// Dropped by hyper when it is sent, or never will be.
pub(super) struct Reply {
    body: Body,
    /// Bytes handed on so far.
    sent: u64,
    in_flight: InFlight,
}
/// A request that is being served; its end is when this is dropped.
pub(super) struct InFlight {
    activity: Rc<Activity>,
}
impl InFlight {
    pub(super) fn begin(activity: &Rc<Activity>) -> Self {
        activity.request_begins();
        Self { activity: activity.clone() }
    }
}
impl Drop for InFlight {
    fn drop(&mut self) {
        self.activity.request_ends();
    }
}
impl Reply {
    pub(super) fn new(body: Body, in_flight: InFlight) -> Self {
        Self { body, sent: 0, in_flight }
    }
}
impl HttpBody for Reply {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame {
            self.sent += frame.data_ref().map_or(0, |data| data.len() as u64);
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
