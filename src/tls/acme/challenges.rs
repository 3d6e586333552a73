//! Challenges that are being solved: what a server answers an authority that comes to look.
use super::order::alpn_certificate;
use crate::storage::{Storage, safe};
use dashmap::DashMap;
use rustls::{
    ServerConfig,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// Where the answers of http-01 are looked for (RFC 8555, section 8.3).
const PATH: &str = "/.well-known/acme-challenge/";
/// The protocol of tls-alpn-01 (RFC 8737).
pub(super) const ALPN: &[u8] = rustls_acme::acme::ACME_TLS_ALPN_NAME;

/// Shared by all servers and all issuers of the process.
#[derive(Debug, Default)]
pub struct Challenges {
    /// Key authorizations by token, with the name they are for.
    http: DashMap<String, (String, String)>,
    alpn: Arc<Alpn>,
}
#[derive(Debug, Default)]
struct Alpn {
    /// Certificates by the name they are for.
    own: DashMap<String, Arc<CertifiedKey>>,
    /// Folders in storages where other instances leave their challenges.
    places: DashMap<String, Place>,
}
/// A folder of challenges in a storage, which all instances on it answer.
#[derive(Clone, Debug)]
pub(super) struct Place {
    storage: Arc<dyn Storage>,
    folder: String,
}
/// A challenge as Caddy leaves it there (RFC 8555, section 8), with what it is for.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Left {
    token: String,
    #[serde(rename = "keyAuthorization")]
    key_authorization: String,
    identifier: Identifier,
}
#[derive(Default, Deserialize)]
#[serde(default)]
struct Identifier {
    value: String,
}
impl Place {
    /// `authority` is its folder, see [`super::folder`].
    pub(super) fn new(storage: Arc<dyn Storage>, authority: &str) -> Self {
        Self { storage, folder: format!("acme/{authority}/challenge_tokens") }
    }
    fn key(&self, name: &str) -> String {
        format!("{}/{}.json", self.folder, safe(name))
    }
    fn find(&self, name: &str) -> Option<Left> {
        serde_json::from_slice(&self.storage.load(&self.key(name)).ok()?).ok()
    }
}
impl Challenges {
    /// What to answer a request for `path` at `host`, before any routing; `None` if it is no challenge of ours, nor of
    /// another instance on the same storage.
    pub fn answer<'h>(&self, path: &str, host: impl FnOnce() -> &'h str) -> Option<String> {
        let token = path.strip_prefix(PATH)?;
        if let Some(own) = self.http.get(token) {
            return Some(own.value().1.clone());
        }
        let left = self.alpn.left(host()).filter(|left| left.token == token)?;
        tracing::info!(
            target: "http", identifier = left.identifier.value, challenge = "http-01", distributed = true,
            "served key authentication"
        );
        Some(left.key_authorization)
    }
    /// Challenges of other instances there are answered from here on.
    pub(super) fn answer_for(&self, place: &Place) {
        let key = format!("{} {}", place.storage.describe(), place.folder);
        self.alpn.places.insert(key, place.clone());
    }
    /// Leaves a challenge for other instances to answer, for as long as what is given is held.
    pub(super) fn leave(&self, place: &Place, name: &str, challenge: &Value) -> Result<Shared, String> {
        let (storage, key) = (place.storage.clone(), place.key(name));
        storage.store(&key, challenge.to_string().as_bytes()).map_err(|error| format!("{key}: {error}"))?;
        Ok(Shared { storage, key })
    }
    /// The terms of a handshake that is a challenge; `None` for all others.
    pub fn handshake(&self, hello: &ClientHello<'_>) -> Option<Arc<ServerConfig>> {
        if !rustls_acme::is_tls_alpn_challenge(hello) {
            return None;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().ok()?;
        let mut config = builder.with_no_client_auth().with_cert_resolver(self.alpn.clone());
        config.alpn_protocols = vec![ALPN.to_vec()];
        Some(Arc::new(config))
    }
    pub(super) fn offer_http(self: &Arc<Self>, name: &str, token: &str, authorization: String) -> Offered {
        self.http.insert(token.to_owned(), (name.to_owned(), authorization));
        Offered { challenges: self.clone(), what: What::Http(token.to_owned()) }
    }
    pub(super) fn offer_alpn(self: &Arc<Self>, name: &str, certificate: Arc<CertifiedKey>) -> Offered {
        self.alpn.own.insert(name.to_ascii_lowercase(), certificate);
        Offered { challenges: self.clone(), what: What::Alpn(name.to_ascii_lowercase()) }
    }
}
impl Alpn {
    /// What another instance has left for a name.
    fn left(&self, name: &str) -> Option<Left> {
        self.places.iter().find_map(|place| place.find(name))
    }
}
impl ResolvesServerCert for Alpn {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name()?.to_ascii_lowercase();
        if let Some(own) = self.own.get(&name) {
            return Some(own.clone());
        }
        let left = self.left(&name)?;
        tracing::info!(
            target: "tls", server_name = name, challenge = "tls-alpn-01", distributed = true,
            "served key authentication certificate"
        );
        alpn_certificate(&left.identifier.value, &left.key_authorization).ok().map(Arc::new)
    }
}
/// Taken back when it is dropped.
pub(super) struct Shared {
    storage: Arc<dyn Storage>,
    key: String,
}
impl Drop for Shared {
    fn drop(&mut self) {
        // What stays is of no use to anyone: the challenge is over.
        self.storage.delete(&self.key).ok();
    }
}
/// An answer that is given until this is dropped.
pub(super) struct Offered {
    challenges: Arc<Challenges>,
    what: What,
}
enum What {
    Http(String),
    Alpn(String),
}
impl Drop for Offered {
    fn drop(&mut self) {
        match &self.what {
            What::Http(token) => drop(self.challenges.http.remove(token)),
            What::Alpn(name) => drop(self.challenges.alpn.own.remove(name)),
        }
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn an_answer_is_given_while_it_is_offered() {
        let challenges = Arc::new(Challenges::default());
        let offered = challenges.offer_http("a.b", "token", "token.thumb".into());
        assert_eq!(
            challenges.answer("/.well-known/acme-challenge/token", || "a.b").as_deref(),
            Some("token.thumb")
        );
        assert_eq!(challenges.answer("/.well-known/acme-challenge/other", || "a.b"), None);
        assert_eq!(challenges.answer("/token", || "a.b"), None);
        drop(offered);
        assert_eq!(challenges.answer("/.well-known/acme-challenge/token", || "a.b"), None);
    }
    #[test]
    fn what_another_instance_has_left_in_the_storage_is_answered_too() {
        let folder = tempfile::tempdir().unwrap();
        let storage = Arc::new(crate::storage::FileSystem::new(folder.path()));
        let place = Place::new(storage, "ca-dir");
        let (ours, other) = (Challenges::default(), Challenges::default());
        let challenge = serde_json::json!({
            "type": "http-01", "token": "t", "keyAuthorization": "t.thumb",
            "identifier": {"type": "dns", "value": "a.b"},
        });
        let left = other.leave(&place, "a.b", &challenge).unwrap();
        let path = "/.well-known/acme-challenge/t";
        assert_eq!(ours.answer(path, || "a.b"), None);
        ours.answer_for(&place);
        assert_eq!(ours.answer(path, || "a.b").as_deref(), Some("t.thumb"));
        assert_eq!(ours.answer(path, || "other"), None);
        assert_eq!(ours.answer("/.well-known/acme-challenge/x", || "a.b"), None);
        drop(left);
        assert_eq!(ours.answer(path, || "a.b"), None);
    }
}
