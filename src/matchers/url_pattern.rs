//! `url_pattern`: the request's URL by a pattern of the web's own kind (WHATWG URLPattern).
//!
//! ```caddyfile
//! url_pattern <pattern> {
//!     base_url <url>
//!     ignore_case
//! }
//! @book url_pattern /books/:id
//! ```
use crate::{
    caddyfile::{MatcherSyntax, Support},
    config::{fields, is_default},
};
use serde::Serialize;

pub const SYNTAX: MatcherSyntax = MatcherSyntax {
    name: "url_pattern",
    docs: "url_pattern <pattern> { base_url <url> ; ignore_case }\nThe URL matches; groups are `{http.url_pattern.*}`.",
    parse: |lines, _| {
        let mut pattern = UrlPattern::default();
        super::lines::each(lines, |words| {
            let Some(word) = words.arg() else { return Err(words.error("expected exactly one URL pattern")) };
            pattern.pattern.clone_from(&word.text);
            let mut block = words.block();
            while let Some(words) = block.next() {
                match words.text() {
                    "base_url" => words.need()?.clone_into(&mut pattern.base_url),
                    "ignore_case" => {
                        words.none()?;
                        pattern.ignore_case = true;
                    }
                    other => return Err(words.error(format!("unrecognized url_pattern option '{other}'"))),
                }
            }
            Ok(())
        })?;
        Ok(fields(&pattern).into())
    },
    support: Support::NotYet("matching by URLPattern"),
};

/// JSON: `http.matchers.url_pattern`.
#[derive(Default, Serialize)]
struct UrlPattern {
    /// Of a path alone, or of a whole URL.
    #[serde(skip_serializing_if = "is_default")]
    pattern: String,
    /// What a pattern of a path is relative to; any origin, if empty.
    #[serde(skip_serializing_if = "is_default")]
    base_url: String,
    #[serde(skip_serializing_if = "is_default")]
    ignore_case: bool,
}
