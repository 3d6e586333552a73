//! Connection policies: under what terms a handshake goes on.
use super::{
    Challenges, OnDemand, Wanted,
    certificate::{Index, candidates},
    client_auth::{self, Sources},
    secrets::SecretsLog,
    tickets::Tickets,
};
use crate::config::{CertificateSelection, ConnectionMatch, ConnectionPolicy};
use arc_swap::ArcSwap;
use ipnet::IpNet;
use regex::Regex;
use rustls::{
    ServerConfig, SupportedProtocolVersion,
    crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs},
    server::{ClientHello, NoServerSessionStorage, ResolvesServerCert},
    sign::CertifiedKey,
};
use serde::Deserialize;
use std::{fmt, net::IpAddr, sync::Arc};

/// `tls_connection_policies` of a server, compiled. The first that matches governs.
#[derive(Debug)]
pub struct Policies {
    policies: Vec<Policy>,
    challenges: Arc<Challenges>,
    on_demand: Option<Arc<OnDemand>>,
}
#[derive(Debug)]
pub struct Policy {
    matcher: Matcher,
    terms: Terms,
    /// Caddy turns on strict SNI and Host checks where any policy asks for client certificates.
    pub client_auth: bool,
}
#[derive(Debug)]
enum Terms {
    /// Close without a word.
    Drop,
    Serve {
        config: Arc<ServerConfig>,
        resolver: Arc<Resolver>,
    },
}
/// What came of a ClientHello.
pub enum Chosen {
    Serve(Arc<ServerConfig>),
    /// The policy says to close the connection.
    Drop,
    /// No policy matches.
    None,
}
/// What all policies of a process share.
#[derive(Clone)]
pub struct Shared {
    /// Of the configuration: loaded from files, some of which are watched.
    pub loaded: Arc<ArcSwap<Index>>,
    /// Obtained and renewed, over all configurations.
    pub managed: Arc<ArcSwap<Index>>,
    pub challenges: Arc<Challenges>,
    pub on_demand: Option<Arc<OnDemand>>,
    /// For client certificates.
    pub(super) sources: Sources,
    pub(super) tickets: Arc<Tickets>,
}
impl Policies {
    /// Compiles the policies of one server, with `alpn` as what they offer unless they say otherwise.
    ///
    /// # Errors
    /// What a policy asks for cannot be had: an unknown name, a file that cannot be read.
    pub fn build(policies: &[ConnectionPolicy], alpn: &[&str], shared: &Shared) -> Result<Self, String> {
        let one = |(i, policy)| {
            Policy::build(policy, alpn, shared).map_err(|why| format!("connection policy {i}: {why}"))
        };
        let policies = policies.iter().enumerate().map(one).collect::<Result<_, _>>()?;
        Ok(Self { policies, challenges: shared.challenges.clone(), on_demand: shared.on_demand.clone() })
    }
    pub fn choose(&self, hello: &ClientHello<'_>, local: Option<IpAddr>, remote: Option<IpAddr>) -> Chosen {
        if let Some(challenge) = self.challenges.handshake(hello) {
            return Chosen::Serve(challenge);
        }
        let name = hello.server_name();
        let Some(policy) = self.policies.iter().find(|policy| policy.matcher.matches(name, local, remote))
        else {
            return Chosen::None;
        };
        match &policy.terms {
            Terms::Drop => Chosen::Drop,
            Terms::Serve { config, resolver } => match (name, local) {
                // Without a name the address decides; only such handshakes pay for a configuration of their own.
                (None, Some(local)) => {
                    let mut config = ServerConfig::clone(config);
                    config.cert_resolver = Arc::new(ByAddress { address: local, resolver: resolver.clone() });
                    Chosen::Serve(Arc::new(config))
                }
                _ => Chosen::Serve(config.clone()),
            },
        }
    }
    /// What a handshake has to wait for before it goes on, if it lacks a certificate that may come on demand. It may
    /// end in a certificate that is for this handshake alone.
    pub fn missing(
        &self,
        hello: &ClientHello<'_>,
        local: Option<IpAddr>,
    ) -> Option<impl Future<Output = Option<Arc<CertifiedKey>>> + Send + use<>> {
        let on_demand = self.on_demand.as_ref()?;
        let name = hello.server_name()?;
        // A challenge has its own.
        if !on_demand.is_missing(name) || rustls_acme::is_tls_alpn_challenge(hello) {
            return None;
        }
        Some(on_demand.clone().find(Wanted::new(hello, local)?))
    }
    /// Whether any policy asks for client certificates.
    pub fn client_auth(&self) -> bool {
        self.policies.iter().any(|policy| policy.client_auth)
    }
}
impl Policy {
    fn build(policy: &ConnectionPolicy, alpn: &[&str], shared: &Shared) -> Result<Self, String> {
        if policy.handshake_context.is_some() {
            return Err("handshake_context is not supported yet".into());
        }
        let matcher = Matcher::build(policy.matcher.as_ref())?;
        if policy.drop {
            return Ok(Self { matcher, terms: Terms::Drop, client_auth: false });
        }
        let provider = Arc::new(provider(policy)?);
        let resolver = Arc::new(Resolver {
            loaded: shared.loaded.clone(),
            managed: shared.managed.clone(),
            selection: policy.certificate_selection.clone(),
            default_sni: policy.default_sni.clone(),
            fallback_sni: policy.fallback_sni.clone(),
        });
        let builder = ServerConfig::builder_with_provider(provider.clone());
        let builder =
            builder.with_protocol_versions(&versions(policy)?).map_err(|error| error.to_string())?;
        let verifier =
            client_auth::verifier(policy.client_authentication.as_ref(), provider, &shared.sources)?;
        let client_auth = verifier.is_some();
        let builder = match verifier {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(resolver.clone());
        let own = policy.alpn.iter().map(String::as_str);
        let alpn: Vec<&str> = if policy.alpn.is_empty() { alpn.to_vec() } else { own.collect() };
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        if !policy.insecure_secrets_log.is_empty() {
            config.key_log = Arc::new(SecretsLog::open(&policy.insecure_secrets_log)?);
        }
        config.session_storage = Arc::new(NoServerSessionStorage {});
        // A resumed session would carry on what an earlier policy had verified.
        if client_auth {
            config.send_tls13_tickets = 0;
        } else {
            config.ticketer = shared.tickets.clone();
            config.send_tls13_tickets = 1;
        }
        Ok(Self { matcher, terms: Terms::Serve { config: Arc::new(config), resolver }, client_auth })
    }
}
/// Finds the certificate of a handshake.
#[derive(Debug)]
struct Resolver {
    loaded: Arc<ArcSwap<Index>>,
    managed: Arc<ArcSwap<Index>>,
    selection: Option<CertificateSelection>,
    default_sni: String,
    fallback_sni: String,
}
impl Resolver {
    fn find(&self, name: &str, hello: &ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let selection = self.selection.as_ref();
        let within = |index: &ArcSwap<Index>| index.load().find(name, selection, hello);
        within(&self.loaded).or_else(|| within(&self.managed))
    }
    fn pick(&self, address: Option<IpAddr>, hello: &ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let set = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        let own = hello.server_name().map(str::to_owned);
        let by_default = || set(&self.default_sni).and_then(|name| self.find(&name, hello));
        let first = match own {
            Some(name) => self.find(&name, hello),
            None => address.and_then(|address| self.find(&address.to_string(), hello)).or_else(by_default),
        };
        first.or_else(|| set(&self.fallback_sni).and_then(|name| self.find(&name, hello)))
    }
}
impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.pick(None, &hello)
    }
}
/// For a client that names no host: the certificate of the address it has come to.
#[derive(Debug)]
struct ByAddress {
    address: IpAddr,
    resolver: Arc<Resolver>,
}
impl ResolvesServerCert for ByAddress {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.resolver.pick(Some(self.address), &hello)
    }
}

/// `match` of a policy: all of what it names.
#[derive(Debug, Default)]
struct Matcher {
    sni: Option<Vec<String>>,
    sni_regexp: Option<Regex>,
    remote: Option<Ranges>,
    local: Option<Ranges>,
}
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RangesConfig {
    ranges: Vec<String>,
    not_ranges: Vec<String>,
}
#[derive(Debug)]
struct Ranges {
    within: Vec<IpNet>,
    without: Vec<IpNet>,
}
impl Matcher {
    fn build(from: Option<&ConnectionMatch>) -> Result<Self, String> {
        let Some(from) = from else { return Ok(Self::default()) };
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Pattern {
            #[serde(default, rename = "name")]
            _name: String,
            pattern: String,
        }
        let pattern = |value: &serde_json::Value| {
            let pattern = crate::config::decode::<Pattern, _>(value)
                .map_err(|error| format!("sni_regexp: {error}"))?
                .pattern;
            Regex::new(&pattern).map_err(|error| format!("compiling sni_regexp: {error}"))
        };
        let ranges = |value: &serde_json::Value| {
            let config =
                crate::config::decode::<RangesConfig, _>(value).map_err(|error| error.to_string())?;
            Ok::<_, String>(Ranges {
                within: networks(&config.ranges)?,
                without: networks(&config.not_ranges)?,
            })
        };
        let lower = |names: &Vec<String>| names.iter().map(|name| name.to_ascii_lowercase()).collect();
        Ok(Self {
            sni: from.sni.as_ref().map(lower),
            sni_regexp: from.sni_regexp.as_ref().map(pattern).transpose()?,
            remote: from.remote_ip.as_ref().map(ranges).transpose()?,
            local: from.local_ip.as_ref().map(ranges).transpose()?,
        })
    }
    fn matches(&self, name: Option<&str>, local: Option<IpAddr>, remote: Option<IpAddr>) -> bool {
        let name = name.unwrap_or("");
        let named = |names: &Vec<String>| candidates(name).any(|candidate| names.contains(&candidate));
        self.sni.as_ref().is_none_or(named)
            && self.sni_regexp.as_ref().is_none_or(|pattern| pattern.is_match(name))
            && self.remote.as_ref().is_none_or(|ranges| ranges.contain(remote))
            && self.local.as_ref().is_none_or(|ranges| ranges.contain(local))
    }
}
impl Ranges {
    fn contain(&self, address: Option<IpAddr>) -> bool {
        let Some(address) = address.map(|address| address.to_canonical()) else { return false };
        let any = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&address));
        (self.within.is_empty() || any(&self.within)) && !any(&self.without)
    }
}
fn networks(texts: &[String]) -> Result<Vec<IpNet>, String> {
    let network = |text: &String| {
        let single = text.parse::<IpAddr>().map(IpNet::from);
        single.or_else(|_| text.parse()).map_err(|_| format!("invalid IP range: '{text}'"))
    };
    texts.iter().map(network).collect()
}

fn versions(policy: &ConnectionPolicy) -> Result<Vec<&'static SupportedProtocolVersion>, String> {
    let number = |name: &str, unset| match name {
        "" => Ok(unset),
        "tls1.2" => Ok(2),
        "tls1.3" => Ok(3),
        other => Err(format!("unsupported protocol version: {other}")),
    };
    let (min, max) = (number(&policy.protocol_min, 2)?, number(&policy.protocol_max, 3)?);
    if min > max {
        return Err(format!(
            "protocol min ({}) > protocol max ({})",
            policy.protocol_min, policy.protocol_max
        ));
    }
    let all = [(2, &rustls::version::TLS12), (3, &rustls::version::TLS13)];
    Ok(all
        .into_iter()
        .filter(|(version, _)| (min..=max).contains(version))
        .map(|(_, version)| version)
        .collect())
}
fn provider(policy: &ConnectionPolicy) -> Result<CryptoProvider, String> {
    let mut provider = aws_lc_rs::default_provider();
    if !policy.cipher_suites.is_empty() {
        let mut suites = vec![];
        for name in &policy.cipher_suites {
            // Go's names differ from rustls's only where TLS 1.3 is concerned, whose suites cannot be chosen in Go.
            let wanted = name.strip_suffix("_SHA256").filter(|_| name.contains("CHACHA20")).unwrap_or(name);
            let known = aws_lc_rs::ALL_CIPHER_SUITES.iter();
            let found = known.copied().find(|suite| format!("{:?}", suite.suite()).starts_with(wanted));
            suites.push(found.ok_or_else(|| format!("unsupported cipher suite: {name}"))?);
        }
        provider.cipher_suites.retain(|suite| suite.tls13().is_some());
        provider.cipher_suites.extend(suites.into_iter().filter(|suite| suite.tls13().is_none()));
    }
    if !policy.curves.is_empty() {
        provider.kx_groups = key_exchanges(&policy.curves)?;
    }
    Ok(provider)
}
/// Key exchanges by Caddy's names.
///
/// # Errors
/// One that there is not.
pub fn key_exchanges(names: &[String]) -> Result<Vec<&'static dyn SupportedKxGroup>, String> {
    let group = |name: &String| -> Result<&'static dyn SupportedKxGroup, String> {
        Ok(match name.as_str() {
            "x25519mlkem768" => aws_lc_rs::kx_group::X25519MLKEM768,
            "x25519" => aws_lc_rs::kx_group::X25519,
            "secp256r1" => aws_lc_rs::kx_group::SECP256R1,
            "secp384r1" => aws_lc_rs::kx_group::SECP384R1,
            other => return Err(format!("unsupported curve: {other}")),
        })
    };
    names.iter().map(group).collect()
}
impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared")
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    fn shared() -> Shared {
        Shared {
            loaded: Arc::default(),
            managed: Arc::default(),
            challenges: Arc::default(),
            on_demand: None,
            sources: Sources {
                storage: Arc::new(crate::storage::FileSystem::new("/none")),
                authorities: Default::default(),
            },
            tickets: Arc::default(),
        }
    }
    fn build(policy: serde_json::Value) -> Result<Policies, String> {
        Policies::build(&[serde_json::from_value(policy).unwrap()], &["h2", "http/1.1"], &shared())
    }
    #[test]
    fn what_cannot_be_had_is_refused_by_name() {
        for (policy, error) in [
            (
                serde_json::json!({"cipher_suites": ["TLS_RSA_WITH_AES_128_CBC_SHA"]}),
                "unsupported cipher suite: TLS_RSA_WITH_AES_128_CBC_SHA",
            ),
            (serde_json::json!({"curves": ["secp521r1"]}), "unsupported curve: secp521r1"),
            (serde_json::json!({"protocol_min": "tls1.1"}), "unsupported protocol version: tls1.1"),
            (
                serde_json::json!({"protocol_min": "tls1.3", "protocol_max": "tls1.2"}),
                "protocol min (tls1.3) > protocol max (tls1.2)",
            ),
        ] {
            assert_eq!(build(policy).unwrap_err(), format!("connection policy 0: {error}"));
        }
    }
    #[test]
    fn suites_and_curves_have_gos_names() {
        build(serde_json::json!({
            "cipher_suites": ["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"],
            "curves": ["x25519mlkem768", "x25519", "secp256r1", "secp384r1"],
        }))
        .unwrap();
    }
    #[test]
    fn names_match_case_insensitively_and_by_wildcard() {
        let matcher = Matcher { sni: Some(vec!["*.example.com".into(), "a.b".into()]), ..Matcher::default() };
        for (name, matches) in [("x.Example.com", true), ("A.B", true), ("example.com", false), ("", false)] {
            assert_eq!(matcher.matches(Some(name), None, None), matches, "{name}");
        }
    }
    #[test]
    fn ranges_include_and_exclude() {
        let from =
            serde_json::json!({"remote_ip": {"ranges": ["10.0.0.0/8"], "not_ranges": ["10.1.0.0/16"]}});
        let matcher = Matcher::build(Some(&serde_json::from_value(from).unwrap())).unwrap();
        let remote = |text: &str| matcher.matches(None, None, Some(text.parse().unwrap()));
        assert!(
            remote("10.2.0.1") && remote("::ffff:10.2.0.1") && !remote("10.1.0.1") && !remote("11.0.0.1")
        );
    }
}
