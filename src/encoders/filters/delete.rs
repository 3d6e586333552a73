//! `delete`: removes the field.
//!
//! ```caddyfile
//! <field> delete
//! ```
use super::{FilterModule, NAMESPACE};
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
    name: "delete",
    docs: "delete: removes the field.",
    parse,
    support: Support::Full,
};
/// It has nothing to say, and what it is given is not looked at.
fn parse(_: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    Ok(Map::new())
}
pub(super) const FILTER: FilterModule = FilterModule::plain::<Delete>("delete");
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Delete {}
impl FieldFilter for Delete {
    fn filter(&self, _: &mut Cow<'_, str>, _: &mut FieldValue<'_>) -> bool {
        false
    }
}
