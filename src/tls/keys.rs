//! Private keys and certificates as text: PEM in certmagic's spelling (SEC1 for elliptic curves).
use aws_lc_rs::{
    encoding::AsDer,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, SignatureAlgorithm};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

/// `key_type` of an automation policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyType {
    Ed25519,
    #[default]
    P256,
    P384,
    Rsa2048,
    Rsa4096,
}
impl KeyType {
    /// Caddy's spelling; P-256 where there is none.
    ///
    /// # Errors
    /// In Caddy's words.
    pub fn named(name: &str) -> Result<Self, String> {
        Ok(match name {
            "" | "p256" => Self::P256,
            "ed25519" => Self::Ed25519,
            "p384" => Self::P384,
            "rsa2048" => Self::Rsa2048,
            "rsa4096" => Self::Rsa4096,
            other => return Err(format!("unrecognized key type: {other}")),
        })
    }
    /// A fresh key.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn generate(self) -> Result<KeyPair, rcgen::Error> {
        match self {
            Self::Ed25519 => KeyPair::generate_for(&PKCS_ED25519),
            Self::P256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
            Self::P384 => KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384),
            Self::Rsa2048 => KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048),
            Self::Rsa4096 => KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_4096),
        }
    }
}
/// A key as Caddy stores it.
pub fn key_to_pem(key: &KeyPair) -> String {
    let sec1 = |curve, der: &[u8]| {
        let pair = EcdsaKeyPair::from_private_key_der(curve, der).ok()?;
        Some(pair.private_key().as_der().ok()?.as_ref().to_vec())
    };
    let der = key.serialize_der();
    let is = |algorithm: &'static SignatureAlgorithm| key.algorithm() == algorithm;
    let ec = if is(&PKCS_ECDSA_P256_SHA256) {
        sec1(&ECDSA_P256_SHA256_ASN1_SIGNING, &der)
    } else if is(&PKCS_ECDSA_P384_SHA384) {
        sec1(&ECDSA_P384_SHA384_ASN1_SIGNING, &der)
    } else {
        None
    };
    match ec {
        Some(sec1) => to_pem("EC PRIVATE KEY", &sec1),
        None => to_pem("PRIVATE KEY", &der),
    }
}
/// A key from any form that Caddy reads: PKCS#8, SEC1, PKCS#1.
///
/// # Errors
/// It is none of them.
pub fn key_from_pem(pem: &[u8]) -> Result<KeyPair, String> {
    let der = PrivateKeyDer::from_pem_slice(pem).map_err(|error| format!("private key: {error}"))?;
    let algorithms =
        [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384, &PKCS_ED25519, &rcgen::PKCS_RSA_SHA256];
    let mut read = algorithms.into_iter().filter_map(|a| KeyPair::from_der_and_sign_algo(&der, a).ok());
    read.next().ok_or_else(|| "private key: unsupported type".into())
}
/// All certificates of a PEM text, in order.
///
/// # Errors
/// It has none, or one that is cut.
pub fn certificates_from_pem(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| format!("certificate: {error}"))?;
    if found.is_empty() { Err("no certificate found".into()) } else { Ok(found) }
}
/// Lines of 64 characters, as Go's `pem.Encode`.
pub fn to_pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for at in (0..text.len()).step_by(64) {
        pem += &text[at..text.len().min(at + 64)];
        pem.push('\n');
    }
    pem + &format!("-----END {label}-----\n")
}
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn keys_are_written_as_certmagic_writes_them_and_read_again() {
        for (name, label) in [
            ("p256", "EC PRIVATE KEY"),
            ("p384", "EC PRIVATE KEY"),
            ("ed25519", "PRIVATE KEY"),
            ("rsa2048", "PRIVATE KEY"),
        ] {
            let key = KeyType::named(name).unwrap().generate().unwrap();
            let pem = key_to_pem(&key);
            assert!(pem.starts_with(&format!("-----BEGIN {label}-----\n")), "{pem}");
            assert_eq!(key_from_pem(pem.as_bytes()).unwrap().public_key_raw(), key.public_key_raw());
        }
        assert_eq!(KeyType::named("p999").unwrap_err(), "unrecognized key type: p999");
    }
    #[test]
    fn what_is_no_key_or_certificate_is_an_error() {
        assert!(key_from_pem(b"nonsense").is_err());
        assert_eq!(certificates_from_pem(b"nonsense").unwrap_err(), "no certificate found");
    }
}
