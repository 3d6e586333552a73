//! The socket of the API. A configuration that leaves its address as it is leaves the socket as it is.
use super::{api, guard::Guard, instance::Instance, settings::Settings};
use crate::server::{Address, KeepAlive, Listener, bind};
use arc_swap::ArcSwap;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UnixListener},
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

/// How long a client may take for a request's head, or leave a connection unused.
const IDLE: Duration = Duration::from_secs(60);
const HEADER_BYTES: usize = 64 << 10;
/// How long an endpoint that closes waits for what it is answering.
const GRACE: Duration = Duration::from_secs(10);

/// Open until it is closed.
pub(super) struct Endpoint {
    address: Address,
    guard: Arc<ArcSwap<Guard>>,
    closing: watch::Sender<bool>,
    serving: JoinHandle<()>,
}
/// What a configuration asks for: bound already where it is new, but not in force.
pub(super) enum Prepared {
    Disabled,
    Same(Arc<Guard>),
    New { address: Address, guard: Arc<Guard>, listener: Listener },
}
impl Prepared {
    /// # Errors
    /// The address is none, or cannot be bound.
    pub(super) fn new(settings: &Settings, current: Option<&Endpoint>) -> Result<Self, String> {
        if settings.disabled {
            tracing::warn!(target: "admin", "admin endpoint disabled");
            return Ok(Self::Disabled);
        }
        let address = settings.address()?;
        let guard = Arc::new(Guard::new(settings, &address));
        let prepared = if current.is_some_and(|current| current.address == address) {
            Self::Same(guard.clone())
        } else {
            let mut bound = bind(&address, 1, KeepAlive::default())?;
            let listener = bound.pop().ok_or("no socket")?;
            Self::New { address: address.clone(), guard: guard.clone(), listener }
        };
        let shown = address.to_string();
        tracing::info!(
            target: "admin", address = shown, enforce_origin = settings.enforce_origin, origins = ?guard.origins(),
            "admin endpoint started"
        );
        if !guard.enforce_host {
            tracing::warn!(
                target: "admin", address = shown,
                "admin endpoint on open interface; host checking disabled"
            );
        }
        Ok(prepared)
    }
    /// Puts it in the place of the one before, which is closed in the background.
    pub(super) fn commit(self, instance: &Arc<Instance>, current: &mut Option<Endpoint>) {
        let next = match self {
            Self::Same(guard) => {
                if let Some(endpoint) = current {
                    endpoint.guard.store(guard);
                    // To Caddy it is another server, even at the same address.
                    let address = endpoint.address.to_string();
                    tracing::info!(target: "admin", address, "stopped previous server");
                }
                return;
            }
            Self::Disabled => None,
            Self::New { address, guard, listener } => Endpoint::open(instance, address, guard, listener),
        };
        if let Some(earlier) = std::mem::replace(current, next) {
            tokio::spawn(earlier.close());
        }
    }
}
impl Endpoint {
    fn open(
        instance: &Arc<Instance>,
        address: Address,
        guard: Arc<Guard>,
        listener: Listener,
    ) -> Option<Self> {
        let (closing, closed) = watch::channel(false);
        let guard = Arc::new(ArcSwap::new(guard));
        let with = (instance.clone(), guard.clone(), closed);
        let serving = match listener {
            Listener::Tcp(listener) => TcpListener::from_std(listener).map(|listener| {
                tokio::spawn(serve(with, async move || {
                    let (stream, from) = listener.accept().await?;
                    Ok((stream, Some(from)))
                }))
            }),
            Listener::Unix(listener) => UnixListener::from_std(listener).map(|listener| {
                tokio::spawn(serve(with, async move || Ok((listener.accept().await?.0, None))))
            }),
        };
        match serving {
            Ok(serving) => Some(Self { address, guard, closing, serving }),
            Err(error) => {
                tracing::error!(target: "admin", %error, "admin server shutdown for unknown reason");
                None
            }
        }
    }
    /// Takes no more connections and waits, within reason, for those it has.
    pub(super) async fn close(mut self) {
        self.closing.send_replace(true);
        if timeout(GRACE, &mut self.serving).await.is_err() {
            self.serving.abort();
        }
        if let Some(file) = self.address.file() {
            // Another may have bound it anew, or it may be gone: neither is ours.
            let _ = std::fs::remove_file(file);
        }
        let address = self.address.to_string();
        tracing::info!(target: "admin", address, "stopped previous server");
    }
}
async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    (instance, guard, mut closing): (Arc<Instance>, Arc<ArcSwap<Guard>>, watch::Receiver<bool>),
    accept: impl AsyncFn() -> std::io::Result<(S, Option<SocketAddr>)>,
) {
    let mut open = JoinSet::new();
    loop {
        while open.try_join_next().is_some() {}
        tokio::select! {
            accepted = accept() => match accepted {
                Ok((stream, from)) => {
                    open.spawn(connection(stream, from, instance.clone(), guard.clone(), closing.clone()));
                }
                Err(error) => {
                    tracing::error!(target: "admin", %error, "accepting a connection");
                    sleep(Duration::from_millis(50)).await;
                }
            },
            () = closes(&mut closing) => break,
        }
    }
    drop(accept);
    while open.join_next().await.is_some() {}
}
async fn connection<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    from: Option<SocketAddr>,
    instance: Arc<Instance>,
    guard: Arc<ArcSwap<Guard>>,
    mut closing: watch::Receiver<bool>,
) {
    let service = service_fn(move |request| {
        let (instance, guard) = (instance.clone(), guard.load_full());
        async move { Ok::<_, Infallible>(api::respond(&instance, &guard, from, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .max_buf_size(HEADER_BYTES)
        .title_case_headers(true)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // How a connection ends concerns only its client.
    let _ = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closes(&mut closing) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
}
/// Waits until the endpoint closes, or is gone.
async fn closes(closing: &mut watch::Receiver<bool>) {
    // An error says that it is gone.
    let _ = closing.wait_for(|closing| *closing).await;
}
