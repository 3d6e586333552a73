//! A connection from its first byte to its last.
//!
//! Between requests a connection is nothing but its socket. When that becomes readable, hyper is put around it; when
//! nothing has happened for a while, hyper is taken off again (see [`super::sweep`]).
use super::{
    activity::{Activity, Phase},
    frames::PREFACE,
    io::{Io, Link},
    refusal,
    service::respond,
    site::Binding,
    socket::{Peer, Socket},
    sweep::Sweep,
    tls, tunnel,
};
use crate::http;
use bytes::Bytes;
use hyper::{
    server::conn::{http1, http2},
    service::service_fn,
};
use std::{
    cell::RefCell,
    future::poll_fn,
    io, mem,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// As many as Go allows.
const STREAMS: u32 = 250;
/// Fields of a head that hyper has room for without an allocation. Go counts bytes alone, so a head with more is parsed
/// again.
const USUAL_FIELDS: usize = 100;
const MOST_FIELDS: usize = 5000;
/// How long the end of a connection may take.
const LONGEST: Duration = Duration::from_millis(500);
/// What Go allows a head over the configured size.
const HEADER_SLACK: usize = 4096;

/// What a connection's parts share.
pub(super) struct Connection {
    pub(super) binding: Rc<Binding>,
    pub(super) activity: Rc<Activity>,
    /// For its end.
    #[expect(dead_code)]
    registered: Registered,
    pub(super) known: Arc<http::Connection>,
    /// HTTP/1: the upstream's side of a connection that changes its protocol.
    pub(super) upgrade: RefCell<Option<Box<dyn http::Io>>>,
    /// HTTP/1: what a refused request is answered with, in Go's words and past hyper.
    pub(super) refusal: RefCell<Option<String>>,
}
/// A connection that its worker's sweep knows, until this is dropped.
struct Registered {
    sweep: Rc<Sweep>,
    activity: Rc<Activity>,
}
impl Drop for Registered {
    fn drop(&mut self) {
        self.sweep.forget(&self.activity);
    }
}
/// Serves an accepted connection to its end.
pub(super) async fn serve(socket: Socket, from: Option<SocketAddr>, sweep: Rc<Sweep>, binding: Rc<Binding>) {
    let waker = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
    let activity = sweep.register(binding.clone(), waker);
    let registered = Registered { sweep, activity: activity.clone() };
    let (mut remote, mut local) = socket.ends(from);
    let mut socket = socket;
    // Not held on to: it may be replaced while the connection lives.
    let (protocols, security, shutdown) = {
        let served = binding.served();
        (served.protocols, served.security.clone(), served.site.shutdown.clone())
    };
    let wrapped = Some(binding.served().site.clone()).filter(|site| !site.wrappers.is_empty());
    if let Some(site) = wrapped {
        match Box::pin(site.wrappers.unwrap(&mut socket, security.is_some())).await {
            Ok(None) => {}
            Ok(Some(ends)) => (remote, local) = (Some(ends.client), Some(ends.dialled)),
            Err(_) => return,
        }
    }
    let connection = |tls| {
        let known = Arc::new(http::Connection {
            remote,
            local,
            tls,
            shutdown: shutdown.clone(),
            ..Default::default()
        });
        let (upgrade, refusal) = Default::default();
        let (binding, activity) = (binding.clone(), activity.clone());
        Rc::new(Connection { binding, activity, registered, known, upgrade, refusal })
    };
    let Some(security) = security else {
        let connection = connection(None);
        if readable(&mut socket, &connection).await {
            // Without HTTP/1 nobody is answered in it.
            let first = if protocols.h1 { First::Http1 } else { First::Http2 };
            if !protocols.h1 && !socket.begins(PREFACE).await {
                return part(&mut socket, &[]).await;
            }
            run(socket, first, protocols.h2 || protocols.h2c, connection).await;
        }
        return;
    };
    let mut handshake = Box::pin(tls::accept(socket, &security.policies, remote, local));
    let stream = poll_fn(|cx| match handshake.as_mut().poll(cx) {
        Poll::Pending if activity.expired() || binding.is_draining() => Poll::Ready(None),
        polled => polled,
    });
    let Some((stream, info)) = stream.await else { return };
    drop(handshake);
    drop(security);
    let first = if &*info.alpn == "h2" { First::Http2 } else { First::Http1 };
    // No waiting: the request may have come with the end of the handshake.
    run(stream, first, false, connection(Some(info))).await;
}
/// The protocol that a connection begins with.
enum First {
    Http1,
    Http2,
}
/// What hyper talks through.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + 'static {
    /// Whether there is something to read.
    fn poll_read_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    /// Whether the peer is still there, while nobody wants to read.
    fn poll_peer(&mut self, cx: &mut Context<'_>) -> Poll<Peer>;
}
impl Stream for Socket {
    fn poll_read_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Self::poll_read_ready(self, cx)
    }
    fn poll_peer(&mut self, cx: &mut Context<'_>) -> Poll<Peer> {
        Self::poll_peer(self, cx)
    }
}

async fn run<T: Stream>(mut stream: T, first: First, h2_later: bool, connection: Rc<Connection>) {
    if let First::Http2 = first {
        return Box::pin(http2(stream, Bytes::new(), connection)).await;
    }
    let (mut read, mut most_fields) = (Bytes::new(), USUAL_FIELDS);
    loop {
        match Box::pin(http1(stream, mem::take(&mut read), most_fields, &connection)).await {
            Left::Bare(bare) => stream = bare,
            Left::ManyFields(again, head) => {
                (stream, read, most_fields) = (again, head, MOST_FIELDS);
                continue;
            }
            Left::Http2(stream, read) if h2_later => {
                return Box::pin(http2(stream, read, connection)).await;
            }
            Left::Upgraded(stream, read, upstream) => {
                connection.activity.enter(Phase::Tunnel);
                return Box::pin(tunnel::between(stream, read, upstream)).await;
            }
            _ => return,
        }
        most_fields = USUAL_FIELDS;
        connection.activity.enter(Phase::Parked);
        connection.activity.restart();
        if !readable(&mut stream, &connection).await {
            return;
        }
    }
}
/// Waits until there is something to read; false when the connection's time is over first.
async fn readable(stream: &mut impl Stream, connection: &Connection) -> bool {
    poll_fn(|cx| match stream.poll_read_ready(cx) {
        Poll::Ready(ready) => Poll::Ready(ready.is_ok()),
        Poll::Pending if connection.activity.expired() || connection.binding.is_draining() => {
            Poll::Ready(false)
        }
        Poll::Pending => Poll::Pending,
    })
    .await
}

/// What is left of a connection when hyper is done with it.
enum Left<T> {
    Nothing,
    /// Idle: the stream alone.
    Bare(T),
    /// The client has sent this head, with more fields than hyper had room for.
    ManyFields(T, Bytes),
    /// The client has begun to speak HTTP/2, with these bytes.
    Http2(T, Bytes),
    Upgraded(T, Bytes, Box<dyn http::Io>),
}
enum Turn {
    Done(hyper::Result<()>),
    Idle,
    /// Time is up, the client has gone, or something of ours has failed.
    Over,
}
/// Serves HTTP/1 as long as there is something to serve.
async fn http1<T: Stream>(
    stream: T,
    read: Bytes,
    most_fields: usize,
    connection: &Rc<Connection>,
) -> Left<T> {
    let activity = &connection.activity;
    let link = Link::new(stream, activity.clone(), connection.known.clone(), false);
    let header_bytes = connection.binding.served().site.limits.header_bytes + HEADER_SLACK;
    let mut builder = http1::Builder::new();
    builder
        // Without it hyper reads while a request is in flight, into a buffer made for that alone.
        .half_close(true)
        .header_read_timeout(None)
        .max_header_size(header_bytes);
    if most_fields > USUAL_FIELDS {
        builder.max_headers(most_fields);
    }
    let service = service_fn(|request| respond(connection.clone(), request, None));
    let mut http = builder.serve_connection(Io::new(link.clone(), read), service);
    let mut told = false;
    let turn = poll_fn(|cx| {
        if activity.expired() {
            return Poll::Ready(Turn::Over);
        }
        if connection.binding.is_draining() && !told {
            told = true;
            Pin::new(&mut http).graceful_shutdown();
        }
        match guarded(|| Pin::new(&mut http).poll(cx)) {
            None => return Poll::Ready(Turn::Over),
            Some(Poll::Ready(result)) => return Poll::Ready(Turn::Done(result)),
            Some(Poll::Pending) => {}
        }
        if let Poll::Ready(Err(_)) = link.poll_interim(cx) {
            return Poll::Ready(Turn::Over);
        }
        if activity.may_park() {
            return Poll::Ready(Turn::Idle);
        }
        // Hyper does not read now, so it would not see the client go.
        if activity.phase() == Phase::Busy && !link.more.get() {
            match link.stream.borrow_mut().poll_peer(cx) {
                Poll::Ready(Peer::Gone) => return Poll::Ready(Turn::Over),
                Poll::Ready(Peer::Speaks) => link.more.set(true),
                Poll::Pending => {}
            }
        }
        Poll::Pending
    })
    .await;
    let refused = link.refused.get();
    let read = match &turn {
        Turn::Over => return Left::Nothing,
        Turn::Idle | Turn::Done(_) => http.into_parts().read_buf,
    };
    let Some(link) = Rc::into_inner(link) else { return Left::Nothing };
    let mut stream = link.stream.into_inner();
    match turn {
        Turn::Idle => Left::Bare(stream),
        Turn::Done(Ok(())) => match connection.upgrade.take() {
            Some(upstream) => Left::Upgraded(stream, read, upstream),
            None => {
                if !activity.was_clean() {
                    linger(&mut stream).await;
                }
                Left::Nothing
            }
        },
        Turn::Done(Err(error)) => {
            if read.starts_with(PREFACE) {
                return Left::Http2(stream, read);
            }
            if error.is_parse_too_large() && read.len() < header_bytes && most_fields < MOST_FIELDS {
                return Left::ManyFields(stream, read);
            }
            let text = connection.refusal.take();
            if let Some(text) = text.or_else(|| refused.then(|| refusal::of(&error, &read))) {
                part(&mut stream, text.as_bytes()).await;
            }
            Left::Nothing
        }
        Turn::Over => Left::Nothing,
    }
}
/// Says `last`, if the client still takes it, and that nothing follows.
async fn part(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), last: &[u8]) {
    let saying = async {
        stream.write_all(last).await?;
        stream.shutdown().await
    };
    // Nobody is told when even this fails.
    if let Ok(Ok(())) = tokio::time::timeout(LONGEST, saying).await {
        linger(stream).await;
    }
}
/// Takes what the client still sends, for a while: closing over it would reset the connection, and with it what the
/// client has not read yet.
async fn linger(stream: &mut (impl AsyncRead + Unpin)) {
    let rest = async {
        let mut ignored = vec![0; 8192];
        while let Ok(1..) = stream.read(&mut ignored).await {}
    };
    // Whoever still sends then has had its chance.
    let _ = tokio::time::timeout(LONGEST, rest).await;
}
/// Serves HTTP/2 until the connection ends.
async fn http2<T: Stream>(stream: T, read: Bytes, connection: Rc<Connection>) {
    let activity = connection.activity.clone();
    activity.enter(Phase::Idle);
    let link = Link::new(stream, activity.clone(), connection.known.clone(), true);
    let limits = connection.binding.served().site.limits.clone();
    // In a box, as it is large and goes through many hands.
    let service = service_fn(|request| {
        let pace = activity.streams.begin();
        Box::pin(respond(connection.clone(), request, Some(pace)))
    });
    let mut builder = http2::Builder::new(Spawn(activity.clone()));
    builder
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .enable_connect_protocol();
    let mut http = Box::pin(builder.serve_connection(Io::new(link.clone(), read), service));
    let mut told = false;
    let is_over = poll_fn(|cx| {
        let over = activity.expired();
        if over && (told || activity.phase() == Phase::Busy) {
            return Poll::Ready(true);
        }
        if (over || connection.binding.is_draining()) && !told {
            told = true;
            activity.closing();
            http.as_mut().graceful_shutdown();
        }
        link.cork(true);
        let polled = guarded(|| http.as_mut().poll(cx));
        link.cork(false);
        let flushed = Pin::new(&mut *link.stream.borrow_mut()).poll_flush(cx);
        match (polled, flushed) {
            (Some(Poll::Pending), Poll::Pending | Poll::Ready(Ok(()))) => Poll::Pending,
            // Of an error the client has been told, unless it is a flood.
            (Some(Poll::Ready(Err(_))), Poll::Ready(Ok(()))) => Poll::Ready(false),
            _ => Poll::Ready(true),
        }
    })
    .await;
    drop(http);
    let Some(link) = Rc::into_inner(link).filter(|_| !is_over) else { return };
    let farewell = if link.frames.is_flood() { link.frames.farewell() } else { None };
    part(&mut link.stream.into_inner(), &farewell.unwrap_or_default()).await;
}
/// `None` if it panics, which costs this connection and no other.
fn guarded<T>(poll: impl FnOnce() -> T) -> Option<T> {
    let outcome = catch_unwind(AssertUnwindSafe(poll));
    outcome.inspect_err(|_| tracing::error!(target: "http.log.error", "panic")).ok()
}
/// Has the streams of an HTTP/2 connection run on its own thread.
#[derive(Clone)]
struct Spawn(Rc<Activity>);
impl<F: Future<Output: 'static> + 'static> hyper::rt::Executor<F> for Spawn {
    fn execute(&self, future: F) {
        let task = tokio::task::spawn_local(future);
        self.0.streams.spawned(task.abort_handle(), self.0.now());
    }
}
