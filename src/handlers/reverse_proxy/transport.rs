//! How upstreams are reached: `http.reverse_proxy.transport.http`.
use super::{
    config::{HttpTransport, TlsConfig},
    forward::Failure,
    upstream::{Address, Place},
};
use crate::{
    http::{
        Exchange, Text,
        wire::{PoolKey, Pooling, Stream, Timeouts},
    },
    tls::{certificates_from_pem, trust_pool},
};
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
};
use std::{
    fmt, fs,
    hash::{Hash, Hasher},
    io,
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpSocket, TcpStream, UnixStream, lookup_host},
    time::timeout,
};
use tokio_rustls::TlsConnector;

const DIAL_TIMEOUT: Duration = Duration::from_secs(3);
const IDLE_TIMEOUT: Duration = Duration::from_secs(120);
const IDLE_PER_HOST: usize = 32;
const LONGEST_HEAD: usize = 10 << 20;

/// The HTTP transport, compiled.
#[derive(Debug)]
pub(super) struct Transport {
    tls: Option<Tls>,
    /// Tells its connections from those of transports that are configured otherwise.
    identity: u64,
    dial_timeout: Duration,
    timeouts: Timeouts,
    pub(super) response_header_timeout: Option<Duration>,
    /// Of a response's head, in bytes.
    pub(super) longest_head: usize,
    most_idle: usize,
    idle_timeout: Duration,
    /// Whether compressed responses are asked for on behalf of clients that do not.
    pub(super) compression: bool,
}
struct Tls {
    config: Arc<ClientConfig>,
    server_name: Option<Text>,
    handshake_timeout: Option<Duration>,
    except_ports: Vec<u16>,
}
impl Transport {
    /// # Errors
    /// What cannot be read, or does not run yet.
    pub(super) fn build(config: &HttpTransport) -> Result<Self, String> {
        for (set, what) in [
            (config.resolver.is_some(), "resolvers"),
            (config.max_conns_per_host > 0, "max_conns_per_host"),
            (!config.proxy_protocol.is_empty(), "proxy_protocol"),
            (!config.forward_proxy_url.is_empty() || config.network_proxy.is_some(), "network_proxy"),
            (!config.local_address.is_empty(), "local_address"),
        ] {
            if set {
                return Err(format!("transport http: {what} is not supported yet"));
            }
        }
        check_versions(&config.versions)?;
        let keep_alive = config.keep_alive.clone().unwrap_or_default();
        let or = |set: i64, default| usize::try_from(set).ok().filter(|&set| set > 0).unwrap_or(default);
        let mut identity = std::hash::DefaultHasher::new();
        serde_json::to_string(config).unwrap_or_default().hash(&mut identity);
        Ok(Self {
            tls: config.tls.as_ref().map(Tls::build).transpose()?,
            identity: identity.finish(),
            dial_timeout: config.dial_timeout.some().unwrap_or(DIAL_TIMEOUT),
            timeouts: Timeouts { read: config.read_timeout.some(), write: config.write_timeout.some() },
            response_header_timeout: config.response_header_timeout.some(),
            longest_head: usize::try_from(config.max_response_header_size)
                .ok()
                .filter(|&n| n > 0)
                .unwrap_or(LONGEST_HEAD),
            most_idle: match keep_alive.enabled {
                Some(false) => 0,
                _ => or(keep_alive.max_idle_conns_per_host, IDLE_PER_HOST),
            },
            idle_timeout: keep_alive.idle_timeout.some().unwrap_or(IDLE_TIMEOUT),
            compression: config.compression.unwrap_or(true),
        })
    }
    /// Whether upstreams of this transport are asked over TLS.
    pub(super) fn has_tls(&self) -> bool {
        self.tls.is_some()
    }
    /// What TLS is to call the upstream of a request, if the configuration has a name for it.
    pub(super) fn server_name(&self, x: &Exchange) -> Option<String> {
        let name = self.tls.as_ref()?.server_name.as_ref()?;
        Some(name.expand(x).into_owned())
    }
    /// Where connections to an address wait between requests.
    pub(super) fn pooling(&self, address: &Address, server_name: Option<&str>) -> Pooling {
        let mut key = std::hash::DefaultHasher::new();
        // A name that depends on the request must not find another name's connection.
        (self.identity, &address.text, server_name).hash(&mut key);
        Pooling { key: PoolKey(key.finish()), most_idle: self.most_idle, idle_timeout: self.idle_timeout }
    }
    /// A fresh connection.
    ///
    /// # Errors
    /// In Go's words, with the address. A handshake that fails is no failure to dial: what follows is another matter.
    pub(super) async fn dial(&self, address: &Address, server_name: Option<&str>) -> Result<Stream, Failure> {
        let connected = dial(address, self.dial_timeout).await.map_err(Failure::Dial)?;
        let stream = match (connected, &self.tls) {
            (Connected::Unix(socket), _) => Stream::unix(socket),
            (Connected::Tcp(socket), Some(tls)) if !tls.excepts(address) => {
                Stream::tls(tls.handshake(socket, server_name.unwrap_or(address.name())).await?)
            }
            (Connected::Tcp(socket), _) => Stream::tcp(socket),
        };
        Ok(stream.with_timeouts(self.timeouts))
    }
}
/// A fresh connection in the clear.
///
/// # Errors
/// In Go's words, with the address.
pub(super) async fn connected(address: &Address, within: Duration) -> Result<Stream, String> {
    Ok(match dial(address, within).await? {
        Connected::Tcp(socket) => Stream::tcp(socket),
        Connected::Unix(socket) => Stream::unix(socket),
    })
}
async fn dial(address: &Address, within: Duration) -> Result<Connected, String> {
    let (network, place) = match &address.place {
        Place::Tcp { .. } => ("tcp", address.text.as_str()),
        Place::Unix(path) => ("unix", path.as_str()),
    };
    let why = match timeout(within, connect(address)).await {
        Ok(Ok(connected)) => return Ok(connected),
        Ok(Err(error)) => format!("connect: {}", go_error(&error)),
        Err(_) => "i/o timeout".into(),
    };
    Err(format!("dial {network} {place}: {why}"))
}
enum Connected {
    Tcp(TcpStream),
    Unix(UnixStream),
}
async fn connect(address: &Address) -> io::Result<Connected> {
    match &address.place {
        Place::Unix(path) => UnixStream::connect(path).await.map(Connected::Unix),
        Place::Tcp { host, port } => {
            // Looked up each time, so that a container that has moved is found again.
            let mut last = io::Error::new(io::ErrorKind::NotFound, format!("lookup {host}: no such host"));
            for found in lookup_host((host.as_str(), *port)).await? {
                let socket = if found.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
                match socket.connect(found).await {
                    Ok(stream) => {
                        stream.set_nodelay(true)?;
                        return Ok(Connected::Tcp(stream));
                    }
                    Err(error) => last = error,
                }
            }
            Err(last)
        }
    }
}
/// As Go says it.
fn go_error(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".into(),
        io::ErrorKind::ConnectionReset => "connection reset by peer".into(),
        io::ErrorKind::NotFound if error.raw_os_error().is_some() => "no such file or directory".into(),
        io::ErrorKind::NetworkUnreachable => "network is unreachable".into(),
        io::ErrorKind::HostUnreachable => "no route to host".into(),
        _ => error.to_string(),
    }
}
/// HTTP/1.1 is spoken to all upstreams: those that could do more do it too.
fn check_versions(names: &[String]) -> Result<(), String> {
    for name in names {
        if !["1.1", "2", "h2c", "3"].contains(&name.as_str()) {
            return Err(format!("unsupported HTTP version: {name}, supported version: 1.1, 2, h2c, 3"));
        }
    }
    if names.is_empty() || names.iter().any(|name| name == "1.1") {
        return Ok(());
    }
    Err(format!("transport http: versions {} without 1.1 is not supported yet", names.join(" ")))
}
impl Tls {
    fn build(config: &TlsConfig) -> Result<Self, String> {
        for (set, what) in [
            (!config.client_certificate_automate.is_empty(), "tls_client_auth with automated certificates"),
            (!matches!(config.renegotiation.as_str(), "" | "never"), "tls_renegotiation"),
        ] {
            if set {
                return Err(format!("transport http: {what} is not supported"));
            }
        }
        let mut provider = aws_lc_rs::default_provider();
        if !config.curves.is_empty() {
            provider.kx_groups = crate::tls::key_exchanges(&config.curves)?;
        }
        let provider = Arc::new(provider);
        let builder = ClientConfig::builder_with_provider(provider.clone());
        let builder = builder.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
        let builder = if config.insecure_skip_verify {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Unverified(provider)))
        } else {
            builder.with_root_certificates(roots(config)?)
        };
        let mut client =
            match (config.client_certificate_file.as_str(), config.client_certificate_key_file.as_str()) {
                ("", "") => builder.with_no_client_auth(),
                (certificate, key) => {
                    let read = |file: &str| fs::read(file).map_err(|error| format!("{file}: {error}"));
                    let chain = certificates_from_pem(&read(certificate)?)?;
                    let key = PrivateKeyDer::from_pem_slice(&read(key)?)
                        .map_err(|error| format!("{key}: {error}"))?;
                    builder.with_client_auth_cert(chain, key).map_err(|error| error.to_string())?
                }
            };
        client.alpn_protocols.push(b"http/1.1".to_vec());
        let port = |port: &String| port.parse().map_err(|_| format!("not a port: {port}"));
        Ok(Self {
            config: Arc::new(client),
            server_name: (!config.server_name.is_empty()).then(|| Text::new(&config.server_name)),
            handshake_timeout: config.handshake_timeout.some(),
            except_ports: config.except_ports.iter().map(port).collect::<Result<_, _>>()?,
        })
    }
    fn excepts(&self, address: &Address) -> bool {
        matches!(&address.place, Place::Tcp { port, .. } if self.except_ports.contains(port))
    }
    async fn handshake(
        &self,
        socket: TcpStream,
        name: &str,
    ) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Failure> {
        let broken = |error: &dyn fmt::Display| Failure::Broken(format!("tls: {error}"));
        let name = ServerName::try_from(name.to_owned()).map_err(|error| broken(&error))?;
        let handshake = TlsConnector::from(self.config.clone()).connect(name, socket);
        let done = match self.handshake_timeout {
            None => handshake.await,
            Some(limit) => timeout(limit, handshake)
                .await
                .map_err(|_| Failure::Timeout("net/http: TLS handshake timeout".into()))?,
        };
        done.map_err(|error| broken(&error))
    }
}
fn roots(config: &TlsConfig) -> Result<RootCertStore, String> {
    let mut certificates = vec![];
    if let Some(ca) = &config.ca {
        certificates.extend(trust_pool(ca)?);
    }
    for file in &config.root_ca_pem_files {
        let pem = fs::read(file).map_err(|error| format!("{file}: {error}"))?;
        certificates.extend(certificates_from_pem(&pem).map_err(|error| format!("{file}: {error}"))?);
    }
    let inline = serde_json::json!({ "provider": "inline", "trusted_ca_certs": config.root_ca_pool });
    certificates.extend(trust_pool(&inline)?);
    let mut store = RootCertStore::empty();
    if config.ca.is_none() && certificates.is_empty() {
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    for certificate in certificates {
        store.add(certificate).map_err(|error| format!("trusted certificate: {error}"))?;
    }
    Ok(store)
}
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tls({:?})", self.server_name)
    }
}
/// `insecure_skip_verify`: whoever answers is believed.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);
impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
