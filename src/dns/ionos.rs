//! IONOS.
//!
//! ```caddyfile
//! dns ionos <api_token>
//! dns ionos {
//!     api_token <prefix.secret>
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
    name: "ionos",
    docs: "ionos <api_token> | { api_token <prefix.secret> }: DNS records at IONOS.",
    parse,
    support: Support::Full,
};
/// `dns.providers.ionos`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ionos {
    /// The public prefix, a dot, the secret. Placeholders are allowed.
    pub auth_api_token: String,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut provider) = (Words::new(line), Ionos::default());
    super::set(&mut provider.auth_api_token, &mut words)?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "api_token" if !provider.auth_api_token.is_empty() => {
                return Err(sub.error("API token already set"));
            }
            "api_token" => super::set(&mut provider.auth_api_token, sub)?,
            other => return Err(sub.error(format!("unrecognized subdirective '{other}'"))),
        }
    }
    if provider.auth_api_token.is_empty() {
        return Err(words.error("missing API token"));
    }
    Ok(fields(&provider))
}
