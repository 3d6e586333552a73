//! What hyper reads from and writes to: the connection's stream, watched.
use super::{
    activity::{Activity, Phase},
    frames::Frames,
    spelling::{Place, spell},
    target,
};
use crate::http;
use bytes::{Buf, Bytes};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use smallvec::{SmallVec, smallvec};
use std::{
    cell::{Cell, RefCell},
    io::{self, IoSlice},
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A head and a body up to this many bytes leave in one `send` instead of a `writev`, which costs more than the copy.
const MERGED: usize = 4096;
thread_local! {
    static MERGE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    /// As much as hyper reads at first.
    static START: RefCell<Vec<u8>> = RefCell::new(vec![0; 8192]);
}

/// A stream that its connection's task and hyper share.
pub(super) struct Link<T> {
    pub(super) stream: RefCell<T>,
    pub(super) activity: Rc<Activity>,
    known: Arc<http::Connection>,
    /// What is being written past hyper: responses before the final one.
    interim: RefCell<Bytes>,
    /// Hyper is in the middle of something that it writes.
    in_between: Cell<bool>,
    /// Many requests at a time (HTTP/2): bytes are no sign of a new one, and flushes wait until the task has done all
    /// it can.
    multiplexed: bool,
    /// HTTP/2: what they are, and when they were last weighed.
    pub(super) frames: Frames,
    weighed: Cell<u32>,
    corked: Cell<bool>,
    /// Hyper has refused what the client sent, in words that we keep back.
    pub(super) refused: Cell<bool>,
    /// The client has sent more than hyper wants to read now.
    pub(super) more: Cell<bool>,
}
impl<T> Link<T> {
    pub(super) fn new(
        stream: T,
        activity: Rc<Activity>,
        known: Arc<http::Connection>,
        multiplexed: bool,
    ) -> Rc<Self> {
        let no = Cell::<bool>::default;
        Rc::new(Self {
            stream: RefCell::new(stream),
            activity,
            known,
            interim: RefCell::default(),
            in_between: no(),
            multiplexed,
            frames: Frames::new(),
            weighed: Cell::new(0),
            corked: no(),
            refused: no(),
            more: no(),
        })
    }
    /// Keeps flushes back, or not.
    pub(super) fn cork(&self, corked: bool) {
        self.corked.set(corked);
    }
    fn have_read(&self) {
        self.more.set(false);
        if !self.multiplexed {
            self.activity.head_bytes();
        }
    }
    /// Looks at frames that have come.
    fn receive(&self, bytes: &[u8]) -> io::Result<()> {
        if !self.multiplexed {
            self.activity.received(bytes.len());
            return Ok(());
        }
        self.frames.receive(bytes);
        let now = self.activity.now();
        if self.weighed.get() != now {
            self.frames.wait(now.wrapping_sub(self.weighed.replace(now)));
        }
        if self.frames.is_flood() { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }
}
impl<T: AsyncWrite + Unpin> Link<T> {
    /// Writes the responses that come before the final one, unless hyper is in the middle of something.
    pub(super) fn poll_interim(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut interim = self.interim.borrow_mut();
        if self.in_between.get() || (interim.is_empty() && !self.known.interim.waits()) {
            return Poll::Ready(Ok(()));
        }
        let mut stream = self.stream.borrow_mut();
        loop {
            if interim.is_empty() {
                *interim = self.known.interim.take().into();
            }
            if interim.is_empty() {
                return Pin::new(&mut *stream).poll_flush(cx);
            }
            let written = ready!(Pin::new(&mut *stream).poll_write(cx, &interim))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            interim.advance(written);
        }
    }
    /// Takes note of what has become of a write of hyper's.
    fn wrote(&self, written: &Poll<io::Result<usize>>, from: &[IoSlice<'_>]) {
        self.activity.write_blocked(written.is_pending());
        let Poll::Ready(Ok(written)) = *written else { return };
        self.activity.sent(written);
        if !self.multiplexed {
            self.in_between.set(written < from.iter().map(|part| part.len()).sum());
            return;
        }
        let mut left = written;
        for part in from {
            let gone = left.min(part.len());
            self.frames.send(&part[..gone]);
            left -= gone;
        }
    }
}
pub(super) struct Io<T> {
    link: Rc<Link<T>>,
    /// What was read before hyper was there, or by an earlier one.
    before: Bytes,
}
impl<T> Io<T> {
    pub(super) fn new(link: Rc<Link<T>>, before: Bytes) -> Self {
        Self { link, before }
    }
}
impl<T: AsyncRead + Unpin> Io<T> {
    /// Reads what begins a message, by way of the thread's buffer, where its request line can be looked at.
    fn poll_start(&mut self, cx: &mut Context<'_>, mut into: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let Link { stream, activity, .. } = &*self.link;
        START.with_borrow_mut(|buffer| {
            let size = buffer.len().min(into.remaining());
            let mut start = ReadBuf::new(&mut buffer[..size]);
            let read = Pin::new(&mut *stream.borrow_mut()).poll_read(cx, &mut start);
            activity.read_blocked.set(read.is_pending());
            ready!(read)?;
            self.link.have_read();
            let received = start.filled();
            activity.is_clean(received.ends_with(b"\r\n\r\n"));
            let Some(encoded) = target::encode(received) else {
                into.put_slice(received);
                return Poll::Ready(Ok(()));
            };
            activity.target.replace(Some(encoded.target));
            let whole = [&encoded.line, &received[encoded.replaces..]].concat();
            let now = whole.len().min(into.remaining());
            into.put_slice(&whole[..now]);
            self.before = Bytes::from(whole).split_off(now);
            Poll::Ready(Ok(()))
        })
    }
}
/// A stream whose frames are looked at as they are read.
struct Watched<'l, T> {
    stream: &'l mut T,
    link: &'l Link<T>,
}
impl<T: AsyncRead + Unpin> AsyncRead for Watched<'_, T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut *self.stream).poll_read(cx, into))?;
        Poll::Ready(self.link.receive(&into.filled()[before..]))
    }
}
impl<T: AsyncRead + Unpin> Read for Io<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.before.is_empty() {
            let now = self.before.len().min(into.remaining());
            into.put_slice(&self.before[..now]);
            let passed = self.before.split_to(now);
            self.link.receive(&passed)?;
            self.link.activity.is_clean(false);
            self.link.have_read();
            return Poll::Ready(Ok(()));
        }
        let Link { stream, activity, .. } = &*self.link;
        if activity.is_at_start() && !self.link.multiplexed {
            return self.poll_start(cx, into);
        }
        let mut watched = Watched { stream: &mut *stream.borrow_mut(), link: &self.link };
        let read = Pin::new(&mut TokioIo::new(&mut watched)).poll_read(cx, into);
        activity.read_blocked.set(read.is_pending());
        if !self.link.multiplexed {
            // While a request is in flight hyper reads for its body alone.
            activity.body_blocked(read.is_pending() && activity.phase() == Phase::Busy);
        }
        if read.is_ready() {
            activity.is_clean(false);
            self.link.have_read();
        }
        read
    }
}
impl<T: AsyncWrite + Unpin> Io<T> {
    fn write(&self, cx: &mut Context<'_>, from: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        ready!(self.link.poll_interim(cx))?;
        let written = {
            let mut stream = self.link.stream.borrow_mut();
            let stream = Pin::new(&mut *stream);
            match from {
                [one] => stream.poll_write(cx, one),
                _ => stream.poll_write_vectored(cx, from),
            }
        };
        self.link.wrote(&written, from);
        written
    }
    /// What is small, or the first part, which begins with the rest of a head or is one, goes by way of a copy.
    fn write_copied(
        &self,
        cx: &mut Context<'_>,
        from: &[IoSlice<'_>],
        is_small: bool,
    ) -> Poll<io::Result<usize>> {
        let activity = &self.link.activity;
        MERGE.with_borrow_mut(|copy| {
            copy.clear();
            let copied = if is_small { from.len() } else { 1 };
            from[..copied].iter().for_each(|part| copy.extend_from_slice(part));
            let before = activity.place.get();
            let behind = if self.link.multiplexed { before } else { spell(before, copy) };
            let written = {
                let mut parts: SmallVec<[IoSlice<'_>; 8]> = smallvec![IoSlice::new(copy)];
                parts.extend_from_slice(&from[copied..]);
                ready!(self.write(cx, &parts))?
            };
            let is_whole = written >= copy.len();
            activity.place.set(if is_whole { behind } else { spell(before, &mut copy[..written]) });
            Poll::Ready(Ok(written))
        })
    }
}
impl<T: AsyncWrite + Unpin> Write for Io<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(from)])
    }
    fn is_write_vectored(&self) -> bool {
        true
    }
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Link { activity, multiplexed, refused, .. } = &*self.link;
        if !multiplexed && activity.is_quiet() {
            refused.set(true);
            return Poll::Ready(Ok(from.iter().map(|part| part.len()).sum()));
        }
        let is_head = !multiplexed && activity.place.get() != Place::Body;
        let is_small = from.iter().map(|part| part.len()).sum::<usize>() <= MERGED;
        if !from.is_empty() && (is_head || (from.len() > 1 && is_small)) {
            return self.write_copied(cx, from, is_small);
        }
        self.write(cx, from)
    }
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Link { stream, activity, corked, .. } = &*self.link;
        if corked.get() {
            return Poll::Ready(Ok(()));
        }
        let flushed = Pin::new(&mut *stream.borrow_mut()).poll_flush(cx);
        activity.write_blocked(flushed.is_pending());
        if flushed.is_ready() {
            activity.flushed();
        }
        flushed
    }
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.link.refused.get() {
            // There is something left to be said.
            return Poll::Ready(Ok(()));
        }
        let mut stream = self.link.stream.borrow_mut();
        let stream = &mut *stream;
        ready!(Pin::new(&mut *stream).poll_flush(cx))?;
        Pin::new(stream).poll_shutdown(cx)
    }
}
