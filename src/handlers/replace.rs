//! `replace`: other text in response bodies, as the plugin caddyserver/replace-response has it.
//!
//! ```caddyfile
//! replace [<matcher>] [stream | [re] <search> <replace>] {
//!     stream
//!     [re] <search> <replace>
//!     match { <response matcher> }
//! }
//! ```
//! It has no place among the directives: `order` or a `route` gives it one.
//!
//! ```caddyfile
//! route {
//!     replace http://internal.example https://example.com
//!     reverse_proxy app:8080
//! }
//! ```
use crate::{
    caddyfile::{Cx, Directive, Order, Parse, Parsed, Support, Words, response_matcher},
    config::{Module, ResponseMatcher, is_default},
};
use grammar::Line;
use serde::Serialize;

pub const REPLACE: Directive = Directive {
    name: "replace",
    docs: "`replace [<matcher>] [re] <search> <replace>`: other text in response bodies.",
    order: Order::Unordered,
    support: Support::NotYet("its run time comes later"),
    parse: Parse::Handler(parse),
};

/// JSON: `http.handlers.replace_response`.
#[derive(Default, Serialize)]
struct ReplaceResponse {
    #[serde(skip_serializing_if = "Option::is_none")]
    r#match: Option<ResponseMatcher>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    replacements: Vec<Replacement>,
    /// Without waiting for the end of the body.
    #[serde(skip_serializing_if = "is_default")]
    stream: bool,
}
/// One of `search` and `search_regexp`.
#[derive(Serialize)]
struct Replacement {
    replace: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    search: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    search_regexp: String,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Module> {
    let (mut handler, mut words) = (ReplaceResponse::default(), Words::new(line));
    if words.arg().is_some() {
        instruction(&mut handler, &mut words)?;
    }
    let mut block = words.block();
    while let Some(words) = block.next() {
        if words.text() != "match" {
            instruction(&mut handler, words)?;
        } else if handler.r#match.is_some() {
            return Err(words.error("match block already specified"));
        } else {
            handler.r#match = Some(response_matcher(&words.segment())?);
        }
    }
    Ok(Module::of("replace_response", &handler))
}
/// `stream`, `re <search> <replace>` or `<search> <replace>`, from the word last read on.
fn instruction(handler: &mut ReplaceResponse, words: &mut Words<'_>) -> Parsed<()> {
    let (mut search, mut search_regexp) = (words.text().to_owned(), String::new());
    let replace = match search.as_str() {
        "stream" if handler.stream => return Err(words.error("streaming already enabled")),
        "stream" => {
            handler.stream = true;
            return words.none();
        }
        "re" => {
            let [regexp, replace] = words.exactly()?;
            (search, search_regexp) = (String::new(), regexp);
            replace
        }
        _ => {
            let replace = words.need()?.to_owned();
            words.none()?;
            replace
        }
    };
    handler.replacements.push(Replacement { replace, search, search_regexp });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caddyfile::testing::Rows;

    const ROWS: Rows = Rows { directives: &[REPLACE], matchers: &[], modules: &[] };

    #[test]
    fn it_has_no_place_of_its_own() {
        ROWS.fail_with(&[("replace a b", "directive 'replace' is not an ordered HTTP handler")]);
    }
}
