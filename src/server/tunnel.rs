//! Connections that speak another protocol from some point on, a WebSocket above all: bytes both ways, until both sides
//! have ended or either breaks. Most of them are silent most of the time, and many: while nothing is on its way there is
//! no buffer.
use crate::http::Io;
use bytes::Bytes;
use std::{
    cell::RefCell,
    future::poll_fn,
    io::{self, ErrorKind},
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is read at once, into the thread's own buffer.
const CHUNK: usize = 16 << 10;
thread_local! { static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; CHUNK]) }

/// `read` is what the client has sent already.
pub(super) async fn between<T: AsyncRead + AsyncWrite + Unpin>(
    mut client: T,
    read: Bytes,
    mut upstream: Box<dyn Io>,
) {
    let (mut up, mut down) = (Way::new(read), Way::new(Bytes::new()));
    let both = poll_fn(|cx| {
        let up = up.poll(&mut client, &mut upstream, cx)?;
        let down = down.poll(&mut upstream, &mut client, cx)?;
        if up.is_ready() && down.is_ready() { Poll::Ready(io::Result::Ok(())) } else { Poll::Pending }
    });
    // Whether it ends or breaks off: it is the end of the conversation.
    let _ = both.await;
}
/// One direction.
struct Way {
    /// Read, and not taken by the other side so far.
    left: Bytes,
    state: State,
    unflushed: bool,
}
enum State {
    Open,
    /// The reader's side has ended; the other one is to hear of it.
    Ending,
    Over,
}
impl Way {
    fn new(left: Bytes) -> Self {
        Self { left, state: State::Open, unflushed: false }
    }
    fn poll(
        &mut self,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            while !self.left.is_empty() {
                let written = ready!(Pin::new(&mut *to).poll_write(cx, &self.left))?;
                self.unflushed = true;
                self.took(written)?;
            }
            match self.state {
                State::Open => {
                    if self.pass(from, to, cx)?.is_pending() {
                        // What TLS still holds must not wait for more.
                        if self.unflushed {
                            ready!(Pin::new(&mut *to).poll_flush(cx))?;
                            self.unflushed = false;
                        }
                        return Poll::Pending;
                    }
                }
                State::Ending => {
                    ready!(Pin::new(&mut *to).poll_shutdown(cx))?;
                    self.state = State::Over;
                }
                State::Over => return Poll::Ready(Ok(())),
            }
        }
    }
    /// Reads once, and writes as much of it as can be; the rest is kept.
    fn pass(
        &mut self,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        SCRATCH.with_borrow_mut(|scratch| {
            let mut read = ReadBuf::new(scratch);
            ready!(Pin::new(from).poll_read(cx, &mut read))?;
            let read = read.filled();
            if read.is_empty() {
                self.state = State::Ending;
                return Poll::Ready(Ok(()));
            }
            self.unflushed = true;
            match Pin::new(to).poll_write(cx, read)? {
                Poll::Ready(written) if written == read.len() => {}
                Poll::Ready(0) => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
                Poll::Ready(written) => self.left = Bytes::copy_from_slice(&read[written..]),
                Poll::Pending => self.left = Bytes::copy_from_slice(read),
            }
            Poll::Ready(Ok(()))
        })
    }
    fn took(&mut self, written: usize) -> io::Result<()> {
        if written == 0 {
            return Err(ErrorKind::WriteZero.into());
        }
        // Unlike `advance`, this lets go of the buffer in the end.
        drop(self.left.split_to(written));
        Ok(())
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    /// A tunnel between two pipes that hold so many bytes each; the client has sent `read` before.
    fn tunnel(
        holds: usize,
        read: &'static [u8],
    ) -> (impl AsyncRead + AsyncWrite + Unpin, impl AsyncRead + AsyncWrite + Unpin) {
        let ((client, near), (far, upstream)) = (duplex(holds), duplex(holds));
        tokio::spawn(between(near, Bytes::from_static(read), Box::new(far)));
        (client, upstream)
    }
    /// Says something and ends, and gives what it hears until the other side does.
    async fn side(stream: impl AsyncRead + AsyncWrite + Unpin, says: &[u8]) -> Vec<u8> {
        let (mut reads, mut writes) = tokio::io::split(stream);
        let mut heard = vec![];
        let say = async {
            writes.write_all(says).await?;
            writes.shutdown().await
        };
        let (said, read) = tokio::join!(say, reads.read_to_end(&mut heard));
        said.and(read).unwrap();
        heard
    }
    #[tokio::test]
    async fn bytes_pass_both_ways_however_little_fits() {
        let (client, upstream) = tunnel(7, b"begin");
        let (up, down): (Vec<u8>, Vec<u8>) = ((0..200_000).map(|n| n as u8).collect(), vec![9; 100_000]);
        let (heard_by_client, heard_by_upstream) = tokio::join!(side(client, &up), side(upstream, &down));
        assert_eq!(heard_by_client, down);
        assert_eq!(heard_by_upstream, [b"begin", &up[..]].concat());
    }
    #[tokio::test]
    async fn a_side_that_has_ended_still_listens() {
        let (mut client, mut upstream) = tunnel(64, b"");
        client.write_all(b"question").await.unwrap();
        client.shutdown().await.unwrap();
        let mut heard = String::new();
        upstream.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "question");
        upstream.write_all(b"answer").await.unwrap();
        drop(upstream);
        heard.clear();
        client.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "answer");
    }
    #[tokio::test]
    async fn a_side_that_breaks_ends_both() {
        let (client, mut upstream) = tunnel(4, b"");
        drop(client);
        // Writing to who has gone fails, and with it the tunnel.
        let mut heard = vec![];
        upstream.read_to_end(&mut heard).await.unwrap();
        while upstream.write_all(b"are you there").await.is_ok() {}
    }
}
