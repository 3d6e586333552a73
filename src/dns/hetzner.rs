//! Hetzner.
//!
//! ```caddyfile
//! dns hetzner <api_token>
//! ```
//! There is a block form, `hetzner { api_token <token> }`, but the plugin reads the word `api_token` itself as the token and
//! stumbles over what follows, so that only `hetzner <api_token>` can be used.
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
    name: "hetzner",
    docs: "hetzner <api_token>: DNS records at Hetzner.",
    parse,
    support: Support::Full,
};
/// `dns.providers.hetzner`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hetzner {
    /// Placeholders are allowed.
    #[serde(skip_serializing_if = "is_default")]
    pub api_token: String,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut provider) = (Words::new(line), Hetzner::default());
    super::set(&mut provider.api_token, &mut words)?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "api_token" if !provider.api_token.is_empty() => return Err(sub.error("API token already set")),
            "api_token" => {
                provider.api_token = sub.text().into();
                sub.none().map_err(|error| error.hint("write it on one line: hetzner <api_token>"))?;
            }
            other => return Err(sub.error(format!("unrecognized subdirective '{other}'"))),
        }
    }
    if provider.api_token.is_empty() {
        return Err(words.error("missing API token"));
    }
    Ok(fields(&provider))
}
