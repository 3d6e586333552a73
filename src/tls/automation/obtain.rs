//! From the storage to the handshake: what is there is served, what is due is renewed, what is missing is obtained.
use super::{Automation, IssueError, IssuedChain, Issuer, Policy, Request};
use crate::{
    config,
    storage::{self, safe},
    tls::{
        certificate::{Certificate, Index},
        keys::{key_from_pem, key_to_pem},
        renewal::{self, RenewalInfo},
    },
};
use rcgen::KeyPair;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    io::ErrorKind,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// How long another instance may work on the same name.
const PATIENCE: Duration = Duration::from_secs(120);
/// So much of a long lifetime is little.
const LITTLE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A certificate as it lies in the storage.
pub(super) struct Stored {
    pub(super) certificate: Arc<Certificate>,
    /// The name of its folder.
    issuer: String,
    /// Its metadata.
    data: Value,
}
impl Stored {
    pub(super) fn renewal_info(&self) -> Option<RenewalInfo> {
        RenewalInfo::deserialize(self.data.get("issuer_data")?.get("renewal_info")?).ok()
    }
}
/// What is said while a certificate is obtained, or else renewed.
macro_rules! say {
    ($renews:expr, $($said:tt)*) => {
        if $renews {
            tracing::info!(target: "tls.renew", $($said)*)
        } else {
            tracing::info!(target: "tls.obtain", $($said)*)
        }
    };
}
impl Automation {
    pub(super) async fn bring_up_to_date(&self, name: &str, attempt: usize) -> Result<(), IssueError> {
        let policy = self.policy(name);
        // Where the storage has none of these issuers' there is perhaps one of others that is served: it stays so until
        // there is a better one.
        let Some(stored) = self.load(&policy, name) else {
            return self.obtain(&policy, name, attempt, None).await;
        };
        if self.held(name).is_none_or(|held| held.key.cert != stored.certificate.key.cert) {
            // Also while a newer one is on its way.
            self.serve(name, stored.certificate.clone());
        }
        let info = self.refreshed_info(&policy, name, &stored).await;
        if !self.is_due(&policy, &stored.certificate, info.as_ref()) {
            return Ok(());
        }
        if !policy.renew {
            tracing::warn!(
                target: "tls", identifier = name, not_after = ?stored.certificate.not_after,
                "certificate is due for renewal, which is switched off"
            );
            return Ok(());
        }
        self.obtain(&policy, name, attempt, info.as_ref()).await
    }
    pub(super) fn is_due(
        &self,
        policy: &Policy,
        certificate: &Certificate,
        info: Option<&RenewalInfo>,
    ) -> bool {
        renewal::is_due(certificate, info, SystemTime::now(), policy.ratio, self.renew_interval)
    }
    fn held(&self, name: &str) -> Option<Arc<Certificate>> {
        self.managed.load().all().find(|c| c.names == [name]).cloned()
    }
    pub(super) fn warn_if_close(&self, name: &str) {
        let Some(held) = self.held(name) else { return };
        let left = held.not_after.duration_since(SystemTime::now()).unwrap_or_default();
        let lifetime = held.not_after.duration_since(held.not_before).unwrap_or_default();
        if left < LITTLE && lifetime > LITTLE * 2 {
            tracing::warn!(
                target: "tls.cache.maintenance", identifier = name, remaining = left.as_secs_f64(),
                "certificate is close to its end and could not be renewed"
            );
        }
    }
    /// What the authority suggests, asked again if it is time to: other instances on the storage profit from the answer.
    async fn refreshed_info(&self, policy: &Policy, name: &str, stored: &Stored) -> Option<RenewalInfo> {
        let known = stored.renewal_info()?;
        if !known.is_stale(SystemTime::now()) {
            return Some(known);
        }
        let issuer = policy.issuers.iter().find(|issuer| issuer.key() == stored.issuer)?;
        let leaf = stored.certificate.key.cert.first()?;
        let earlier = known.clone();
        let Some(asking) = issuer.renewal_info(leaf, &earlier) else { return Some(known) };
        let lock = format!("ari_{}", known.id);
        let Ok(_held) = storage::lock(self.storage.clone(), lock, Duration::ZERO).await else {
            return Some(known);
        };
        match asking.await {
            Ok(info) => {
                if info.window != known.window {
                    tracing::warn!(
                        target: "tls.cache.maintenance",
                        identifier = name, next_start = info.window.start, next_end = info.window.end,
                        next_selected_time = info.selected, explanation_url = info.explanation_url,
                        "ARI window or selected renewal time changed"
                    );
                }
                self.keep_info(name, stored, &info);
                Some(info)
            }
            Err(error) => {
                tracing::error!(
                    target: "tls.cache.maintenance",
                    identifier = name, issuer = stored.issuer, error, "failed updating renewal info from ACME CA"
                );
                Some(known)
            }
        }
    }
    fn keep_info(&self, name: &str, stored: &Stored, info: &RenewalInfo) {
        let mut data = stored.data.clone();
        data["issuer_data"]["renewal_info"] = json!(info);
        let path = path(&stored.issuer, name, "json");
        match self.storage.store(&path, config::pretty(&data).as_bytes()) {
            Ok(()) => tracing::info!(
                target: "tls.cache.maintenance",
                identifier = name, selected_time = info.selected, "updated and stored ACME renewal information"
            ),
            Err(error) => {
                tracing::error!(target: "tls.cache.maintenance", %error, path, "storing renewal info")
            }
        }
    }
    /// The latest certificate that any of the issuers has left in the storage.
    pub(super) fn load(&self, policy: &Policy, name: &str) -> Option<Stored> {
        let stored = policy.issuers.iter().filter_map(|issuer| {
            let issuer = issuer.key();
            let read = |ending: &str| self.storage.load(&path(&issuer, name, ending));
            let (chain, key) = (read("crt").ok()?, read("key").ok()?);
            let data = serde_json::from_slice(&read("json").unwrap_or_default()).unwrap_or_default();
            match Certificate::from_pem(&chain, &key, vec![]) {
                Ok(certificate) => Some(Stored { certificate: Arc::new(certificate), issuer, data }),
                Err(error) => {
                    tracing::warn!(target: "tls", error, identifier = name, "stored certificate cannot be used");
                    None
                }
            }
        });
        stored.max_by_key(|stored| stored.certificate.not_before)
    }
    pub(super) async fn obtain(
        &self,
        policy: &Policy,
        name: &str,
        attempt: usize,
        info: Option<&RenewalInfo>,
    ) -> Result<(), IssueError> {
        let renews = self.held(name).is_some();
        if self.checks_storage {
            storage::check(&*self.storage).map_err(|error| {
                format!("failed storage check: {error} - storage is probably misconfigured")
            })?;
        }
        say!(renews, identifier = name, "acquiring lock");
        let held = storage::lock(self.storage.clone(), format!("issue_cert_{name}"), PATIENCE).await;
        let _held = held.map_err(|error| error.to_string())?;
        say!(renews, identifier = name, "lock acquired");
        let obtained = self.obtain_locked(policy, name, attempt, info).await;
        say!(renews, identifier = name, "releasing lock");
        obtained
    }
    async fn obtain_locked(
        &self,
        policy: &Policy,
        name: &str,
        attempt: usize,
        info: Option<&RenewalInfo>,
    ) -> Result<(), IssueError> {
        let renews = self.held(name).is_some();
        // Another instance may have been faster.
        if let Some(stored) = self.load(policy, name)
            && !self.is_due(policy, &stored.certificate, stored.renewal_info().as_ref())
        {
            say!(renews, identifier = name, "certificate appears to have been renewed already");
            self.serve(name, stored.certificate);
            return Ok(());
        }
        if renews {
            say!(true, identifier = name, "renewing certificate");
        } else {
            say!(false, identifier = name, "obtaining certificate");
        }
        // Caddy's rule: perhaps it is this very thing that the authority does not like.
        let replaces = info.map(|info| info.id.as_str()).filter(|id| attempt < 3 && !id.is_empty());
        let mut failed = IssueError::from("no issuer".to_owned());
        for issuer in &policy.issuers {
            let key = self.key(policy, &**issuer, name)?;
            match issuer.issue(Request { name, key: &key, attempt, replaces }).await {
                Ok(issued) => {
                    let key = key_to_pem(&key);
                    self.store(&issuer.key(), name, &issued, &key)?;
                    let certificate = Certificate::from_pem(issued.pem.as_bytes(), key.as_bytes(), vec![])?;
                    self.serve(name, Arc::new(certificate));
                    if renews {
                        say!(
                            true,
                            identifier = name,
                            issuer = issuer.key(),
                            "certificate renewed successfully"
                        );
                    } else {
                        say!(
                            false,
                            identifier = name,
                            issuer = issuer.key(),
                            "certificate obtained successfully"
                        );
                    }
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
    pub(super) fn serve(&self, name: &str, certificate: Arc<Certificate>) {
        self.managed.rcu(|index| {
            let mut index = Index::clone(index);
            let earlier: Vec<_> = index.all().filter(|c| c.names == [name]).cloned().collect();
            earlier.iter().for_each(|earlier| index.remove(earlier));
            index.insert(certificate.clone());
            index
        });
    }
    pub(super) fn forget_all_but(&self, names: &[String]) {
        self.managed.rcu(|index| {
            let mut kept = Index::default();
            let wanted = index.all().filter(|c| c.names.iter().any(|name| names.contains(name)));
            wanted.for_each(|certificate| kept.insert_once(certificate));
            kept
        });
    }
}
pub(super) fn path(issuer: &str, name: &str, ending: &str) -> String {
    let name = safe(name);
    format!("certificates/{issuer}/{name}/{name}.{ending}")
}
