//! `acme`: certificates from Let's Encrypt or another directory that speaks ACME (RFC 8555).
//!
//! ```caddyfile
//! issuer acme [<directory>] {
//!     dir       <url>
//!     test_dir  <url>
//!     email     <address>
//!     profile   <name>
//!     timeout   <duration>
//!     lifetime  <duration>
//!     disable_http_challenge
//!     disable_tlsalpn_challenge
//!     distributed false
//!     alt_http_port    <port>
//!     alt_tlsalpn_port <port>
//!     eab           <key_id> <mac_key>
//!     trusted_roots <pem_files…>
//!     dns           [<provider> …]
//!     resolvers           <addresses…>
//!     propagation_delay   <duration>
//!     propagation_timeout <duration>|-1
//!     dns_ttl             <duration>
//!     dns_challenge_override_domain <domain>
//!     preferred_chains smallest | { root_common_name <names…> | any_common_name <names…> }
//! }
//! ```
use super::NAMESPACE;
use crate::tls::{Acme, IssuerModule};
use crate::{
    caddyfile::{
        Cx, ModuleSyntax, Parsed, Support, Words, dns_challenge, dns_provider, is_dns_setting,
        preferred_chains,
    },
    config::{AcmeIssuer, Duration, ExternalAccount, fields, parse_duration, parse_int},
};
use grammar::Line;
use serde_json::{Map, Value};
use std::sync::Arc;

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "acme",
    docs: "acme [<directory>] { dir, test_dir, email, profile, timeout, lifetime, disable_http_challenge, \
           disable_tlsalpn_challenge, distributed, alt_http_port, alt_tlsalpn_port, eab, trusted_roots, dns, \
           resolvers, propagation_delay, propagation_timeout, dns_ttl, dns_challenge_override_domain, \
           preferred_chains }: certificates from an ACME directory.",
    parse,
    support: Support::Full,
};
pub const MODULE: IssuerModule = IssuerModule {
    name: "acme",
    build: |fields, cx| {
        let config: AcmeIssuer =
            crate::config::decode(Value::Object(fields)).map_err(|error| error.to_string())?;
        let dns = config.challenges.as_ref().and_then(|challenges| challenges.dns.as_ref());
        let dns = dns.map(|challenge| cx.dns_solver(challenge)).transpose()?;
        Ok(Arc::new(Acme::new(config, dns, cx.challenges.clone(), cx.storage.clone())?))
    },
};
fn parse(line: &Line, cx: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut issuer) = (Words::new(line), AcmeIssuer::default());
    if let Some(directory) = words.at_most_one()? {
        issuer.ca = directory.into();
    }
    let mut block = words.block();
    while let Some(sub) = block.next() {
        if is_dns_setting(sub.text()) {
            dns_challenge(issuer.dns_challenge(), sub, |words| Ok(words.need()?.into()))?;
        } else {
            read(&mut issuer, sub, cx)?;
        }
    }
    Ok(fields(&issuer))
}
fn read(issuer: &mut AcmeIssuer, sub: &mut Words<'_>, cx: &mut Cx<'_>) -> Parsed<()> {
    match sub.text() {
        "lifetime" => {
            let text = sub.one()?;
            let lifetime = parse_duration(text);
            let lifetime = lifetime.map_err(|why| sub.error(format!("invalid lifetime {text}: {why}")))?;
            if lifetime < Duration::ZERO {
                return Err(sub.error(format!("lifetime must be >= 0: {lifetime}")));
            }
            issuer.certificate_lifetime = lifetime;
        }
        "dir" if !issuer.ca.is_empty() => {
            return Err(sub.error(format!("directory is already specified: {}", issuer.ca)));
        }
        "dir" => issuer.ca = sub.one()?.into(),
        "test_dir" => issuer.test_ca = sub.one()?.into(),
        "email" => issuer.email = sub.one()?.into(),
        "profile" => issuer.profile = sub.one()?.into(),
        "timeout" => {
            let text = sub.one()?;
            let timeout = parse_duration(text);
            issuer.acme_timeout =
                timeout.map_err(|why| sub.error(format!("invalid timeout duration {text}: {why}")))?;
        }
        "disable_http_challenge" => {
            sub.none()?;
            issuer.challenges.get_or_insert_default().http.get_or_insert_default().disabled = true;
        }
        "disable_tlsalpn_challenge" => {
            sub.none()?;
            issuer.challenges.get_or_insert_default().tls_alpn.get_or_insert_default().disabled = true;
        }
        "distributed" => {
            if sub.need()? != "false" {
                return Err(sub.error("only accepted value is 'false'"));
            }
            issuer.challenges.get_or_insert_default().distributed = Some(false);
        }
        "alt_http_port" => {
            let port = port(sub)?;
            issuer.challenges.get_or_insert_default().http.get_or_insert_default().alternate_port = port;
        }
        "alt_tlsalpn_port" => {
            let port = port(sub)?;
            issuer.challenges.get_or_insert_default().tls_alpn.get_or_insert_default().alternate_port = port;
        }
        "eab" => {
            let (key_id, mac_key) = (sub.need()?.to_owned(), sub.one()?.to_owned());
            issuer.external_account = Some(ExternalAccount { key_id, mac_key });
        }
        "trusted_roots" => issuer.trusted_roots_pem_files = sub.rest(),
        "dns" => {
            let challenge = issuer.dns_challenge();
            if sub.left() > 0 {
                challenge.provider = Some(dns_provider(sub, cx)?);
            }
        }
        "dns_challenge_override_domain" => {
            let [domain] = sub.exactly()?;
            issuer.dns_challenge().override_domain = domain;
        }
        "preferred_chains" => issuer.preferred_chains = Some(preferred_chains(sub)?),
        other => return Err(sub.error(format!("unrecognized ACME issuer property: {other}"))),
    }
    Ok(())
}
/// `<name> <port>`.
pub(super) fn port(sub: &mut Words<'_>) -> Parsed<i64> {
    let text = sub.need()?;
    parse_int(text).map_err(|why| sub.error(format!("invalid port {text}: {why}")))
}
