//! Certificates from an authority that speaks ACME (RFC 8555).
//!
//! The protocol's types are `rustls_acme`'s; the requests are signed and sent here, for what it lacks: external
//! accounts, typed problems, nonces that go stale, `Retry-After`, profiles, other identifiers and chains.
mod account;
mod ari;
mod challenges;
mod client;
mod dns;
mod jws;
mod limits;
mod order;
mod resolver;
pub use challenges::Challenges;
pub use client::AcmeError;
pub use dns::{DnsModule, DnsProvider, DnsSolver, TxtRecord, Working};
pub use resolver::Resolver;

use crate::{
    config::AcmeIssuer,
    net::https::Client,
    storage::{Storage, safe},
    tls::{
        IssueError, IssuedChain, Issuer, Issuing, RenewalInfo, Request, Suggesting, certificates_from_pem,
    },
};
use account::{Account, Wanted};
use challenges::Place;
use client::Session;
use order::{Ask, Obtained, Ordering, Solvers};
use serde_json::json;
use std::{fs, sync::Arc, time::Duration};
use tokio::sync::{Mutex, OnceCell};

pub const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";
const LETS_ENCRYPT_STAGING: &str = "https://acme-staging-v02.api.letsencrypt.org/directory";
const DEADLINE: Duration = Duration::from_secs(30);

/// `tls.issuance.acme`, compiled.
pub struct Acme {
    config: AcmeIssuer,
    storage: Arc<dyn Storage>,
    http: Client,
    solvers: Solvers,
    real: Authority,
    /// For retries, so as not to use up the real one's patience.
    test: Option<Authority>,
}
/// A directory, and our account there once it has been needed.
struct Authority {
    url: String,
    session: OnceCell<Session>,
    account: Mutex<Option<Arc<Account>>>,
}
impl Authority {
    fn new(url: String) -> Self {
        Self { url, session: OnceCell::new(), account: Mutex::default() }
    }
}
/// The folder of an authority, as certmagic names it: its directory's host and path.
pub fn folder(directory: &str) -> String {
    let rest = directory.split_once("://").map_or(directory, |(_, rest)| rest);
    safe(&rest.trim_end_matches('/').replace('/', "-"))
}
impl Acme {
    /// Compiles an issuer. Nobody is asked before a certificate is.
    ///
    /// # Errors
    /// A trusted root that cannot be read, or what does not run yet.
    pub fn new(
        config: AcmeIssuer,
        dns: Option<DnsSolver>,
        challenges: Arc<Challenges>,
        storage: Arc<dyn Storage>,
    ) -> Result<Self, String> {
        if config.network_proxy.is_some() {
            return Err("network_proxy is not supported yet".into());
        }
        let root = |file: &String| fs::read(file).map_err(|error| format!("{file}: {error}"));
        let roots: Vec<_> = config.trusted_roots_pem_files.iter().map(root).collect::<Result<_, _>>()?;
        let agent = crate::environment::var("USERAGENT").map(|own| own + " ").unwrap_or_default();
        let agent = format!("{agent}proxy/{} (linux)", env!("CARGO_PKG_VERSION"));
        let real = if config.ca.is_empty() { LETS_ENCRYPT.to_owned() } else { config.ca.clone() };
        let test = match config.test_ca.as_str() {
            "" if real == LETS_ENCRYPT => Some(LETS_ENCRYPT_STAGING.to_owned()),
            "" => None,
            url => Some(url.to_owned()),
        };
        let ports = config.challenges.clone().unwrap_or_default();
        let enabled =
            |challenge: &Option<crate::config::PortChallenge>| challenge.as_ref().is_none_or(|c| !c.disabled);
        let place = Place::new(storage.clone(), &folder(&real));
        let place = Some(place).filter(|_| ports.distributed != Some(false));
        if let Some(place) = &place {
            challenges.answer_for(place);
        }
        Ok(Self {
            http: Client::new(&roots, agent, config.acme_timeout.some().unwrap_or(DEADLINE))?,
            solvers: Solvers {
                challenges,
                http: enabled(&ports.http),
                alpn: enabled(&ports.tls_alpn),
                dns,
                place,
            },
            real: Authority::new(real),
            test: test.map(Authority::new),
            config,
            storage,
        })
    }
    async fn session<'a>(&self, authority: &'a Authority) -> Result<&'a Session, AcmeError> {
        authority.session.get_or_try_init(|| Session::open(self.http.clone(), &authority.url)).await
    }
    async fn obtain_at(
        &self,
        authority: &Authority,
        request: &Request<'_>,
    ) -> Result<(Obtained, String), AcmeError> {
        let session = self.session(authority).await?;
        let folder = folder(&authority.url);
        let wanted = Wanted {
            storage: &self.storage,
            authority: &folder,
            email: self.config.email.trim(),
            own_key: &self.config.account_key,
            binding: self.config.external_account.as_ref(),
        };
        for again in [true, false] {
            let account = {
                let mut known = authority.account.lock().await;
                match &*known {
                    Some(account) => account.clone(),
                    None => known.insert(Arc::new(wanted.find_or_register(session).await?)).clone(),
                }
            };
            let ask = Ask {
                name: request.name,
                key: request.key,
                profile: &self.config.profile,
                lifetime: self.config.certificate_lifetime.some(),
                replaces: request.replaces,
                chains: self.config.preferred_chains.as_ref(),
            };
            limits::wait_for_turn(request.name, &authority.url, &account.location).await;
            let ordering = Ordering { session, account: &account, solvers: &self.solvers };
            match ordering.obtain(&ask).await {
                Err(error) if again && error.kind == "accountDoesNotExist" => {
                    tracing::warn!(
                        target: "http", account = account.location, ca = authority.url,
                        "ACME account does not exist on server; attempting to recreate"
                    );
                    wanted.forget(&account)?;
                    authority.account.lock().await.take_if(|known| Arc::ptr_eq(known, &account));
                }
                obtained => return Ok((obtained?, account.location.clone())),
            }
        }
        Err(AcmeError::own("the authority does not know the account that it has just registered"))
    }
    async fn issue(&self, request: &Request<'_>) -> Result<IssuedChain, AcmeError> {
        if let Some(test) = self.test.as_ref().filter(|_| request.attempt > 1) {
            // It knows nothing of what the real one has issued.
            self.obtain_at(test, &Request { replaces: None, ..*request }).await?;
        }
        let (obtained, account) = self.obtain_at(&self.real, request).await?;
        let mut data = json!({ "url": obtained.url, "ca": self.real.url, "account": account });
        match self.suggestion(obtained.pem.as_bytes()).await {
            Ok(Some(info)) => data["renewal_info"] = json!(info),
            Ok(None) => {}
            // The certificate is as good without.
            Err(error) => tracing::warn!(
                target: "http.acme_client", error, names = ?[request.name], "error getting ARI response"
            ),
        }
        Ok(IssuedChain { pem: obtained.pem, issuer_data: data })
    }
    /// For a fresh certificate: when the authority would like it to be renewed, if it says so at all.
    async fn suggestion(&self, pem: &[u8]) -> Result<Option<RenewalInfo>, String> {
        let session = self.session(&self.real).await.map_err(|error| error.message)?;
        if session.directory.renewal_info.is_empty() {
            return Ok(None);
        }
        let leaf = certificates_from_pem(pem)?.swap_remove(0);
        ari::ask(session, &leaf, None).await.map(Some)
    }
}
impl Issuer for Acme {
    fn key(&self) -> String {
        folder(&self.real.url)
    }
    fn issue<'a>(&'a self, request: Request<'a>) -> Issuing<'a> {
        Box::pin(async move {
            let issued = self.issue(&request).await;
            issued.map_err(|error| IssueError { retry_after: error.retry_after, message: error.message })
        })
    }
    fn renewal_info<'a>(&'a self, leaf: &'a [u8], earlier: &'a RenewalInfo) -> Option<Suggesting<'a>> {
        Some(Box::pin(async move {
            let session = self.session(&self.real).await.map_err(|error| error.message)?;
            ari::ask(session, leaf, Some(earlier)).await
        }))
    }
}
impl std::fmt::Debug for Acme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Acme({})", self.real.url)
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn folders_are_named_as_certmagic_names_them() {
        for (url, name) in [
            (LETS_ENCRYPT, "acme-v02.api.letsencrypt.org-directory"),
            ("https://acme.zerossl.com/v2/DV90", "acme.zerossl.com-v2-dv90"),
            ("https://127.0.0.1:51700/dir", "127.0.0.1-51700-dir"),
        ] {
            assert_eq!(folder(url), name);
        }
    }
    #[tokio::test]
    async fn an_authority_that_talks_rubbish_is_an_error_like_others() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        for rubbish in [
            "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
            "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{",
            "\u{0}\u{1}nonsense\r\n\r\n",
            "",
        ] {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let ca = format!("http://{}/dir", listener.local_addr().unwrap());
            tokio::spawn(async move {
                while let Ok((mut stream, _)) = listener.accept().await {
                    assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
                    stream.write_all(rubbish.as_bytes()).await.ok();
                }
            });
            let folder = tempfile::tempdir().unwrap();
            let storage: Arc<dyn Storage> = Arc::new(crate::storage::FileSystem::new(folder.path()));
            let config = AcmeIssuer { ca, ..AcmeIssuer::default() };
            let acme = Acme::new(config, None, Arc::default(), storage.clone()).unwrap();
            let key = crate::tls::KeyType::P256.generate().unwrap();
            let request = Request { name: "a.test", key: &key, attempt: 1, replaces: None };
            let error = Issuer::issue(&acme, request).await.unwrap_err();
            assert!(!error.message.is_empty());
            assert!(storage.list("").unwrap().is_empty(), "{rubbish}: nothing is kept of it");
        }
    }
}
