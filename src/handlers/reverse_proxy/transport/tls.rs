//! TLS towards upstreams: `transport http { tls … }`.
use super::super::{
    config::TlsConfig,
    forward::Failure,
    upstream::{Address, Place},
};
use crate::{
    http::{Text, wire::Plain},
    tls::{certificates_from_pem, trust_pool},
};
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
};
use std::{fmt, fs, sync::Arc, time::Duration};
use tokio::time::timeout;
use tokio_rustls::{TlsConnector, client::TlsStream};

pub(super) struct Tls {
    /// With HTTP/2 among the protocols, where it is wanted.
    config: Arc<ClientConfig>,
    /// For requests that go over HTTP/1.1 alone.
    http1: Arc<ClientConfig>,
    pub(super) server_name: Option<Text>,
    handshake_timeout: Option<Duration>,
    except_ports: Vec<u16>,
}
impl Tls {
    /// `h2`: whether HTTP/2 is offered.
    ///
    /// # Errors
    /// What cannot be read, or does not run yet.
    pub(super) fn build(config: &TlsConfig, h2: bool) -> Result<Self, String> {
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
        let http1 = Arc::new(client.clone());
        if h2 {
            client.alpn_protocols.insert(0, b"h2".to_vec());
        }
        let port = |port: &String| port.parse().map_err(|_| format!("not a port: {port}"));
        Ok(Self {
            config: Arc::new(client),
            http1,
            server_name: (!config.server_name.is_empty()).then(|| Text::new(&config.server_name)),
            handshake_timeout: config.handshake_timeout.some(),
            except_ports: config.except_ports.iter().map(port).collect::<Result<_, _>>()?,
        })
    }
    /// Whether an upstream is asked in the clear all the same.
    pub(super) fn excepts(&self, address: &Address) -> bool {
        matches!(&address.place, Place::Tcp { port, .. } if self.except_ports.contains(port))
    }
    /// Whether HTTP/2 is among the protocols.
    pub(super) fn offers_h2(&self) -> bool {
        self.config.alpn_protocols.len() > 1
    }
    /// # Errors
    /// In Go's words. The handshake is no part of dialling: what follows is another matter.
    pub(super) async fn handshake(
        &self,
        socket: Plain,
        name: &str,
        http1_only: bool,
    ) -> Result<TlsStream<Plain>, Failure> {
        let broken = |error: &dyn fmt::Display| Failure::Broken(format!("tls: {error}"));
        let name = ServerName::try_from(name.to_owned()).map_err(|error| broken(&error))?;
        let config = if http1_only { &self.http1 } else { &self.config };
        let handshake = TlsConnector::from(config.clone()).connect(name, socket);
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
