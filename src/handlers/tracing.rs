//! `tracing`: spans of requests, for OpenTelemetry.
//!
//! ```caddyfile
//! tracing [<matcher>] {
//!     span <name>
//!     span_attributes {
//!         <name> <value>
//!     }
//! }
//! ```
use crate::{
    caddyfile::{Cx, Directive, Order, Parse, Parsed, Support, Words},
    config::{Module, is_default},
};
use grammar::Line;
use serde::Serialize;
use std::collections::BTreeMap;

pub const TRACING: Directive = Directive {
    name: "tracing",
    docs: "tracing [<matcher>] { span <name>; span_attributes { <name> <value> } }: spans of requests.",
    order: Order::ByRow,
    support: Support::NotYet("its run time comes later"),
    parse: Parse::Handler(parse),
};

/// JSON: `http.handlers.tracing`.
#[derive(Default, Serialize)]
struct Tracing {
    span: String,
    #[serde(skip_serializing_if = "is_default")]
    span_attributes: BTreeMap<String, String>,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Module> {
    let (mut tracing, mut words) = (Tracing::default(), Words::new(line));
    words.none()?;
    let mut block = words.block();
    while let Some(words) = block.next() {
        match words.text() {
            "span" => {
                tracing.span = words.need()?.to_owned();
                words.none()?;
            }
            "span_attributes" => {
                let mut block = words.block();
                while let Some(words) = block.next() {
                    let name = words.text().to_owned();
                    let value = words.need()?.to_owned();
                    words.none()?;
                    tracing.span_attributes.insert(name, value);
                }
            }
            _ => return Err(words.arg_error()),
        }
    }
    Ok(Module::of("tracing", &tracing))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caddyfile::testing::Rows;

    const ROWS: Rows = Rows { directives: &[TRACING], matchers: &[], modules: &[] };
    #[test]
    fn the_span_s_name_is_always_said() {
        ROWS.adapt_to(&[
            ("tracing", r#"[{"handle":[{"handler":"tracing","span":""}]}]"#),
            (
                "tracing {\nspan s\nspan_attributes {\nb 1\na {http.request.host}\n}\n}",
                r#"[{"handle":[{"handler":"tracing","span":"s","span_attributes":{"a":"{http.request.host}","b":"1"}}]}]"#,
            ),
        ]);
    }
    #[test]
    fn what_is_wrong_is_said_in_caddy_s_words() {
        let after = |word: &str, line| {
            format!("wrong argument count or unexpected line ending after '{word}', at -:{line}")
        };
        ROWS.fail_with(&[
            ("tracing x", &after("x", 2)),
            ("tracing {\nnope\n}", &after("nope", 3)),
            ("tracing {\nspan\n}", &after("span", 3)),
            ("tracing {\nspan a b\n}", &after("b", 3)),
            ("tracing {\nspan_attributes {\na\n}\n}", &after("a", 4)),
        ]);
    }
}
