//! What is known of a connection: shared by its requests, unchanged while it lives.
use super::Interim;
use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Instant,
};

#[derive(Debug, Default)]
pub struct Connection {
    /// The peer. `None`: it has no address, as on a unix socket.
    pub remote: Option<SocketAddr>,
    pub local: Option<SocketAddr>,
    /// `None` on a connection in the clear.
    pub tls: Option<TlsInfo>,
    /// When the server is to stop, of all connections of a server: `{http.shutting_down}`.
    pub shutdown: Arc<OnceLock<Instant>>,
    /// HTTP/1.1: what is said before the response.
    pub interim: Interim,
    /// See [`Connection::remote_ip`].
    pub remote_text: OnceLock<Box<str>>,
}
impl Connection {
    /// The peer's address without its port, as text: made once for all requests.
    pub fn remote_ip(&self) -> Option<&str> {
        let remote = self.remote?;
        Some(self.remote_text.get_or_init(|| remote.ip().to_canonical().to_string().into()))
    }
}
/// What a TLS handshake has settled.
#[derive(Debug, Default)]
pub struct TlsInfo {
    pub version: TlsVersion,
    /// In Go's (IANA's) names: `TLS_AES_128_GCM_SHA256`.
    pub cipher_suite: &'static str,
    /// Go's `http.request.tls.cipher_suite` in the access log is a number: IANA's.
    pub cipher_suite_id: u16,
    /// What the client asked for; empty if it didn't.
    pub server_name: Box<str>,
    /// The protocol of ALPN; empty if there was none.
    pub alpn: Box<str>,
    pub resumed: bool,
    /// The client's certificate, and what it sent with it: DER.
    pub peer_certificates: Vec<Vec<u8>>,
    /// Requests of QUIC's early data come before the handshake ends; then the peer's address is not proven.
    pub early: bool,
}
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsVersion {
    Tls12,
    #[default]
    Tls13,
}
impl TlsVersion {
    /// Caddy's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tls12 => "tls1.2",
            Self::Tls13 => "tls1.3",
        }
    }
}
