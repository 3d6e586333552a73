//! `zerossl`: certificates from ZeroSSL's own API (its ACME directory is another thing: `issuer acme`).
//!
//! ```caddyfile
//! issuer zerossl <api_key> {
//!     alt_http_port       <port>
//!     dns                 <provider> …
//!     propagation_delay   <duration>
//!     propagation_timeout <duration>|-1
//!     resolvers           <addresses…>
//!     dns_ttl             <duration>
//! }
//! ```
//! Caddy knows `validity_days <days>` too, but reads the word itself as the number, so that it always fails.
use super::{NAMESPACE, acme::port};
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words, dns_challenge, dns_provider, is_dns_setting},
    config::{DnsChallenge, fields, is_default, parse_int},
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "zerossl",
    docs: "zerossl <api_key> { alt_http_port, dns, propagation_delay, propagation_timeout, resolvers, dns_ttl }: \
           certificates from ZeroSSL's API.",
    parse,
    support: Support::NotYet("ZeroSSL's own API; `issuer acme https://acme.zerossl.com/v2/DV90` is its ACME"),
};
/// `tls.issuance.zerossl`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ZeroSsl {
    /// Placeholders are allowed.
    #[serde(skip_serializing_if = "is_default")]
    pub api_key: String,
    /// How long certificates shall be valid; 0: as ZeroSSL likes.
    #[serde(skip_serializing_if = "is_default")]
    pub validity_days: i64,
    /// Where to listen for the check of a name; empty: everywhere.
    #[serde(skip_serializing_if = "is_default")]
    pub listen_host: String,
    /// Where port 80 is forwarded to; 0: nowhere else.
    #[serde(skip_serializing_if = "is_default")]
    pub alternate_http_port: i64,
    /// Prove names by CNAME records rather than over HTTP.
    #[serde(skip_serializing_if = "is_default")]
    pub cname_validation: Option<DnsChallenge>,
}
fn parse(line: &Line, cx: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let mut words = Words::new(line);
    let mut issuer = ZeroSsl { api_key: words.need()?.into(), ..ZeroSsl::default() };
    words.none()?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        let name = sub.text();
        match name {
            "validity_days" => {
                let days = parse_int(name).map_err(|why| format!("invalid number of days {name}: {why}"));
                issuer.validity_days = days.map_err(|message| {
                    sub.error(message).hint("Caddy cannot read this from a Caddyfile; leave it out")
                })?;
            }
            "alt_http_port" => issuer.alternate_http_port = port(sub)?,
            "dns" => {
                issuer.cname_validation.get_or_insert_default().provider = Some(dns_provider(sub, cx)?);
            }
            _ if is_dns_setting(name) => {
                let validation = issuer.cname_validation.get_or_insert_default();
                dns_challenge(validation, sub, |words| Ok(words.need()?.into()))?;
            }
            _ => return Err(sub.error(format!("unrecognized zerossl issuer property: {name}"))),
        }
    }
    Ok(fields(&issuer))
}
