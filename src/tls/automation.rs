//! Obtains certificates and renews them: which issuer a name has, where its certificate is stored, when it is due.
use super::{
    acme::{DnsModule, DnsSolver},
    certificate::{Certificate, Index, candidates},
    keys::{KeyType, key_from_pem, key_to_pem},
    names,
};
use crate::{
    config::{self, TlsApp},
    storage::{self, Storage, safe},
};
use arc_swap::ArcSwap;
use rcgen::KeyPair;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    io::ErrorKind,
    pin::Pin,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::task::JoinSet;

/// How much of a lifetime may be left when a certificate is renewed.
const RENEWAL_RATIO: f64 = 1.0 / 3.0;
const RENEW_INTERVAL: Duration = Duration::from_secs(600);
/// How long another instance may work on the same name.
const PATIENCE: Duration = Duration::from_secs(120);
/// Pauses between attempts; the last one repeats.
const RETRIES: &[u64] = &[60, 120, 120, 300, 600, 600, 600, 1200, 1200, 1200, 1200, 1800, 3600];

/// What an issuer gives: the chain, leaf first, and what Caddy keeps beside it as `issuer_data`.
#[derive(Debug)]
pub struct IssuedChain {
    pub pem: String,
    pub issuer_data: Value,
}
/// Why there is no certificate.
#[derive(Debug)]
pub struct IssueError {
    pub message: String,
    /// Not before that long is the issuer to be asked again.
    pub retry_after: Option<Duration>,
}
impl From<String> for IssueError {
    fn from(message: String) -> Self {
        Self { message, retry_after: None }
    }
}
/// What an issuer is asked for.
pub struct Request<'a> {
    pub name: &'a str,
    pub key: &'a KeyPair,
    /// From 1; those after the first follow a failure.
    pub attempt: usize,
}
pub type Issuing<'a> = Pin<Box<dyn Future<Output = Result<IssuedChain, IssueError>> + Send + 'a>>;
/// Signs certificates: `tls.issuance.*`.
pub trait Issuer: fmt::Debug + Send + Sync {
    /// The folder of its certificates in the storage.
    fn key(&self) -> String;
    /// Has the key certified for the name.
    fn issue<'a>(&'a self, request: Request<'a>) -> Issuing<'a>;
}
/// What an issuer may ask for while it is built.
pub struct IssuerContext {
    pub storage: Arc<dyn Storage>,
    /// The authorities of the `pki` app, by id; `local` is always there.
    pub authorities: BTreeMap<String, Arc<super::Authority>>,
    /// Where servers find the answers to challenges.
    pub challenges: Arc<super::Challenges>,
    pub dns_modules: &'static [DnsModule],
    /// The `tls` app's `dns`: the provider of those that name none.
    pub dns: Option<Value>,
    /// The `tls` app's `resolvers`: for challenges that name none.
    pub resolvers: Vec<String>,
}
impl IssuerContext {
    /// How a challenge writes and finds its records.
    ///
    /// # Errors
    /// No provider is named, or an unknown one, or it misses something.
    pub fn dns_solver(&self, challenge: &config::DnsChallenge) -> Result<DnsSolver, String> {
        let Some(provider) = challenge.provider.as_ref().or(self.dns.as_ref()) else {
            return Err("DNS challenge enabled, but no DNS provider configured".into());
        };
        let (name, fields) = module("name", provider)?;
        let known = self.dns_modules.iter().find(|known| known.name == name);
        let known = known.ok_or_else(|| format!("unknown module: dns.providers.{name}"))?;
        let provider = (known.build)(fields);
        let provider =
            provider.map_err(|why| format!("loading DNS provider module: dns.providers.{name}: {why}"))?;
        Ok(DnsSolver::new(challenge, provider, &self.resolvers))
    }
}
/// The name of a module, under its inline key, and what else there is in it.
fn module(key: &str, value: &Value) -> Result<(String, Map<String, Value>), String> {
    let Value::Object(fields) = value else { return Err("a module is an object".into()) };
    let mut fields = fields.clone();
    let name = fields.remove(key).and_then(|name| name.as_str().map(str::to_owned));
    Ok((name.unwrap_or_default(), fields))
}
type BuildIssuer = fn(Map<String, Value>, &IssuerContext) -> Result<Arc<dyn Issuer>, String>;
/// One row of the table of issuers.
pub struct IssuerModule {
    pub name: &'static str,
    pub build: BuildIssuer,
}

/// `apps.tls.automation`, compiled.
#[derive(Debug)]
pub struct Automation {
    policies: Vec<Policy>,
    /// For names that no policy speaks of.
    public: Policy,
    internal: Policy,
    storage: Arc<dyn Storage>,
    managed: Arc<ArcSwap<Index>>,
    renew_interval: Duration,
}
#[derive(Clone, Debug)]
struct Policy {
    subjects: Vec<String>,
    issuers: Vec<Arc<dyn Issuer>>,
    key_type: KeyType,
    ratio: f64,
    reuse_keys: bool,
    renew: bool,
}
impl Automation {
    /// Compiles the policies; `managed` is where their certificates will be found.
    ///
    /// # Errors
    /// An unknown issuer, a setting that none understands.
    pub fn build(
        app: &TlsApp,
        issuers: &[IssuerModule],
        cx: &IssuerContext,
        managed: Arc<ArcSwap<Index>>,
    ) -> Result<Self, String> {
        let unset = config::Automation::default();
        let automation = app.automation.as_ref().unwrap_or(&unset);
        let build = |policy: &config::AutomationPolicy| Policy::build(policy, issuers, cx);
        let default = |module: &str| {
            build(&config::AutomationPolicy {
                issuers: vec![json!({ "module": module })],
                ..Default::default()
            })
        };
        let numbered = automation.policies.iter().enumerate();
        let policies = numbered.map(|(i, policy)| {
            build(policy).map_err(|why| format!("tls: provisioning automation policy {i}: {why}"))
        });
        Ok(Self {
            policies: policies.collect::<Result<_, _>>()?,
            public: default("acme")?,
            internal: default("internal")?,
            storage: cx.storage.clone(),
            managed,
            renew_interval: automation.renew_interval.some().unwrap_or(RENEW_INTERVAL),
        })
    }
    /// The storage folders of the issuers that `name` may have a certificate from.
    pub fn issuer_keys(&self, name: &str) -> Vec<String> {
        self.policy(name).issuers.iter().map(|issuer| issuer.key()).collect()
    }
    /// Whether a policy names `name` itself.
    pub fn names(&self, name: &str) -> bool {
        self.policies.iter().any(|policy| policy.subjects.iter().any(|subject| subject == name))
    }
    /// The policy that speaks of a name, or else the one without subjects. Issuers that it leaves open are those that
    /// can certify the name at all.
    fn policy(&self, name: &str) -> Policy {
        let public = names::qualifies_publicly(name);
        let by_default = if public { &self.public } else { &self.internal };
        let speaks =
            |policy: &&Policy| candidates(name).any(|candidate| policy.subjects.contains(&candidate));
        let named = self.policies.iter().find(speaks);
        let base = || self.policies.iter().find(|policy| policy.subjects.is_empty());
        let Some(found) = named.or_else(base) else { return by_default.clone() };
        let unfit = found.issuers.is_empty() || (named.is_none() && !public);
        let issuers = if unfit { &by_default.issuers } else { &found.issuers };
        Policy { issuers: issuers.clone(), ..found.clone() }
    }
    /// Obtains what `names` lack and renews what is due, for as long as it is polled. One name's trouble is its own.
    pub async fn maintain(self: Arc<Self>, names: Vec<String>) {
        self.forget_all_but(&names);
        let mut each = JoinSet::new();
        for name in names {
            each.spawn(self.clone().maintain_one(name));
        }
        while each.join_next().await.is_some() {}
    }
    async fn maintain_one(self: Arc<Self>, name: String) {
        let mut failures = 0;
        loop {
            let pause = match self.clone().bring_up_to_date(&name, failures + 1).await {
                Ok(()) => {
                    failures = 0;
                    self.renew_interval
                }
                Err(error) => {
                    let pause = Duration::from_secs(RETRIES[failures.min(RETRIES.len() - 1)]);
                    let pause = error.retry_after.map_or(pause, |wanted| wanted.max(pause));
                    failures += 1;
                    tracing::error!(
                        target: "tls.obtain",
                        error = error.message, identifier = name, attempt = failures, retrying_in = pause.as_secs_f64(), "will retry"
                    );
                    pause
                }
            };
            tokio::time::sleep(pause).await;
        }
    }
    async fn bring_up_to_date(&self, name: &str, attempt: usize) -> Result<(), IssueError> {
        let policy = self.policy(name);
        let now = SystemTime::now();
        let current = self.managed.load().all().find(|c| c.names == [name]).cloned();
        if current.is_some_and(|current| !current.is_due(now, policy.ratio)) {
            return Ok(());
        }
        if let Some(stored) = self.load(&policy, name) {
            let due = stored.is_due(now, policy.ratio);
            if due && !policy.renew {
                tracing::warn!(
                    target: "tls", identifier = name, not_after = ?stored.not_after,
                    "certificate is due for renewal, which is switched off"
                );
            }
            // Also while a newer one is on its way.
            self.serve(name, stored);
            if !due || !policy.renew {
                return Ok(());
            }
        }
        self.obtain(&policy, name, attempt).await
    }
    /// The latest certificate that any of the issuers has left in the storage.
    fn load(&self, policy: &Policy, name: &str) -> Option<Certificate> {
        let read = |key: String| self.storage.load(&key);
        let stored = policy.issuers.iter().filter_map(|issuer| {
            let chain = read(path(&issuer.key(), name, "crt")).ok()?;
            let key = read(path(&issuer.key(), name, "key")).ok()?;
            match Certificate::from_pem(&chain, &key, vec![]) {
                Ok(certificate) => Some(certificate),
                Err(error) => {
                    tracing::warn!(target: "tls", error, identifier = name, "stored certificate cannot be used");
                    None
                }
            }
        });
        stored.max_by_key(|certificate| certificate.not_before)
    }
    async fn obtain(&self, policy: &Policy, name: &str, attempt: usize) -> Result<(), IssueError> {
        tracing::info!(target: "tls.obtain", identifier = name, "acquiring lock");
        let held = storage::lock(self.storage.clone(), format!("issue_cert_{name}"), PATIENCE).await;
        let _held = held.map_err(|error| error.to_string())?;
        tracing::info!(target: "tls.obtain", identifier = name, "lock acquired");
        let obtained = self.obtain_locked(policy, name, attempt).await;
        tracing::info!(target: "tls.obtain", identifier = name, "releasing lock");
        obtained
    }
    async fn obtain_locked(&self, policy: &Policy, name: &str, attempt: usize) -> Result<(), IssueError> {
        // Another instance may have been faster.
        if let Some(stored) = self.load(policy, name)
            && !stored.is_due(SystemTime::now(), policy.ratio)
        {
            self.serve(name, stored);
            return Ok(());
        }
        tracing::info!(target: "tls.obtain", identifier = name, "obtaining certificate");
        let mut failed = IssueError::from("no issuer".to_owned());
        for issuer in &policy.issuers {
            let key = self.key(policy, &**issuer, name)?;
            match issuer.issue(Request { name, key: &key, attempt }).await {
                Ok(issued) => {
                    let key = key_to_pem(&key);
                    self.store(&issuer.key(), name, &issued, &key)?;
                    let certificate = Certificate::from_pem(issued.pem.as_bytes(), key.as_bytes(), vec![])?;
                    self.serve(name, certificate);
                    tracing::info!(
                        target: "tls.obtain", identifier = name, issuer = issuer.key(), "certificate obtained successfully"
                    );
                    return Ok(());
                }
                Err(error) => {
                    tracing::error!(
                        target: "tls.obtain",
                        identifier = name, issuer = issuer.key(), error = error.message, "could not get certificate from issuer"
                    );
                    failed = error;
                }
            }
        }
        Err(failed)
    }
    fn key(&self, policy: &Policy, issuer: &dyn Issuer, name: &str) -> Result<KeyPair, String> {
        if policy.reuse_keys {
            match self.storage.load(&path(&issuer.key(), name, "key")) {
                Ok(pem) => return key_from_pem(&pem),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        policy.key_type.generate().map_err(|error| error.to_string())
    }
    /// The key first: a certificate without its key would be of no use to anyone.
    fn store(&self, issuer: &str, name: &str, issued: &IssuedChain, key: &str) -> Result<(), String> {
        let data = config::pretty(&json!({ "sans": [name], "issuer_data": issued.issuer_data }));
        for (ending, value) in [("key", key), ("crt", &issued.pem), ("json", &data)] {
            let path = path(issuer, name, ending);
            self.storage.store(&path, value.as_bytes()).map_err(|error| format!("{path}: {error}"))?;
        }
        Ok(())
    }
    /// New handshakes get it from here on; connections are not touched.
    fn serve(&self, name: &str, certificate: Certificate) {
        let certificate = Arc::new(certificate);
        self.managed.rcu(|index| {
            let mut index = Index::clone(index);
            let earlier: Vec<_> = index.all().filter(|c| c.names == [name]).cloned().collect();
            earlier.iter().for_each(|earlier| index.remove(earlier));
            index.insert(certificate.clone());
            index
        });
    }
    fn forget_all_but(&self, names: &[String]) {
        self.managed.rcu(|index| {
            let mut kept = Index::default();
            let wanted = index.all().filter(|c| c.names.iter().any(|name| names.contains(name)));
            wanted.for_each(|certificate| kept.insert_once(certificate));
            kept
        });
    }
}
impl Policy {
    fn build(
        policy: &config::AutomationPolicy,
        issuers: &[IssuerModule],
        cx: &IssuerContext,
    ) -> Result<Self, String> {
        for (set, what) in [
            (policy.on_demand, "on_demand"),
            (policy.must_staple, "must_staple"),
            (!policy.get_certificate.is_empty(), "get_certificate"),
            (policy.storage.is_some(), "storage"),
        ] {
            if set {
                return Err(format!("{what} is not supported yet"));
            }
        }
        let issuer = |issuer: &Value| {
            let (name, fields) = module("module", issuer)?;
            let known = issuers.iter().find(|known| known.name == name);
            let known = known.ok_or_else(|| format!("unknown module: tls.issuance.{name}"))?;
            (known.build)(fields, cx).map_err(|why| format!("loading issuer: {name}: {why}"))
        };
        Ok(Self {
            subjects: policy.subjects.iter().map(|subject| subject.to_ascii_lowercase()).collect(),
            issuers: policy.issuers.iter().map(issuer).collect::<Result<_, _>>()?,
            key_type: KeyType::named(&policy.key_type)?,
            ratio: if policy.renewal_window_ratio > 0.0 {
                policy.renewal_window_ratio
            } else {
                RENEWAL_RATIO
            },
            reuse_keys: policy.reuse_private_keys,
            renew: !policy.disable_renewal,
        })
    }
}
fn path(issuer: &str, name: &str, ending: &str) -> String {
    let name = safe(name);
    format!("certificates/{issuer}/{name}/{name}.{ending}")
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        storage::FileSystem,
        tls::{Authority, AuthoritySettings, LEAF_LIFETIME},
    };

    #[derive(Debug)]
    struct Internal;
    impl Issuer for Internal {
        fn key(&self) -> String {
            "local".into()
        }
        fn issue<'a>(&'a self, request: Request<'a>) -> Issuing<'a> {
            let folder = std::env::temp_dir().join(format!("authority-{}", std::process::id()));
            let authority =
                Authority::new("local", AuthoritySettings::default(), Arc::new(FileSystem::new(folder)));
            let issued = authority.issue(request.name, request.key, LEAF_LIFETIME, false);
            Box::pin(async { Ok(IssuedChain { pem: issued?.chain, issuer_data: Value::Null }) })
        }
    }
    #[derive(Debug)]
    struct Broken;
    impl Issuer for Broken {
        fn key(&self) -> String {
            "broken".into()
        }
        fn issue<'a>(&'a self, _: Request<'a>) -> Issuing<'a> {
            Box::pin(async { Err("no".to_owned().into()) })
        }
    }
    const ISSUERS: &[IssuerModule] = &[
        IssuerModule { name: "internal", build: |_, _| Ok(Arc::new(Internal)) },
        IssuerModule { name: "acme", build: |_, _| Ok(Arc::new(Broken)) },
    ];
    fn automation(folder: &std::path::Path, app: Value) -> Arc<Automation> {
        let storage: Arc<dyn Storage> = Arc::new(FileSystem::new(folder));
        let cx = IssuerContext {
            storage,
            authorities: BTreeMap::new(),
            challenges: Arc::default(),
            dns_modules: &[],
            dns: None,
            resolvers: vec![],
        };
        let app = serde_json::from_value(app).unwrap();
        Arc::new(Automation::build(&app, ISSUERS, &cx, Arc::default()).unwrap())
    }
    #[tokio::test]
    async fn a_certificate_is_obtained_stored_as_caddy_does_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let first = automation(folder.path(), json!({}));
        first.bring_up_to_date("*.app.localhost", 1).await.unwrap();
        assert!(first.managed.load().covers("x.app.localhost"));
        let at = "certificates/local/wildcard_.app.localhost";
        let storage = FileSystem::new(folder.path());
        let name = "wildcard_.app.localhost";
        assert_eq!(
            storage.list(at).unwrap(),
            ["crt", "json", "key"].map(|ending| format!("{name}.{ending}"))
        );
        let data = storage.load(&format!("{at}/{name}.json")).unwrap();
        let expected = "{\n\t\"sans\": [\n\t\t\"*.app.localhost\"\n\t],\n\t\"issuer_data\": null\n}";
        assert_eq!(String::from_utf8(data).unwrap(), expected);
        let chain = storage.load(&format!("{at}/{name}.crt")).unwrap();
        let second = automation(folder.path(), json!({}));
        second.bring_up_to_date("*.app.localhost", 1).await.unwrap();
        assert_eq!(storage.load(&format!("{at}/{name}.crt")).unwrap(), chain, "it was not obtained again");
        second.forget_all_but(&["other".to_owned()]);
        assert!(!second.managed.load().covers("x.app.localhost"));
    }
    #[tokio::test]
    async fn who_fails_says_why_and_the_next_issuer_is_tried() {
        let folder = tempfile::tempdir().unwrap();
        let alone = automation(folder.path(), json!({}));
        assert_eq!(alone.bring_up_to_date("example.com", 1).await.unwrap_err().message, "no");
        let policy =
            json!({"subjects": ["example.com"], "issuers": [{"module": "acme"}, {"module": "internal"}]});
        let both = automation(folder.path(), json!({"automation": {"policies": [policy]}}));
        both.bring_up_to_date("example.com", 1).await.unwrap();
        assert!(both.managed.load().covers("example.com"));
    }
    #[test]
    fn the_first_policy_that_speaks_of_a_name_governs_it() {
        let folder = tempfile::tempdir().unwrap();
        let policies = json!([
            {"subjects": ["*.Example.com"], "issuers": [{"module": "internal"}]},
            {"issuers": [{"module": "acme"}]},
        ]);
        let automation = automation(folder.path(), json!({"automation": {"policies": policies}}));
        assert_eq!(automation.issuer_keys("a.example.com"), ["local"]);
        assert_eq!(automation.issuer_keys("example.com"), ["broken"]);
        assert_eq!(automation.issuer_keys("localhost"), ["local"], "nobody but us can certify it");
    }
    #[test]
    fn a_damaged_certificate_in_the_storage_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let storage = FileSystem::new(folder.path());
        storage.store(&path("local", "localhost", "crt"), b"rubbish").unwrap();
        storage.store(&path("local", "localhost", "key"), b"rubbish").unwrap();
        let automation = automation(folder.path(), json!({}));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(automation.bring_up_to_date("localhost", 1)).unwrap();
        assert!(automation.managed.load().covers("localhost"));
    }
}
