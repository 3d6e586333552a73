//! `regexp`: replaces what a regular expression finds.
//!
//! ```caddyfile
//! <field> regexp <pattern> <replacement>
//! ```
use super::{FilterModule, NAMESPACE, decode};
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support},
    config::{fields, go_regex, is_default},
    logging::{FieldFilter, FieldValue},
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "regexp",
    docs: "regexp <pattern> <replacement>: replaces what a regular expression finds.",
    parse,
    support: Support::Full,
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
pub(super) const FILTER: FilterModule =
    FilterModule { name: "regexp", build: |fields| Ok(Box::new(decode::<Regexp>(fields)?.compile()?)) };
/// Compiled.
#[derive(Debug)]
pub(super) struct Step {
    regex: regex::Regex,
    /// `$1` and `${name}` are what the expression has caught.
    value: String,
}
impl Regexp {
    pub(super) fn compile(self) -> Result<Step, String> {
        Ok(Step { regex: go_regex(&self.regexp)?, value: self.value })
    }
}
impl Step {
    pub(super) fn replace(&self, text: &str) -> String {
        self.regex.replace_all(text, self.value.as_str()).into_owned()
    }
}
impl FieldFilter for Step {
    fn filter(&self, _: &mut Cow<'_, str>, value: &mut FieldValue<'_>) -> bool {
        value.map(|text| self.replace(text));
        true
    }
}
