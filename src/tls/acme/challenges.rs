//! Challenges that are being solved: what a server answers an authority that comes to look.
use dashmap::DashMap;
use rustls::{
    ServerConfig,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
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
    /// Certificates by the name they are for.
    alpn: Arc<Alpn>,
}
#[derive(Debug, Default)]
struct Alpn(DashMap<String, Arc<CertifiedKey>>);
impl Challenges {
    /// What to answer a request for `path`, before any routing; `None` if it is no challenge of ours.
    pub fn answer(&self, path: &str) -> Option<String> {
        let token = path.strip_prefix(PATH)?;
        let (_, authorization) = self.http.get(token)?.value().clone();
        Some(authorization)
    }
    /// The terms of a handshake that is a challenge; `None` for all others.
    pub fn handshake(&self, hello: &ClientHello<'_>) -> Option<Arc<ServerConfig>> {
        if !rustls_acme::is_tls_alpn_challenge(hello) || self.alpn.0.is_empty() {
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
        self.alpn.0.insert(name.to_ascii_lowercase(), certificate);
        Offered { challenges: self.clone(), what: What::Alpn(name.to_ascii_lowercase()) }
    }
}
impl ResolvesServerCert for Alpn {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.get(&hello.server_name()?.to_ascii_lowercase())?.clone())
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
            What::Alpn(name) => drop(self.challenges.alpn.0.remove(name)),
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
        assert_eq!(challenges.answer("/.well-known/acme-challenge/token").as_deref(), Some("token.thumb"));
        assert_eq!(challenges.answer("/.well-known/acme-challenge/other"), None);
        assert_eq!(challenges.answer("/token"), None);
        drop(offered);
        assert_eq!(challenges.answer("/.well-known/acme-challenge/token"), None);
    }
}
