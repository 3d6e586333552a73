//! A request's body on its way to an upstream.
use super::Stream;
use crate::http::{Body, BoxError};
use bytes::{Buf, Bytes};
use http_body::{Body as _, Frame};
use smallvec::{SmallVec, smallvec};
use std::{
    io::{self, ErrorKind, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::AsyncWrite;

/// What is to be sent; the body is read only as fast as it can be.
pub struct Upload {
    body: Body,
    /// What was read and is not written yet: a few pieces at the most.
    queue: SmallVec<[Bytes; 4]>,
    chunked: bool,
    /// Of a body that has said how long it is.
    left: u64,
    state: State,
    /// Whether anything of the body has been read: then it cannot be sent again.
    pub begun: bool,
    /// The body is kept back for now.
    held: bool,
    /// What of the body has been read, where it is to be sent once more if need be.
    kept: Option<SmallVec<[Bytes; 2]>>,
}
/// So much of a body is kept for another try, in bytes.
const MOST_KEPT: usize = 64 << 10;
#[derive(PartialEq, Eq)]
enum State {
    Body,
    /// The body has ended; the queue has not.
    Rest,
    Done,
}
/// Why an upload failed.
#[derive(Debug)]
pub enum UploadError {
    /// The client, or what stands between it and us.
    Body(BoxError),
    /// The upstream does not take it.
    Write(io::Error),
}
impl Upload {
    /// `head` goes first. `length` is what the head says of the body; without it the body goes in chunks. `held`: the
    /// body waits until it is released.
    pub fn new(head: Bytes, body: Body, length: Option<u64>, held: bool) -> Self {
        let state = if body.is_end_stream() && length.is_none_or(|length| length == 0) {
            State::Rest
        } else {
            State::Body
        };
        let mut upload = Self {
            chunked: length.is_none() && state == State::Body,
            left: length.unwrap_or(0),
            queue: smallvec![head],
            begun: false,
            held: held && state == State::Body,
            kept: None,
            state,
            body,
        };
        // A body that is at hand goes along with the head.
        if upload.state == State::Body
            && !upload.held
            && let Body::Bytes(_) = upload.body
        {
            let mut cx = Context::from_waker(std::task::Waker::noop());
            let _ = upload.poll_body(&mut cx);
        }
        upload
    }
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }
    /// Whether the body is kept back.
    pub fn is_held(&self) -> bool {
        self.held
    }
    /// From here on the body is sent.
    pub fn release(&mut self) {
        self.held = false;
    }
    /// Has the body kept as it is sent, as long as it is short: a connection that was idle may prove to be closed.
    #[must_use]
    pub fn keeping(mut self) -> Self {
        self.kept = (!self.begun).then(SmallVec::new);
        self
    }
    /// Gives the body back, if nothing of it is lost.
    pub fn into_body(self) -> Option<Body> {
        if !self.begun {
            return Some(self.body);
        }
        let sent = Bytes::from(self.kept?.concat());
        Some(self.body.behind([Some(Frame::data(sent)), None]))
    }
    /// Writes what can be written now.
    pub fn poll(&mut self, stream: &mut Stream, cx: &mut Context<'_>) -> Poll<Result<(), UploadError>> {
        loop {
            while !self.queue.is_empty() {
                let written = ready!(self.write(stream, cx)).map_err(UploadError::Write)?;
                if written == 0 {
                    return Poll::Ready(Err(UploadError::Write(ErrorKind::WriteZero.into())));
                }
                self.written(written);
            }
            match self.state {
                State::Body if self.held => {
                    ready!(Pin::new(&mut *stream).poll_flush(cx)).map_err(UploadError::Write)?;
                    return Poll::Pending;
                }
                State::Body => {
                    if self.poll_body(cx).map_err(UploadError::Body)?.is_pending() {
                        // What TLS still holds must not wait for more of the body.
                        ready!(Pin::new(&mut *stream).poll_flush(cx)).map_err(UploadError::Write)?;
                        return Poll::Pending;
                    }
                }
                State::Rest => {
                    ready!(Pin::new(&mut *stream).poll_flush(cx)).map_err(UploadError::Write)?;
                    self.state = State::Done;
                }
                State::Done => return Poll::Ready(Ok(())),
            }
        }
    }
    fn write(&mut self, stream: &mut Stream, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if let [one] = &*self.queue {
            return Pin::new(stream).poll_write(cx, one);
        }
        let mut parts = [IoSlice::new(&[]); 8];
        let mut count = 0;
        for (part, bytes) in parts.iter_mut().zip(&self.queue) {
            *part = IoSlice::new(bytes);
            count += 1;
        }
        Pin::new(stream).poll_write_vectored(cx, &parts[..count])
    }
    fn written(&mut self, mut written: usize) {
        let mut done = 0;
        for part in &mut self.queue {
            let now = written.min(part.len());
            part.advance(now);
            written -= now;
            done += usize::from(part.is_empty());
        }
        self.queue.drain(..done);
    }
    /// Reads one frame into the queue.
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx)).transpose()?;
        match frame.map(Frame::into_data) {
            Some(Ok(data)) => {
                self.begun = true;
                self.keep(&data);
                self.data(data)?;
            }
            Some(Err(frame)) => {
                self.begun = true;
                // Trailers are not passed on, as in Caddy: upstreams may take them for fields of the head.
                drop(frame);
                self.end()?;
            }
            None => self.end()?,
        }
        Poll::Ready(Ok(()))
    }
    fn keep(&mut self, data: &Bytes) {
        let Some(kept) = &mut self.kept else { return };
        if kept.iter().map(Bytes::len).sum::<usize>() + data.len() > MOST_KEPT {
            self.kept = None;
        } else {
            kept.push(data.clone());
        }
    }
    fn data(&mut self, data: Bytes) -> Result<(), BoxError> {
        if data.is_empty() {
            return Ok(());
        }
        if self.chunked {
            self.queue.extend([
                Bytes::from(format!("{:x}\r\n", data.len())),
                data,
                Bytes::from_static(b"\r\n"),
            ]);
        } else {
            self.left = self
                .left
                .checked_sub(data.len() as u64)
                .ok_or("request body longer than its Content-Length")?;
            self.queue.push(data);
        }
        Ok(())
    }
    fn end(&mut self) -> Result<(), BoxError> {
        if self.chunked {
            self.queue.push(Bytes::from_static(b"0\r\n\r\n"));
        } else if self.left > 0 {
            return Err("request body shorter than its Content-Length".into());
        }
        self.state = State::Rest;
        Ok(())
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::wire::Plain;
    use http_body_util::{BodyExt, StreamBody};
    use tokio::net::{TcpListener, TcpStream};

    /// Sends a body in two parts; gives what is left of it for another try.
    async fn sent(parts: [usize; 2], keeping: bool) -> Option<Vec<u8>> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut stream = Stream::clear(Plain::Tcp(socket));
        let frames = parts.map(|size| Ok::<_, BoxError>(Frame::data(Bytes::from(vec![b'x'; size]))));
        let body = Body::boxed(StreamBody::new(futures_util::stream::iter(frames)));
        let mut upload = Upload::new(Bytes::from_static(b"head"), body, None, false);
        if keeping {
            upload = upload.keeping();
        }
        std::future::poll_fn(|cx| upload.poll(&mut stream, cx)).await.unwrap();
        Some(upload.into_body()?.collect().await.unwrap().to_bytes().to_vec())
    }
    #[tokio::test]
    async fn a_short_body_is_kept_where_it_may_be_sent_again() {
        assert_eq!(sent([3, 2], true).await.unwrap(), b"xxxxx");
        assert_eq!(sent([3, 2], false).await, None);
        assert_eq!(sent([3, MOST_KEPT], true).await, None, "it is too long");
    }
}
