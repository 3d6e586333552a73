//! TLS over a socket, on rustls's unbuffered interface: records are decrypted where they were read and encrypted where
//! they are written from, in buffers of the thread; a connection holds only what is unfinished.
use crate::server::{
    connection::Stream,
    socket::{Peer, Socket},
};
use rustls::{
    server::UnbufferedServerConnection,
    unbuffered::{
        ConnectionState, EncodeError, EncodeTlsData, EncryptError, InsufficientSizeError, UnbufferedStatus,
    },
};
use std::{
    cell::RefCell,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Read at once from the socket.
const READ: usize = 64 << 10;
/// Encrypted at once.
const WRITE: usize = 64 << 10;
/// Writes below this wait for the flush, so that they share a record.
const GATHERED: usize = 8 << 10;
/// What a record may be longer than its content, with room to spare.
const OVERHEAD: usize = 64;
/// Content of a record, at most.
const RECORD: usize = 16 << 10;
/// Bytes that are read ahead, at most, while the connection is only watched.
const AHEAD: usize = 16 << 10;

thread_local! {
    static IN: RefCell<Vec<u8>> = RefCell::new(vec![0; READ]);
    static OUT: RefCell<Vec<u8>> = RefCell::new(vec![0; WRITE + OVERHEAD * (WRITE / RECORD + 2) + GATHERED]);
}

pub(in crate::server) struct Tls {
    pub(super) socket: Socket,
    session: Box<UnbufferedServerConnection>,
    /// The beginning of a record.
    incoming: Vec<u8>,
    plain: Unread,
    /// Written, not yet encrypted.
    gathered: Vec<u8>,
    outgoing: Unsent,
    established: bool,
    /// The peer has said, or shown, that nothing more comes.
    ended: bool,
}
/// Decrypted, not yet read.
#[derive(Default)]
struct Unread {
    bytes: Vec<u8>,
    from: usize,
}
/// Encrypted, not yet sent.
#[derive(Default)]
struct Unsent {
    bytes: Vec<u8>,
    from: usize,
}
impl Unread {
    fn is_empty(&self) -> bool {
        self.from == self.bytes.len()
    }
    fn len(&self) -> usize {
        self.bytes.len() - self.from
    }
    fn take(&mut self, into: &mut ReadBuf<'_>) {
        let now = self.len().min(into.remaining());
        into.put_slice(&self.bytes[self.from..self.from + now]);
        self.from += now;
        if self.is_empty() {
            *self = Self::default();
        }
    }
}
impl Unsent {
    fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
    fn poll(&mut self, socket: &mut Socket, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.from < self.bytes.len() {
            match ready!(Pin::new(&mut *socket).poll_write(cx, &self.bytes[self.from..]))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.from += written,
            }
        }
        *self = Self::default();
        Poll::Ready(Ok(()))
    }
}
impl Tls {
    /// `received` is what the client has sent so far.
    pub(super) fn new(socket: Socket, session: UnbufferedServerConnection, received: Vec<u8>) -> Self {
        Self {
            socket,
            session: Box::new(session),
            incoming: received,
            plain: Unread::default(),
            gathered: vec![],
            outgoing: Unsent::default(),
            established: false,
            ended: false,
        }
    }
    pub(super) fn session(&self) -> &UnbufferedServerConnection {
        &self.session
    }
    /// Completes the handshake. What the client has sent beyond it is kept.
    ///
    /// # Errors
    /// Its failure, of which the client has been told.
    pub(super) async fn handshake(&mut self) -> io::Result<()> {
        let mut received = std::mem::take(&mut self.incoming);
        let (mut early, mut failed) = (vec![], None);
        match self.process(&mut received, |content| early.extend_from_slice(content)) {
            Ok(used) => self.incoming = received.split_off(used),
            Err(error) => failed = Some(error),
        }
        while !self.established && failed.is_none() {
            std::future::poll_fn(|cx| self.poll_send(cx)).await?;
            let filled =
                std::future::poll_fn(|cx| self.poll_fill(cx, |content| early.extend_from_slice(content)))
                    .await;
            match filled {
                Ok(()) if self.ended => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(()) => {}
                Err(error) => failed = Some(error),
            }
        }
        self.plain.bytes = early;
        std::future::poll_fn(|cx| self.poll_send(cx)).await?;
        failed.map_or(Ok(()), Err)
    }
    /// Reads once from the socket; what is decrypted goes to `sink`.
    fn poll_fill(&mut self, cx: &mut Context<'_>, sink: impl FnMut(&[u8])) -> Poll<io::Result<()>> {
        IN.with_borrow_mut(|buffer| {
            let before = self.incoming.len();
            buffer[..before].copy_from_slice(&self.incoming);
            let mut into = ReadBuf::new(&mut buffer[before..]);
            ready!(Pin::new(&mut self.socket).poll_read(cx, &mut into))?;
            let read = into.filled().len();
            if read == 0 {
                self.ended = true;
                return Poll::Ready(Ok(()));
            }
            let received = &mut buffer[..before + read];
            let used = self.process(received, sink)?;
            let rest = &received[used..];
            if rest.is_empty() {
                self.incoming = Vec::new();
            } else {
                self.incoming.clear();
                self.incoming.extend_from_slice(rest);
            }
            Poll::Ready(Ok(()))
        })
    }
    /// Has rustls look at what was received, and gives how much of that it is done with.
    fn process(&mut self, received: &mut [u8], mut sink: impl FnMut(&[u8])) -> io::Result<usize> {
        let mut used = 0;
        loop {
            let UnbufferedStatus { mut discard, state } =
                self.session.process_tls_records(&mut received[used..]);
            let mut done = false;
            let state = match state {
                Ok(state) => state,
                Err(error) => {
                    self.queue_alert();
                    return Err(io::Error::new(io::ErrorKind::InvalidData, error));
                }
            };
            match state {
                ConnectionState::ReadTraffic(mut traffic) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record.map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
                        discard += record.discard;
                        sink(record.payload);
                    }
                }
                ConnectionState::EncodeTlsData(mut data) => encode(&mut data, &mut self.outgoing.bytes)?,
                ConnectionState::TransmitTlsData(data) => data.done(),
                ConnectionState::WriteTraffic(_) => {
                    self.established = true;
                    done = true;
                }
                ConnectionState::BlockedHandshake => done = true,
                ConnectionState::PeerClosed | ConnectionState::Closed => {
                    self.ended = true;
                    done = true;
                }
                _ => return Err(io::Error::other("TLS in an unknown state")),
            }
            used += discard;
            if done {
                return Ok(used);
            }
        }
    }
    /// After a failure: what the client is to be told of it.
    fn queue_alert(&mut self) {
        while let Ok(ConnectionState::EncodeTlsData(mut data)) =
            self.session.process_tls_records(&mut []).state
        {
            if encode(&mut data, &mut self.outgoing.bytes).is_err() {
                return;
            }
        }
    }
    /// Encrypts `parts` into the thread's buffer and sends as much as the socket takes; the rest is kept.
    fn send_parts(&mut self, cx: &mut Context<'_>, parts: [&[u8]; 2]) -> io::Result<()> {
        OUT.with_borrow_mut(|out| {
            let mut length = 0;
            for part in parts.iter().filter(|part| !part.is_empty()) {
                length += encrypt(&mut self.session, part, &mut out[length..], &mut self.outgoing.bytes)?;
            }
            if !self.outgoing.is_empty() {
                self.outgoing.bytes.extend_from_slice(&out[..length]);
                let _ = self.outgoing.poll(&mut self.socket, cx)?;
                return Ok(());
            }
            let mut sent = 0;
            while sent < length {
                match Pin::new(&mut self.socket).poll_write(cx, &out[sent..length]) {
                    Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                    Poll::Ready(Ok(written)) => sent += written,
                    Poll::Ready(Err(error)) => return Err(error),
                    Poll::Pending => {
                        self.outgoing.bytes.extend_from_slice(&out[sent..length]);
                        return Ok(());
                    }
                }
            }
            Ok(())
        })
    }
    /// Sends all that waits.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.outgoing.is_empty() {
            ready!(self.outgoing.poll(&mut self.socket, cx))?;
        }
        if !self.gathered.is_empty() {
            let mut gathered = std::mem::take(&mut self.gathered);
            self.send_parts(cx, [&gathered, &[]])?;
            gathered.clear();
            self.gathered = gathered;
            if !self.outgoing.is_empty() {
                return Poll::Pending;
            }
        }
        Poll::Ready(Ok(()))
    }
}
fn encode<D>(data: &mut EncodeTlsData<'_, D>, into: &mut Vec<u8>) -> io::Result<()> {
    let before = into.len();
    into.resize(before + 1024, 0);
    let written = loop {
        match data.encode(&mut into[before..]) {
            Ok(written) => break written,
            Err(EncodeError::InsufficientSize(InsufficientSizeError { required_size })) => {
                into.resize(before + required_size, 0);
            }
            Err(error) => return Err(io::Error::other(error)),
        }
    };
    into.truncate(before + written);
    Ok(())
}
/// Gives the length of what it has written into `out`; what rustls itself has to say goes before it, into `first`.
fn encrypt(
    session: &mut UnbufferedServerConnection,
    content: &[u8],
    out: &mut [u8],
    first: &mut Vec<u8>,
) -> io::Result<usize> {
    loop {
        let state = session.process_tls_records(&mut []).state;
        match state.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))? {
            ConnectionState::WriteTraffic(mut traffic) => {
                return traffic.encrypt(content, out).map_err(|error: EncryptError| io::Error::other(error));
            }
            ConnectionState::EncodeTlsData(mut data) => encode(&mut data, first)?,
            ConnectionState::TransmitTlsData(data) => data.done(),
            ConnectionState::PeerClosed => {}
            _ => return Err(io::ErrorKind::NotConnected.into()),
        }
    }
}
impl AsyncRead for Tls {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            if !this.plain.is_empty() {
                this.plain.take(into);
                return Poll::Ready(Ok(()));
            }
            if this.ended {
                return Poll::Ready(Ok(()));
            }
            let (mut over, before) = (vec![], into.filled().len());
            let filled = this.poll_fill(cx, |content| {
                let now = content.len().min(into.remaining());
                into.put_slice(&content[..now]);
                over.extend_from_slice(&content[now..]);
            });
            if !over.is_empty() {
                this.plain = Unread { bytes: over, from: 0 };
            }
            // Answers of rustls's own, such as to a key update; whoever writes next sends what is left of them.
            if !this.outgoing.is_empty() {
                let _ = this.outgoing.poll(&mut this.socket, cx)?;
            }
            ready!(filled)?;
            if into.filled().len() > before {
                return Poll::Ready(Ok(()));
            }
        }
    }
}
impl AsyncWrite for Tls {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.gathered.len() + from.len() <= GATHERED {
            this.gathered.extend_from_slice(from);
            return Poll::Ready(Ok(from.len()));
        }
        // All that was written before has to be on its way.
        if !this.outgoing.is_empty() {
            ready!(this.outgoing.poll(&mut this.socket, cx))?;
        }
        let now = from.len().min(WRITE);
        let mut gathered = std::mem::take(&mut this.gathered);
        this.send_parts(cx, [&gathered, &from[..now]])?;
        gathered.clear();
        this.gathered = gathered;
        Poll::Ready(Ok(now))
    }
    fn is_write_vectored(&self) -> bool {
        true
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut written = 0;
        for part in from.iter().filter(|part| !part.is_empty()) {
            match self.as_mut().poll_write(cx, part) {
                Poll::Ready(Ok(now)) => {
                    written += now;
                    if now < part.len() {
                        break;
                    }
                }
                Poll::Pending if written > 0 => break,
                other => return other,
            }
        }
        Poll::Ready(Ok(written))
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(cx))?;
        // An idle connection holds nothing.
        self.gathered = Vec::new();
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        ready!(this.poll_send(cx))?;
        if let Ok(ConnectionState::WriteTraffic(mut traffic)) =
            this.session.process_tls_records(&mut []).state
        {
            let mut farewell = [0; 256];
            // Once said it is not said again, and gives nothing.
            if let Ok(length) = traffic.queue_close_notify(&mut farewell) {
                this.outgoing.bytes.extend_from_slice(&farewell[..length]);
                ready!(this.outgoing.poll(&mut this.socket, cx))?;
            }
        }
        Pin::new(&mut this.socket).poll_shutdown(cx)
    }
}
impl Stream for Tls {
    fn poll_read_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.plain.is_empty() || self.ended {
            return Poll::Ready(Ok(()));
        }
        self.socket.poll_read_ready(cx)
    }
    fn poll_peer(&mut self, cx: &mut Context<'_>) -> Poll<Peer> {
        loop {
            if self.ended {
                return Poll::Ready(Peer::Gone);
            }
            if self.plain.len() >= AHEAD {
                return Poll::Ready(Peer::Speaks);
            }
            let mut ahead = std::mem::take(&mut self.plain.bytes);
            let filled = self.poll_fill(cx, |content| ahead.extend_from_slice(content));
            self.plain.bytes = ahead;
            match ready!(filled) {
                Ok(()) if self.plain.is_empty() => {}
                Ok(()) => return Poll::Ready(Peer::Speaks),
                Err(_) => return Poll::Ready(Peer::Gone),
            }
        }
    }
}
