//! `combined`: several pools as one.
//!
//! ```caddyfile
//! trust_pool combined {
//!     source <pool> …
//!     …
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
    name: "combined",
    docs: "combined { source <pool>; … }: trusts what any of several pools trusts.",
    parse,
    support: Support::Full,
};
/// `tls.ca_pool.source.combined`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Combined {
    /// Pools.
    #[serde(skip_serializing_if = "is_default")]
    pub sources: Vec<Value>,
}
fn parse(line: &Line, cx: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut pool) = (Words::new(line), Combined::default());
    if words.left() > 0 {
        return Err(words.arg_error());
    }
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "source" => pool.sources.push(super::pool(sub, cx)?),
            other => return Err(sub.error(format!("unrecognized directive: {other}"))),
        }
    }
    if pool.sources.is_empty() {
        return Err(words.error("no sources specified"));
    }
    Ok(fields(&pool))
}
