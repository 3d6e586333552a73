//! Client certificates, in all of Caddy's modes.
use super::{Authority, app::pem_files, keys::certificates_from_pem};
use crate::storage::Storage;
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
use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

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
/// What a configuration has that pools and loaders may name.
#[derive(Clone)]
pub(super) struct Sources {
    pub(super) storage: Arc<dyn Storage>,
    /// The authorities of the `pki` app, by id.
    pub(super) authorities: BTreeMap<String, Arc<Authority>>,
}
/// How a handshake asks for certificates; `None` if it does not.
///
/// # Errors
/// An unknown mode, a certificate that cannot be read, a source that does not run yet.
pub(super) fn verifier(
    config: Option<&Value>,
    provider: Arc<CryptoProvider>,
    sources: &Sources,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, String> {
    let Some(config) = config else { return Ok(None) };
    let config = crate::config::decode::<ClientAuth, _>(config)
        .map_err(|error| format!("client_authentication: {error}"))?;
    let cas = authorities(&config, sources)?;
    let mut leaves = base64(&config.trusted_leaf_certs)?;
    for verifier in &config.verifiers {
        leaves.extend(leaf_verifier(verifier, &*sources.storage)?);
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
fn authorities(config: &ClientAuth, sources: &Sources) -> Found {
    let mut found = base64(&config.trusted_ca_certs)?;
    for file in &config.trusted_ca_certs_pem_files {
        found.extend(from_file(file)?);
    }
    if let Some(pool) = &config.ca {
        found.extend(pool_of(pool, Some(sources))?);
    }
    Ok(found)
}
/// The certificates of a `tls.ca_pool.source` module that is no part of a configuration's TLS.
///
/// # Errors
/// One that cannot be read, or a source that does not run (here).
pub fn trust_pool(pool: &Value) -> Found {
    pool_of(pool, None)
}
fn pool_of(pool: &Value, sources: Option<&Sources>) -> Found {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Pool {
        provider: String,
        trusted_ca_certs: Vec<String>,
        pem_files: Vec<String>,
        sources: Vec<Value>,
        authority: Vec<String>,
        pem_keys: Vec<String>,
        storage: Option<Value>,
    }
    let pool = crate::config::decode::<Pool, _>(pool).map_err(|error| format!("trust pool: {error}"))?;
    match (pool.provider.as_str(), sources) {
        ("inline", _) => base64(&pool.trusted_ca_certs),
        ("file", _) => collect(pool.pem_files.iter().map(|file| from_file(file))),
        ("combined", _) => collect(pool.sources.iter().map(|source| pool_of(source, sources))),
        ("system", _) => Ok(rustls_native_certs::load_native_certs().certs),
        (which @ ("pki_root" | "pki_intermediate"), Some(sources)) => {
            collect(pool.authority.iter().map(|id| {
                let authority = sources.authorities.get(id);
                let authority = authority.ok_or_else(|| format!("certificate authority not found: {id}"))?;
                let (root, intermediate) = authority.certificates()?;
                let pem = if which == "pki_root" { root } else { intermediate };
                certificates_from_pem(pem.as_bytes())
            }))
        }
        ("storage", Some(sources)) if pool.storage.is_none() => {
            collect(pool.pem_keys.iter().map(|key| from_storage(key, &*sources.storage)))
        }
        (other, _) => Err(format!("trust pool tls.ca_pool.source.{other} is not supported here yet")),
    }
}
fn leaf_verifier(verifier: &Value, storage: &dyn Storage) -> Found {
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
        folders: Vec<String>,
        certificates: Vec<String>,
        storage: Option<Value>,
    }
    let leaf = crate::config::decode::<Leaf, _>(verifier).map_err(|error| format!("verifier: {error}"))?;
    if leaf.verifier != "leaf" {
        return Err(format!("unknown module: tls.client_auth.verifier.{}", leaf.verifier));
    }
    collect(leaf.leaf_certs_loaders.iter().map(|loader| match loader.loader.as_str() {
        "file" => collect(loader.files.iter().map(|file| from_file(file))),
        "folder" => collect(loader.folders.iter().map(|folder| {
            let files = pem_files(Path::new(folder)).map_err(|error| format!("{folder}: {error}"))?;
            collect(files.iter().map(|file| from_file(file)))
        })),
        "storage" if loader.storage.is_none() => {
            collect(loader.certificates.iter().map(|key| from_storage(key, storage)))
        }
        "pem" => collect(loader.certificates.iter().map(|pem| certificates_from_pem(pem.as_bytes()))),
        other => Err(format!("tls.leaf_cert_loader.{other} is not supported yet")),
    }))
}
/// Certificates, or why there are none.
type Found = Result<Vec<CertificateDer<'static>>, String>;
fn collect(parts: impl Iterator<Item = Found>) -> Found {
    Ok(parts.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}
fn from_file(file: &str) -> Found {
    let pem = fs::read(file).map_err(|error| format!("{file}: {error}"))?;
    certificates_from_pem(&pem).map_err(|error| format!("{file}: {error}"))
}
fn from_storage(key: &str, storage: &dyn Storage) -> Found {
    let pem = storage.load(key).map_err(|error| format!("{key}: {error}"))?;
    certificates_from_pem(&pem).map_err(|error| format!("{key}: {error}"))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        storage::FileSystem,
        tls::{AuthoritySettings, KeyType},
    };
    use serde_json::json;

    #[test]
    fn pools_and_loaders_find_certificates_wherever_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let storage: Arc<dyn Storage> = Arc::new(FileSystem::new(folder.path().join("storage")));
        let local = Arc::new(Authority::new("local", AuthoritySettings::default(), storage.clone()));
        let (root, intermediate) = local.certificates().unwrap();
        let der = |pem: &str| certificates_from_pem(pem.as_bytes()).unwrap();
        let key = KeyType::P256.generate().unwrap();
        let own = rcgen::CertificateParams::new(vec!["c".into()]).unwrap().self_signed(&key).unwrap().pem();
        storage.store("own.pem", own.as_bytes()).unwrap();
        fs::create_dir(folder.path().join("certs")).unwrap();
        fs::write(folder.path().join("certs/own.pem"), &own).unwrap();
        let sources = Sources { storage, authorities: BTreeMap::from([("local".to_owned(), local)]) };
        for (pool, expected) in [
            (json!({"provider": "pki_root", "authority": ["local"]}), der(&root)),
            (json!({"provider": "pki_intermediate", "authority": ["local"]}), der(&intermediate)),
            (json!({"provider": "storage", "pem_keys": ["own.pem"]}), der(&own)),
        ] {
            assert_eq!(pool_of(&pool, Some(&sources)).unwrap(), expected, "{pool}");
            assert!(trust_pool(&pool).unwrap_err().ends_with("is not supported here yet"), "{pool}");
        }
        let unknown = json!({"provider": "pki_root", "authority": ["other"]});
        let error = pool_of(&unknown, Some(&sources)).unwrap_err();
        assert_eq!(error, "certificate authority not found: other");
        for loader in [
            json!({"loader": "folder", "folders": [folder.path().join("certs")]}),
            json!({"loader": "storage", "certificates": ["own.pem"]}),
        ] {
            let leaf = json!({"verifier": "leaf", "leaf_certs_loaders": [loader]});
            assert_eq!(leaf_verifier(&leaf, &*sources.storage).unwrap(), der(&own), "{leaf}");
        }
    }
}
