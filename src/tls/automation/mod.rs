//! Obtains certificates and renews them: which issuer a name has, where its certificate is stored, when it is due.
mod demand;
mod obtain;

use super::{
    acme::{DnsModule, DnsSolver},
    certificate::{Index, candidates},
    cleaning,
    keys::KeyType,
    names,
    on_demand::{CertificateManager, ManagerModule, Permission, PermissionModule},
    renewal::RenewalInfo,
};
use crate::{
    config::{self, TlsApp},
    storage::Storage,
};
use arc_swap::ArcSwap;
use rcgen::KeyPair;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, fmt, future::Future, pin::Pin, sync::Arc, time::Duration};
use tokio::task::JoinSet;

/// How much of a lifetime may be left when a certificate is renewed.
const RENEWAL_RATIO: f64 = 1.0 / 3.0;
const RENEW_INTERVAL: Duration = Duration::from_secs(600);
/// Pauses between attempts; the last one repeats.
const RETRIES: &[u64] = &[
    60, 120, 120, 300, 600, 600, 600, 1200, 1200, 1200, 1200, 1800, 1800, 1800, 1800, 1800, 1800, 3600, 3600,
    3600, 7200, 7200, 10_800, 10_800, 21_600,
];
/// An authority that wants a longer pause is asked once more nevertheless.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 60 * 60);

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
    /// ARI's name of the certificate that the new one takes the place of (RFC 9773).
    pub replaces: Option<&'a str>,
}
/// What an authority is asked about a certificate that it has issued.
pub type Suggesting<'a> = Pin<Box<dyn Future<Output = Result<RenewalInfo, String>> + Send + 'a>>;
pub type Issuing<'a> = Pin<Box<dyn Future<Output = Result<IssuedChain, IssueError>> + Send + 'a>>;
/// Signs certificates: `tls.issuance.*`.
pub trait Issuer: fmt::Debug + Send + Sync {
    /// The folder of its certificates in the storage.
    fn key(&self) -> String;
    /// Whether it is an authority of our own, which costs nothing.
    fn is_internal(&self) -> bool {
        false
    }
    /// Has the key certified for the name.
    fn issue<'a>(&'a self, request: Request<'a>) -> Issuing<'a>;
    /// When it would like a certificate (DER) to be renewed, given what it said before; `None` if it never says.
    fn renewal_info<'a>(&'a self, _leaf: &'a [u8], _earlier: &'a RenewalInfo) -> Option<Suggesting<'a>> {
        None
    }
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
    pub managers: &'static [ManagerModule],
    pub permissions: &'static [PermissionModule],
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
impl IssuerContext {
    /// Who says which names may have certificates on demand; `ask` is an older way to say it.
    fn permission(&self, on_demand: Option<&Value>) -> Result<Option<Arc<dyn Permission>>, String> {
        #[derive(Default, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        struct OnDemandConfig {
            permission: Option<Value>,
            ask: String,
        }
        let Some(config) = on_demand else { return Ok(None) };
        let config = crate::config::decode::<OnDemandConfig, _>(config)
            .map_err(|error| format!("on_demand: {error}"))?;
        let asked = (!config.ask.is_empty()).then(|| json!({ "module": "http", "endpoint": config.ask }));
        let Some(permission) = config.permission.or(asked) else { return Ok(None) };
        let (name, fields) = module("module", &permission)?;
        let known = self.permissions.iter().find(|known| known.name == name);
        let known = known.ok_or_else(|| format!("unknown module: tls.permission.{name}"))?;
        (known.build)(fields)
            .map(Some)
            .map_err(|why| format!("loading on-demand TLS permission module: {name}: {why}"))
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
    /// `None`: the storage is not cleaned.
    clean_interval: Option<Duration>,
    checks_storage: bool,
    /// Who is asked before a certificate is obtained on demand.
    permission: Option<Arc<dyn Permission>>,
}
#[derive(Clone, Debug)]
struct Policy {
    subjects: Vec<String>,
    issuers: Vec<Arc<dyn Issuer>>,
    key_type: KeyType,
    ratio: f64,
    reuse_keys: bool,
    renew: bool,
    on_demand: bool,
    managers: Vec<Arc<dyn CertificateManager>>,
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
        let policies = policies.collect::<Result<Vec<_>, _>>()?;
        let permission = cx.permission(automation.on_demand.as_ref())?;
        let unprotected = |policy: &&Policy| permission.is_none() && policy.invites_abuse();
        if policies.iter().filter(unprotected).any(|policy| policy.managers.is_empty()) {
            return Err("on-demand TLS cannot be enabled without a permission module to prevent abuse; please refer to documentation for details".into());
        }
        Ok(Self {
            policies,
            permission,
            public: default("acme")?,
            internal: default("internal")?,
            storage: cx.storage.clone(),
            managed,
            renew_interval: automation.renew_interval.some().unwrap_or(RENEW_INTERVAL),
            clean_interval: (!app.disable_storage_clean)
                .then(|| automation.storage_clean_interval.some().unwrap_or(cleaning::INTERVAL)),
            checks_storage: !app.disable_storage_check,
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
        let Some(found) = self.spoken_of(name) else { return by_default.clone() };
        let unfit = found.issuers.is_empty() || (found.subjects.is_empty() && !public);
        let issuers = if unfit { &by_default.issuers } else { &found.issuers };
        Policy { issuers: issuers.clone(), ..found.clone() }
    }
    fn spoken_of(&self, name: &str) -> Option<&Policy> {
        let speaks =
            |policy: &&Policy| candidates(name).any(|candidate| policy.subjects.contains(&candidate));
        let base = || self.policies.iter().find(|policy| policy.subjects.is_empty());
        self.policies.iter().find(speaks).or_else(base)
    }
    /// Obtains what `names` lack and renews what is due, for as long as it is polled. One name's trouble is its own.
    pub async fn maintain(self: Arc<Self>, names: Vec<String>) {
        self.forget_all_but(&names);
        let mut each = JoinSet::new();
        // Without a name to look after, nothing is ours to clean.
        if let Some(interval) = self.clean_interval.filter(|_| !names.is_empty()) {
            each.spawn(cleaning::keep_clean(self.storage.clone(), interval));
        }
        // What is obtained on demand is looked after at handshakes.
        for name in names.into_iter().filter(|name| !self.is_on_demand(name)) {
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
                    let pause =
                        error.retry_after.map_or(pause, |wanted| wanted.min(LONGEST_PAUSE).max(pause));
                    self.warn_if_close(&name);
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
}
impl Policy {
    fn build(
        policy: &config::AutomationPolicy,
        issuers: &[IssuerModule],
        cx: &IssuerContext,
    ) -> Result<Self, String> {
        for (set, what) in [(policy.must_staple, "must_staple"), (policy.storage.is_some(), "storage")] {
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
        let manager = |manager: &Value| {
            let (name, fields) = module("via", manager)?;
            let known = cx.managers.iter().find(|known| known.name == name);
            let known = known.ok_or_else(|| format!("unknown module: tls.get_certificate.{name}"))?;
            (known.build)(fields)
                .map_err(|why| format!("loading external certificate manager: {name}: {why}"))
        };
        Ok(Self {
            on_demand: policy.on_demand,
            managers: policy.get_certificate.iter().map(manager).collect::<Result<_, _>>()?,
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
#[cfg(test)]
mod tests;
