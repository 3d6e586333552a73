//! `header_regexp`: a header field of the request by a regular expression, whose captures become placeholders.
//!
//! ```caddyfile
//! header_regexp [<name>] <field> <regexp>
//! @session header_regexp Cookie session=(\w+)
//! ```
use super::{
    header::values,
    regexp::{Captures, Regexp},
};
use crate::{
    caddyfile::{MatcherSyntax, Support},
    http::{Build, BuildError, Exchange, Flow, Matcher, MatcherConfig, MatcherModule},
};
use http::HeaderName;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

pub const SYNTAX: MatcherSyntax = MatcherSyntax {
    name: "header_regexp",
    docs: "header_regexp [<name>] <field> <regexp>\nA value of the field matches; captures are `{re.<name>.<group>}`.",
    parse: |lines, cx| {
        let fields = Regexp::by_field("header_regexp", lines, cx, |words, field| {
            let message = "header_regexp matcher can only be used once per named matcher, per header field: ";
            Err(words.error(format!("{message}{field}")))
        });
        Ok(json!(fields?))
    },
    support: Support::Full,
};
pub const MODULE: MatcherModule = MatcherModule::of::<HeaderRegexp>();

/// JSON: `http.matchers.header_regexp`: by field.
#[derive(Deserialize)]
#[serde(transparent)]
struct HeaderRegexp(BTreeMap<String, Regexp>);
impl MatcherConfig for HeaderRegexp {
    const NAME: &'static str = "header_regexp";
    fn build(self, _: &mut Build) -> Result<Box<dyn Matcher>, BuildError> {
        let field = |(name, regexp): (String, Regexp)| Ok((name.parse().ok(), regexp.compile()?));
        Ok(Box::new(Fields(self.0.into_iter().map(field).collect::<Result<_, BuildError>>()?)))
    }
}
/// A name that cannot be is never there.
#[derive(Debug)]
struct Fields(Box<[(Option<HeaderName>, Captures)]>);
impl Matcher for Fields {
    fn matches<'x>(&'x self, x: &'x mut Exchange) -> Flow<'x, bool> {
        let matches = self.0.iter().all(|(name, regexp)| {
            let of = |name| values(x, name).map(String::from).collect();
            let values: Vec<String> = name.as_ref().map_or_else(Vec::new, of);
            values.iter().any(|value| regexp.find(value, x))
        });
        matches.into()
    }
}
