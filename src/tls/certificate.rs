//! A certificate with its key, ready to serve, and the index by which a handshake finds one.
use super::keys::certificates_from_pem;
use crate::config::CertificateSelection;
use rustls::{
    pki_types::{PrivateKeyDer, pem::PemObject},
    server::ClientHello,
    sign::CertifiedKey,
};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};
use x509_parser::prelude::{GeneralName, X509Certificate};

#[derive(Debug)]
pub struct Certificate {
    pub key: Arc<CertifiedKey>,
    /// What it is for: host names in lower case, wildcards, IP addresses; the common name if it has no others.
    pub names: Vec<String>,
    pub not_before: SystemTime,
    pub not_after: SystemTime,
    pub tags: Vec<String>,
    organizations: Vec<String>,
    /// Decimal, as Caddy's configuration has it.
    serial: String,
}
impl Certificate {
    /// From PEM: the chain, the leaf first, and the leaf's key.
    ///
    /// # Errors
    /// One of them cannot be read, or they do not belong together.
    pub fn from_pem(chain: &[u8], key: &[u8], tags: Vec<String>) -> Result<Self, String> {
        let chain = certificates_from_pem(chain)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| format!("private key: {error}"))?;
        let signer =
            rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).map_err(|error| error.to_string())?;
        let leaf = chain[0].clone();
        let (_, leaf) = x509_parser::parse_x509_certificate(&leaf).map_err(|error| error.to_string())?;
        let certified = CertifiedKey::new(chain, signer);
        match certified.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {}
            Err(_) => return Err("private key does not match public key".into()),
        }
        let at = |time: x509_parser::time::ASN1Time| {
            SystemTime::UNIX_EPOCH + Duration::from_secs(time.timestamp().max(0).unsigned_abs())
        };
        let organizations = leaf.subject().iter_organization();
        Ok(Self {
            key: Arc::new(certified),
            names: names(&leaf),
            not_before: at(leaf.validity().not_before),
            not_after: at(leaf.validity().not_after),
            tags,
            organizations: organizations.filter_map(|o| o.as_str().ok().map(str::to_owned)).collect(),
            serial: leaf.serial.to_string(),
        })
    }
    pub fn is_valid_at(&self, now: SystemTime) -> bool {
        self.not_before <= now && now < self.not_after
    }
    /// Renewal is due when `ratio` of the lifetime, or less, is left.
    pub fn is_due(&self, now: SystemTime, ratio: f64) -> bool {
        let lifetime = self.not_after.duration_since(self.not_before).unwrap_or_default();
        self.not_after.duration_since(now).unwrap_or_default() <= lifetime.mul_f64(ratio)
    }
    fn fits(&self, selection: &CertificateSelection) -> bool {
        let any =
            |wanted: &[String], has: &[String]| wanted.is_empty() || wanted.iter().any(|w| has.contains(w));
        let serial = |wanted: &serde_json::Value| match wanted {
            serde_json::Value::String(text) => *text == self.serial,
            serde_json::Value::Number(number) => number.to_string() == self.serial,
            _ => false,
        };
        any(&selection.any_tag, &self.tags)
            && selection.all_tags.iter().all(|tag| self.tags.contains(tag))
            && any(&selection.subject_organization, &self.organizations)
            && (selection.serial_number.is_empty() || selection.serial_number.iter().any(serial))
    }
    /// Whether the client's signature schemes allow it.
    fn suits(&self, hello: &ClientHello<'_>) -> bool {
        self.key.key.choose_scheme(hello.signature_schemes()).is_some()
    }
}
fn names(leaf: &X509Certificate<'_>) -> Vec<String> {
    let alternatives = leaf.subject_alternative_name().ok().flatten();
    let general = alternatives.iter().flat_map(|names| &names.value.general_names);
    let mut found: Vec<String> = general
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
            GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
            _ => None,
        })
        .collect();
    if found.is_empty() {
        let common = leaf.subject().iter_common_name();
        found.extend(common.filter_map(|name| name.as_str().ok().map(str::to_ascii_lowercase)));
    }
    found
}
fn address(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes)
        .map(IpAddr::from)
        .or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}

/// Certificates by name.
#[derive(Clone, Debug, Default)]
pub struct Index(HashMap<String, Vec<Arc<Certificate>>>);
impl Index {
    pub fn insert(&mut self, certificate: Arc<Certificate>) {
        for name in &certificate.names {
            self.0.entry(name.clone()).or_default().push(certificate.clone());
        }
    }
    /// As [`insert`](Self::insert), for one that may be there already.
    pub fn insert_once(&mut self, certificate: &Arc<Certificate>) {
        if !self.all().any(|known| Arc::ptr_eq(known, certificate)) {
            self.insert(certificate.clone());
        }
    }
    pub fn remove(&mut self, certificate: &Arc<Certificate>) {
        self.0.retain(|_, found| {
            found.retain(|other| !Arc::ptr_eq(other, certificate));
            !found.is_empty()
        });
    }
    /// Whether a certificate is for `name`, by itself or by a wildcard.
    pub fn covers(&self, name: &str) -> bool {
        candidates(name).any(|name| self.0.contains_key(&*name))
    }
    /// A certificate for `name`, by itself or by a wildcard: the one that ends last.
    pub fn covering(&self, name: &str) -> Option<Arc<Certificate>> {
        let found = candidates(name).find_map(|name| self.0.get(&*name))?;
        found.iter().max_by_key(|certificate| certificate.not_after).cloned()
    }
    /// The certificate for `name`: an exact one before a wildcard; among several the first that the client can use
    /// and that has not expired, or else the first.
    pub fn find(
        &self,
        name: &str,
        selection: Option<&CertificateSelection>,
        hello: &ClientHello<'_>,
    ) -> Option<Arc<CertifiedKey>> {
        let now = SystemTime::now();
        for name in candidates(name) {
            let Some(found) = self.0.get(&*name) else { continue };
            let mut fitting =
                found.iter().filter(|c| selection.is_none_or(|wanted| c.fits(wanted))).peekable();
            let Some(first) = fitting.peek().copied() else { continue };
            let best = fitting.find(|certificate| certificate.suits(hello) && certificate.is_valid_at(now));
            return Some(best.unwrap_or(first).key.clone());
        }
        None
    }
    pub fn all(&self) -> impl Iterator<Item = &Arc<Certificate>> {
        self.0.values().flatten()
    }
}
/// A name, then with its labels replaced by `*` one after another from the left: `*.b.c`, `*.*.c`, `*.*.*`.
pub fn candidates(name: &str) -> impl Iterator<Item = String> {
    let name = name.to_ascii_lowercase();
    let labels = if name.parse::<IpAddr>().is_ok() { 0 } else { name.split('.').count() };
    (0..=labels).map(move |wild| {
        let labels = name.split('.').enumerate();
        labels.map(|(i, label)| if i < wild { "*" } else { label }).collect::<Vec<_>>().join(".")
    })
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::{KeyType, key_to_pem};
    use rcgen::CertificateParams;

    fn pem(names: &[&str]) -> (String, String) {
        let key = KeyType::P256.generate().unwrap();
        let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
        let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        (certificate.pem(), key_to_pem(&key))
    }
    #[test]
    fn its_names_are_those_of_the_leaf() {
        let (chain, key) = pem(&["A.example.com", "*.b.example.com", "10.0.0.1", "::1"]);
        let certificate = Certificate::from_pem(chain.as_bytes(), key.as_bytes(), vec![]).unwrap();
        assert_eq!(certificate.names, ["a.example.com", "*.b.example.com", "10.0.0.1", "::1"]);
    }
    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let (chain, _) = pem(&["a.b"]);
        let (_, key) = pem(&["a.b"]);
        let error = Certificate::from_pem(chain.as_bytes(), key.as_bytes(), vec![]).unwrap_err();
        assert_eq!(error, "private key does not match public key");
    }
    #[test]
    fn names_are_covered_exactly_or_by_a_wildcard_for_whole_labels() {
        let mut index = Index::default();
        let (chain, key) = pem(&["a.example.com", "*.b.example.com"]);
        let certificate = Certificate::from_pem(chain.as_bytes(), key.as_bytes(), vec![]).unwrap();
        let certificate = Arc::new(certificate);
        index.insert(certificate.clone());
        for (name, covered) in [
            ("a.example.com", true),
            ("A.Example.Com", true),
            ("x.b.example.com", true),
            ("x.y.b.example.com", false),
            ("b.example.com", false),
            ("", false),
        ] {
            assert_eq!(index.covers(name), covered, "{name}");
        }
        index.remove(&certificate);
        assert!(!index.covers("a.example.com"));
    }
}
