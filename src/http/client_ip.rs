//! Who sent a request, as far as a server believes the proxies before it.
use super::{Build, BuildError, Exchange, Ranges, uri::split_host_port};
use crate::config;
use http::{HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;
use std::net::IpAddr;

/// How a server tells the client from the proxies before it (`trusted_proxies`, `client_ip_headers`, …).
#[derive(Debug, Default)]
pub struct ClientIp {
    pub trusted: Ranges,
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
    /// A source that does not build, a name that is no header field's.
    pub(super) fn new(server: &config::Server, cx: &mut Build) -> Result<Self, BuildError> {
        let names: &[String] = match &*server.client_ip_headers {
            [] => &["X-Forwarded-For".to_owned()],
            names => names,
        };
        let source = server.trusted_proxies.clone().map(|source| cx.ip_source(source));
        Ok(Self {
            trusted: source.transpose()?.unwrap_or_default(),
            trust_unix: server.trusted_proxies_unix,
            headers: names.iter().map(|name| name.parse()).collect::<Result<_, _>>()?,
            strict: server.trusted_proxies_strict > 0,
        })
    }
    /// Who sent the request, and whether a trusted proxy passed it on.
    pub fn resolve(&self, x: &Exchange) -> (Option<IpAddr>, bool) {
        let peer = x.connection.remote.map(|peer| peer.ip());
        let trusts = |address| self.trusted.contain(address);
        let trusted = peer.map_or(self.trust_unix, trusts);
        let client = if trusted { self.claimed(&x.request.headers) } else { None };
        (client.or(peer), trusted)
    }
    fn claimed(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let of = |name| headers.get_all(name).iter().filter_map(|value: &HeaderValue| value.to_str().ok());
        if self.strict {
            self.headers.iter().find_map(|name| {
                let values: Vec<_> = of(name).collect();
                let mut parts = values.iter().rev().flat_map(|value| value.rsplit(','));
                parts.find_map(|part| address(part).filter(|found| !self.trusted.contain(*found)))
            })
        } else {
            self.headers.iter().flat_map(of).flat_map(|value| value.split(',')).find_map(address)
        }
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
    use crate::http::{Body, Connection};
    use std::sync::Arc;

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
        let trusted = Ranges::Fixed(["10.0.0.0/8", "fd00::/8"].map(|range| range.parse().unwrap()).into());
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
