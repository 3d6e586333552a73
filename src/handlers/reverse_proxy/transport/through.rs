//! Upstreams that are reached through a proxy: `network_proxy`, or what the environment says.
use super::{
    super::{
        config::HttpTransport,
        forward::Failure,
        upstream::{Address, Place},
    },
    dial::Dialer,
};
use crate::{
    config::join_address,
    environment,
    http::{Exchange, Text, wire::Plain},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use ipnet::IpNet;
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use url::Url;

/// Which proxy a request goes through.
#[derive(Debug)]
pub(super) enum Through {
    None,
    /// `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, as they are when the configuration is built.
    Environment(Box<Environment>),
    Url(Text),
}
#[derive(Debug, Default)]
pub(super) struct Environment {
    http: Option<Chosen>,
    https: Option<Chosen>,
    exempt: Vec<Exempt>,
}
/// An entry of `NO_PROXY`.
#[derive(Debug)]
enum Exempt {
    All,
    Range(IpNet),
    /// A host, and all within it; with a port, only there.
    Domain(String, Option<u16>),
    /// All within a domain.
    Within(String, Option<u16>),
}
/// A proxy, for one request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::handlers::reverse_proxy) struct Chosen {
    kind: Kind,
    host: String,
    port: u16,
    user: Option<(String, String)>,
    /// The upstream is spoken to over TLS, so what is said is none of the proxy's business.
    tunnel: bool,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Http,
    Socks5,
}
/// JSON: `caddy.network_proxy`.
#[derive(Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
enum Config {
    None {},
    Url { url: String },
}
impl Through {
    /// # Errors
    /// A module or a URL that is none.
    pub(super) fn build(config: &HttpTransport) -> Result<Self, String> {
        let url = |url: &str| {
            let text = Text::new(url);
            if let Some(literal) = text.literal() {
                Chosen::parse(literal)?;
            }
            Ok(Self::Url(text))
        };
        match &config.network_proxy {
            None if !config.forward_proxy_url.is_empty() => url(&config.forward_proxy_url),
            None => Ok(Self::environment()),
            Some(module) => {
                let module = Config::deserialize(module);
                match module.map_err(|error| format!("failed to load network_proxy module: {error}"))? {
                    Config::None {} => Ok(Self::None),
                    Config::Url { url: text } => url(&text),
                }
            }
        }
    }
    fn environment() -> Self {
        let set = |name: &str| {
            let names = [name.to_owned(), name.to_lowercase()];
            names.iter().filter_map(|name| environment::var(name)).find(|value| !value.is_empty())
        };
        // As Go: what is no URL is as good as unset.
        let proxy = |name: &str| set(name).and_then(|text| Chosen::parse(&text).ok());
        let (http, https) = (proxy("HTTP_PROXY"), proxy("HTTPS_PROXY"));
        if http.is_none() && https.is_none() {
            return Self::None;
        }
        let exempt = set("NO_PROXY").unwrap_or_default();
        let exempt = exempt.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(Exempt::parse);
        Self::Environment(Box::new(Environment { http, https, exempt: exempt.collect() }))
    }
    /// # Errors
    /// What a placeholder gives is no URL.
    pub(super) fn choose(
        &self,
        x: &Exchange,
        address: &Address,
        tls: bool,
    ) -> Result<Option<Chosen>, String> {
        let Place::Tcp { host, port } = &address.place else { return Ok(None) };
        let chosen = match self {
            Self::None => None,
            Self::Environment(environment) if environment.exempts(host, *port) => None,
            Self::Environment(environment) if tls => environment.https.clone(),
            Self::Environment(environment) => environment.http.clone(),
            Self::Url(url) => Some(Chosen::parse(&url.expand(x))?),
        };
        Ok(chosen.map(|chosen| Chosen { tunnel: tls, ..chosen }))
    }
}
impl Environment {
    fn exempts(&self, host: &str, port: u16) -> bool {
        let address = host.parse::<IpAddr>().ok();
        if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
            return true;
        }
        let within = |domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
        let at = |wanted: &Option<u16>| wanted.is_none_or(|wanted| wanted == port);
        self.exempt.iter().any(|exempt| match exempt {
            Exempt::All => true,
            Exempt::Range(range) => address.is_some_and(|address| range.contains(&address)),
            Exempt::Domain(domain, port) => at(port) && (host == domain || within(domain)),
            Exempt::Within(domain, port) => at(port) && within(domain),
        })
    }
}
impl Exempt {
    fn parse(entry: &str) -> Self {
        let entry = entry.to_lowercase();
        if entry == "*" {
            return Self::All;
        }
        if let Ok(range) = entry.parse().or_else(|_| entry.parse::<IpAddr>().map(IpNet::from)) {
            return Self::Range(range);
        }
        let (name, port) = match entry.rsplit_once(':') {
            Some((name, port)) => (name, port.parse().ok()),
            None => (entry.as_str(), None),
        };
        match name.trim_start_matches('*').strip_prefix('.') {
            Some(domain) => Self::Within(domain.into(), port),
            None => Self::Domain(name.into(), port),
        }
    }
}
impl Chosen {
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("empty value for network_proxy URL".into());
        }
        let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let url = Url::parse(&whole).map_err(|error| format!("network_proxy {text}: {error}"))?;
        let kind = match url.scheme() {
            "http" => Kind::Http,
            "socks5" | "socks5h" => Kind::Socks5,
            scheme => return Err(format!("network_proxy: {scheme} proxies are not supported yet")),
        };
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or("supplied network_proxy URL is missing a host value")?;
        let decoded =
            |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        let user = (!url.username().is_empty())
            .then(|| (decoded(url.username()), decoded(url.password().unwrap_or_default())));
        let port = url.port().unwrap_or(if kind == Kind::Http { 80 } else { 1080 });
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { kind, host, port, user, tunnel: false })
    }
    /// Whether the proxy gets requests to pass on, not bytes.
    pub(super) fn passes_on(&self) -> bool {
        self.kind == Kind::Http && !self.tunnel
    }
    /// Its `Proxy-Authorization`.
    pub(in crate::handlers::reverse_proxy) fn authorization(&self) -> Option<String> {
        let (name, password) = self.user.as_ref()?;
        Some(format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{password}"))))
    }
    /// A connection on which the upstream can be spoken to, or the proxy if it passes requests on.
    pub(super) async fn dial(
        &self,
        dialer: &Dialer,
        to: &Address,
        client: Option<IpAddr>,
    ) -> Result<Plain, Failure> {
        let proxy = Address::parse(&join_address("", &self.host, &self.port.to_string()));
        let mut socket = dialer.dial(&proxy.map_err(Failure::Address)?, client).await?;
        let Place::Tcp { host, port } = &to.place else { return Ok(socket) };
        let opened = match self.kind {
            Kind::Http if self.passes_on() => Ok(()),
            Kind::Http => self.connect(&mut socket, &to.hostport).await,
            Kind::Socks5 => self.socks(&mut socket, host, *port).await,
        };
        opened.map_err(|error| Failure::Broken(format!("proxyconnect tcp: {error}")))?;
        Ok(socket)
    }
    /// RFC 9110, section 9.3.6.
    async fn connect(&self, socket: &mut Plain, to: &str) -> Result<(), String> {
        const LONGEST: usize = 64 << 10;
        let failed = |error: std::io::Error| error.to_string();
        let authorization = self.authorization();
        let authorization =
            authorization.map_or(String::new(), |value| format!("Proxy-Authorization: {value}\r\n"));
        let ask = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n{authorization}\r\n");
        socket.write_all(ask.as_bytes()).await.map_err(failed)?;
        let mut head = vec![];
        // Byte by byte: what is behind the head is the upstream's.
        while !head.ends_with(b"\r\n\r\n") && head.len() < LONGEST {
            head.push(socket.read_u8().await.map_err(failed)?);
        }
        let line = String::from_utf8_lossy(&head);
        let status = line.lines().next().and_then(|line| line.split_once(' ')).map(|(_, status)| status);
        match status {
            Some(status) if status.starts_with("200") => Ok(()),
            Some(status) => Err(status.split_once(' ').map_or(status, |(_, reason)| reason).into()),
            None => Err("malformed HTTP response".into()),
        }
    }
    /// RFC 1928 and 1929.
    async fn socks(&self, socket: &mut Plain, host: &str, port: u16) -> Result<(), String> {
        const VERSION: u8 = 5;
        const PASSWORD: u8 = 2;
        let failed = |error: std::io::Error| error.to_string();
        let methods: &[u8] = if self.user.is_some() { &[VERSION, 2, 0, PASSWORD] } else { &[VERSION, 1, 0] };
        socket.write_all(methods).await.map_err(failed)?;
        let mut chosen = [0; 2];
        socket.read_exact(&mut chosen).await.map_err(failed)?;
        match (chosen, &self.user) {
            ([VERSION, 0], _) => {}
            ([VERSION, PASSWORD], Some((name, password))) => {
                let short = |text: &str| u8::try_from(text.len()).map_err(|_| "invalid username/password");
                let mut ask = vec![1, short(name)?];
                ask.extend(name.bytes());
                ask.push(short(password)?);
                ask.extend(password.bytes());
                socket.write_all(&ask).await.map_err(failed)?;
                let mut answer = [0; 2];
                socket.read_exact(&mut answer).await.map_err(failed)?;
                if answer[1] != 0 {
                    return Err("username/password authentication failed".into());
                }
            }
            _ => return Err("no acceptable authentication methods".into()),
        }
        let mut ask = vec![VERSION, 1, 0];
        match host.parse() {
            Ok(IpAddr::V4(address)) => ask.extend([&[1][..], &address.octets()].concat()),
            Ok(IpAddr::V6(address)) => ask.extend([&[4][..], &address.octets()].concat()),
            Err(_) => {
                ask.extend([3, u8::try_from(host.len()).map_err(|_| "FQDN too long")?]);
                ask.extend(host.bytes());
            }
        }
        ask.extend(port.to_be_bytes());
        socket.write_all(&ask).await.map_err(failed)?;
        let mut answer = [0; 4];
        socket.read_exact(&mut answer).await.map_err(failed)?;
        if answer[1] != 0 {
            return Err(format!("socks connect: {}", socks_error(answer[1])));
        }
        // The address that it is bound to is of no interest.
        let length = match answer[3] {
            1 => size_of::<Ipv4Addr>(),
            4 => size_of::<Ipv6Addr>(),
            _ => socket.read_u8().await.map_err(failed)?.into(),
        };
        socket.read_exact(&mut vec![0; length + 2]).await.map_err(failed)?;
        Ok(())
    }
}
fn socks_error(code: u8) -> &'static str {
    match code {
        1 => "general SOCKS server failure",
        2 => "connection not allowed by ruleset",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "TTL expired",
        7 => "command not supported",
        8 => "address type not supported",
        _ => "unknown code",
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read() {
        let read =
            |text| Chosen::parse(text).map(|chosen| (chosen.kind, chosen.host, chosen.port, chosen.user));
        let user = Some(("me".to_owned(), "p@ss".to_owned()));
        assert_eq!(read("http://proxy:3128"), Ok((Kind::Http, "proxy".into(), 3128, None)));
        assert_eq!(read("proxy"), Ok((Kind::Http, "proxy".into(), 80, None)));
        assert_eq!(read("socks5://me:p%40ss@[::1]"), Ok((Kind::Socks5, "::1".into(), 1080, user)));
        assert_eq!(read(""), Err("empty value for network_proxy URL".into()));
        assert!(read("ftp://x").is_err() && read("https://x").is_err());
    }
    #[test]
    fn the_environment_may_exempt_hosts() {
        let list = ["*.wild.org", ".dot.org", "plain.org", "port.org:8080", "10.0.0.0/8", "192.0.2.1"];
        let environment =
            Environment { exempt: list.into_iter().map(Exempt::parse).collect(), ..Environment::default() };
        for (host, port, exempt) in [
            ("localhost", 1, true),
            ("127.9.9.9", 1, true),
            ("plain.org", 1, true),
            ("a.plain.org", 1, true),
            ("explain.org", 1, false),
            ("a.wild.org", 1, true),
            ("wild.org", 1, false),
            ("a.dot.org", 1, true),
            ("dot.org", 1, false),
            ("port.org", 8080, true),
            ("port.org", 80, false),
            ("10.1.2.3", 1, true),
            ("192.0.2.1", 1, true),
            ("192.0.2.2", 1, false),
        ] {
            assert_eq!(environment.exempts(host, port), exempt, "{host}:{port}");
        }
    }
}
