//! `append`: adds fields of one's own to every entry.
//!
//! ```caddyfile
//! format append {
//!     wrap <encoder> …
//!     <key> <value>
//!     fields {
//!         <key> <value>
//!     }
//! }
//! ```
//! Example: `host {system.hostname}`. An unquoted number or `true` is written as such.
use super::{LATER, NAMESPACE};
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words, scalar},
    config::{fields, is_default},
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "append",
    docs: "append { wrap <encoder>; <key> <value>; fields { <key> <value> } }: adds fields to log entries.",
    parse,
    support: Support::NotYet(LATER),
};
/// `caddy.logging.encoders.append`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Append {
    /// An encoder.
    #[serde(skip_serializing_if = "is_default")]
    pub wrap: Option<Value>,
    /// A text that is one placeholder and nothing else stands for its value.
    #[serde(skip_serializing_if = "is_default")]
    pub fields: Map<String, Value>,
}
fn parse(line: &Line, cx: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut encoder) = (Words::new(line), Append::default());
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "wrap" => encoder.wrap = Some(super::wrapped(sub, cx)?),
            "fields" => {
                let mut block = sub.block();
                while let Some(field) = block.next() {
                    append(&mut encoder.fields, field)?;
                }
            }
            _ => append(&mut encoder.fields, sub)?,
        }
    }
    Ok(fields(&encoder))
}
/// `<key> <value>`.
fn append(fields: &mut Map<String, Value>, words: &mut Words<'_>) -> Parsed<()> {
    let key = words.text().to_owned();
    let value = words.arg().map(scalar).ok_or_else(|| words.arg_error())?;
    fields.insert(key, value);
    words.none()
}
