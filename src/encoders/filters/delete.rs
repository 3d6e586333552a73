//! `delete`: removes the field.
//!
//! ```caddyfile
//! <field> delete
//! ```
use super::{LATER, NAMESPACE};
use crate::caddyfile::{Cx, ModuleSyntax, Parsed, Support};
use grammar::Line;
use serde_json::{Map, Value};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "delete",
    docs: "delete: removes the field.",
    parse,
    support: Support::NotYet(LATER),
};
/// It has nothing to say, and what it is given is not looked at.
fn parse(_: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    Ok(Map::new())
}
