//! An ACME issuer (`tls.issuance.acme`): what `tls`, the global options and `issuer acme` all write.
use super::{Duration, is_default};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `{"module": "acme", …}`, without that key. Texts may hold placeholders.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AcmeIssuer {
    /// The directory's URL; empty: Let's Encrypt.
    #[serde(skip_serializing_if = "is_default")]
    pub ca: String,
    /// The directory to retry at, so as not to use up the real one's patience.
    #[serde(skip_serializing_if = "is_default")]
    pub test_ca: String,
    #[serde(skip_serializing_if = "is_default")]
    pub email: String,
    /// One of those that the directory offers.
    #[serde(skip_serializing_if = "is_default")]
    pub profile: String,
    /// The private key of an account that exists, in PEM.
    #[serde(skip_serializing_if = "is_default")]
    pub account_key: String,
    #[serde(skip_serializing_if = "is_default")]
    pub external_account: Option<ExternalAccount>,
    /// For one operation; 0: no limit.
    #[serde(skip_serializing_if = "is_default")]
    pub acme_timeout: Duration,
    #[serde(skip_serializing_if = "is_default")]
    pub challenges: Option<Challenges>,
    /// Whom to trust as the directory; empty: the system's roots.
    #[serde(skip_serializing_if = "is_default")]
    pub trusted_roots_pem_files: Vec<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub preferred_chains: Option<PreferredChains>,
    /// To ask for; 0: as long as the directory likes.
    #[serde(skip_serializing_if = "is_default")]
    pub certificate_lifetime: Duration,
    /// A module of `caddy.network_proxy`, named by `from`.
    #[serde(skip_serializing_if = "is_default")]
    pub network_proxy: Option<Value>,
}
/// External account binding (RFC 8555, section 7.3.4).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExternalAccount {
    pub key_id: String,
    pub mac_key: String,
}
/// How to prove that a name is ours.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Challenges {
    #[serde(skip_serializing_if = "is_default")]
    pub http: Option<PortChallenge>,
    #[serde(rename = "tls-alpn", skip_serializing_if = "is_default")]
    pub tls_alpn: Option<PortChallenge>,
    /// If it is there, no other challenge is tried.
    #[serde(skip_serializing_if = "is_default")]
    pub dns: Option<DnsChallenge>,
    /// Where to listen for challenges; empty: everywhere.
    #[serde(skip_serializing_if = "is_default")]
    pub bind_host: String,
    /// `false`: don't share challenges through the storage.
    #[serde(skip_serializing_if = "is_default")]
    pub distributed: Option<bool>,
}
/// A challenge on a port.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PortChallenge {
    #[serde(skip_serializing_if = "is_default")]
    pub disabled: bool,
    /// Where the standard port is forwarded to; 0: nowhere else.
    #[serde(skip_serializing_if = "is_default")]
    pub alternate_port: i64,
}
/// The DNS challenge, and ZeroSSL's CNAME validation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DnsChallenge {
    /// A module of `dns.providers`, named by `name`; none: the global one.
    #[serde(skip_serializing_if = "is_default")]
    pub provider: Option<Value>,
    /// Of the record.
    #[serde(skip_serializing_if = "is_default")]
    pub ttl: Duration,
    /// Before the first look for the record.
    #[serde(skip_serializing_if = "is_default")]
    pub propagation_delay: Duration,
    /// How long to look for it; 0: two minutes, -1: don't look.
    #[serde(skip_serializing_if = "is_default")]
    pub propagation_timeout: Duration,
    /// Whom to ask, `host` or `host:port`; empty: the authoritative servers.
    #[serde(skip_serializing_if = "is_default")]
    pub resolvers: Vec<String>,
    /// Where to write the record instead.
    #[serde(skip_serializing_if = "is_default")]
    pub override_domain: String,
}
/// Which chain to take if there are several: the first that fits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PreferredChains {
    /// The one of the fewest bytes.
    #[serde(skip_serializing_if = "is_default")]
    pub smallest: Option<bool>,
    #[serde(skip_serializing_if = "is_default")]
    pub root_common_name: Vec<String>,
    /// Of any certificate of the chain.
    #[serde(skip_serializing_if = "is_default")]
    pub any_common_name: Vec<String>,
}

impl AcmeIssuer {
    /// What `over` says before what this one says.
    #[must_use]
    pub fn overlaid(mut self, over: Self) -> Self {
        put(&mut self.ca, over.ca);
        put(&mut self.test_ca, over.test_ca);
        put(&mut self.email, over.email);
        put(&mut self.profile, over.profile);
        put(&mut self.account_key, over.account_key);
        put(&mut self.external_account, over.external_account);
        put(&mut self.acme_timeout, over.acme_timeout);
        put(&mut self.preferred_chains, over.preferred_chains);
        put(&mut self.certificate_lifetime, over.certificate_lifetime);
        put(&mut self.network_proxy, over.network_proxy);
        for root in over.trusted_roots_pem_files {
            if !self.trusted_roots_pem_files.contains(&root) {
                self.trusted_roots_pem_files.push(root);
            }
        }
        self.challenges = both(self.challenges, over.challenges, Challenges::overlaid);
        self
    }
    /// The DNS challenge, made if there is none.
    pub fn dns_challenge(&mut self) -> &mut DnsChallenge {
        self.challenges.get_or_insert_default().dns.get_or_insert_default()
    }
}
impl Challenges {
    fn overlaid(mut self, over: Self) -> Self {
        self.http = both(self.http, over.http, PortChallenge::overlaid);
        self.tls_alpn = both(self.tls_alpn, over.tls_alpn, PortChallenge::overlaid);
        self.dns = both(self.dns, over.dns, DnsChallenge::overlaid);
        put(&mut self.bind_host, over.bind_host);
        put(&mut self.distributed, over.distributed);
        self
    }
}
impl PortChallenge {
    fn overlaid(mut self, over: Self) -> Self {
        put(&mut self.disabled, over.disabled);
        put(&mut self.alternate_port, over.alternate_port);
        self
    }
}
impl DnsChallenge {
    fn overlaid(mut self, over: Self) -> Self {
        put(&mut self.provider, over.provider);
        put(&mut self.ttl, over.ttl);
        put(&mut self.propagation_delay, over.propagation_delay);
        put(&mut self.propagation_timeout, over.propagation_timeout);
        put(&mut self.resolvers, over.resolvers);
        put(&mut self.override_domain, over.override_domain);
        self
    }
}
fn put<T: Default + PartialEq>(value: &mut T, over: T) {
    if !is_default(&over) {
        *value = over;
    }
}
fn both<T>(base: Option<T>, over: Option<T>, overlaid: fn(T, T) -> T) -> Option<T> {
    match (base, over) {
        (Some(base), Some(over)) => Some(overlaid(base, over)),
        (base, over) => over.or(base),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_overlays_wins_and_the_rest_stays() {
        let base = json!({
            "ca": "https://ca", "email": "a@b.c", "trusted_roots_pem_files": ["r"],
            "challenges": {"http": {"disabled": true}, "dns": {"provider": {"name": "x", "y": 1}, "ttl": 1}},
        });
        let over = json!({
            "email": "d@e.f", "trusted_roots_pem_files": ["r", "s"],
            "challenges": {"dns": {"provider": {"name": "z"}, "resolvers": ["1.1.1.1"]}, "distributed": false},
        });
        let read = |value| serde_json::from_value::<AcmeIssuer>(value).unwrap();
        let both = serde_json::to_value(read(base).overlaid(read(over))).unwrap();
        assert_eq!(
            both,
            json!({
                "ca": "https://ca", "email": "d@e.f", "trusted_roots_pem_files": ["r", "s"],
                "challenges": {
                    "http": {"disabled": true},
                    "dns": {"provider": {"name": "z"}, "ttl": 1, "resolvers": ["1.1.1.1"]},
                    "distributed": false,
                },
            })
        );
    }
}
