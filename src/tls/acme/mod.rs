//! Certificates from an authority that speaks ACME (RFC 8555).
//!
//! The protocol's types are `rustls_acme`'s; the requests are signed and sent here, for what it lacks: external
//! accounts, typed problems, nonces that go stale, `Retry-After`, profiles, other identifiers and chains.
mod account;
mod challenges;
mod client;
mod dns;
mod jws;
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
    tls::{IssueError, IssuedChain, Issuer, Issuing, Request},
};
use account::{Account, Wanted};
use client::Session;
use order::{Ask, Obtained, Ordering, Solvers};
use serde_json::json;
use std::{fs, sync::Arc, time::Duration};
use tokio::sync::OnceCell;

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
    opened: OnceCell<(Session, Account)>,
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
        let authority = |url: String| Authority { url, opened: OnceCell::new() };
        Ok(Self {
            http: Client::new(&roots, agent, config.acme_timeout.some().unwrap_or(DEADLINE))?,
            solvers: Solvers { challenges, http: enabled(&ports.http), alpn: enabled(&ports.tls_alpn), dns },
            real: authority(real),
            test: test.map(authority),
            config,
            storage,
        })
    }
    async fn obtain_at(
        &self,
        authority: &Authority,
        request: &Request<'_>,
    ) -> Result<(Obtained, String), AcmeError> {
        let opened = authority.opened.get_or_try_init(|| async {
            let session = Session::open(self.http.clone(), &authority.url).await?;
            let folder = folder(&authority.url);
            let wanted = Wanted {
                storage: &self.storage,
                authority: &folder,
                email: self.config.email.trim(),
                own_key: &self.config.account_key,
                binding: self.config.external_account.as_ref(),
            };
            let account = wanted.find_or_register(&session).await?;
            Ok::<_, AcmeError>((session, account))
        });
        let (session, account) = opened.await?;
        let ask = Ask {
            name: request.name,
            key: request.key,
            profile: &self.config.profile,
            lifetime: self.config.certificate_lifetime.some(),
            replaces: None,
            chains: self.config.preferred_chains.as_ref(),
        };
        let obtained = Ordering { session, account, solvers: &self.solvers }.obtain(&ask).await?;
        Ok((obtained, account.location.clone()))
    }
    async fn issue(&self, request: &Request<'_>) -> Result<IssuedChain, AcmeError> {
        if let Some(test) = self.test.as_ref().filter(|_| request.attempt > 1) {
            self.obtain_at(test, request).await?;
        }
        let (obtained, account) = self.obtain_at(&self.real, request).await?;
        let data = json!({ "url": obtained.url, "ca": self.real.url, "account": account });
        Ok(IssuedChain { pem: obtained.pem, issuer_data: data })
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
}
