//! deSEC.
//!
//! ```caddyfile
//! dns desec {
//!     token <token>
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
    name: "desec",
    docs: "desec { token <token> }: DNS records at deSEC.",
    parse,
    support: Support::Full,
};
/// `dns.providers.desec`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Desec {
    /// Placeholders are allowed.
    #[serde(skip_serializing_if = "is_default")]
    pub token: String,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut provider) = (Words::new(line), Desec::default());
    words.none()?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "token" => super::set_once(&mut provider.token, sub, "token already set")?,
            other => return Err(sub.error(format!("unrecognized subdirective '{other}'"))),
        }
    }
    if provider.token.is_empty() {
        return Err(words.error("missing token"));
    }
    Ok(fields(&provider))
}
