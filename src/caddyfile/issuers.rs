//! ACME issuers, and what the global options fill in where they say nothing.
use super::Options;
use serde_json::{Map, Value, json};

const ZEROSSL: &str = "https://acme.zerossl.com/v2/DV90";

/// Issuers as policies refer to them. Several policies may share one, and then share what is filled in, as in Caddy.
#[derive(Default)]
pub(super) struct Issuers(Vec<Map<String, Value>>);
/// Where an issuer lies in [`Issuers`].
pub(super) type IssuerId = usize;

impl Issuers {
    pub(super) fn add(&mut self, issuer: &Value) -> IssuerId {
        self.0.push(issuer.as_object().cloned().unwrap_or_default());
        self.0.len() - 1
    }
    pub(super) fn all(&mut self, issuers: &[Value]) -> Vec<IssuerId> {
        issuers.iter().map(|issuer| self.add(issuer)).collect()
    }
    /// Caddy's default issuers, before the global options are filled in: of one with an email there are two.
    pub(super) fn defaults(&mut self, options: &Options) -> Vec<IssuerId> {
        let mut issuers = vec![json!({ "module": "acme" })];
        if let Some(email) = options.email.as_ref().filter(|email| !email.trim().is_empty())
            && options.acme_ca.is_none()
        {
            issuers.push(json!({ "module": "acme", "ca": ZEROSSL, "email": email }));
        }
        self.all(&issuers)
    }
    pub(super) fn value(&self, id: IssuerId) -> Value {
        let mut value = self.0.get(id).cloned().map_or(Value::Null, Value::Object);
        value.sort_all_objects();
        value
    }
    pub(super) fn same(&self, a: &[IssuerId], b: &[IssuerId]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.0.get(*a) == self.0.get(*b))
    }
    /// The address from which ACME challenges are answered: a site's first `bind`.
    pub(super) fn bind(&mut self, id: IssuerId, address: &str) {
        let Some(issuer) = self.acme(id) else { return };
        let challenges = object(issuer, "challenges");
        if !challenges.contains_key("bind_host") && !address.is_empty() {
            challenges.insert("bind_host".to_owned(), address.into());
        }
    }
    /// Fills in what the global options say.
    ///
    /// # Errors
    /// `acme_dns` names no provider, and there is no other.
    pub(super) fn fill(&mut self, id: IssuerId, options: &Options) -> Result<(), String> {
        let Some(issuer) = self.acme(id) else { return Ok(()) };
        let or = |issuer: &mut Map<String, Value>, key: &str, value: Option<Value>| {
            if let Some(value) = value {
                issuer.entry(key).or_insert(value);
            }
        };
        or(issuer, "email", options.email.clone().filter(|email| !email.is_empty()).map(Value::from));
        or(issuer, "ca", options.acme_ca.clone().filter(|ca| !ca.is_empty()).map(Value::from));
        if let Some(root) = &options.acme_ca_root {
            let roots = issuer.entry("trusted_roots_pem_files").or_insert_with(|| json!([]));
            if let Value::Array(roots) = roots
                && !roots.iter().any(|known| known == root)
            {
                roots.push(root.as_str().into());
            }
        }
        fill_dns(issuer, options)?;
        or(issuer, "external_account", options.acme_eab.clone());
        or(issuer, "preferred_chains", options.preferred_chains.clone());
        fill_challenges(issuer, options);
        or(
            issuer,
            "certificate_lifetime",
            options.cert_lifetime.filter(|d| !d.is_zero()).map(|d| d.0.into()),
        );
        fill_resolvers(issuer, options);
        Ok(())
    }
    fn acme(&mut self, id: IssuerId) -> Option<&mut Map<String, Value>> {
        self.0.get_mut(id).filter(|issuer| issuer.get("module").is_some_and(|module| module == "acme"))
    }
}
fn fill_dns(issuer: &mut Map<String, Value>, options: &Options) -> Result<(), String> {
    let Some(own) = &options.acme_dns else { return Ok(()) };
    let has_provider = |issuer: &Map<String, Value>| {
        issuer.get("challenges").and_then(|c| c.pointer("/dns/provider")).is_some()
    };
    if has_provider(issuer) {
        return Ok(());
    }
    if own.is_none() && options.dns.is_none() {
        return Err(
            "acme_dns specified without DNS provider config, but no provider specified with 'dns' global \
                    option"
                .into(),
        );
    }
    let dns = object(object(issuer, "challenges"), "dns");
    if let Some(provider) = own {
        dns.insert("provider".to_owned(), provider.clone());
    }
    Ok(())
}
/// Ports and address of the challenges that need a listener: not where the DNS challenge takes their place.
fn fill_challenges(issuer: &mut Map<String, Value>, options: &Options) {
    if issuer.get("challenges").is_some_and(|challenges| challenges.get("dns").is_some()) {
        return;
    }
    for (challenge, port) in [("http", options.http_port), ("tls-alpn", options.https_port)] {
        if let Some(port) = port {
            let challenge = object(object(issuer, "challenges"), challenge);
            if port != 0 {
                challenge.entry("alternate_port").or_insert(port.into());
            }
        }
    }
    if let Some(address) = options.default_bind.first().and_then(|binding| binding.addresses.first()) {
        let challenges = object(issuer, "challenges");
        if !address.is_empty() {
            challenges.entry("bind_host").or_insert(address.as_str().into());
        }
    }
}
fn fill_resolvers(issuer: &mut Map<String, Value>, options: &Options) {
    if options.tls_resolvers.is_empty() {
        return;
    }
    let dns = issuer.get_mut("challenges").and_then(|challenges| challenges.get_mut("dns"));
    if let Some(Value::Object(dns)) = dns
        && (options.acme_dns.is_some() || dns.contains_key("provider"))
    {
        dns.entry("resolvers").or_insert(json!(options.tls_resolvers));
    }
}
/// The object under `key`, made if there is none.
fn object<'m>(map: &'m mut Map<String, Value>, key: &str) -> &'m mut Map<String, Value> {
    let value = map.entry(key).or_insert_with(|| json!({}));
    if !value.is_object() {
        *value = json!({});
    }
    match value {
        Value::Object(object) => object,
        _ => unreachable!("it has just been made an object"),
    }
}
