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
use super::NAMESPACE;
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words, scalar},
    config::{
        fields, is_default,
        placeholder::{Global, Value as Found},
    },
    logging::{Encoder, EncoderModule, Entry, Fields, Object},
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "append",
    docs: "append { wrap <encoder>; <key> <value>; fields { <key> <value> } }: adds fields to log entries.",
    parse,
    support: Support::Full,
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

pub const MODULE: EncoderModule = EncoderModule {
    name: "append",
    build: |config, encoders| {
        let Append { wrap, fields } =
            crate::config::decode(Value::Object(config)).map_err(|error| error.to_string())?;
        let own = fields.into_iter().map(|(key, value)| (key, Own::of(value)));
        Ok(Box::new(Appending { wrapped: encoders.wrapped(wrap)?, own: own.collect() }))
    },
};
#[derive(Debug)]
struct Appending {
    wrapped: Box<dyn Encoder>,
    own: Vec<(String, Own)>,
}
/// The value of a field that is added.
#[derive(Debug)]
enum Own {
    Fixed(Value),
    /// `None`: nobody knows it.
    Placeholder(Option<Global>),
}
impl Own {
    fn of(value: Value) -> Self {
        let key = value.as_str().and_then(|text| text.strip_prefix('{')?.strip_suffix('}'));
        match key.filter(|key| !key.contains('{')) {
            Some(key) => Self::Placeholder(Global::of(key)),
            None => Self::Fixed(value),
        }
    }
}
impl Encoder for Appending {
    fn encode(&self, entry: &Entry<'_>, out: &mut Vec<u8>) {
        let fields = Appended { fields: entry.fields, own: &self.own };
        self.wrapped.encode(&Entry { fields: &fields, ..*entry }, out);
    }
    fn leave_out_time(&mut self) {
        self.wrapped.leave_out_time();
    }
}
struct Appended<'a> {
    fields: &'a dyn Fields,
    own: &'a [(String, Own)],
}
impl Fields for Appended<'_> {
    fn write(&self, into: &mut Object<'_>) {
        self.fields.write(into);
        for (key, value) in self.own {
            match value {
                Own::Fixed(value) => into.value(key, value),
                Own::Placeholder(None) => into.value(key, &Value::Null),
                Own::Placeholder(Some(global)) => match global.value() {
                    Found::Text(text) => into.text(key, &text),
                    other => into.value(key, &other.into()),
                },
            }
        }
    }
    fn is_empty(&self) -> bool {
        self.own.is_empty() && self.fields.is_empty()
    }
}
