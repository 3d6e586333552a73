//! An accepted connection, before anything is known of what it speaks.
use std::{
    future::poll_fn,
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::{TcpStream, UnixStream},
};

#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}
/// An accepted connection that no runtime knows yet.
#[derive(Debug)]
pub(super) enum Accepted {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
}
impl Accepted {
    /// Registers with the runtime of this thread.
    pub(super) fn adopt(self) -> io::Result<Socket> {
        Ok(match self {
            Self::Tcp(stream) => {
                stream.set_nonblocking(true)?;
                Socket::Tcp(TcpStream::from_std(stream)?)
            }
            Self::Unix(stream) => {
                stream.set_nonblocking(true)?;
                Socket::Unix(UnixStream::from_std(stream)?)
            }
        })
    }
}
impl Socket {
    /// The peer's address (which may be known already) and our own. Unix sockets have none worth the name.
    pub(super) fn ends(&self, remote: Option<SocketAddr>) -> (Option<SocketAddr>, Option<SocketAddr>) {
        match self {
            Self::Tcp(stream) => {
                let remote = remote.or_else(|| stream.peer_addr().ok());
                (remote.map(plain), stream.local_addr().ok().map(plain))
            }
            Self::Unix(_) => (None, None),
        }
    }
    /// Whether there is something to read, or the end: no system call until the event loop has seen something.
    pub(super) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => stream.poll_read_ready(cx),
            Self::Unix(stream) => stream.poll_read_ready(cx),
        }
    }
    /// What has come so far, without taking it; waits as long as there is nothing. Zero: the end.
    pub(super) async fn peek(&self, into: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| {
            loop {
                ready!(self.poll_read_ready(cx))?;
                let peeked = match self {
                    Self::Tcp(stream) => match stream.poll_peek(cx, &mut ReadBuf::new(into)) {
                        Poll::Ready(peeked) => peeked,
                        Poll::Pending => continue,
                    },
                    Self::Unix(stream) => stream.try_io(Interest::READABLE, || {
                        let flags = rustix::net::RecvFlags::PEEK;
                        Ok(rustix::net::recv(stream, &mut *into, flags).map(|(read, _)| read)?)
                    }),
                };
                match peeked {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                    peeked => return Poll::Ready(peeked),
                }
            }
        })
        .await
    }
    /// Whether what has come so far is how `text` begins.
    pub(super) async fn begins(&self, text: &[u8]) -> bool {
        let mut come = vec![0; text.len()];
        self.peek(&mut come).await.is_ok_and(|length| text.starts_with(&come[..length]))
    }
    /// What the peer's next byte tells, without taking it: ready once something is known.
    pub(super) fn poll_peer(&self, cx: &mut Context<'_>) -> Poll<Peer> {
        let mut byte = [0];
        loop {
            if ready!(self.poll_read_ready(cx)).is_err() {
                return Poll::Ready(Peer::Gone);
            }
            let peeked = match self {
                Self::Tcp(stream) => match stream.poll_peek(cx, &mut ReadBuf::new(&mut byte)) {
                    Poll::Ready(peeked) => peeked,
                    Poll::Pending => continue,
                },
                Self::Unix(stream) => stream.try_io(Interest::READABLE, || {
                    let flags = rustix::net::RecvFlags::PEEK;
                    Ok(rustix::net::recv(stream, &mut byte, flags).map(|(read, _)| read)?)
                }),
            };
            return match peeked {
                Ok(0) => Poll::Ready(Peer::Gone),
                Ok(_) => Poll::Ready(Peer::Speaks),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(_) => Poll::Ready(Peer::Gone),
            };
        }
    }
}
/// IPv4 on a socket for both families shows as what it is.
fn plain(mut at: SocketAddr) -> SocketAddr {
    at.set_ip(at.ip().to_canonical());
    at
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    /// It has more for us.
    Speaks,
    /// It has closed the connection, or its half of it.
    Gone,
}
impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, into),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, into),
        }
    }
}
impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, from),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, from),
        }
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, from),
            Self::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, from),
        }
    }
    fn is_write_vectored(&self) -> bool {
        true
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
