//! A connection to an upstream, in clear or over TLS.
use super::{Limit, Permit};
use bytes::{Bytes, BytesMut};
use socket2::SockRef;
use std::{
    cell::RefCell,
    future::Future,
    io::{self, ErrorKind},
    mem::MaybeUninit,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
    time::{Instant, Sleep, sleep},
};
use tokio_rustls::client::TlsStream;

/// What is read at once; also the size of the block that reads of one thread share.
const BLOCK: usize = 64 << 10;
/// A block with less room than this is left to those who hold parts of it.
const LEAST: usize = 16 << 10;
thread_local! { static ARENA: RefCell<BytesMut> = RefCell::new(BytesMut::new()) }

#[derive(Debug)]
pub struct Stream {
    socket: Socket,
    timeouts: Option<Box<Timing>>,
    /// Where the number of connections is limited.
    permit: Option<Permit>,
}
#[derive(Debug)]
enum Socket {
    Clear(Plain),
    Tls(Box<TlsStream<Plain>>),
}
/// A socket in the clear: all of a connection, or what is below its TLS.
#[derive(Debug)]
pub enum Plain {
    Tcp(TcpStream),
    Unix(UnixStream),
}
/// How long one read or one write may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    pub read: Option<Duration>,
    pub write: Option<Duration>,
}
#[derive(Debug)]
struct Timing {
    timeouts: Timeouts,
    read: Option<Pin<Box<Sleep>>>,
    write: Option<Pin<Box<Sleep>>>,
}
impl Stream {
    pub fn clear(socket: Plain) -> Self {
        Self { socket: Socket::Clear(socket), timeouts: None, permit: None }
    }
    pub fn tls(socket: TlsStream<Plain>) -> Self {
        Self { socket: Socket::Tls(Box::new(socket)), timeouts: None, permit: None }
    }
    /// Has every read and write end in time. Connections without such timeouts pay nothing for them.
    #[must_use]
    pub fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        let any = timeouts.read.is_some() || timeouts.write.is_some();
        self.timeouts = any.then(|| Box::new(Timing { timeouts, read: None, write: None }));
        self
    }
    /// Counts as one of a limited number of connections.
    #[must_use]
    pub fn with_permit(mut self, permit: Option<Permit>) -> Self {
        self.permit = permit;
        self
    }
    /// Where it counts, if anywhere.
    pub(super) fn limit(&self) -> Option<Arc<Limit>> {
        self.permit.as_ref().map(Permit::limit)
    }
    /// Has it watched by the current runtime instead of the one that it comes from. What is below TLS stays where it is:
    /// it works all the same, by way of the other thread.
    ///
    /// # Errors
    /// The socket is of no use any more.
    pub fn adopt(self) -> io::Result<Self> {
        let socket = match self.socket {
            Socket::Clear(Plain::Tcp(socket)) => Plain::Tcp(TcpStream::from_std(socket.into_std()?)?),
            Socket::Clear(Plain::Unix(socket)) => Plain::Unix(UnixStream::from_std(socket.into_std()?)?),
            Socket::Tls(stream) => return Ok(Self { socket: Socket::Tls(stream), ..self }),
        };
        Ok(Self { socket: Socket::Clear(socket), ..self })
    }
    /// Whether the other side has closed, or has said something that nobody asked for. No system call unless there has
    /// been an event on the socket.
    pub fn is_stale(&self) -> bool {
        let mut byte = [0];
        let socket = match &self.socket {
            Socket::Clear(socket) => socket,
            // A session ticket that comes late makes a connection look stale: it costs a new handshake, no error.
            Socket::Tls(stream) => stream.get_ref().0,
        };
        let read = match socket {
            Plain::Tcp(socket) => socket.try_read(&mut byte),
            Plain::Unix(socket) => socket.try_read(&mut byte),
        };
        !matches!(read, Err(error) if error.kind() == ErrorKind::WouldBlock)
    }
    /// Whether the other side has closed by now, as the socket itself has it: a system call.
    pub fn has_ended(&self) -> bool {
        let socket = match &self.socket {
            Socket::Clear(socket) => socket,
            Socket::Tls(stream) => stream.get_ref().0,
        };
        let socket = match socket {
            Plain::Tcp(socket) => SockRef::from(socket),
            Plain::Unix(socket) => SockRef::from(socket),
        };
        match socket.peek(&mut [MaybeUninit::uninit()]) {
            Ok(read) => read == 0,
            Err(error) => error.kind() != ErrorKind::WouldBlock,
        }
    }
    /// The protocol that TLS has agreed on.
    pub fn alpn(&self) -> Option<&[u8]> {
        match &self.socket {
            Socket::Tls(stream) => stream.get_ref().1.alpn_protocol(),
            _ => None,
        }
    }
    /// Reads once, into the thread's block; nothing at the end of the stream.
    pub fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        ARENA.with_borrow_mut(|arena| {
            if arena.capacity() - arena.len() < LEAST {
                *arena = BytesMut::with_capacity(BLOCK);
            }
            let read = tokio_util::io::poll_read_buf(Pin::new(self), cx, arena);
            ready!(read)?;
            Poll::Ready(Ok(arena.split().freeze()))
        })
    }
}
impl Timing {
    fn check(
        timer: &mut Option<Pin<Box<Sleep>>>,
        limit: Option<Duration>,
        pending: bool,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(limit) = limit.filter(|_| pending) else {
            *timer = None;
            return Poll::Ready(Ok(()));
        };
        let timer = timer.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(timer.as_mut().poll(cx));
        // So that whoever asks again gets the same answer.
        timer.as_mut().reset(Instant::now());
        Poll::Ready(Err(ErrorKind::TimedOut.into()))
    }
}
impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = match &mut self.socket {
            Socket::Clear(socket) => Pin::new(socket).poll_read(cx, buf),
            Socket::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        };
        let Some(timing) = &mut self.timeouts else { return read };
        let limit = timing.timeouts.read;
        match Timing::check(&mut timing.read, limit, read.is_pending(), cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => read,
        }
    }
}
impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = match &mut self.socket {
            Socket::Clear(socket) => Pin::new(socket).poll_write(cx, buf),
            Socket::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        };
        let Some(timing) = &mut self.timeouts else { return written };
        let limit = timing.timeouts.write;
        match Timing::check(&mut timing.write, limit, written.is_pending(), cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => written,
        }
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = match &mut self.socket {
            Socket::Clear(socket) => Pin::new(socket).poll_write_vectored(cx, bufs),
            Socket::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        };
        let Some(timing) = &mut self.timeouts else { return written };
        let limit = timing.timeouts.write;
        match Timing::check(&mut timing.write, limit, written.is_pending(), cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => written,
        }
    }
    fn is_write_vectored(&self) -> bool {
        true
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.socket {
            Socket::Clear(_) => Poll::Ready(Ok(())),
            Socket::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.socket {
            Socket::Clear(socket) => Pin::new(socket).poll_shutdown(cx),
            Socket::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
impl AsyncRead for Plain {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(socket) => Pin::new(socket).poll_read(cx, buf),
            Self::Unix(socket) => Pin::new(socket).poll_read(cx, buf),
        }
    }
}
impl AsyncWrite for Plain {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(socket) => Pin::new(socket).poll_write(cx, buf),
            Self::Unix(socket) => Pin::new(socket).poll_write(cx, buf),
        }
    }
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(socket) => Pin::new(socket).poll_write_vectored(cx, bufs),
            Self::Unix(socket) => Pin::new(socket).poll_write_vectored(cx, bufs),
        }
    }
    fn is_write_vectored(&self) -> bool {
        true
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Unix(socket) => Pin::new(socket).poll_shutdown(cx),
        }
    }
}
