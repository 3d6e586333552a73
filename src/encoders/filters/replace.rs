//! `replace`: puts a text in place of the value.
//!
//! ```caddyfile
//! <field> replace <value>
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
    name: "replace",
    docs: "replace <value>: puts a text in place of the value.",
    parse,
    support: Support::Full,
};
/// `caddy.logging.encoders.filter.replace`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Replace {
    /// The text.
    #[serde(skip_serializing_if = "is_default")]
    pub value: String,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let value = line.args().first().map(|word| word.text.clone()).unwrap_or_default();
    Ok(fields(&Replace { value }))
}
pub(super) const FILTER: FilterModule = FilterModule::plain::<Replace>("replace");
impl FieldFilter for Replace {
    fn filter(&self, _: &mut Cow<'_, str>, value: &mut FieldValue<'_>) -> bool {
        *value = FieldValue::Text(self.value.clone().into());
        true
    }
}
