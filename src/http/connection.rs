//! What is known of a connection: shared by its requests, unchanged while it lives.
use super::{BuildError, Exchange, Interim, uri::split_host_port};
use crate::config;
use http::{HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;
use serde::Deserialize;
use std::{
    net::{IpAddr, SocketAddr},
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

/// How a server tells the client from the proxies before it (`trusted_proxies`, `client_ip_headers`, …).
#[derive(Debug, Default)]
pub struct ClientIp {
    pub trusted: Box<[IpNet]>,
    /// `trusted_proxies_unix`: peers without an address are trusted.
    pub trust_unix: bool,
    /// Read in order; Caddy's default is `X-Forwarded-For`.
    pub headers: Box<[HeaderName]>,
    /// From the right, the first that is not trusted; otherwise from the left, the first that is an address.
    pub strict: bool,
}
impl ClientIp {
    /// From a server's configuration.
    ///
    /// # Errors
    /// What is no address, and sources other than `static`.
    pub fn new(server: &config::Server) -> Result<Self, BuildError> {
        let names: &[String] = match &*server.client_ip_headers {
            [] => &["X-Forwarded-For".to_owned()],
            names => names,
        };
        let source = server.trusted_proxies.clone().map(serde_json::from_value::<Source>);
        let Source::Static { ranges } = source.transpose()?.unwrap_or_default();
        Ok(Self {
            trusted: ranges.iter().map(|range| ip_range(range)).collect::<Result<_, _>>()?,
            trust_unix: server.trusted_proxies_unix,
            headers: names.iter().map(|name| name.parse()).collect::<Result<_, _>>()?,
            strict: server.trusted_proxies_strict > 0,
        })
    }
    /// Who sent the request, and whether a trusted proxy passed it on.
    pub fn resolve(&self, x: &Exchange) -> (Option<IpAddr>, bool) {
        let peer = x.connection.remote.map(|peer| peer.ip());
        let trusted = match peer {
            Some(peer) => self.trusts(peer),
            None => self.trust_unix,
        };
        let client = if trusted { self.claimed(&x.request.headers) } else { None };
        (client.or(peer), trusted)
    }
    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|range| range.contains(&address))
    }
    fn claimed(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let of = |name| headers.get_all(name).iter().filter_map(|value: &HeaderValue| value.to_str().ok());
        if self.strict {
            self.headers.iter().find_map(|name| {
                let values: Vec<_> = of(name).collect();
                let mut parts = values.iter().rev().flat_map(|value| value.rsplit(','));
                parts.find_map(|part| address(part).filter(|found| !self.trusts(*found)))
            })
        } else {
            self.headers.iter().flat_map(of).flat_map(|value| value.split(',')).find_map(address)
        }
    }
}
/// JSON: `http.ip_sources.*`.
#[derive(Deserialize)]
#[serde(tag = "source", rename_all = "snake_case", deny_unknown_fields)]
enum Source {
    Static {
        #[serde(default)]
        ranges: Vec<String>,
    },
}
impl Default for Source {
    fn default() -> Self {
        Self::Static { ranges: vec![] }
    }
}
/// A CIDR range, or an address as the range of itself alone.
///
/// # Errors
/// What is neither, in Caddy's words.
pub fn ip_range(text: &str) -> Result<IpNet, String> {
    if text.contains('/') {
        return text.parse().map_err(|error| format!("parsing CIDR expression: '{text}': {error}"));
    }
    let address = text.parse::<IpAddr>();
    address.map(IpNet::from).map_err(|error| format!("invalid IP address: '{text}': {error}"))
}
/// An address with or without port and zone.
fn address(text: &str) -> Option<IpAddr> {
    let host = split_host_port(text).map_or(text, |(host, _)| host).trim();
    host.split('%').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Body;

    fn resolve(config: &ClientIp, peer: &str, forwarded: &[&str]) -> (String, bool) {
        let mut request = http::Request::get("/");
        for value in forwarded {
            request = request.header("X-Forwarded-For", *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        let connection = Connection { remote: peer.parse().ok(), ..Connection::default() };
        let x = Exchange::new(head, Body::Empty, Arc::new(connection));
        let (client, trusted) = config.resolve(&x);
        (client.map_or_else(String::new, |ip| ip.to_string()), trusted)
    }
    fn config(strict: bool) -> ClientIp {
        let trusted = ["10.0.0.0/8", "fd00::/8"].map(|range| range.parse().unwrap()).into();
        let headers = [HeaderName::from_static("x-forwarded-for")].into();
        ClientIp { trusted, headers, strict, trust_unix: false }
    }
    #[test]
    fn only_trusted_proxies_are_believed() {
        let cases: &[(&str, &[&str], &str, &str, bool)] = &[
            // peer, X-Forwarded-For, client, client where it is strict, trusted
            ("1.1.1.1:9", &["2.2.2.2"], "1.1.1.1", "1.1.1.1", false),
            ("10.0.0.1:9", &[], "10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1:9", &["2.2.2.2, 3.3.3.3"], "2.2.2.2", "3.3.3.3", true),
            ("10.0.0.1:9", &["2.2.2.2", "3.3.3.3, 10.9.9.9"], "2.2.2.2", "3.3.3.3", true),
            ("10.0.0.1:9", &["nonsense, 4.4.4.4:80"], "4.4.4.4", "4.4.4.4", true),
            ("[fd00::1]:9", &["[2001:db8::1%eth0]:443"], "2001:db8::1", "2001:db8::1", true),
            ("10.0.0.1:9", &["10.0.0.2"], "10.0.0.2", "10.0.0.1", true),
        ];
        for (peer, forwarded, lax, strict, trusted) in cases {
            assert_eq!(resolve(&config(false), peer, forwarded), ((*lax).into(), *trusted), "{forwarded:?}");
            assert_eq!(
                resolve(&config(true), peer, forwarded),
                ((*strict).into(), *trusted),
                "{forwarded:?}"
            );
        }
    }
    #[test]
    fn a_unix_socket_is_trusted_where_the_configuration_says_so() {
        let unix = ClientIp { trust_unix: true, ..config(false) };
        assert_eq!(resolve(&config(false), "@", &["2.2.2.2"]), (String::new(), false));
        assert_eq!(resolve(&unix, "@", &["2.2.2.2"]), ("2.2.2.2".into(), true));
    }
}
