//! Certificates at the handshake: from managers, which others fill, or obtained then and there, if someone permits it.
use super::{Automation, Certificate, Index, names};
use arc_swap::ArcSwap;
use dashmap::DashMap;
use rustls::{
    ServerConfig,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use serde_json::{Map, Value};
use std::{
    fmt,
    future::Future,
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};
use tokio::{sync::Mutex, time::timeout};

/// How long a handshake waits for a certificate.
const PATIENCE: Duration = Duration::from_secs(120);
/// After a failure, the next handshakes for a name do not try again that long.
const PAUSE: Duration = Duration::from_secs(60);
/// How long one may take to be obtained, whoever waits for it.
const LIMIT: Duration = Duration::from_secs(180);

pub type Asking<'a, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'a>>;
/// Says whether a name may have a certificate: `tls.permission.*`.
pub trait Permission: fmt::Debug + Send + Sync {
    /// An error is a no, with the reason.
    fn ask<'a>(&'a self, name: &'a str) -> Asking<'a, ()>;
}
/// Somebody else who has certificates: `tls.get_certificate.*`.
pub trait CertificateManager: fmt::Debug + Send + Sync {
    /// `None` if it has none for this handshake.
    fn get<'a>(&'a self, wanted: &'a Wanted) -> Asking<'a, Option<Certificate>>;
}
type BuildPermission = fn(Map<String, Value>) -> Result<Arc<dyn Permission>, String>;
/// One row of the table of permissions.
pub struct PermissionModule {
    pub name: &'static str,
    pub build: BuildPermission,
}
type BuildManager = fn(Map<String, Value>) -> Result<Arc<dyn CertificateManager>, String>;
/// One row of the table of managers.
pub struct ManagerModule {
    pub name: &'static str,
    pub build: BuildManager,
}
/// What a handshake wants a certificate for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// In lower case.
    pub name: String,
    pub signature_schemes: Vec<u16>,
    pub cipher_suites: Vec<u16>,
    pub local: Option<IpAddr>,
}
impl Wanted {
    /// `None` for a client that names no host.
    pub fn new(hello: &ClientHello<'_>, local: Option<IpAddr>) -> Option<Self> {
        Some(Self {
            name: hello.server_name()?.to_ascii_lowercase(),
            signature_schemes: hello.signature_schemes().iter().map(|scheme| u16::from(*scheme)).collect(),
            cipher_suites: hello.cipher_suites().iter().map(|suite| u16::from(*suite)).collect(),
            local,
        })
    }
}
/// Shared by all servers of a configuration.
#[derive(Debug)]
pub struct OnDemand {
    automation: Arc<Automation>,
    loaded: Arc<ArcSwap<Index>>,
    managed: Arc<ArcSwap<Index>>,
    /// One at a time works on a name; the others wait for what comes of it.
    working: DashMap<String, Arc<Mutex<()>>>,
    failed: DashMap<String, Instant>,
}
impl OnDemand {
    pub(super) fn new(
        automation: Arc<Automation>,
        loaded: Arc<ArcSwap<Index>>,
        managed: Arc<ArcSwap<Index>>,
    ) -> Self {
        Self { automation, loaded, managed, working: DashMap::new(), failed: DashMap::new() }
    }
    /// Whether a handshake has to wait for [`Self::find`]: its name has no certificate here that is good.
    pub fn is_missing(&self, name: &str) -> bool {
        self.automation.is_on_demand(name)
            && !self.loaded.load().covers(name)
            && self.managed.load().covering(name).is_none_or(|held| {
                !held.is_valid_at(SystemTime::now()) || self.automation.is_close(name, &held)
            })
    }
    /// Looks for a certificate, and gives it if it is for this handshake alone; one that is for all is where handshakes
    /// look for it.
    pub async fn find(self: Arc<Self>, wanted: Wanted) -> Option<Arc<CertifiedKey>> {
        for manager in self.automation.managers(&wanted.name) {
            match manager.get(&wanted).await {
                Ok(Some(certificate)) => return Some(certificate.key),
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(target: "tls.handshake", error, sni = wanted.name, "external certificate manager");
                }
            }
        }
        if !names::qualifies(&wanted.name) || !self.automation.may_obtain(&wanted.name) {
            return None;
        }
        let held = self.managed.load().covering(&wanted.name);
        let good = held.is_some_and(|held| held.is_valid_at(SystemTime::now()));
        // Work goes on when the client that has asked for it is gone.
        let working = tokio::spawn(self.clone().obtain(wanted.name.clone()));
        if !good && timeout(PATIENCE, working).await.is_err() {
            tracing::error!(target: "tls.handshake", sni = wanted.name, "timed out waiting for a certificate");
        }
        None
    }
    async fn obtain(self: Arc<Self>, name: String) {
        let turn = self.working.entry(name.clone()).or_default().clone();
        {
            let _turn = turn.lock().await;
            if self.is_missing(&name) && !self.has_just_failed(&name) {
                match timeout(LIMIT, self.obtain_alone(&name)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => {
                        tracing::error!(target: "tls.on_demand", error, sni = name, "could not get certificate");
                    }
                    Err(_) => tracing::error!(target: "tls.on_demand", sni = name, "obtaining took too long"),
                }
            }
        }
        drop(turn);
        // Nobody else waits, so nobody needs it any more.
        self.working.remove_if(&name, |_, turn| Arc::strong_count(turn) == 1);
    }
    fn has_just_failed(&self, name: &str) -> bool {
        self.failed.remove_if(name, |_, at| at.elapsed() >= PAUSE);
        self.failed.contains_key(name)
    }
    async fn obtain_alone(&self, name: &str) -> Result<(), String> {
        if let Some(permission) = self.automation.permission()
            && let Err(error) = permission.ask(name).await
        {
            // Who was permitted once and is not any more loses what has expired.
            self.automation.forget_expired(name);
            return Err(format!("certificate should not be obtained: {error}"));
        }
        let obtained = self.automation.obtain_on_demand(name).await;
        if obtained.is_err() {
            self.failed.insert(name.to_owned(), Instant::now());
        }
        obtained
    }
}
/// The terms of a handshake, with one certificate alone.
pub fn with_certificate(config: &ServerConfig, certificate: Arc<CertifiedKey>) -> Arc<ServerConfig> {
    let mut config = config.clone();
    config.cert_resolver = Arc::new(Only(certificate));
    Arc::new(config)
}
#[derive(Debug)]
struct Only(Arc<CertifiedKey>);
impl ResolvesServerCert for Only {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}
