//! The `tls` app: which certificates there are, and how they come about.
use super::{
    Options,
    issuers::{IssuerId, Issuers},
    pairing::{Pairing, Served},
    policies::{Policy, consolidate},
    servers::listens_beside,
    subjects,
};
use crate::config::{Automation, AutomationPolicy, TlsApp};
use grammar::Error;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Builds the `tls` app.
///
/// # Errors
/// Sites and options that contradict each other.
pub(super) fn tls_app(pairings: &[Pairing<'_>], options: &Options) -> Result<TlsApp, Error> {
    let mut builder =
        Builder { options, issuers: Issuers::default(), policies: vec![], order: vec![], base: vec![] };
    builder.base = builder.issuers.all(&options.cert_issuers);
    let mut app = TlsApp {
        encrypted_client_hello: options.ech.clone(),
        dns: options.dns.clone(),
        resolvers: options.tls_resolvers.clone(),
        disable_ocsp_stapling: options.ocsp_stapling_off,
        disable_storage_check: options.storage_check_off,
        disable_storage_clean: options.storage_clean_off,
        ..TlsApp::default()
    };
    let mut forced = BTreeSet::new();
    builder.site_policies(pairings, &mut forced)?;
    builder.ech_policy()?;
    let automate = builder.automated_names(pairings, &forced)?;
    builder.default_issuers();
    loaders(&mut app, pairings, automate, options.http_port());
    let automation = Automation {
        policies: builder.finish()?,
        on_demand: options.on_demand_tls.clone(),
        ocsp_interval: options.ocsp_interval.unwrap_or_default(),
        renew_interval: options.renew_interval.unwrap_or_default(),
        storage_clean_interval: options.storage_clean_interval.unwrap_or_default(),
    };
    app.automation = (automation != Automation::default()).then_some(automation);
    Ok(app)
}

struct Builder<'o> {
    options: &'o Options,
    issuers: Issuers,
    policies: Vec<Policy>,
    /// Indices of policies; the catch-all may stand here more than once.
    order: Vec<usize>,
    /// The global `cert_issuer`s.
    base: Vec<IssuerId>,
}
impl Builder<'_> {
    fn has_automation_options(&self) -> bool {
        let o = self.options;
        !o.cert_issuers.is_empty()
            || o.local_certs
            || o.key_type.is_some()
            || o.ocsp_stapling_off
            || o.renewal_window_ratio.is_some()
            || self.has_acme_options()
    }
    fn has_acme_options(&self) -> bool {
        let o = self.options;
        o.acme_ca.is_some()
            || o.acme_ca_root.is_some()
            || o.acme_dns.is_some()
            || o.acme_eab.is_some()
            || o.preferred_chains.is_some()
    }
    fn has_acme_defaults(&self) -> bool {
        self.options.email.is_some() || self.has_acme_options()
    }
    /// A policy with what the global options say.
    fn base_policy(&mut self) -> Result<usize, Error> {
        let o = self.options;
        if !o.cert_issuers.is_empty() && o.local_certs {
            return Err(Error::plain(
                "global options are ambiguous: local_certs is confusing when combined with cert_issuer, because \
                 local_certs is also a specific kind of issuer",
            ));
        }
        let issuers = if o.local_certs {
            vec![self.issuers.add(&json!({ "module": "internal" }))]
        } else {
            self.base.clone()
        };
        if self.has_acme_options() {
            for (at, id) in issuers.iter().enumerate() {
                self.issuers.fill(*id, o).map_err(|why| {
                    Error::plain(format!("filling in global issuer defaults for issuer {at}: {why}"))
                })?;
            }
        }
        let json = AutomationPolicy {
            key_type: o.key_type.clone().unwrap_or_default(),
            disable_ocsp_stapling: o.ocsp_stapling_off,
            renewal_window_ratio: o.renewal_window_ratio.unwrap_or_default(),
            ..AutomationPolicy::default()
        };
        Ok(self.push(Policy { json, issuers, implied_internal: false }))
    }
    fn push(&mut self, policy: Policy) -> usize {
        self.policies.push(policy);
        self.policies.len() - 1
    }
    fn site_policies(
        &mut self,
        pairings: &[Pairing<'_>],
        forced: &mut BTreeSet<String>,
    ) -> Result<(), Error> {
        let mut catch_all = None;
        if self.has_automation_options() {
            let at = self.base_policy()?;
            self.order.push(at);
            catch_all = Some(at);
        }
        let http_port = self.options.http_port();
        // A site may be served by several servers; its issuers are the same ones.
        let mut issuers: HashMap<usize, Vec<IssuerId>> = HashMap::new();
        for served in https_sites(pairings, http_port) {
            let hosts = served.hosts();
            let tls = &served.site.tls;
            if tls.iter().any(|tls| tls.force_automate) {
                forced.extend(hosts.iter().map(|host| (*host).to_owned()));
            }
            let own = issuers.entry(served.index).or_insert_with(|| {
                tls.iter().flat_map(|tls| &tls.issuers).map(|issuer| self.issuers.add(issuer)).collect()
            });
            self.site_policy(served, own, hosts.is_empty(), &mut catch_all)?;
        }
        Ok(())
    }
    /// One site's policy, which may be that for all names, if the site has no host.
    fn site_policy(
        &mut self,
        served: &Served<'_>,
        issuers: &[IssuerId],
        everywhere: bool,
        catch_all: &mut Option<usize>,
    ) -> Result<(), Error> {
        let shared = catch_all.filter(|_| everywhere);
        let at = match shared {
            Some(at) => at,
            None => self.base_policy()?,
        };
        let tls = &served.site.tls;
        if !issuers.is_empty() {
            let known = &self.policies[at].issuers;
            if shared.is_some() && !self.issuers.same(known, issuers) {
                let list = |ids: &[IssuerId]| {
                    Value::Array(ids.iter().map(|id| self.issuers.value(*id)).collect()).to_string()
                };
                let message = format!(
                    "automation policy from site block is also default/catch-all policy because of key without \
                     hostname, and the two are in conflict: {} != {}",
                    list(known),
                    list(issuers)
                );
                let place = served.texts().next();
                return Err(place.map_or_else(|| Error::plain(message.clone()), |key| key.error(&message)));
            }
            self.policies[at].issuers = issuers.to_vec();
        }
        let policy = &mut self.policies[at];
        policy.json.on_demand |= tls.iter().any(|tls| tls.on_demand);
        policy.json.reuse_private_keys |= tls.iter().any(|tls| tls.reuse_private_keys);
        if let Some(tls) = tls.iter().find(|tls| !tls.key_type.is_empty()) {
            policy.json.key_type.clone_from(&tls.key_type);
        }
        let ratio = tls.iter().map(|tls| tls.renewal_window_ratio).find(|ratio| *ratio != 0.0);
        if let Some(ratio) = ratio.or(self.options.renewal_window_ratio) {
            policy.json.renewal_window_ratio = ratio;
        }
        policy.json.get_certificate.extend(tls.iter().flat_map(|tls| tls.managers.iter().cloned()));
        for binding in &served.site.bindings {
            for id in &policy.issuers {
                self.issuers.bind(*id, binding.addresses.first().map_or("", String::as_str));
            }
        }
        if everywhere {
            catch_all.get_or_insert(at);
        }
        let http_port = self.options.http_port();
        let keys = served.keys().filter(|key| !key.host.is_empty() && !key.is_http(http_port));
        let subjects: BTreeSet<String> = keys.map(|key| key.host.clone()).collect();
        policy.json.subjects = subjects.into_iter().collect();
        self.order.push(at);
        if self.policies[at].issuers.is_empty() {
            self.split_internal(at, served)?;
        }
        Ok(())
    }
    /// Without an issuer, internal names of a site get the internal one, if there are others beside them.
    fn split_internal(&mut self, at: usize, served: &Served<'_>) -> Result<(), Error> {
        let policy = &mut self.policies[at];
        let names = policy.json.subjects.iter().filter(|name| !subjects::is_tailscale(name));
        let names: Vec<String> = names.cloned().collect();
        if let Some(wrong) = names.iter().find(|name| !subjects::qualifies(name)) {
            let message = format!("subject does not qualify for certificate: '{wrong}'");
            let place = served.texts().zip(served.keys()).find(|(_, key)| key.host == *wrong);
            return Err(
                place.map_or_else(|| Error::plain(message.clone()), |(token, _)| token.error(&message))
            );
        }
        let on_demand = policy.json.on_demand;
        let (external, internal): (Vec<String>, Vec<String>) =
            names.into_iter().partition(|name| subjects::is_public(name, on_demand));
        if !external.is_empty() && !internal.is_empty() {
            policy.json.subjects = external;
            let json = AutomationPolicy { subjects: internal, ..policy.json.clone() };
            let second = self.push(Policy { json, issuers: vec![], implied_internal: true });
            self.order.push(second);
        }
        Ok(())
    }
    /// The outer names of encrypted ClientHellos need certificates too.
    fn ech_policy(&mut self) -> Result<(), Error> {
        let Some(ech) = &self.options.ech else { return Ok(()) };
        let configs = ech.get("configs").and_then(Value::as_array).into_iter().flatten();
        let names = configs.filter_map(|config| config.get("public_name").and_then(Value::as_str));
        let names: Vec<String> = names.filter(|name| !name.is_empty()).map(str::to_owned).collect();
        let at = self.base_policy()?;
        self.policies[at].json.subjects = names;
        self.order.push(at);
        Ok(())
    }
    /// Names that automatic HTTPS would not see in the routes.
    fn automated_names(
        &mut self,
        pairings: &[Pairing<'_>],
        forced: &BTreeSet<String>,
    ) -> Result<Vec<String>, Error> {
        let says = |option: &str| self.options.auto_https.iter().any(|known| known == option);
        let mut automate = BTreeSet::new();
        let mut internal = vec![];
        if !says("off") && !says("disable_certs") {
            automate = beside_hostless(pairings, self.options.http_port());
            internal = automate.iter().filter(|name| !subjects::qualifies_publicly(name)).cloned().collect();
        }
        automate.extend(forced.iter().cloned());
        let mut public = vec![];
        for name in &self.options.automate_names {
            if !automate.insert(name.clone()) {
                continue;
            }
            let mut known = self.order.iter().map(|at| &self.policies[*at]);
            if known.any(|policy| policy.json.subjects.contains(name)) {
                continue;
            }
            let list = if subjects::qualifies_publicly(name) { &mut public } else { &mut internal };
            list.push(name.clone());
        }
        if !public.is_empty() && (self.has_automation_options() || self.has_acme_defaults()) {
            let at = self.base_policy()?;
            self.policies[at].json.subjects = public;
            self.order.push(at);
        }
        if !internal.is_empty() {
            let json = AutomationPolicy { subjects: internal, ..AutomationPolicy::default() };
            let at = self.push(Policy { json, issuers: vec![], implied_internal: true });
            self.order.push(at);
        }
        Ok(automate.into_iter().collect())
    }
    /// Where the global options speak of ACME, policies of public names get the default issuers explicitly.
    fn default_issuers(&mut self) {
        if !self.has_acme_defaults() {
            return;
        }
        for at in &self.order {
            let policy = &mut self.policies[*at];
            if policy.issuers.is_empty() && policy.all_public() {
                policy.issuers = self.issuers.defaults(self.options);
            }
        }
    }
    fn finish(mut self) -> Result<Vec<AutomationPolicy>, Error> {
        for (number, at) in self.order.iter().enumerate() {
            for (which, id) in self.policies[*at].issuers.iter().enumerate() {
                self.issuers.fill(*id, self.options).map_err(|why| {
                    Error::plain(format!(
                        "filling in global issuer defaults for AP {number}, issuer {which}: {why}"
                    ))
                })?;
            }
        }
        for policy in &mut self.policies {
            policy.json.issuers = if policy.implied_internal {
                vec![json!({ "module": "internal" })]
            } else {
                policy.issuers.iter().map(|id| self.issuers.value(*id)).collect()
            };
        }
        let policies = self.order.iter().map(|at| self.policies[*at].clone()).collect();
        let policies = consolidate(policies);
        let mut seen = HashSet::new();
        for name in policies.iter().flat_map(|policy| &policy.json.subjects) {
            if !seen.insert(name) {
                return Err(Error::plain(format!(
                    "hostname appears in more than one automation policy, making certificate management ambiguous: \
                     {name}"
                )));
            }
        }
        Ok(policies.into_iter().map(|policy| policy.json).collect())
    }
}
/// Sites of servers that have other ports than HTTP's, as far as not all of their keys say `http://`.
fn https_sites<'p, 's>(pairings: &'p [Pairing<'s>], http_port: i64) -> impl Iterator<Item = &'p Served<'s>> {
    let servers = pairings.iter().filter(move |pairing| {
        let listen: Vec<String> = pairing.listen.keys().cloned().collect();
        listens_beside(&listen, http_port)
    });
    let sites = servers.flat_map(|pairing| &pairing.sites);
    sites.filter(|served| served.keys().any(|key| key.scheme != "http"))
}
/// HTTPS hosts of sites that have a key without host: no route matches them by name.
fn beside_hostless(pairings: &[Pairing<'_>], http_port: i64) -> BTreeSet<String> {
    let sites = pairings.iter().flat_map(|pairing| &pairing.sites);
    let mixed = sites.filter(|served| served.keys().any(|key| key.host.is_empty()));
    let keys = mixed.flat_map(Served::keys);
    keys.filter(|key| !key.host.is_empty() && !key.is_http(http_port)).map(|key| key.host.clone()).collect()
}
/// Certificates from files and folders, and names to be managed.
fn loaders(app: &mut TlsApp, pairings: &[Pairing<'_>], automate: Vec<String>, http_port: i64) {
    let tls = || https_sites(pairings, http_port).flat_map(|served| &served.site.tls);
    let files: Vec<_> = tls().flat_map(|tls| &tls.load_files).collect();
    let folders: Vec<_> = tls().flat_map(|tls| &tls.load_folders).collect();
    if !automate.is_empty() {
        app.certificates.insert("automate".to_owned(), json!(automate));
    }
    if !files.is_empty() {
        app.certificates.insert("load_files".to_owned(), json!(files));
    }
    if !folders.is_empty() {
        app.certificates.insert("load_folders".to_owned(), json!(folders));
    }
}
