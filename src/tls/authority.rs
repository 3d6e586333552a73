//! The local certificate authority: Caddy's `pki` app, in the same files, so that who trusts Caddy's root trusts ours.
use super::keys::{KeyType, certificates_from_pem, key_from_pem, key_to_pem, to_pem};
use crate::storage::Storage;
use chrono::{Datelike, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType, SerialNumber,
};
use rustls::pki_types::CertificateDer;
use std::{
    io::ErrorKind,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const ROOT_LIFETIME: Duration = DAY.saturating_mul(3600);
const INTERMEDIATE_LIFETIME: Duration = DAY.saturating_mul(7);
/// A leaf's, unless its issuer says otherwise.
pub const LEAF_LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);
/// The intermediate is renewed when this part of its lifetime is left.
const RENEWAL_WINDOW: f64 = 0.2;
/// How long another process may take to make the authority.
const PATIENCE: Duration = Duration::from_secs(60);

/// One of `apps.pki.certificate_authorities`.
pub struct Authority {
    id: String,
    settings: AuthoritySettings,
    storage: Arc<dyn Storage>,
    chain: Mutex<Option<Chain>>,
}
#[derive(Clone, Debug)]
pub struct AuthoritySettings {
    pub name: String,
    pub root_common_name: Option<String>,
    pub intermediate_common_name: Option<String>,
    pub intermediate_lifetime: Duration,
}
impl Default for AuthoritySettings {
    fn default() -> Self {
        Self {
            name: "Caddy Local Authority".into(),
            root_common_name: None,
            intermediate_common_name: None,
            intermediate_lifetime: INTERMEDIATE_LIFETIME,
        }
    }
}
impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authority({})", self.id)
    }
}
struct Chain {
    root: Pair,
    intermediate: Pair,
}
struct Pair {
    certificate: CertificateDer<'static>,
    key: KeyPair,
    not_before: SystemTime,
    not_after: SystemTime,
}
/// What an authority has issued: PEM, the chain without the root.
#[derive(Debug)]
pub struct Issued {
    pub chain: String,
    pub key: String,
}
impl Authority {
    /// Nothing is read or made before it is needed.
    pub fn new(id: &str, settings: AuthoritySettings, storage: Arc<dyn Storage>) -> Self {
        Self { id: id.to_owned(), settings, storage, chain: Mutex::new(None) }
    }
    pub fn id(&self) -> &str {
        &self.id
    }
    pub fn name(&self) -> &str {
        &self.settings.name
    }
    /// The root's and the intermediate's certificate, PEM.
    ///
    /// # Errors
    /// They can be neither read nor made.
    pub fn certificates(&self) -> Result<(String, String), String> {
        self.with_chain(|chain| {
            let pem = |pair: &Pair| to_pem("CERTIFICATE", &pair.certificate);
            Ok((pem(&chain.root), pem(&chain.intermediate)))
        })
    }
    /// A fresh key and a certificate for `name` (a host name or an IP address).
    ///
    /// # Errors
    /// The authority can be neither read nor made, or the name is none.
    pub fn issue(
        &self,
        name: &str,
        key: &KeyPair,
        lifetime: Duration,
        with_root: bool,
    ) -> Result<Issued, String> {
        self.with_chain(|chain| {
            let signer = if with_root { &chain.root } else { &chain.intermediate };
            let left = signer.not_after.duration_since(SystemTime::now()).unwrap_or_default();
            if lifetime > left {
                tracing::warn!(
                    target: "tls.issuance.internal", name,
                    "cert lifetime would exceed issuer NotAfter, clamping lifetime"
                );
            }
            let mut params =
                params("", lifetime.min(left), IsCa::NoCa, vec![KeyUsagePurpose::DigitalSignature]);
            params.distinguished_name = DistinguishedName::new();
            params.extended_key_usages =
                vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
            params.use_authority_key_identifier_extension = true;
            params.subject_alt_names = vec![match name.parse::<IpAddr>() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName(name.try_into().map_err(|error| format!("{name}: {error}"))?),
            }];
            let leaf = params.signed_by(key, &signer.issuer()?).map_err(text)?;
            let mut chain_pem = to_pem("CERTIFICATE", leaf.der());
            if !with_root {
                chain_pem += &to_pem("CERTIFICATE", &chain.intermediate.certificate);
            }
            Ok(Issued { chain: chain_pem, key: key_to_pem(key) })
        })
    }
    fn with_chain<T>(&self, with: impl FnOnce(&Chain) -> Result<T, String>) -> Result<T, String> {
        let mut chain = self.chain.lock().unwrap_or_else(PoisonError::into_inner);
        if chain.as_ref().is_none_or(|chain| chain.intermediate.is_due()) {
            *chain = Some(self.load_or_make()?);
        }
        chain.as_ref().map_or_else(|| Err("the authority is gone".into()), with)
    }
    fn load_or_make(&self) -> Result<Chain, String> {
        let lock = format!("pki_{}", self.id);
        let _held = self.storage.lock(&lock, PATIENCE).map_err(text)?;
        let root = match self.load("root")? {
            Some(root) => root,
            None => self.make("root", None)?,
        };
        let intermediate = match self.load("intermediate")?.filter(|found| !found.is_due()) {
            Some(intermediate) => intermediate,
            None => self.make("intermediate", Some(&root))?,
        };
        Ok(Chain { root, intermediate })
    }
    fn path(&self, which: &str, ending: &str) -> String {
        format!("pki/authorities/{}/{which}.{ending}", self.id)
    }
    fn load(&self, which: &str) -> Result<Option<Pair>, String> {
        let read = |ending| match self.storage.load(&self.path(which, ending)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{}: {error}", self.path(which, ending))),
        };
        let (Some(certificate), Some(key)) = (read("crt")?, read("key")?) else { return Ok(None) };
        let certificate = certificates_from_pem(&certificate)?.swap_remove(0);
        Pair::new(certificate, key_from_pem(&key)?).map(Some)
    }
    /// `which`, signed by `parent`, or by itself if it has none.
    fn make(&self, which: &str, parent: Option<&Pair>) -> Result<Pair, String> {
        let settings = &self.settings;
        let (common_name, lifetime, below) = match parent {
            None => (settings.root_common_name.clone(), ROOT_LIFETIME, 1),
            Some(_) => (settings.intermediate_common_name.clone(), settings.intermediate_lifetime, 0),
        };
        let common_name = common_name.unwrap_or_else(|| match parent {
            None => format!("{} - {} ECC Root", settings.name, Utc::now().year()),
            Some(_) => format!("{} - ECC Intermediate", settings.name),
        });
        let usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
        let mut params = params(&common_name, lifetime, is_ca, usages);
        let key = KeyType::P256.generate().map_err(text)?;
        let certificate = match parent {
            None => params.self_signed(&key),
            Some(parent) => {
                params.use_authority_key_identifier_extension = true;
                params.signed_by(&key, &parent.issuer()?)
            }
        };
        let certificate = certificate.map_err(text)?.der().clone();
        let store = |ending, pem: String| {
            let path = self.path(which, ending);
            self.storage.store(&path, pem.as_bytes()).map_err(|error| format!("{path}: {error}"))
        };
        store("crt", to_pem("CERTIFICATE", &certificate))?;
        store("key", key_to_pem(&key))?;
        Pair::new(certificate, key)
    }
}
impl Pair {
    fn new(certificate: CertificateDer<'static>, key: KeyPair) -> Result<Self, String> {
        let (_, parsed) = x509_parser::parse_x509_certificate(&certificate).map_err(text)?;
        let at = |time: x509_parser::time::ASN1Time| {
            SystemTime::UNIX_EPOCH + Duration::from_secs(time.timestamp().max(0).unsigned_abs())
        };
        let validity = parsed.validity();
        let (not_before, not_after) = (at(validity.not_before), at(validity.not_after));
        Ok(Self { certificate, key, not_before, not_after })
    }
    fn issuer(&self) -> Result<Issuer<'static, &KeyPair>, String> {
        Issuer::from_ca_cert_der(&self.certificate, &self.key).map_err(text)
    }
    fn is_due(&self) -> bool {
        let lifetime = self.not_after.duration_since(self.not_before).unwrap_or_default();
        let left = self.not_after.duration_since(SystemTime::now()).unwrap_or_default();
        left < lifetime.mul_f64(RENEWAL_WINDOW)
    }
}
fn params(
    common_name: &str,
    lifetime: Duration,
    is_ca: IsCa,
    usages: Vec<KeyUsagePurpose>,
) -> CertificateParams {
    let mut params = CertificateParams::default();
    let now = SystemTime::now();
    // A minute ago, for clients whose clock is slow.
    params.not_before = (now - Duration::from_secs(60)).into();
    params.not_after = (now + lifetime).into();
    params.serial_number = Some(SerialNumber::from_slice(&random_serial()));
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.is_ca = is_ca;
    params.key_usages = usages;
    params
}
/// Sixteen random bytes that read as a positive number.
fn random_serial() -> [u8; 16] {
    let mut serial = *uuid::Uuid::new_v4().as_bytes();
    serial[0] &= 0x7f;
    serial
}
fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::FileSystem;

    fn authority(root: &std::path::Path) -> Authority {
        Authority::new("local", AuthoritySettings::default(), Arc::new(FileSystem::new(root)))
    }
    #[test]
    fn it_is_made_once_in_caddys_files_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let (root, intermediate) = authority(folder.path()).certificates().unwrap();
        let files = FileSystem::new(folder.path()).list("pki/authorities/local").unwrap();
        assert_eq!(files, ["intermediate.crt", "intermediate.key", "root.crt", "root.key"]);
        assert_eq!(authority(folder.path()).certificates().unwrap(), (root.clone(), intermediate));
        let root = certificates_from_pem(root.as_bytes()).unwrap();
        let (_, root) = x509_parser::parse_x509_certificate(&root[0]).unwrap();
        let year = Utc::now().year();
        assert_eq!(root.subject().to_string(), format!("CN=Caddy Local Authority - {year} ECC Root"));
        let constraints = root.basic_constraints().unwrap().unwrap();
        assert!(constraints.critical && constraints.value.ca);
        assert_eq!(constraints.value.path_len_constraint, Some(1));
    }
    #[test]
    fn a_leaf_is_for_its_name_alone_and_signed_by_the_intermediate() {
        let folder = tempfile::tempdir().unwrap();
        let authority = authority(folder.path());
        for name in ["localhost", "*.internal", "10.0.0.1", "::1"] {
            let key = KeyType::P256.generate().unwrap();
            let issued = authority.issue(name, &key, LEAF_LIFETIME, false).unwrap();
            let chain = certificates_from_pem(issued.chain.as_bytes()).unwrap();
            assert_eq!(chain.len(), 2);
            let (_, leaf) = x509_parser::parse_x509_certificate(&chain[0]).unwrap();
            let (_, intermediate) = x509_parser::parse_x509_certificate(&chain[1]).unwrap();
            leaf.verify_signature(Some(intermediate.public_key())).unwrap();
            assert_eq!(leaf.subject().to_string(), "");
            let names = leaf.subject_alternative_name().unwrap().unwrap();
            assert!(names.critical);
            assert_eq!(names.value.general_names.len(), 1);
        }
        let key = KeyType::P256.generate().unwrap();
        assert!(authority.issue("no name\u{e9}", &key, LEAF_LIFETIME, false).is_err());
    }
}
