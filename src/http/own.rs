//! A server that asks itself: `httpInclude` of templates.
use super::{Answer, Body, Connection, Exchange};
use http::{
    HeaderValue, Method, Request, Uri, Version,
    header::{ACCEPT_ENCODING, CONTENT_LENGTH, TRAILER, TRANSFER_ENCODING},
};
use std::{
    fmt,
    future::Future,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{Arc, OnceLock, Weak},
};

/// A server as a whole: what answers a request that does not come from a socket.
pub trait Asked: Send + Sync {
    fn answer<'x>(&'x self, x: &'x mut Exchange) -> Pin<Box<dyn Future<Output = Answer> + Send + 'x>>;
}
/// The server that a handler belongs to. It is there once the configuration runs.
#[derive(Clone, Default)]
pub struct OwnServer(Arc<OnceLock<Weak<dyn Asked>>>);
impl OwnServer {
    /// Says who it is; the first one counts.
    pub fn set<S: Asked + 'static>(&self, server: &Arc<S>) {
        let server: Weak<dyn Asked> = Arc::downgrade(server) as Weak<dyn Asked>;
        self.0.get_or_init(|| server);
    }
    pub fn get(&self) -> Option<Arc<dyn Asked>> {
        self.0.get()?.upgrade()
    }
}
impl fmt::Debug for OwnServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnServer")
    }
}
impl Exchange {
    /// A GET for `uri` as Caddy's templates make one: with the fields of this request and its host, from an address
    /// of this machine, in the clear, with nothing encoded.
    pub fn asking(&self, uri: Uri) -> Self {
        let (mut head, ()) = Request::new(()).into_parts();
        (head.method, head.uri, head.version) = (Method::GET, uri, Version::HTTP_11);
        head.headers = self.request.headers.clone();
        for name in [CONTENT_LENGTH, TRANSFER_ENCODING, TRAILER] {
            head.headers.remove(name);
        }
        head.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let connection = Connection {
            remote: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 10_000))),
            shutdown: self.connection.shutdown.clone(),
            ..Connection::default()
        };
        Self::new(head, Body::Empty, Arc::new(connection))
    }
}
