//! `transform`: entries by a template, in Common Log Format if there is none (plugin `transform-encoder`).
//!
//! ```caddyfile
//! format transform [<template>] {
//!     placeholder <text>
//!     unescape_strings
//!     <see keys>
//! }
//! ```
//! Example: `format transform "{request>remote_ip} {status} {size:-0}"`. `placeholder` stands for what an entry lacks.
//! `formatted` is its former name.
use super::{NAMESPACE, json_path, keys};
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{
        fields, is_default,
        placeholder::{Global, Text, Unknown, Value as Found},
    },
    logging::{Encoder, EncoderModule, Entry, Format, Lines},
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::cell::RefCell;

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "transform",
    docs: "transform [<template>] { placeholder <text>; unescape_strings; … }: log entries by a template.",
    parse,
    support: Support::Full,
};
pub const FORMATTED: ModuleSyntax = ModuleSyntax { name: "formatted", ..SYNTAX };

/// Common Log Format.
const COMMON: &str = "{request>remote_ip} - {user_id} [{ts}] \"{request>method} {request>uri} {request>proto}\" {status} {size}";

fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let mut words = Words::new(line);
    let template = words.rest();
    let template = if template.is_empty() { COMMON.to_owned() } else { template.join(" ") };
    let (mut placeholder, mut unescape) = (String::new(), false);
    let keys = keys::read(words.block(), |sub| {
        match sub.text() {
            "placeholder" => placeholder = sub.one()?.into(),
            "unescape_strings" => {
                sub.none()?;
                unescape = true;
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let own = Template { template, placeholder, unescape_strings: unescape };
    let mut module = fields(&keys);
    module.extend(fields(&own));
    Ok(module)
}

/// `caddy.logging.encoders.transform`, besides what it has in common with `json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Template {
    /// Paths in braces, such as `{request>headers>User-Agent>[0]}`; several with a colon between them are tried in turn.
    #[serde(skip_serializing_if = "is_default")]
    template: String,
    /// Stands for what an entry lacks; empty: `-`.
    #[serde(skip_serializing_if = "is_default")]
    placeholder: String,
    /// Texts as they are, not as they stand in JSON.
    #[serde(skip_serializing_if = "is_default")]
    unescape_strings: bool,
}
pub const MODULE: EncoderModule = EncoderModule { name: "transform", build };
pub const FORMATTED_MODULE: EncoderModule = EncoderModule { name: "formatted", build };

fn build(config: Map<String, Value>, _: &crate::logging::Encoders<'_>) -> Result<Box<dyn Encoder>, String> {
    let own = |key: &String| ["template", "placeholder", "unescape_strings"].contains(&key.as_str());
    let (own, keys): (Map<_, _>, Map<_, _>) = config.into_iter().partition(|(key, _)| own(key));
    let decoded = crate::config::decode(Value::Object(own)).map_err(|error| error.to_string())?;
    let Template { mut template, placeholder, unescape_strings } = decoded;
    let mut format: Format = crate::config::decode(Value::Object(keys)).map_err(|error| error.to_string())?;
    if template.is_empty() {
        return Err("missing template for formatted log encoder".into());
    }
    if template == "{common_log}" {
        template = COMMON.into();
    }
    if template == COMMON {
        format.time_format = "common_log".into();
    }
    Ok(Box::new(Transform {
        json: Lines::json(format),
        template: Text::new(&template, &Key::of),
        empty: if placeholder.is_empty() { "-".into() } else { placeholder },
        unescape: unescape_strings,
    }))
}
#[derive(Debug)]
struct Transform {
    /// The template picks from its lines.
    json: Lines,
    template: Text<Key>,
    empty: String,
    unescape: bool,
}
/// What stands between braces.
#[derive(Clone, Debug)]
enum Key {
    Global(Global),
    /// Paths, of which the first that is there counts.
    Paths(Vec<Vec<String>>),
}
impl Key {
    fn of(key: &str) -> Self {
        let path = |path: &str| path.split('>').map(str::to_owned).collect();
        match Global::of(key) {
            Some(global) => Self::Global(global),
            None => Self::Paths(key.split(':').map(path).collect()),
        }
    }
}
impl Encoder for Transform {
    fn encode(&self, entry: &Entry<'_>, out: &mut Vec<u8>) {
        thread_local! { static JSON: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) } }
        JSON.with_borrow_mut(|json| {
            json.clear();
            self.json.encode(entry, json);
            let line = str::from_utf8(json).unwrap_or_default();
            let mut value = |_: &str, key: &Key| {
                let found = match key {
                    Key::Global(global) => global.value(),
                    Key::Paths(paths) => {
                        let value = paths.iter().find_map(|path| json_path::find(line, path));
                        Found::from(self.shown(value.unwrap_or_default()))
                    }
                };
                let shown = found.into_text();
                Some(if shown.is_empty() { self.empty.clone() } else { shown.into_owned() }.into())
            };
            // Nothing is unknown, so it does not fail.
            let line = self.template.expand(Unknown::Empty, &mut value).unwrap_or_default();
            out.extend_from_slice(line.replace("\\\"", "\"").as_bytes());
        });
        if out.last() != Some(&b'\n') {
            out.push(b'\n');
        }
    }
}
impl Transform {
    /// A value of JSON as text.
    fn shown(&self, value: &str) -> String {
        match value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) {
            Some(_) if self.unescape => serde_json::from_str(value).unwrap_or_default(),
            Some(inner) => inner.to_owned(),
            None => value.to_owned(),
        }
    }
}
