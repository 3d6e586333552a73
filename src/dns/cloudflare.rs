//! Cloudflare.
//!
//! ```caddyfile
//! dns cloudflare <api_token>
//! dns cloudflare {
//!     api_token  <token>
//!     zone_token <token>
//! }
//! ```
//! Example: `dns cloudflare {env.CLOUDFLARE_API_TOKEN}`.
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
    name: "cloudflare",
    docs: "cloudflare <api_token> | { api_token <token>; zone_token <token> }: DNS records at Cloudflare.",
    parse,
    support: Support::Full,
};
/// `dns.providers.cloudflare`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cloudflare {
    /// May edit DNS records; read zones too, unless `zone_token` does. Placeholders are allowed.
    #[serde(skip_serializing_if = "is_default")]
    pub api_token: String,
    /// May read zones.
    #[serde(skip_serializing_if = "is_default")]
    pub zone_token: String,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut provider) = (Words::new(line), Cloudflare::default());
    if let Some(token) = words.arg() {
        provider.api_token = token.text.clone();
    } else {
        let mut block = words.block();
        while let Some(sub) = block.next() {
            match sub.text() {
                "api_token" => provider.api_token = sub.need()?.into(),
                "zone_token" => provider.zone_token = sub.need()?.into(),
                other => return Err(sub.error(format!("unrecognized subdirective '{other}'"))),
            }
        }
    }
    if let Some(extra) = words.arg() {
        return Err(extra.error(format!("unexpected argument '{}'", extra.text)));
    }
    if provider.api_token.is_empty() {
        return Err(words.error("missing API token"));
    }
    Ok(fields(&provider))
}
