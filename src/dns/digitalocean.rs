//! DigitalOcean.
//!
//! ```caddyfile
//! dns digitalocean <api_token>
//! dns digitalocean {
//!     api_token <token>
//! }
//! ```
use super::NAMESPACE;
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::fields,
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "digitalocean",
    docs: "digitalocean <api_token> | { api_token <token> }: DNS records at DigitalOcean.",
    parse,
    support: Support::Full,
};
/// `dns.providers.digitalocean`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DigitalOcean {
    /// Placeholders are allowed.
    pub auth_token: String,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut provider) = (Words::new(line), DigitalOcean::default());
    super::set(&mut provider.auth_token, &mut words)?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "api_token" if !provider.auth_token.is_empty() => return Err(sub.error("API token already set")),
            "api_token" => provider.auth_token = sub.need()?.into(),
            other => return Err(sub.error(format!("unrecognized subdirective '{other}'"))),
        }
    }
    if provider.auth_token.is_empty() {
        return Err(words.error("missing API token"));
    }
    Ok(fields(&provider))
}
