//! How upstreams are reached: `http.reverse_proxy.transport.http`.
mod dial;
mod through;
mod tls;
use super::{
    config::HttpTransport,
    forward::Failure,
    upstream::{Address, Place},
};
use crate::{
    config::NetworkAddress,
    http::{
        Exchange,
        wire::{Limit, Permit, PoolKey, Pooling, Stream, Timeouts},
    },
    net::dns,
    state::State,
};
use dial::Dialer;
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use through::{Chosen, Through};
use tls::Tls;

const DIAL_TIMEOUT: Duration = Duration::from_secs(3);
const FALLBACK_DELAY: Duration = Duration::from_millis(300);
const PROBE_INTERVAL: Duration = Duration::from_secs(30);
const IDLE_TIMEOUT: Duration = Duration::from_secs(120);
const IDLE_PER_HOST: usize = 32;
const LONGEST_HEAD: usize = 10 << 20;

/// The HTTP transport, compiled.
#[derive(Debug)]
pub(super) struct Transport {
    tls: Option<Tls>,
    /// HTTP/2 is spoken in the clear, to all upstreams without TLS.
    h2c: bool,
    /// Tells its connections from those of transports that are configured otherwise.
    identity: u64,
    dialer: Dialer,
    through: Through,
    timeouts: Timeouts,
    pub(super) response_header_timeout: Option<Duration>,
    /// How long a body waits for the upstream to want it, where the client asks for that; `None`: not at all.
    pub(super) expect_continue_timeout: Option<Duration>,
    /// Of a response's head, in bytes.
    pub(super) longest_head: usize,
    most_idle: usize,
    most_idle_in_all: usize,
    idle_timeout: Duration,
    /// Whether compressed responses are asked for on behalf of clients that do not.
    pub(super) compression: bool,
    /// Connections to one upstream at once; 0: no limit.
    most_connections: usize,
    limits: Arc<Limits>,
}
/// Outlive a reload, as the connections do.
type Limits = Mutex<HashMap<PoolKey, Arc<Limit>>>;
/// What one request wants of a connection: those that differ in it are not exchangeable.
pub(super) struct Way<'a> {
    pub(super) address: &'a Address,
    /// What TLS calls the upstream, if it is another name than its own.
    server_name: Option<String>,
    /// Whom the upstream is told of by the PROXY protocol, where it is.
    client: Option<IpAddr>,
    /// The proxy in between, if there is one.
    through: Option<Chosen>,
    /// Only HTTP/1.1 will do.
    http1_only: bool,
}
impl Way<'_> {
    /// What an HTTP proxy in between wants to know, where it is to pass the request on itself.
    pub(super) fn asks_proxy(&self) -> Option<&Chosen> {
        self.through.as_ref().filter(|through| through.passes_on())
    }
}
impl Transport {
    /// # Errors
    /// What cannot be read, or does not run yet.
    pub(super) fn build(config: &HttpTransport, state: &State) -> Result<Self, String> {
        let versions = Versions::read(&config.versions)?;
        let keep_alive = config.keep_alive.clone().unwrap_or_default();
        let or = |set: i64, default| usize::try_from(set).ok().filter(|&set| set > 0).unwrap_or(default);
        let mut identity = DefaultHasher::new();
        serde_json::to_string(config).unwrap_or_default().hash(&mut identity);
        let identity = identity.finish();
        let proxy_protocol = match config.proxy_protocol.as_str() {
            "" => None,
            "v1" => Some(dial::ProxyProtocol::V1),
            "v2" => Some(dial::ProxyProtocol::V2),
            _ => return Err("unexpected proxy protocol version".into()),
        };
        let fallback = config.dial_fallback_delay.0;
        let probes = keep_alive.probe_interval.0;
        let dialer = Dialer {
            timeout: config.dial_timeout.some().unwrap_or(DIAL_TIMEOUT),
            fallback_delay: if fallback == 0 {
                Some(FALLBACK_DELAY)
            } else {
                config.dial_fallback_delay.some()
            },
            probe_interval: if probes == 0 { Some(PROBE_INTERVAL) } else { keep_alive.probe_interval.some() },
            local: local_address(&config.local_address)?,
            resolver: resolver(config.resolver.as_ref().map(|resolver| &*resolver.addresses))?,
            proxy_protocol,
        };
        Ok(Self {
            tls: config.tls.as_ref().map(|tls| Tls::build(tls, versions.h2)).transpose()?,
            h2c: versions.h2c,
            identity,
            dialer,
            through: Through::build(config)?,
            timeouts: Timeouts { read: config.read_timeout.some(), write: config.write_timeout.some() },
            response_header_timeout: config.response_header_timeout.some(),
            expect_continue_timeout: config.expect_continue_timeout.some(),
            longest_head: or(config.max_response_header_size, LONGEST_HEAD),
            most_idle: match keep_alive.enabled {
                Some(false) => 0,
                _ => or(keep_alive.max_idle_conns_per_host, IDLE_PER_HOST),
            },
            most_idle_in_all: or(keep_alive.max_idle_conns, 0),
            idle_timeout: keep_alive.idle_timeout.some().unwrap_or(IDLE_TIMEOUT),
            compression: config.compression.unwrap_or(true),
            most_connections: or(config.max_conns_per_host, 0),
            limits: state.get_or(&format!("reverse_proxy/limits/{identity}"), Limits::default),
        })
    }
    /// Whether upstreams of this transport are asked over TLS.
    pub(super) fn has_tls(&self) -> bool {
        self.tls.is_some()
    }
    /// Whether connections are used again.
    pub(super) fn keeps_alive(&self) -> bool {
        self.most_idle > 0
    }
    /// How a request gets to an upstream. `http1_only`: it cannot go over HTTP/2.
    pub(super) fn way<'a>(
        &self,
        x: &Exchange,
        address: &'a Address,
        http1_only: bool,
    ) -> Result<Way<'a>, Failure> {
        let tls = self.tls_to(address);
        Ok(Way {
            address,
            server_name: tls.and_then(|tls| Some(tls.server_name.as_ref()?.expand(x).into_owned())),
            client: x.client_ip.filter(|_| self.dialer.proxy_protocol.is_some()),
            through: self.through.choose(x, address, tls.is_some()).map_err(Failure::Broken)?,
            http1_only: http1_only && tls.is_some(),
        })
    }
    fn tls_to(&self, address: &Address) -> Option<&Tls> {
        self.tls.as_ref().filter(|tls| !tls.excepts(address))
    }
    /// Whether HTTP/2 is spoken to an upstream without asking it first.
    pub(super) fn is_h2c(&self, address: &Address) -> bool {
        self.h2c && self.tls_to(address).is_none()
    }
    /// Whether HTTP/2 may be what comes of it.
    pub(super) fn may_speak_h2(&self, way: &Way<'_>) -> bool {
        match self.tls_to(way.address) {
            Some(tls) => tls.offers_h2() && !way.http1_only,
            None => self.h2c,
        }
    }
    /// Where connections wait between requests.
    pub(super) fn pooling(&self, way: &Way<'_>) -> Pooling {
        let mut key = self.identity ^ way.address.hash.rotate_left(32);
        let Way { server_name, client, through, http1_only, .. } = way;
        // As most often, that is all.
        if server_name.is_some() || client.is_some() || through.is_some() || *http1_only {
            let mut hasher = DefaultHasher::new();
            (key, server_name, client, through, http1_only).hash(&mut hasher);
            key = hasher.finish();
        }
        Pooling {
            key: PoolKey(key),
            most_idle: self.most_idle,
            idle_timeout: self.idle_timeout,
            owner: self.identity,
            most_of_owner: self.most_idle_in_all,
        }
    }
    /// Where connections to an upstream are counted, if their number is limited.
    pub(super) fn limit(&self, pooling: &Pooling) -> Option<Arc<Limit>> {
        if self.most_connections == 0 {
            return None;
        }
        let mut limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = limits.entry(pooling.key).or_insert_with(|| Arc::new(Limit::new(self.most_connections)));
        Some(limit.clone())
    }
    /// A fresh connection.
    ///
    /// # Errors
    /// In Go's words, with the address. A handshake that fails is no failure to dial: what follows is another matter.
    pub(super) async fn dial(&self, way: &Way<'_>, permit: Option<Permit>) -> Result<Stream, Failure> {
        let address = way.address;
        let socket = match &way.through {
            None => self.dialer.dial(address, way.client).await?,
            Some(through) => through.dial(&self.dialer, address, way.client).await?,
        };
        let stream = match self.tls_to(address) {
            None => Stream::clear(socket),
            Some(tls) => {
                let name = way.server_name.as_deref().unwrap_or(address.name());
                Stream::tls(tls.handshake(socket, name, way.http1_only).await?)
            }
        };
        Ok(stream.with_timeouts(self.timeouts).with_permit(permit))
    }
}
/// A fresh connection in the clear, of those who speak another protocol on it.
///
/// # Errors
/// In Go's words, with the address.
pub(super) async fn connected(address: &Address, within: Duration) -> Result<Stream, String> {
    Dialer::plain(within).dial(address, None).await.map(Stream::clear).map_err(|failure| failure.message())
}
/// The versions of HTTP that are spoken. HTTP/1.1 is always among them, except in the clear where there is `h2c`.
struct Versions {
    /// Over TLS, if the upstream agrees.
    h2: bool,
    h2c: bool,
}
impl Versions {
    fn read(names: &[String]) -> Result<Self, String> {
        for name in names {
            if !["1.1", "2", "h2c", "3"].contains(&name.as_str()) {
                return Err(format!("unsupported HTTP version: {name}, supported version: 1.1, 2, h2c, 3"));
            }
        }
        let has = |version: &str| names.iter().any(|name| name == version);
        match (has("3"), names.len()) {
            (true, 1) => Err("transport http: versions 3 is not supported yet".into()),
            (true, _) => {
                Err("if HTTP/3 is enabled to the upstream, no other HTTP versions are supported".into())
            }
            _ => Ok(Self { h2: names.is_empty() || has("2") || has("h2c"), h2c: has("h2c") }),
        }
    }
}
/// DNS servers; the port is 53 if there is none.
pub(super) fn resolver(addresses: Option<&[String]>) -> Result<dns::Resolver, String> {
    let server = |text: &String| {
        let address = NetworkAddress::parse(text, "udp", 53)?;
        if address.start_port != address.end_port {
            return Err(format!("resolver address must have exactly one address; cannot call {address}"));
        }
        let ip = address.host.parse();
        let ip: IpAddr =
            ip.map_err(|_| format!("resolver {text}: only addresses are supported, not names"))?;
        Ok((ip, address.start_port).into())
    };
    let servers = addresses.unwrap_or_default().iter().map(server).collect::<Result<_, String>>()?;
    Ok(dns::Resolver { servers, timeout: None })
}
fn local_address(text: &str) -> Result<Option<IpAddr>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let address = NetworkAddress::parse(text, "tcp", 0)?;
    if address.start_port != address.end_port {
        return Err("local_address must be a single address, not a port range".into());
    }
    match address.network.as_str() {
        "tcp" | "tcp4" | "tcp6" => {
            let ip = address.host.parse().map_err(|_| format!("local_address {text}: not an address"))?;
            Ok(Some(ip))
        }
        "udp" | "udp4" | "udp6" => Err("local_address must be a TCP address, not a UDP address".into()),
        _ => Err("unsupported network".into()),
    }
}
/// As Go says it.
fn go_error(error: &std::io::Error) -> String {
    use std::io::ErrorKind as K;
    match error.kind() {
        K::ConnectionRefused => "connection refused".into(),
        K::ConnectionReset => "connection reset by peer".into(),
        K::NotFound if error.raw_os_error().is_some() => "no such file or directory".into(),
        K::NetworkUnreachable => "network is unreachable".into(),
        K::HostUnreachable => "no route to host".into(),
        K::AddrNotAvailable => "cannot assign requested address".into(),
        _ => error.to_string(),
    }
}
/// `network host:port`, as Go shows whom it has dialled.
fn shown(address: &Address) -> String {
    match &address.place {
        Place::Tcp { .. } => format!("tcp {}", address.text),
        Place::Unix(path) => format!("unix {path}"),
    }
}
