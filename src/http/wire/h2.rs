//! HTTP/2 towards upstreams: hyper's client, on connections of the worker's own that carry many requests at once.
use super::{Held, PoolKey, Pooling, Stream};
use crate::http::{Body, BoxError};
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::{
    body::Incoming,
    client::conn::http2::{Builder, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{
    cell::RefCell,
    collections::HashMap,
    error::Error,
    future::Future,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Instant, sleep_until};

/// A connection that can carry another request.
#[derive(Clone)]
pub struct Client {
    sender: SendRequest<Outbound>,
    load: Arc<Load>,
}
/// How busy a connection is.
struct Load {
    requests: AtomicUsize,
    /// At once, as the upstream has said.
    most: AtomicUsize,
    /// When it last became idle.
    idle_since: Mutex<Instant>,
}
thread_local! {
    static OPEN: RefCell<HashMap<PoolKey, Vec<Client>, foldhash::fast::RandomState>> = RefCell::default();
}
impl Client {
    /// One of this thread's connections that has room for another request.
    pub fn take(key: PoolKey) -> Option<Self> {
        OPEN.with_borrow_mut(|open| {
            let all = open.get_mut(&key)?;
            all.retain(|client| !client.sender.is_closed());
            all.iter().find(|client| client.load.has_room()).cloned()
        })
    }
    /// Begins to speak HTTP/2. `longest_head` is what a response's head may have, in bytes. Where connections are kept,
    /// the next request of this thread finds it; it is closed when it has been idle for too long.
    ///
    /// # Errors
    /// What hyper says of a connection that fails at once.
    pub async fn begin(stream: Stream, longest_head: usize, pooling: &Pooling) -> Result<Self, String> {
        let mut builder = Builder::new(TokioExecutor::new());
        builder.max_header_list_size(u32::try_from(longest_head).unwrap_or(u32::MAX));
        let (sender, connection) =
            builder.handshake(TokioIo::new(stream)).await.map_err(|error| described(&error))?;
        let load = Arc::new(Load {
            requests: AtomicUsize::new(0),
            most: AtomicUsize::new(usize::MAX),
            idle_since: Mutex::new(Instant::now()),
        });
        let (watched, idle_timeout) = (load.clone(), pooling.idle_timeout);
        tokio::spawn(async move {
            let mut connection = pin!(connection);
            let mut idle = pin!(watched.idle_for(idle_timeout));
            std::future::poll_fn(|cx| {
                let ended = connection.as_mut().poll(cx).map(drop);
                watched.most.store(connection.current_max_send_streams(), Relaxed);
                if ended.is_ready() { ended } else { idle.as_mut().poll(cx) }
            })
            .await;
        });
        let client = Self { sender, load };
        if pooling.most_idle > 0 {
            OPEN.with_borrow_mut(|open| open.entry(pooling.key).or_default().push(client.clone()));
        }
        Ok(client)
    }
    /// Sends a request and waits for the head of its response. `held` lives as long as the response's body.
    ///
    /// # Errors
    /// There is no response.
    pub async fn send(
        mut self,
        request: Request<Body>,
        held: Box<dyn Held>,
    ) -> Result<Response<Body>, SendError> {
        let busy = Busy::begin(&self.load);
        let upload = Arc::new(Progress::default());
        let request = request.map(|body| Outbound { body, progress: upload.clone() });
        match self.sender.try_send_request(request).await {
            Ok(response) => Ok(response.map(|body| {
                let inbound = Inbound { body, held, _busy: busy };
                if inbound.body.is_end_stream() { Body::Empty } else { Body::boxed(inbound) }
            })),
            Err(mut error) => Err(SendError {
                unsent: error.take_message().map(|request| request.into_body().body),
                begun: upload.begun.load(Relaxed),
                body: upload.failed.lock().unwrap_or_else(PoisonError::into_inner).take(),
                refused: is_refused(error.error()),
                message: described(error.error()),
            }),
        }
    }
}
/// Why there is no response.
#[derive(Debug)]
pub struct SendError {
    /// The request's body, where the request never left.
    pub unsent: Option<Body>,
    /// Whether some of the body is gone.
    pub begun: bool,
    /// What is wrong with the request's body, if that is what is wrong.
    pub body: Option<BoxError>,
    /// The upstream has said, or let it be known, that it has not looked at the request (RFC 9113, 8.7).
    pub refused: bool,
    pub message: String,
}
fn is_refused(error: &hyper::Error) -> bool {
    let reset = error.source().and_then(|source| source.downcast_ref::<h2::Error>());
    error.is_canceled()
        || reset.is_some_and(|reset| {
            reset.reason() == Some(h2::Reason::REFUSED_STREAM) || (reset.is_go_away() && reset.is_remote())
        })
}
/// An error with its causes.
fn described(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
impl Load {
    fn has_room(&self) -> bool {
        self.requests.load(Relaxed) < self.most.load(Relaxed)
    }
    fn idle_since(&self) -> Instant {
        *self.idle_since.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Waits until there has been no request for that long.
    async fn idle_for(&self, limit: Duration) {
        loop {
            let busy = self.requests.load(Relaxed) > 0;
            let end = if busy { Instant::now() } else { self.idle_since() } + limit;
            if !busy && end <= Instant::now() {
                return;
            }
            sleep_until(end).await;
        }
    }
}
/// A request that counts until this is dropped.
struct Busy(Arc<Load>);
impl Busy {
    fn begin(load: &Arc<Load>) -> Self {
        load.requests.fetch_add(1, Relaxed);
        Self(load.clone())
    }
}
impl Drop for Busy {
    fn drop(&mut self) {
        if self.0.requests.fetch_sub(1, Relaxed) == 1 {
            *self.0.idle_since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        }
    }
}

/// What has become of a request's body.
#[derive(Default)]
struct Progress {
    begun: AtomicBool,
    failed: Mutex<Option<BoxError>>,
}
/// A request's body, watched.
struct Outbound {
    body: Body,
    progress: Arc<Progress>,
}
impl HttpBody for Outbound {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        self.progress.begun.store(true, Relaxed);
        Poll::Ready(match frame {
            Some(Err(error)) => {
                let message = error.to_string();
                *self.progress.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Some(Err(message.into()))
            }
            frame => frame,
        })
    }
    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
/// A response's body, and what is to live as long.
struct Inbound {
    body: Incoming,
    held: Box<dyn Held>,
    _busy: Busy,
}
impl HttpBody for Inbound {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        Poll::Ready(frame.map(|frame| {
            frame.map_err(|error| {
                let error = described(&error).into();
                self.held.failed(&error);
                error
            })
        }))
    }
    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
