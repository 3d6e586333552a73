//! `hash`: the first 4 bytes of the SHA-256 of the value, in hexadecimal.
//!
//! ```caddyfile
//! <field> hash
//! ```
use super::{LATER, NAMESPACE};
use crate::caddyfile::{Cx, ModuleSyntax, Parsed, Support};
use grammar::Line;
use serde_json::{Map, Value};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "hash",
    docs: "hash: the first 4 bytes of the SHA-256 of the value, in hexadecimal.",
    parse,
    support: Support::NotYet(LATER),
};
/// It has nothing to say, and what it is given is not looked at.
fn parse(_: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    Ok(Map::new())
}
