//! Connections: names are looked up each time, so that a container that has moved is found again, and both families of
//! addresses get their chance (RFC 8305, as Go does it).
use super::{
    super::{
        forward::Failure,
        upstream::{Address, Place},
    },
    FALLBACK_DELAY, PROBE_INTERVAL, go_error, shown,
};
use crate::{
    http::wire::Plain,
    net::dns::{Family, Resolver},
};
use socket2::{SockRef, TcpKeepalive};
use std::{
    fmt::Write as _,
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    time::Duration,
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream, UnixStream},
    time::{Instant, sleep, timeout, timeout_at},
};

/// What a connection is made with.
#[derive(Debug)]
pub(super) struct Dialer {
    /// For the lookup and all addresses together.
    pub(super) timeout: Duration,
    /// How long addresses of the first family have for themselves; `None`: until they have failed.
    pub(super) fallback_delay: Option<Duration>,
    /// Of TCP's own keep-alive; `None`: there is none.
    pub(super) probe_interval: Option<Duration>,
    pub(super) local: Option<IpAddr>,
    pub(super) resolver: Resolver,
    pub(super) proxy_protocol: Option<ProxyProtocol>,
}
/// What is said of the client before anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProxyProtocol {
    V1,
    V2,
}
impl Dialer {
    /// One with nothing special about it.
    pub(super) fn plain(timeout: Duration) -> Self {
        Self {
            timeout,
            fallback_delay: Some(FALLBACK_DELAY),
            probe_interval: Some(PROBE_INTERVAL),
            local: None,
            resolver: Resolver::default(),
            proxy_protocol: None,
        }
    }
    /// # Errors
    /// In Go's words, with the address.
    pub(super) async fn dial(&self, address: &Address, client: Option<IpAddr>) -> Result<Plain, Failure> {
        let failed = |why: String| Failure::Dial(format!("dial {}: {why}", shown(address)));
        let connected = match timeout(self.timeout, self.connect(address)).await {
            Ok(connected) => connected.map_err(failed)?,
            Err(_) => return Err(failed("i/o timeout".into())),
        };
        self.introduce(connected, client).await.map_err(|error| failed(go_error(&error)))
    }
    async fn introduce(&self, mut socket: Plain, client: Option<IpAddr>) -> io::Result<Plain> {
        if let Some(version) = self.proxy_protocol {
            socket.write_all(&version.header(client)).await?;
        }
        Ok(socket)
    }
    async fn connect(&self, address: &Address) -> Result<Plain, String> {
        let failed = |error: &io::Error| format!("connect: {}", go_error(error));
        let (host, port) = match &address.place {
            Place::Unix(path) => {
                let socket = UnixStream::connect(path).await;
                return socket.map(Plain::Unix).map_err(|error| failed(&error));
            }
            Place::Tcp { host, port } => (host, *port),
        };
        let family = match address.network() {
            "tcp4" => Family::V4,
            "tcp6" => Family::V6,
            _ => Family::Any,
        };
        let deadline = Instant::now() + self.timeout;
        let found = self.resolver.addresses(host, family).await?;
        let found: Vec<_> = found.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
        let first_is_v4 = found.first().is_some_and(SocketAddr::is_ipv4);
        let (first, second): (Vec<_>, Vec<_>) = found.iter().partition(|at| at.is_ipv4() == first_is_v4);
        let in_turn = |all| self.one_of(all, deadline);
        let connected = match self.fallback_delay.filter(|_| !second.is_empty()) {
            Some(delay) => race(in_turn(first), in_turn(second), delay).await,
            None => self.one_of(found, deadline).await,
        };
        connected.map(Plain::Tcp).map_err(|error| failed(&error))
    }
    /// The first of some addresses that answers. Each has its share of the time that is left.
    async fn one_of(&self, addresses: Vec<SocketAddr>, deadline: Instant) -> io::Result<TcpStream> {
        /// Less than that is no time to connect in.
        const LEAST: Duration = Duration::from_secs(2);
        let mut first_error = None;
        for (at, address) in addresses.iter().enumerate() {
            let left = deadline.saturating_duration_since(Instant::now());
            let share = left / u32::try_from(addresses.len() - at).unwrap_or(u32::MAX);
            let end = Instant::now() + share.max(LEAST.min(left));
            let error = match timeout_at(end, self.connect_to(*address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => error,
                Err(_) => io::ErrorKind::TimedOut.into(),
            };
            first_error = first_error.or(Some(error));
        }
        Err(first_error.unwrap_or_else(|| io::ErrorKind::NotFound.into()))
    }
    async fn connect_to(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(local) = self.local {
            socket.bind((local, 0).into())?;
        }
        let stream = socket.connect(address).await?;
        stream.set_nodelay(true)?;
        if let Some(interval) = self.probe_interval {
            /// Go's.
            const IDLE: Duration = Duration::from_secs(15);
            let probes = TcpKeepalive::new().with_time(IDLE).with_interval(interval);
            SockRef::from(&stream).set_tcp_keepalive(&probes)?;
        }
        Ok(stream)
    }
}
/// `second` begins when `first` has taken too long, or has failed; who is there first is taken.
async fn race(
    first: impl Future<Output = io::Result<TcpStream>>,
    second: impl Future<Output = io::Result<TcpStream>>,
    delay: Duration,
) -> io::Result<TcpStream> {
    let (mut first, mut second) = (pin!(first), pin!(second));
    tokio::select! {
        biased;
        outcome = &mut first => {
            let Err(error) = outcome else { return outcome };
            return second.await.map_err(|_| error);
        }
        () = sleep(delay) => {}
    }
    tokio::select! {
        outcome = &mut first => match outcome {
            Err(error) => second.await.map_err(|_| error),
            connected => connected,
        },
        outcome = &mut second => match outcome {
            Err(_) => first.await,
            connected => connected,
        },
    }
}
impl ProxyProtocol {
    /// The header (HAProxy's proxy-protocol.txt) that tells of a client. Its port is not known and where it has connected
    /// to is of no interest, so both are zero, as in Caddy. Without a client the connection is the proxy's own.
    fn header(self, client: Option<IpAddr>) -> Vec<u8> {
        const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
        let client = client.map(|client| client.to_canonical());
        match (self, client) {
            (Self::V1, None) => b"PROXY UNKNOWN\r\n".to_vec(),
            (Self::V1, Some(client)) => {
                let (family, zero) = if client.is_ipv4() { ("TCP4", "0.0.0.0") } else { ("TCP6", "::") };
                let mut line = String::new();
                // Writing to memory does not fail.
                write!(line, "PROXY {family} {client} {zero} 0 0\r\n").ok();
                line.into_bytes()
            }
            (Self::V2, None) => [SIGNATURE, &[0x20, 0, 0, 0]].concat(),
            (Self::V2, Some(IpAddr::V4(client))) => {
                [SIGNATURE, &[0x21, 0x11, 0, 12], &client.octets(), &[0; 8]].concat()
            }
            (Self::V2, Some(IpAddr::V6(client))) => {
                [SIGNATURE, &[0x21, 0x21, 0, 36], &client.octets(), &[0; 20]].concat()
            }
        }
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    fn dialer() -> Dialer {
        Dialer::plain(Duration::from_secs(10))
    }
    #[test]
    fn a_client_is_introduced() {
        let header = |version: ProxyProtocol, client: &str| version.header(client.parse().ok());
        let v1 = |client| String::from_utf8(header(ProxyProtocol::V1, client)).unwrap();
        assert_eq!(v1("192.0.2.1"), "PROXY TCP4 192.0.2.1 0.0.0.0 0 0\r\n");
        assert_eq!(v1("::ffff:192.0.2.1"), "PROXY TCP4 192.0.2.1 0.0.0.0 0 0\r\n");
        assert_eq!(v1("2001:db8::1"), "PROXY TCP6 2001:db8::1 :: 0 0\r\n");
        assert_eq!(v1("@"), "PROXY UNKNOWN\r\n");
        let v2 = header(ProxyProtocol::V2, "192.0.2.1");
        assert_eq!(v2[..12], *b"\r\n\r\n\0\r\nQUIT\n");
        assert_eq!(v2[12..], [0x21, 0x11, 0, 12, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(header(ProxyProtocol::V2, "2001:db8::1").len(), 16 + 36);
        assert_eq!(header(ProxyProtocol::V2, "@")[12..], [0x20, 0, 0, 0]);
    }
    #[tokio::test]
    async fn the_first_address_that_answers_is_taken() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        let closed = SocketAddr::from(([127, 0, 0, 1], 1));
        let deadline = Instant::now() + Duration::from_secs(10);
        let stream = dialer().one_of(vec![closed, good], deadline).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good);
        let error = dialer().one_of(vec![closed], deadline).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
    #[tokio::test]
    async fn the_other_family_gets_its_chance() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = || TcpStream::connect(listener.local_addr().unwrap());
        let never = || std::future::pending::<io::Result<TcpStream>>();
        let fails = || async { Err(io::Error::from(io::ErrorKind::ConnectionRefused)) };
        let soon = Duration::from_millis(1);
        let long = Duration::from_secs(3600);
        assert!(race(never(), good(), soon).await.is_ok(), "who takes too long");
        assert!(race(fails(), good(), long).await.is_ok(), "who fails");
        assert!(race(good(), never(), long).await.is_ok());
        let error = race(fails(), never(), long);
        assert!(timeout(soon, error).await.is_err());
        assert!(race(fails(), fails(), soon).await.is_err());
    }
    #[tokio::test]
    async fn an_address_of_ones_own_is_used() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let local = Some(IpAddr::from([127, 0, 0, 9]));
        let dialer = Dialer { local, ..dialer() };
        let _stream = dialer.connect_to(listener.local_addr().unwrap()).await.unwrap();
        assert_eq!(listener.accept().await.unwrap().1.ip(), IpAddr::from([127, 0, 0, 9]));
    }
}
