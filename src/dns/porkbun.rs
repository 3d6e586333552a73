//! Porkbun.
//!
//! ```caddyfile
//! dns porkbun {
//!     api_key        <key>
//!     api_secret_key <key>
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
    name: "porkbun",
    docs: "porkbun { api_key <key>; api_secret_key <key> }: DNS records at Porkbun.",
    parse,
    support: Support::Full,
};
/// `dns.providers.porkbun`. All of it may hold placeholders.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Porkbun {
    #[serde(skip_serializing_if = "is_default")]
    pub api_key: String,
    #[serde(skip_serializing_if = "is_default")]
    pub api_secret_key: String,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut provider) = (Words::new(line), Porkbun::default());
    words.none()?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        let field = match sub.text() {
            "api_key" => &mut provider.api_key,
            "api_secret_key" => &mut provider.api_secret_key,
            _ => return Err(sub.arg_error()),
        };
        super::set(field, sub)?;
    }
    if provider.api_key.is_empty() {
        return Err(words.error("No api_key set"));
    }
    if provider.api_secret_key.is_empty() {
        return Err(words.error("No api_secret_key set"));
    }
    Ok(fields(&provider))
}
