//! `header`: header fields of the request.
//!
//! ```caddyfile
//! header <field> <value>
//! header !<field>
//! @json header Content-Type application/json*
//! ```
//! Lines of one field are alternatives, those of different fields all have to match. `*` in front, behind or both stands
//! for any text.
use crate::{
    caddyfile::{MatcherSyntax, Support},
    config::canonical_header,
    http::{Build, BuildError, Exchange, Flow, Matcher, MatcherConfig, MatcherModule, Text},
};
use http::HeaderName;
use serde::Deserialize;
use serde_json::json;
use std::{borrow::Cow, collections::BTreeMap};

pub const SYNTAX: MatcherSyntax = MatcherSyntax {
    name: "header",
    docs: "header <field> <value>\nheader !<field>\nThe request has the field with that value, or does not have it.",
    parse: |lines, _| {
        let mut fields: BTreeMap<String, Option<Vec<String>>> = BTreeMap::new();
        super::lines::each(lines, |words| {
            let Some(field) = words.arg() else {
                return Err(words.error("malformed header matcher: expected field"));
            };
            if let Some(absent) = field.text.strip_prefix('!') {
                if absent.is_empty() {
                    return Err(
                        words.error("malformed header matcher: must have field name following ! character")
                    );
                }
                fields.insert(absent.to_owned(), None);
                if words.arg().is_some() {
                    return Err(words
                        .error("malformed header matcher: null matching headers cannot have a field value"));
                }
            } else {
                let Some(value) = words.arg() else {
                    return Err(words.error("malformed header matcher: expected both field and value"));
                };
                let values = fields.entry(canonical_header(&field.text)).or_default();
                values.get_or_insert_default().push(value.text.clone());
            }
            super::lines::no_block("header", words)
        })?;
        Ok(json!(fields))
    },
    support: Support::Full,
};
pub const MODULE: MatcherModule = MatcherModule::of::<Header>();

/// JSON: `http.matchers.header`: by field the values that may be, `[]` for any, `null` for none at all.
#[derive(Deserialize)]
#[serde(transparent)]
struct Header(BTreeMap<String, Option<Vec<String>>>);
impl MatcherConfig for Header {
    const NAME: &'static str = "header";
    fn build(self, _: &mut Build) -> Result<Box<dyn Matcher>, BuildError> {
        let field = |(name, values): (String, Option<Vec<String>>)| Field {
            name: name.parse().ok(),
            wanted: match values {
                None => Wanted::Absent,
                Some(values) if values.is_empty() => Wanted::Present,
                Some(values) => Wanted::OneOf(values.iter().map(|value| Text::new(value)).collect()),
            },
        };
        Ok(Box::new(Fields(self.0.into_iter().map(field).collect())))
    }
}
#[derive(Debug)]
struct Fields(Box<[Field]>);
#[derive(Debug)]
struct Field {
    /// A name that cannot be is never there.
    name: Option<HeaderName>,
    wanted: Wanted,
}
#[derive(Debug)]
enum Wanted {
    Absent,
    Present,
    OneOf(Box<[Text]>),
}
impl Matcher for Fields {
    fn matches<'x>(&'x self, x: &'x mut Exchange) -> Flow<'x, bool> {
        self.0.iter().all(|field| field.matches(x)).into()
    }
}
impl Field {
    fn matches(&self, x: &Exchange) -> bool {
        let mut values = self.name.iter().flat_map(|name| values(x, name));
        match &self.wanted {
            Wanted::Absent => values.next().is_none(),
            Wanted::Present => values.next().is_some(),
            Wanted::OneOf(wanted) => {
                values.any(|value| wanted.iter().any(|wanted| fits(&wanted.expand(x), &value)))
            }
        }
    }
}
/// The values of a field of the request.
pub(super) fn values<'a>(x: &'a Exchange, name: &HeaderName) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
    x.request.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()))
}
fn fits(wanted: &str, value: &str) -> bool {
    match (wanted.strip_prefix('*'), wanted.strip_suffix('*')) {
        (Some(""), _) => true,
        (Some(rest), Some(_)) => value.contains(rest.strip_suffix('*').unwrap_or(rest)),
        (Some(rest), None) => value.ends_with(rest),
        (None, Some(rest)) => value.starts_with(rest),
        (None, None) => value == wanted,
    }
}
