//! `{http.request.tls.*}`.
use crate::{config::placeholder::Value, http::TlsInfo};
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, prelude::BASE64_STANDARD};
use std::fmt::Write;
use x509_parser::{
    certificate::X509Certificate,
    extensions::GeneralName,
    prelude::FromDer,
    x509::{AttributeTypeAndValue, X509Name},
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    Version,
    CipherSuite,
    Resumed,
    Proto,
    ProtoMutual,
    ServerName,
    Ech,
    Client(Client),
}
/// Of the client's certificate. Without one these are known, with the values of an empty certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Client {
    Fingerprint,
    PublicKey,
    PublicKeySha256,
    Issuer,
    Serial,
    Subject,
    CertificatePem,
    CertificateDerBase64,
    /// All of a kind, or the one at an index.
    San(San, Option<usize>),
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum San {
    DnsNames,
    Emails,
    Ips,
    Uris,
}
impl Tls {
    /// Of a key behind `http.request.tls.`, in lower case.
    pub(super) fn new(key: &str) -> Option<Self> {
        if let Some(field) = key.strip_prefix("client.") {
            return Client::new(field).map(Self::Client);
        }
        Some(match key {
            "version" => Self::Version,
            "cipher_suite" => Self::CipherSuite,
            "resumed" => Self::Resumed,
            "proto" => Self::Proto,
            "proto_mutual" => Self::ProtoMutual,
            "server_name" => Self::ServerName,
            "ech" => Self::Ech,
            _ => return None,
        })
    }
    pub(super) fn value<'a>(&self, tls: &'a TlsInfo) -> Value<'a> {
        match self {
            Self::Version => tls.version.name().into(),
            Self::CipherSuite => tls.cipher_suite.into(),
            Self::Resumed => tls.resumed.into(),
            Self::Proto => tls.alpn.as_ref().into(),
            Self::ProtoMutual => true.into(),
            Self::ServerName => tls.server_name.as_ref().into(),
            Self::Ech => false.into(),
            Self::Client(field) => {
                field.value(tls.peer_certificates.first().map_or(&[], |der| der.as_slice()))
            }
        }
    }
}
impl Client {
    fn new(key: &str) -> Option<Self> {
        if let Some(field) = key.strip_prefix("san.") {
            let (kind, index) = field.split_once('.').map_or((field, None), |(kind, n)| (kind, Some(n)));
            let kind = match kind {
                "dns_names" => San::DnsNames,
                "emails" => San::Emails,
                "ips" => San::Ips,
                "uris" => San::Uris,
                _ => return None,
            };
            return match index {
                None => Some(Self::San(kind, None)),
                Some(index) => index.parse().ok().map(|index| Self::San(kind, Some(index))),
            };
        }
        Some(match key {
            "fingerprint" => Self::Fingerprint,
            "public_key" => Self::PublicKey,
            "public_key_sha256" => Self::PublicKeySha256,
            "issuer" => Self::Issuer,
            "serial" => Self::Serial,
            "subject" => Self::Subject,
            "certificate_pem" => Self::CertificatePem,
            "certificate_der_base64" => Self::CertificateDerBase64,
            _ => return None,
        })
    }
    fn value(&self, der: &[u8]) -> Value<'static> {
        let certificate = X509Certificate::from_der(der).ok().map(|(_, parsed)| parsed);
        match self {
            Self::Fingerprint => hex(digest(&SHA256, der).as_ref()).into(),
            Self::CertificateDerBase64 => BASE64_STANDARD.encode(der).into(),
            Self::CertificatePem => pem(der).into(),
            Self::San(kind, index) => names(certificate.as_ref(), *kind, *index),
            _ => certificate.map_or(Value::Null, |certificate| self.parsed(&certificate)),
        }
    }
    fn parsed(&self, certificate: &X509Certificate<'_>) -> Value<'static> {
        // Go encodes the key itself, without its algorithm: what the bit string holds.
        let key = || certificate.public_key().subject_public_key.data.as_ref();
        match self {
            Self::PublicKey => hex(key()).into(),
            Self::PublicKeySha256 => hex(digest(&SHA256, key()).as_ref()).into(),
            Self::Issuer => distinguished(certificate.issuer()).into(),
            Self::Subject => distinguished(certificate.subject()).into(),
            Self::Serial => certificate.serial.to_string().into(),
            _ => Value::Null,
        }
    }
}
fn names(certificate: Option<&X509Certificate<'_>>, kind: San, index: Option<usize>) -> Value<'static> {
    let found = certificate.and_then(|certificate| certificate.subject_alternative_name().ok().flatten());
    let all = found.map_or(&[][..], |found| &found.value.general_names);
    let mut all = all.iter().filter_map(|name| match (name, kind) {
        (GeneralName::DNSName(name), San::DnsNames) => Some((*name).to_owned()),
        (GeneralName::RFC822Name(name), San::Emails) => Some((*name).to_owned()),
        (GeneralName::URI(name), San::Uris) => Some((*name).to_owned()),
        (GeneralName::IPAddress(bytes), San::Ips) => address(bytes),
        _ => None,
    });
    match index {
        None => Value::List(all.collect()),
        Some(index) => all.nth(index).map_or(Value::Null, Into::into),
    }
}
fn address(bytes: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(bytes).ok().map(|bytes| std::net::IpAddr::from(bytes).to_string());
    v4.or_else(|| <[u8; 16]>::try_from(bytes).ok().map(|bytes| std::net::IpAddr::from(bytes).to_string()))
}
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // A string takes everything.
        _ = write!(out, "{byte:02x}");
        out
    })
}
fn pem(der: &[u8]) -> String {
    let body = BASE64_STANDARD.encode(der);
    let lines = body.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let lines = lines.fold(String::new(), |out, line| out + &line + "\n");
    format!("-----BEGIN CERTIFICATE-----\n{lines}-----END CERTIFICATE-----\n")
}
/// A name as Go's `pkix.Name.String` writes it: the last part first, after RFC 2253.
fn distinguished(name: &X509Name<'_>) -> String {
    let parts: Vec<_> = name.iter().collect();
    let parts = parts.iter().rev().map(|set| set.iter().map(attribute).collect::<Vec<_>>().join("+"));
    parts.collect::<Vec<_>>().join(",")
}
fn attribute(attribute: &AttributeTypeAndValue<'_>) -> String {
    let oid = attribute.attr_type().to_id_string();
    let short = match oid.as_str() {
        "2.5.4.6" => "C",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.3" => "CN",
        "2.5.4.5" => "SERIALNUMBER",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "STREET",
        "2.5.4.17" => "POSTALCODE",
        _ => {
            let raw = attribute.attr_value();
            // Go: the value as DER in hexadecimal, where it has no name for the type.
            let der = [&[raw.header.tag().0 as u8, raw.data.len() as u8], raw.data].concat();
            return format!("{oid}=#{}", hex(&der));
        }
    };
    format!("{short}={}", escaped(attribute.as_str().unwrap_or_default()))
}
fn escaped(value: &str) -> String {
    let last = value.chars().count().saturating_sub(1);
    value.char_indices().enumerate().fold(String::new(), |mut out, (n, (_, c))| {
        let special =
            ",+\"\\<>;".contains(c) || (n == 0 && (c == '#' || c == ' ')) || (n == last && c == ' ');
        if special {
            out.push('\\');
        }
        out.push(c);
        out
    })
}
