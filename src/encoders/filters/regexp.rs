//! `regexp`: replaces what a regular expression finds.
//!
//! ```caddyfile
//! <field> regexp <pattern> <replacement>
//! ```
use super::{LATER, NAMESPACE};
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support},
    config::{fields, is_default},
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "regexp",
    docs: "regexp <pattern> <replacement>: replaces what a regular expression finds.",
    parse,
    support: Support::NotYet(LATER),
};
/// `caddy.logging.encoders.filter.regexp`, and a step of `multi_regexp`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Regexp {
    /// The pattern.
    #[serde(skip_serializing_if = "is_default")]
    pub regexp: String,
    /// The replacement.
    #[serde(skip_serializing_if = "is_default")]
    pub value: String,
}
impl Regexp {
    /// From its JSON, the key that names the filter included.
    pub(in crate::encoders) fn from_module(module: &Value) -> Self {
        let text = |key| module.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self { regexp: text("regexp"), value: text("value") }
    }
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let mut args = line.args().iter().map(|word| word.text.clone());
    let mut next = || args.next().unwrap_or_default();
    Ok(fields(&Regexp { regexp: next(), value: next() }))
}
