//! TLS on accepted connections: the ClientHello chooses the policy, the policy the terms.
mod stream;
use super::socket::Socket;
use crate::{
    http::{TlsInfo, TlsVersion},
    tls::{Chosen, Policies, with_certificate},
};
use rustls::{
    HandshakeKind, ProtocolVersion, ServerConfig,
    server::{Acceptor, UnbufferedServerConnection},
};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};
pub(super) use stream::Tls;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What Go tells a client that speaks HTTP in the clear where TLS is spoken.
const SPOKE_HTTP: &[u8] =
    b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
/// A ClientHello is not longer than this, whatever key shares it carries.
const LONGEST_HELLO: usize = 64 << 10;

/// A connection after its handshake, with what that has settled. `None` if there is none to speak of.
pub(super) async fn accept(
    mut socket: Socket,
    policies: &Policies,
    remote: Option<SocketAddr>,
    local: Option<SocketAddr>,
) -> Option<(Tls, TlsInfo)> {
    let ips = (local.map(|at| at.ip()), remote.map(|at| at.ip()));
    match handshake(&mut socket, policies, ips).await {
        Ok(Hello { config, received, server_name }) => {
            let session = UnbufferedServerConnection::new(config).ok()?;
            let mut tls = Tls::new(socket, session, received);
            if let Err(error) = tls.handshake().await {
                log(remote, &error);
                return None;
            }
            let info = info(tls.session(), server_name);
            Some((tls, info))
        }
        Err(error) => {
            log(remote, &error);
            None
        }
    }
}
/// As Go's HTTP server says it.
fn log(remote: Option<SocketAddr>, error: &io::Error) {
    let remote = remote.map_or_else(|| "@".into(), |at| at.to_string());
    tracing::debug!(target: "http.stdlib", "http: TLS handshake error from {remote}: {error}");
}
struct Hello {
    config: Arc<ServerConfig>,
    /// Everything that was read, the ClientHello first.
    received: Vec<u8>,
    server_name: Box<str>,
}
/// Reads a ClientHello and chooses what to answer it by.
async fn handshake(
    socket: &mut Socket,
    policies: &Policies,
    (local, remote): (Option<IpAddr>, Option<IpAddr>),
) -> io::Result<Hello> {
    let (mut received, mut acceptor) = (Vec::with_capacity(2048), Acceptor::default());
    loop {
        let before = received.len();
        if before > LONGEST_HELLO || socket.read_buf(&mut received).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if is_http(&received) {
            // Nobody is told when even this fails.
            let _ = socket.write_all(SPOKE_HTTP).await;
            return Err(io::Error::other("client sent an HTTP request to an HTTPS server"));
        }
        let mut fresh = &received[before..];
        while !fresh.is_empty() {
            acceptor.read_tls(&mut fresh)?;
        }
        let accepted = match acceptor.accept() {
            Ok(None) => continue,
            Ok(Some(accepted)) => accepted,
            Err((error, mut alert)) => {
                let mut farewell = vec![];
                alert.write_all(&mut farewell)?;
                socket.write_all(&farewell).await?;
                return Err(io::Error::new(io::ErrorKind::InvalidData, error));
            }
        };
        let hello = accepted.client_hello();
        let server_name = hello.server_name().unwrap_or_default().into();
        let chosen = policies.choose(&hello, local, remote);
        let missing = policies.missing(&hello, local);
        return match chosen {
            Chosen::Serve(mut config) => {
                if let Some(missing) = missing
                    && let Some(certificate) = missing.await
                {
                    config = with_certificate(&config, certificate);
                }
                Ok(Hello { config, received, server_name })
            }
            Chosen::Drop => Err(io::Error::other("dropped by connection policy")),
            Chosen::None => {
                // An alert: handshake_failure, before anything is agreed upon.
                socket.write_all(&[21, 3, 3, 0, 2, 2, 80]).await?;
                let remote = remote.map_or_else(|| "@".into(), |ip| ip.to_string());
                Err(io::Error::other(format!(
                    "no server TLS configuration available for ClientHello from: {remote}"
                )))
            }
        };
    }
}
/// Go looks at the five bytes that would be a record's header.
fn is_http(received: &[u8]) -> bool {
    [b"GET /", b"HEAD ", b"POST ", b"PUT /", b"OPTIO"].iter().any(|start| received.starts_with(&start[..]))
}
fn info(session: &UnbufferedServerConnection, server_name: Box<str>) -> TlsInfo {
    let suite = session.negotiated_cipher_suite().map(|suite| suite.suite());
    let alpn = session.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned());
    TlsInfo {
        version: match session.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => TlsVersion::Tls12,
            _ => TlsVersion::Tls13,
        },
        cipher_suite: suite.and_then(|suite| suite.as_str()).map_or("", iana_name),
        cipher_suite_id: suite.map_or(0, u16::from),
        server_name,
        alpn: alpn.unwrap_or_default().into(),
        resumed: session.handshake_kind() == Some(HandshakeKind::Resumed),
        peer_certificates: session
            .peer_certificates()
            .unwrap_or_default()
            .iter()
            .map(|certificate| certificate.to_vec())
            .collect(),
        early: false,
    }
}
/// rustls says `TLS13_…` where IANA and Go say `TLS_…`.
fn iana_name(name: &'static str) -> &'static str {
    match name {
        "TLS13_AES_128_GCM_SHA256" => "TLS_AES_128_GCM_SHA256",
        "TLS13_AES_256_GCM_SHA384" => "TLS_AES_256_GCM_SHA384",
        "TLS13_CHACHA20_POLY1305_SHA256" => "TLS_CHACHA20_POLY1305_SHA256",
        other => other,
    }
}
