//! The body of a response, read from its connection as it is asked for.
use super::{
    Pooling, Stream, Upload,
    chunked::{Chunks, Found},
    pool,
};
use crate::http::BoxError;
use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use std::{
    io::{self, ErrorKind},
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// How a body's end is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Framing {
    Empty,
    /// Bytes that are still to come.
    Length(u64),
    Chunked(Chunks),
    UntilClose,
}
impl Framing {
    pub fn chunked() -> Self {
        Self::Chunked(Chunks::default())
    }
}
/// Gives the connection back when the body has ended, if all is well with it.
pub struct ResponseBody {
    /// `None` once it has ended.
    stream: Option<Stream>,
    /// What was read and not taken yet.
    buffer: Bytes,
    framing: Framing,
    keep_alive: bool,
    pooling: Option<Pooling>,
    /// A request that is still being sent: upstreams may answer early.
    upload: Option<Upload>,
    held: Option<Box<dyn Held>>,
}
/// What lives as long as a response's body, and hears of it if that breaks off.
pub trait Held: Send {
    fn failed(&self, error: &BoxError);
}
impl ResponseBody {
    pub fn new(
        stream: Stream,
        buffer: Bytes,
        framing: Framing,
        keep_alive: bool,
        pooling: Option<Pooling>,
        upload: Option<Upload>,
    ) -> Self {
        Self { stream: Some(stream), buffer, framing, keep_alive, pooling, upload, held: None }
    }
    /// Has `held` live as long as the body does.
    #[must_use]
    pub fn hold(mut self, held: Box<dyn Held>) -> Self {
        self.held = Some(held);
        self
    }
    /// What of the body is there already, if that is all of it; the connection is given back.
    pub fn complete(&mut self) -> Option<Bytes> {
        let whole = match self.framing {
            Framing::Empty => true,
            Framing::Length(length) => length == self.buffer.len() as u64,
            _ => false,
        };
        if !whole || self.upload.is_some() {
            return None;
        }
        let bytes = if self.framing == Framing::Empty { Bytes::new() } else { mem::take(&mut self.buffer) };
        self.finish();
        Some(bytes)
    }
    fn finish(&mut self) {
        let Some(stream) = self.stream.take() else { return };
        // Bytes behind the end are an answer that nobody asked for.
        let clean = self.keep_alive && self.buffer.is_empty() && self.upload.is_none();
        if let Some(pooling) = self.pooling.filter(|_| clean) {
            pool::give_back(&pooling, stream);
        }
    }
    fn drive_upload(&mut self, cx: &mut Context<'_>) {
        if let (Some(upload), Some(stream)) = (&mut self.upload, &mut self.stream) {
            match upload.poll(stream, cx) {
                Poll::Pending => {}
                Poll::Ready(Ok(())) => self.upload = None,
                // The upstream has answered and does not want the rest; or the client has gone, which its side tells.
                Poll::Ready(Err(_)) => {
                    self.upload = None;
                    self.keep_alive = false;
                }
            }
        }
    }
    /// The next part of what has been read.
    fn step(&mut self) -> Result<Option<Frame<Bytes>>, BoxError> {
        match &mut self.framing {
            Framing::Empty => self.finish(),
            Framing::Length(left) => {
                let now = usize::try_from(*left).unwrap_or(usize::MAX).min(self.buffer.len());
                *left -= now as u64;
                let ended = *left == 0;
                let data = self.buffer.split_to(now);
                if ended {
                    self.finish();
                }
                return Ok((!data.is_empty()).then(|| Frame::data(data)));
            }
            Framing::Chunked(chunks) => match chunks.take(&mut self.buffer)? {
                Found::Data(data) => return Ok(Some(Frame::data(data))),
                Found::Nothing => {}
                Found::End(trailers) => {
                    self.finish();
                    return Ok(trailers.map(Frame::trailers));
                }
            },
            Framing::UntilClose => {
                let data = mem::take(&mut self.buffer);
                return Ok((!data.is_empty()).then(|| Frame::data(data)));
            }
        }
        Ok(None)
    }
    fn fail(&mut self, error: impl Into<BoxError>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.stream = None;
        let error = error.into();
        if let Some(held) = &self.held {
            held.failed(&error);
        }
        Poll::Ready(Some(Err(error)))
    }
}
impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        this.drive_upload(cx);
        loop {
            if this.stream.is_none() {
                return Poll::Ready(None);
            }
            match this.step() {
                Ok(Some(frame)) => return Poll::Ready(Some(Ok(frame))),
                Ok(None) if this.stream.is_none() => continue,
                Ok(None) => {}
                Err(error) => return this.fail(error),
            }
            let Some(stream) = &mut this.stream else { continue };
            match ready!(stream.poll_fill(cx)) {
                Err(error) => return this.fail(error),
                Ok(read) if read.is_empty() => {
                    this.keep_alive = false;
                    if this.framing == Framing::UntilClose {
                        this.stream = None;
                        continue;
                    }
                    return this.fail(io::Error::new(ErrorKind::UnexpectedEof, "unexpected EOF"));
                }
                Ok(read) if this.buffer.is_empty() => this.buffer = read,
                Ok(read) => {
                    let mut joined = BytesMut::from(&this.buffer[..]);
                    joined.extend_from_slice(&read);
                    this.buffer = joined.freeze();
                }
            }
        }
    }
    fn is_end_stream(&self) -> bool {
        self.stream.is_none()
    }
    fn size_hint(&self) -> SizeHint {
        match self.framing {
            Framing::Empty => SizeHint::with_exact(0),
            Framing::Length(left) => SizeHint::with_exact(left),
            _ => SizeHint::default(),
        }
    }
}
