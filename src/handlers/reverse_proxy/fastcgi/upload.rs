//! A request on its way to an application: its beginning, and its body as `stdin`.
use super::record::{self, Kind};
use crate::http::{Body, BoxError, wire::Stream};
use bytes::{Buf, Bytes};
use http_body::Body as _;
use std::{
    collections::VecDeque,
    io::{self, ErrorKind},
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::AsyncWrite;

/// Turns the body into records, one frame at a time.
pub(super) struct Stdin {
    queue: VecDeque<Bytes>,
    body: Body,
    /// Bytes that the body still has to have.
    left: u64,
    ended: bool,
}
impl Stdin {
    /// `begun` goes first.
    pub(super) fn new(begun: Bytes, body: Body, length: u64) -> Self {
        Self { queue: VecDeque::from([begun]), body, left: length, ended: false }
    }
    /// Writes what can be written now.
    ///
    /// # Errors
    /// [`io::Error`]: the application does not take it. Others: the body fails.
    pub(super) fn poll(&mut self, stream: &mut Stream, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        loop {
            while let Some(first) = self.queue.front_mut() {
                let written = ready!(Pin::new(&mut *stream).poll_write(cx, first))?;
                if written == 0 {
                    return Poll::Ready(Err(io::Error::from(ErrorKind::WriteZero).into()));
                }
                first.advance(written);
                if first.is_empty() {
                    self.queue.pop_front();
                }
            }
            if mem::replace(&mut self.ended, true) {
                return Poll::Ready(Ok(()));
            }
            self.ended = false;
            let frame = ready!(Pin::new(&mut self.body).poll_frame(cx)).transpose();
            match frame.map_err(Failed)? {
                Some(frame) => frame.into_data().map_or(Ok(()), |data| self.data(data))?,
                None if self.left > 0 => return Poll::Ready(Err(Failed("unexpected EOF".into()).into())),
                None => {
                    self.queue.push_back(record::header(Kind::Stdin, 0));
                    self.ended = true;
                }
            }
        }
    }
    fn data(&mut self, mut data: Bytes) -> Result<(), BoxError> {
        let left = self.left.checked_sub(data.len() as u64);
        self.left = left.ok_or_else(|| Failed("request body longer than its Content-Length".into()))?;
        while !data.is_empty() {
            let part = data.split_to(data.len().min(record::LONGEST));
            self.queue.push_back(record::header(Kind::Stdin, part.len()));
            self.queue.push_back(part);
        }
        Ok(())
    }
}
/// The client's body has failed: what is wrong is behind it.
#[derive(Debug)]
pub(super) struct Failed(BoxError);
impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
impl std::error::Error for Failed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}
