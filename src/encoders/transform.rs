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
use super::{LATER, NAMESPACE, keys};
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::fields,
};
use grammar::Line;
use serde_json::{Map, Value};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "transform",
    docs: "transform [<template>] { placeholder <text>; unescape_strings; … }: log entries by a template.",
    parse,
    support: Support::NotYet(LATER),
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
    let mut module = fields(&keys);
    if !template.is_empty() {
        module.insert("template".into(), template.into());
    }
    if !placeholder.is_empty() {
        module.insert("placeholder".into(), placeholder.into());
    }
    if unescape {
        module.insert("unescape_strings".into(), true.into());
    }
    Ok(module)
}
