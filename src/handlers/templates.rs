//! `templates`: executes responses as Go templates.
//!
//! ```caddyfile
//! templates [<matcher>] {
//!     mime    <types...>
//!     between <open> <close>
//!     root    <path>
//!     extensions {
//!         <module> …
//!     }
//! }
//! ```
use crate::{
    caddyfile::{Cx, Directive, Order, Parse, Parsed, Support, Words},
    config::{Module, is_default},
};
use grammar::Line;
use serde::Serialize;
use serde_json::{Map, Value};

pub const TEMPLATES: Directive = Directive {
    name: "templates",
    docs: "templates [<matcher>] { mime, between, root, extensions }: executes responses as templates.",
    order: Order::ByRow,
    support: Support::NotYet("its run time comes later"),
    parse: Parse::Handler(parse),
};

/// JSON: `http.handlers.templates`.
#[derive(Default, Serialize)]
struct Templates {
    #[serde(skip_serializing_if = "is_default")]
    file_root: String,
    #[serde(skip_serializing_if = "is_default")]
    mime_types: Vec<String>,
    #[serde(skip_serializing_if = "is_default")]
    delimiters: Vec<String>,
    /// Modules of `http.handlers.templates.functions`, by name.
    #[serde(rename = "match", skip_serializing_if = "Map::is_empty")]
    extensions: Map<String, Value>,
}
fn parse(line: &Line, cx: &mut Cx<'_>) -> Parsed<Module> {
    let (mut templates, mut words) = (Templates::default(), Words::new(line));
    // Caddy passes over words on the line.
    words.rest();
    let mut block = words.block();
    while let Some(words) = block.next() {
        match words.text() {
            "mime" => templates.mime_types = words.some()?,
            "between" => templates.delimiters = words.exactly::<2>()?.into(),
            "root" => templates.file_root = words.need()?.to_owned(),
            "extensions" => {
                words.none()?;
                if !templates.extensions.is_empty() {
                    return Err(words.error("extensions already specified"));
                }
                let mut block = words.block();
                while let Some(words) = block.next() {
                    let name = words.text().to_owned();
                    let fields = cx.module_fields("http.handlers.templates.functions", &words.segment())?;
                    templates.extensions.insert(name, Value::Object(fields));
                }
            }
            // And over sub-directives that it does not know.
            _ => {}
        }
    }
    Ok(Module::of("templates", &templates))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caddyfile::testing::Rows;

    const ROWS: Rows = Rows { directives: &[TEMPLATES], matchers: &[], modules: &[] };
    #[test]
    fn each_option_has_its_field() {
        ROWS.adapt_to(&[
            ("templates x", r#"[{"handle":[{"handler":"templates"}]}]"#),
            (
                "templates {\nmime text/html\nbetween [[ ]]\nroot /t\n}",
                r#"[{"handle":[{"delimiters":["[[","]]"],"file_root":"/t","handler":"templates","mime_types":["text/html"]}]}]"#,
            ),
        ]);
    }
    #[test]
    fn what_is_wrong_is_said_in_caddy_s_words() {
        ROWS.fail_with(&[
            ("templates {\nmime\n}", "wrong argument count or unexpected line ending after 'mime', at -:3"),
            ("templates {\nbetween a\n}", "wrong argument count or unexpected line ending after 'a', at -:3"),
            (
                "templates {\nextensions {\nnope\n}\n}",
                "getting module named 'http.handlers.templates.functions.nope': module not registered: \
                 http.handlers.templates.functions.nope, at -:4",
            ),
        ]);
    }
}
