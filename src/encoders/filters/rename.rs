//! `rename`: gives the field another key.
//!
//! ```caddyfile
//! <field> rename <name>
//! ```
use super::{FilterModule, NAMESPACE};
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support},
    config::{fields, is_default},
    logging::{FieldFilter, FieldValue},
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "rename",
    docs: "rename <name>: gives the field another key.",
    parse,
    support: Support::Full,
};
/// `caddy.logging.encoders.filter.rename`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rename {
    /// The new key.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let name = line.args().first().map(|word| word.text.clone()).unwrap_or_default();
    Ok(fields(&Rename { name }))
}
pub(super) const FILTER: FilterModule = FilterModule::plain::<Rename>("rename");
impl FieldFilter for Rename {
    fn filter(&self, key: &mut Cow<'_, str>, _: &mut FieldValue<'_>) -> bool {
        *key = self.name.clone().into();
        true
    }
}
