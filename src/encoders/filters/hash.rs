//! `hash`: the first 4 bytes of the SHA-256 of the value, in hexadecimal.
//!
//! ```caddyfile
//! <field> hash
//! ```
use super::{FilterModule, NAMESPACE, hashed};
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support},
    logging::{FieldFilter, FieldValue},
};
use grammar::Line;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::borrow::Cow;

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "hash",
    docs: "hash: the first 4 bytes of the SHA-256 of the value, in hexadecimal.",
    parse,
    support: Support::Full,
};
/// It has nothing to say, and what it is given is not looked at.
fn parse(_: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    Ok(Map::new())
}
pub(super) const FILTER: FilterModule = FilterModule::plain::<Hash>("hash");
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hash {}
impl FieldFilter for Hash {
    fn filter(&self, _: &mut Cow<'_, str>, value: &mut FieldValue<'_>) -> bool {
        value.map(hashed);
        true
    }
}
