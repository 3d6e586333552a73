//! Duck DNS.
//!
//! ```caddyfile
//! dns duckdns [<api_token>] {
//!     api_token       <token>
//!     override_domain <domain>
//!     resolver        <address>
//! }
//! ```
use super::NAMESPACE;
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{fields, is_default},
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "duckdns",
    docs: "duckdns [<api_token>] { api_token <token>; override_domain <domain>; resolver <address> }: \
           DNS records at Duck DNS.",
    parse,
    support: Support::Full,
};
/// `dns.providers.duckdns`. All of it may hold placeholders.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DuckDns {
    #[serde(skip_serializing_if = "is_default")]
    pub api_token: String,
    /// The domain at Duck DNS to write to, instead of the one that the certificate is for.
    #[serde(skip_serializing_if = "is_default")]
    pub override_domain: String,
    /// Whom to ask for the present record, `host:port`.
    #[serde(skip_serializing_if = "is_default")]
    pub resolver: String,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut provider) = (Words::new(line), DuckDns::default());
    super::set(&mut provider.api_token, &mut words)?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "api_token" => super::set_once(&mut provider.api_token, sub, "API token already set")?,
            "override_domain" => {
                super::set_once(&mut provider.override_domain, sub, "Override domain already set")?;
            }
            "resolver" => {
                let resolver = sub.need()?;
                if !provider.resolver.is_empty() {
                    return Err(sub.error("Resolver already set"));
                }
                provider.resolver = resolver.into();
            }
            other => return Err(sub.error(format!("unrecognized subdirective '{other}'"))),
        }
    }
    if provider.api_token.is_empty() {
        return Err(words.error("DuckDNS missing API token"));
    }
    Ok(fields(&provider))
}
