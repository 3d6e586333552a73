//! `query`: parameters of the query.
//!
//! ```caddyfile
//! query <key>=<value>...
//! @sorted query sort=* order=asc order=desc
//! ```
//! Values of one key are alternatives, different keys all have to match. `*` stands for any value; an empty list for an
//! empty query.
use crate::{
    caddyfile::{MatcherSyntax, Support, Words},
    http::{
        Build, BuildError, Exchange, Flow, Matcher, MatcherConfig, MatcherModule, Text,
        uri::{Malformed, query_pairs},
    },
};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

pub const SYNTAX: MatcherSyntax = MatcherSyntax {
    name: "query",
    docs: "query <key>=<value>...\nThe query has these parameters.",
    parse: |lines, _| {
        let mut parameters: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in lines {
            let mut words = Words::new(line);
            // Caddy's complaint names the last word of the line, whichever is wrong.
            for text in words.rest().into_iter().filter(|text| !text.is_empty()) {
                let Some((key, value)) = text.split_once('=') else {
                    return Err(words.error(format!(
                        "malformed query matcher token: {}; must be in param=val format",
                        words.text()
                    )));
                };
                parameters.entry(key.to_owned()).or_default().push(value.to_owned());
            }
            super::lines::no_block("query", &mut words)?;
        }
        Ok(json!(parameters))
    },
    support: Support::Full,
};
pub const MODULE: MatcherModule = MatcherModule::of::<Query>();

/// JSON: `http.matchers.query`: by key the values that may be.
#[derive(Deserialize)]
#[serde(transparent)]
struct Query(BTreeMap<String, Vec<String>>);
impl MatcherConfig for Query {
    const NAME: &'static str = "query";
    fn build(self, _: &mut Build) -> Result<Box<dyn Matcher>, BuildError> {
        let parameter = |(key, values): (String, Vec<String>)| {
            (Text::new(&key), values.iter().map(|value| Text::new(value)).collect())
        };
        Ok(Box::new(Parameters(self.0.into_iter().map(parameter).collect())))
    }
}
#[derive(Debug)]
struct Parameters(Box<[(Text, Box<[Text]>)]>);
impl Matcher for Parameters {
    fn matches<'x>(&'x self, x: &'x mut Exchange) -> Flow<'x, bool> {
        let query = x.query();
        if self.0.is_empty() {
            return (query_pairs(query).filter(Result::is_ok).count() == 0).into();
        }
        // A query of which a part cannot be read does not match at all.
        let Ok(pairs) = query_pairs(query).collect::<Result<Vec<_>, Malformed>>() else {
            return false.into();
        };
        let matches = self.0.iter().all(|(key, wanted)| {
            let key = key.expand(x);
            let mut values =
                pairs.iter().filter(|(known, _)| *known == key).map(|(_, value)| value).peekable();
            values.peek().is_some()
                && wanted.iter().any(|wanted| {
                    let wanted = wanted.expand(x);
                    wanted == "*" || values.clone().any(|value| *value == wanted)
                })
        });
        matches.into()
    }
}
