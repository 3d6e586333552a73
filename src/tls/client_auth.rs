//! Client certificates, in all of Caddy's modes.
use super::keys::certificates_from_pem;
use base64::{Engine, engine::general_purpose::STANDARD};
use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, OtherError, RootCertStore, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, UnixTime},
    server::{
        WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};
use serde::Deserialize;
use serde_json::Value;
use std::{fs, sync::Arc};

/// JSON: `client_authentication`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ClientAuth {
    /// A trust pool.
    ca: Option<Value>,
    /// Base64 of DER.
    trusted_ca_certs: Vec<String>,
    trusted_ca_certs_pem_files: Vec<String>,
    /// Base64 of DER.
    trusted_leaf_certs: Vec<String>,
    verifiers: Vec<Value>,
    mode: String,
}
/// How a handshake asks for certificates; `None` if it does not.
///
/// # Errors
/// An unknown mode, a certificate that cannot be read, a source that does not run yet.
pub(super) fn verifier(
    config: Option<&Value>,
    provider: Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, String> {
    let Some(config) = config else { return Ok(None) };
    let config =
        ClientAuth::deserialize(config).map_err(|error| format!("client_authentication: {error}"))?;
    let cas = authorities(&config)?;
    let mut leaves = base64(&config.trusted_leaf_certs)?;
    for verifier in &config.verifiers {
        leaves.extend(leaf_verifier(verifier)?);
    }
    let verifies = !cas.is_empty() || !leaves.is_empty();
    let (mandatory, check) = match config.mode.as_str() {
        "" if !verifies && config.mode.is_empty() && config.ca.is_none() => return Ok(None),
        "" | "require_and_verify" if verifies => (true, true),
        "" | "require" => (true, false),
        "request" => (false, false),
        "verify_if_given" => (false, true),
        "require_and_verify" => (true, true),
        other => return Err(format!("client auth mode not recognized: {other}")),
    };
    let mut roots = RootCertStore::empty();
    for ca in cas {
        roots.add(ca).map_err(|error| format!("trusted CA certificate: {error}"))?;
    }
    let chain = if check && !roots.is_empty() {
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        let builder = if mandatory { builder } else { builder.allow_unauthenticated() };
        Some(builder.build().map_err(|error| error.to_string())?)
    } else if check && leaves.is_empty() {
        return Err("client authentication is to verify certificates, but trusts none".into());
    } else {
        None
    };
    Ok(Some(Arc::new(Verifier { mandatory, chain, leaves, provider })))
}
fn authorities(config: &ClientAuth) -> Result<Vec<CertificateDer<'static>>, String> {
    let mut found = base64(&config.trusted_ca_certs)?;
    for file in &config.trusted_ca_certs_pem_files {
        found.extend(from_file(file)?);
    }
    if let Some(pool) = &config.ca {
        found.extend(trust_pool(pool)?);
    }
    Ok(found)
}
/// The certificates of a `tls.ca_pool.source` module.
///
/// # Errors
/// One that cannot be read, or a source that does not run yet.
pub fn trust_pool(pool: &Value) -> Result<Vec<CertificateDer<'static>>, String> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Pool {
        provider: String,
        trusted_ca_certs: Vec<String>,
        pem_files: Vec<String>,
        sources: Vec<Value>,
    }
    let pool = Pool::deserialize(pool).map_err(|error| format!("trust pool: {error}"))?;
    match pool.provider.as_str() {
        "inline" => base64(&pool.trusted_ca_certs),
        "file" => collect(pool.pem_files.iter().map(|file| from_file(file))),
        "combined" => collect(pool.sources.iter().map(trust_pool)),
        "system" => Ok(rustls_native_certs::load_native_certs().certs),
        other => Err(format!("trust pool tls.ca_pool.source.{other} is not supported yet")),
    }
}
fn leaf_verifier(verifier: &Value) -> Result<Vec<CertificateDer<'static>>, String> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Leaf {
        verifier: String,
        leaf_certs_loaders: Vec<Loader>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Loader {
        loader: String,
        files: Vec<String>,
        certificates: Vec<String>,
    }
    let leaf = Leaf::deserialize(verifier).map_err(|error| format!("verifier: {error}"))?;
    if leaf.verifier != "leaf" {
        return Err(format!("unknown module: tls.client_auth.verifier.{}", leaf.verifier));
    }
    collect(leaf.leaf_certs_loaders.iter().map(|loader| match loader.loader.as_str() {
        "file" => collect(loader.files.iter().map(|file| from_file(file))),
        "pem" => collect(loader.certificates.iter().map(|pem| certificates_from_pem(pem.as_bytes()))),
        other => Err(format!("tls.leaf_cert_loader.{other} is not supported yet")),
    }))
}
type Found = Result<Vec<CertificateDer<'static>>, String>;
fn collect(parts: impl Iterator<Item = Found>) -> Found {
    Ok(parts.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}
fn from_file(file: &str) -> Found {
    let pem = fs::read(file).map_err(|error| format!("{file}: {error}"))?;
    certificates_from_pem(&pem).map_err(|error| format!("{file}: {error}"))
}
fn base64(texts: &[String]) -> Found {
    let decode = |text: &String| STANDARD.decode(text).map(CertificateDer::from);
    texts
        .iter()
        .map(decode)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("trusted certificate: {error}"))
}

#[derive(Debug)]
struct Verifier {
    mandatory: bool,
    /// Who checks the chain, if it is to be checked.
    chain: Option<Arc<dyn ClientCertVerifier>>,
    /// The certificate itself must be one of these, if there are any.
    leaves: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}
impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.as_ref().map_or(&[], |chain| chain.root_hint_subjects())
    }
    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if let Some(chain) = &self.chain {
            chain.verify_client_cert(leaf, intermediates, now)?;
        }
        if self.leaves.is_empty() || self.leaves.iter().any(|known| **known == **leaf) {
            return Ok(ClientCertVerified::assertion());
        }
        Err(Error::Other(OtherError(Arc::new(std::io::Error::other(
            "client leaf certificate failed validation",
        )))))
    }
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
