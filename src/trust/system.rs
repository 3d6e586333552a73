//! `system`: the certificates that this machine trusts.
//!
//! ```caddyfile
//! trust_pool system
//! ```
use super::NAMESPACE;
use crate::caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words};
use grammar::Line;
use serde_json::{Map, Value};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "system",
    docs: "system: trusts what this machine trusts.",
    parse,
    support: Support::Full,
};
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let mut words = Words::new(line);
    if words.left() > 0 {
        return Err(words.arg_error());
    }
    match words.block().next() {
        Some(sub) => Err(sub.error("system trust pool does not support any configuration")),
        None => Ok(Map::new()),
    }
}
