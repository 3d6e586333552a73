//! `tls`: certificates of a site, and how it speaks TLS.
//!
//! ```caddyfile
//! tls [internal|force_automate|<email>] | [<cert_file> <key_file>] {
//!     protocols <min> [<max>]
//!     ciphers   <names…>
//!     curves    <names…>
//!     alpn      <names…>
//!     client_auth { … }
//!     load      <folders…>
//!     ca        <url>
//!     ca_root   <pem_file>
//!     eab       <key_id> <mac_key>
//!     key_type  ed25519|p256|p384|rsa2048|rsa4096
//!     dns                 [<provider> …]
//!     resolvers           <addresses…>
//!     propagation_delay   <duration>
//!     propagation_timeout <duration>|-1
//!     dns_ttl             <duration>
//!     dns_challenge_override_domain <domain>
//!     on_demand
//!     reuse_private_keys
//!     issuer          <issuer> …
//!     get_certificate <manager> …
//!     insecure_secrets_log <file>
//!     renewal_window_ratio <ratio>
//! }
//! ```
//! Example: `tls /etc/ssl/site.pem /etc/ssl/site.key`.
use super::client_auth;
use crate::{
    caddyfile::{
        Cx, Directive, Emit, Order, Parse, Parsed, SiteTls, Support, Words, dns_challenge, dns_provider,
        is_dns_setting,
    },
    config::{AcmeIssuer, CertificateSelection, ExternalAccount, LoadFile, fields, parse_float},
};
use grammar::Line;
use serde_json::{Value, json};

pub const DIRECTIVE: Directive = Directive {
    name: "tls",
    docs: "tls [internal|force_automate|<email>] | [<cert_file> <key_file>] { protocols, ciphers, curves, alpn, \
           client_auth, load, ca, ca_root, eab, key_type, dns, resolvers, propagation_delay, propagation_timeout, \
           dns_ttl, dns_challenge_override_domain, on_demand, reuse_private_keys, issuer, get_certificate, \
           insecure_secrets_log, renewal_window_ratio }: the certificates of a site, and how it speaks TLS.",
    order: Order::None,
    parse: Parse::Own(parse),
    support: Support::Full,
};
/// What Go's TLS knows and holds secure; those of TLS 1.3 can't be chosen but may be named.
const CIPHERS: [&str; 13] = [
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
];
const CURVES: [&str; 5] = ["x25519mlkem768", "x25519", "secp256r1", "secp384r1", "secp521r1"];
/// The directory to fall back on where Let's Encrypt fails and there is an address for an account.
const ZEROSSL: &str = "https://acme.zerossl.com/v2/DV90";

/// What one directive has said so far.
#[derive(Default)]
struct Reading {
    tls: SiteTls,
    /// From `issuer`.
    explicit: Vec<Value>,
    /// From everything else that speaks of ACME.
    acme: Option<AcmeIssuer>,
    /// `tls internal`.
    internal: bool,
    /// Settings of the DNS challenge that need a provider.
    dns_settings: Vec<&'static str>,
}
fn parse(line: &Line, cx: &mut Cx<'_>) -> Parsed<Vec<Emit>> {
    let (mut words, mut reading) = (Words::new(line), Reading::default());
    let first = words.rest();
    match first.as_slice() {
        [] => {}
        [one] if one == "internal" => reading.internal = true,
        [one] if one == "force_automate" => reading.tls.force_automate = true,
        [email] if email.contains('@') => {
            reading.acme = Some(AcmeIssuer { email: email.clone(), ..AcmeIssuer::default() });
        }
        [_] => {
            let message = "single argument must either be 'internal', 'force_automate', or an email address";
            return Err(words.error(message));
        }
        [certificate, key] => load_file(&mut reading.tls, certificate, key, cx),
        _ => return Err(words.arg_error()),
    }
    let (mut block, mut anything) = (words.block(), !first.is_empty());
    while let Some(sub) = block.next() {
        anything = true;
        if is_dns_setting(sub.text()) {
            reading.dns_setting(sub)?;
        } else if !reading.policy(sub, cx)? && !reading.issuance(sub, cx)? {
            return Err(sub.error(format!("unknown subdirective: {}", sub.text())));
        }
    }
    reading.check(&words, cx, anything)?;
    reading.tls.issuers = reading.issuers(&words, cx)?;
    Ok(vec![Emit::Tls(Box::new(reading.tls))])
}
/// `tls <cert_file> <key_file>`. The tag lets this site's policy pick this very certificate.
fn load_file(tls: &mut SiteTls, certificate: &str, key: &str, cx: &mut Cx<'_>) {
    let (tag, first) = cx.certificate_tag(certificate);
    tls.policy.certificate_selection =
        Some(CertificateSelection { any_tag: vec![tag.clone()], ..CertificateSelection::default() });
    if first {
        tls.load_files.push(LoadFile {
            certificate: certificate.into(),
            key: key.into(),
            format: String::new(),
            tags: vec![tag],
        });
    }
}
impl Reading {
    fn acme(&mut self) -> &mut AcmeIssuer {
        self.acme.get_or_insert_default()
    }
    /// `resolvers`, `dns_ttl`, …
    fn dns_setting(&mut self, sub: &mut Words<'_>) -> Parsed<()> {
        let name = sub.text();
        let known = ["resolvers", "propagation_delay", "propagation_timeout", "dns_ttl"];
        self.dns_settings.extend(known.into_iter().find(|known| *known == name));
        let only = |words: &mut Words<'_>| words.exactly().map(|[one]| one);
        dns_challenge(self.acme().dns_challenge(), sub, only).map(drop)
    }
    /// What concerns the handshake. `false` for any other word.
    fn policy(&mut self, sub: &mut Words<'_>, cx: &mut Cx<'_>) -> Parsed<bool> {
        let policy = &mut self.tls.policy;
        match sub.text() {
            "protocols" => {
                let names = sub.rest();
                let known = |name: &String| {
                    let message = format!("wrong protocol name or protocol not supported: '{name}'");
                    if ["tls1.2", "tls1.3"].contains(&name.as_str()) {
                        Ok(name.clone())
                    } else {
                        Err(sub.error(message))
                    }
                };
                let [min, max] = [names.first(), names.get(1)].map(|name| name.map(known).transpose());
                policy.protocol_min =
                    min?.ok_or_else(|| sub.error("protocols requires one or two arguments"))?;
                policy.protocol_max = max?.unwrap_or_default();
            }
            "ciphers" => {
                while let Some(name) = sub.arg() {
                    if !CIPHERS.contains(&name.text.as_str()) {
                        let message = "wrong cipher suite name or cipher suite not supported: ";
                        return Err(name.error(format!("{message}'{}'", name.text)));
                    }
                    policy.cipher_suites.push(name.text.clone());
                }
            }
            "curves" => {
                while let Some(name) = sub.arg() {
                    if !CURVES.contains(&name.text.as_str()) {
                        let message = format!("Wrong curve name or curve not supported: '{}'", name.text);
                        return Err(name.error(message));
                    }
                    policy.curves.push(name.text.clone());
                }
            }
            "alpn" => policy.alpn = sub.some()?,
            "client_auth" => policy.client_authentication = Some(client_auth::read(sub, cx)?),
            "insecure_secrets_log" => {
                policy.insecure_secrets_log = sub.need()?.into();
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
    /// What concerns the certificates. `false` for any other word.
    fn issuance(&mut self, sub: &mut Words<'_>, cx: &mut Cx<'_>) -> Parsed<bool> {
        match sub.text() {
            "load" => self.tls.load_folders.extend(sub.rest()),
            "ca" => {
                let [url] = sub.exactly()?;
                self.acme().ca = url;
            }
            "ca_root" => {
                let [file] = sub.exactly()?;
                self.acme().trusted_roots_pem_files.push(file);
            }
            "eab" => {
                let [key_id, mac_key] = sub.exactly()?;
                self.acme().external_account = Some(ExternalAccount { key_id, mac_key });
            }
            "key_type" => [self.tls.key_type] = sub.exactly()?,
            "dns" => {
                self.acme().dns_challenge();
                if sub.left() > 0 {
                    self.acme().dns_challenge().provider = Some(dns_provider(sub, cx)?);
                } else if cx.options().dns.is_none() {
                    return Err(sub.arg_error());
                }
            }
            "dns_challenge_override_domain" => {
                let [domain] = sub.exactly()?;
                self.acme().dns_challenge().override_domain = domain;
                self.dns_settings.push("dns_challenge_override_domain");
            }
            "on_demand" => {
                sub.none()?;
                self.tls.on_demand = true;
            }
            "reuse_private_keys" => {
                sub.none()?;
                self.tls.reuse_private_keys = true;
            }
            "issuer" => {
                sub.need()?;
                self.explicit.push(cx.module("tls.issuance", "module", &sub.segment())?);
            }
            "get_certificate" => {
                sub.need()?;
                self.tls.managers.push(cx.module("tls.get_certificate", "via", &sub.segment())?);
            }
            "renewal_window_ratio" => {
                let [text] = sub.exactly()?;
                let ratio = parse_float(&text);
                let ratio = ratio.map_err(|why| sub.error(format!("parsing renewal_window_ratio: {why}")))?;
                if ratio <= 0.0 || ratio >= 1.0 {
                    let message = "renewal_window_ratio must be between 0 and 1 (exclusive)";
                    return Err(sub.error(message));
                }
                self.tls.renewal_window_ratio = ratio;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
    /// What only the whole can tell.
    fn check(&self, words: &Words<'_>, cx: &Cx<'_>, anything: bool) -> Parsed<()> {
        let challenge = self.acme.as_ref().and_then(|acme| acme.challenges.as_ref()?.dns.as_ref());
        let options = cx.options();
        let provider = challenge.is_some_and(|dns| dns.provider.is_some());
        if !self.dns_settings.is_empty() && !provider && options.dns.is_none() && !has_acme_dns(options) {
            return Err(words.error(format!(
                "setting DNS challenge options [{}] requires a DNS provider (set with the 'dns' subdirective or \
                 'acme_dns' global option)",
                self.dns_settings.join(", ")
            )));
        }
        if !anything {
            return Err(words.arg_error());
        }
        if !self.explicit.is_empty() && (self.acme.is_some() || self.internal) {
            return Err(words.error(
                "cannot mix issuer subdirective (explicit issuers) with other issuer-specific subdirectives \
                 (implicit issuers)",
            ));
        }
        if self.acme.is_some() && self.internal {
            return Err(words.error("cannot create both ACME and internal certificate issuers"));
        }
        Ok(())
    }
    /// The issuers that the directive names or implies.
    fn issuers(&mut self, words: &Words<'_>, cx: &Cx<'_>) -> Parsed<Vec<Value>> {
        if let Some(local) = self.acme.take() {
            return implied(&local, &cx.options().cert_issuers).map_err(|why| words.error(why.to_string()));
        }
        if self.internal {
            return Ok(vec![json!({"module": "internal"})]);
        }
        Ok(std::mem::take(&mut self.explicit))
    }
}
/// `acme_dns` with a provider of its own; without one it is as if it weren't there.
fn has_acme_dns(options: &crate::caddyfile::Options) -> bool {
    matches!(options.acme_dns, Some(Some(_)))
}
/// What `local` says, over each ACME issuer of the global options; without any, over the default ones.
fn implied(local: &AcmeIssuer, global: &[Value]) -> Result<Vec<Value>, serde_json::Error> {
    let mut bases = vec![];
    for issuer in global.iter().filter(|issuer| issuer.get("module") == Some(&"acme".into())) {
        let mut issuer = issuer.clone();
        issuer.as_object_mut().and_then(|fields| fields.shift_remove("module"));
        bases.push(serde_json::from_value::<AcmeIssuer>(issuer)?);
    }
    if bases.is_empty() {
        bases.push(AcmeIssuer::default());
        if local.ca.is_empty() && !local.email.trim().is_empty() {
            bases.push(AcmeIssuer { ca: ZEROSSL.into(), ..AcmeIssuer::default() });
        }
    }
    Ok(bases.into_iter().map(|base| module(&base.overlaid(local.clone()))).collect())
}
/// With the key that names it, all keys in alphabetical order, as a module's are.
fn module(issuer: &AcmeIssuer) -> Value {
    let mut fields = fields(issuer);
    fields.insert("module".into(), "acme".into());
    let mut value = Value::Object(fields);
    value.sort_all_objects();
    value
}
