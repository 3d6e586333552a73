//! `map`: placeholders whose values depend on another value.
//!
//! ```caddyfile
//! map [<matcher>] <source> <destinations...> {
//!     [~]<input> <outputs...>
//!     default    <defaults...>
//! }
//! ```
//!
//! Example: `map {host} {tenant} { ~^(.+)\.example\.com$ $1; default none }`. An output `-` stands for the default.
use crate::{
    caddyfile::{Cx, Directive, Order, Parse, Parsed, Support, Words, scalar, shorthand_of},
    config::{Module, go_regex, is_default},
    http::{
        Build, BuildError, Exchange, Flow, Handler, HandlerConfig, HandlerModule, Provider, Step, Text, Value,
    },
};
use grammar::Line;
use regex::Regex;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

pub const MAP: Directive = Directive {
    name: "map",
    docs: "map [<matcher>] <source> <destinations...> { [~]<input> <outputs...> }: placeholders by another value.",
    order: Order::ByRow,
    support: Support::Full,
    parse: Parse::Handler(parse),
};
pub const MODULE: HandlerModule = HandlerModule::of::<Map>();

/// JSON: `http.handlers.map`.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Map {
    /// What is compared with the inputs; holds placeholders.
    #[serde(skip_serializing_if = "is_default")]
    source: String,
    /// The placeholders to set, in braces.
    #[serde(skip_serializing_if = "is_default")]
    destinations: Vec<String>,
    #[serde(skip_serializing_if = "is_default")]
    mappings: Vec<Mapping>,
    /// One a destination, or none.
    #[serde(skip_serializing_if = "is_default")]
    defaults: Vec<String>,
}
#[derive(Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Mapping {
    #[serde(skip_serializing_if = "is_default")]
    input: String,
    /// Or an expression, whose groups are `$1`, `${name}` in the outputs.
    #[serde(skip_serializing_if = "is_default")]
    input_regexp: String,
    /// One a destination; `null`: as if it was not mapped.
    #[serde(skip_serializing_if = "is_default")]
    outputs: Vec<serde_json::Value>,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Module> {
    let mut words = Words::new(line);
    let source = words.need()?.to_owned();
    let destinations = words.rest();
    if destinations.is_empty() {
        return Err(words.error("missing destination argument(s)"));
    }
    if let Some(short) = destinations.iter().find_map(|destination| shorthand_of(destination)) {
        let message = format!("destination {short} conflicts with a Caddyfile placeholder shorthand");
        return Err(words.error(message));
    }
    let mut map = Map { source, destinations, ..Map::default() };
    let mut block = words.block();
    while let Some(words) = block.next() {
        let input = words.text();
        if input == "default" {
            if !map.defaults.is_empty() {
                return Err(words.error("defaults already defined"));
            }
            map.defaults = words.rest();
            let wanted = map.destinations.len().max(map.defaults.len());
            map.defaults.resize(wanted, String::new());
            continue;
        }
        let output = |token| match scalar(token) {
            serde_json::Value::String(text) if text == "-" => serde_json::Value::Null,
            value => value,
        };
        let mut outputs: Vec<_> = words.tokens().iter().map(output).collect();
        if outputs.len() > map.destinations.len() {
            return Err(words.error("too many outputs"));
        }
        outputs.resize(map.destinations.len(), serde_json::Value::Null);
        map.mappings.push(match input.strip_prefix('~') {
            Some(regexp) => Mapping { input_regexp: regexp.into(), outputs, ..Mapping::default() },
            None => Mapping { input: input.into(), outputs, ..Mapping::default() },
        });
    }
    Ok(Module::of(Map::NAME, &map))
}

impl HandlerConfig for Map {
    const NAME: &'static str = "map";
    fn build(self, _: &mut Build) -> Result<Box<dyn Handler>, BuildError> {
        let destinations = self.destinations.iter().enumerate().map(|(at, name)| destination(at, name));
        let destinations = destinations.collect::<Result<Box<[_]>, BuildError>>()?;
        let (wanted, defaults) = (destinations.len(), self.defaults.len());
        if defaults > 0 && defaults != wanted {
            return Err(format!("{wanted} destinations != {defaults} defaults").into());
        }
        let mut seen = BTreeMap::new();
        let mut rules = vec![];
        for (at, mapping) in self.mappings.into_iter().enumerate() {
            if !mapping.input.is_empty() && !mapping.input_regexp.is_empty() {
                return Err(format!(
                    "mapping {at} has both input and input_regexp fields specified, which is confusing"
                )
                .into());
            }
            let input = [&mapping.input, &mapping.input_regexp].map(String::as_str).concat();
            if let Some(earlier) = seen.insert(input.clone(), at) {
                return Err(format!(
                    "mapping {at} has a duplicate input '{input}' previously used with mapping {earlier}"
                )
                .into());
            }
            let outputs = mapping.outputs.len();
            if outputs != wanted {
                return Err(format!(
                    "mapping {at} has {outputs} outputs but there are {wanted} destinations defined"
                )
                .into());
            }
            rules.push(Rule::compile(at, mapping)?);
        }
        Ok(Box::new(Provide(Arc::new(Lookup {
            source: Text::new(&self.source),
            destinations,
            rules: rules.into(),
            defaults: self.defaults.iter().map(|text| Text::new(text)).collect(),
        }))))
    }
}
/// A destination without its braces.
fn destination(at: usize, name: &str) -> Result<Box<str>, BuildError> {
    if !name.starts_with('{') || name.matches('{').count() != 1 {
        let message = "must be a placeholder and only a placeholder";
        return Err(format!("destination {at} {message}, but got '{name}'").into());
    }
    Ok(name.trim_matches(['{', '}']).into())
}
#[derive(Debug)]
struct Provide(Arc<Lookup>);
impl Handler for Provide {
    /// Nothing is looked up before someone asks.
    fn handle<'t: 'x, 'x>(&'t self, x: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        x.provide(self.0.clone());
        Step::Next.into()
    }
}
#[derive(Debug)]
struct Lookup {
    source: Text,
    destinations: Box<[Box<str>]>,
    rules: Box<[Rule]>,
    defaults: Box<[Text]>,
}
#[derive(Debug)]
struct Rule {
    input: Input,
    outputs: Box<[Option<Output>]>,
}
#[derive(Debug)]
enum Input {
    Text(String),
    Regex(Regex),
}
#[derive(Debug)]
struct Output {
    /// As it is written: what the groups of an expression are put into.
    template: String,
    text: Text,
}
impl Rule {
    fn compile(at: usize, from: Mapping) -> Result<Self, BuildError> {
        let input = if from.input_regexp.is_empty() {
            Input::Text(from.input)
        } else {
            let regex = go_regex(&from.input_regexp);
            Input::Regex(regex.map_err(|error| format!("compiling regexp for mapping {at}: {error}"))?)
        };
        let output = |value: serde_json::Value| {
            let template = (!value.is_null()).then(|| Value::from(value).into_text().into_owned())?;
            Some(Output { text: Text::new(&template), template })
        };
        Ok(Self { input, outputs: from.outputs.into_iter().map(output).collect() })
    }
    /// The output of that number, if it has one and the input matches.
    fn output(&self, number: usize, input: &str, x: &Exchange) -> Option<String> {
        let output = self.outputs.get(number)?.as_ref()?;
        match &self.input {
            Input::Text(text) => (text == input).then(|| output.text.expand(x).into_owned()),
            Input::Regex(regex) => {
                let mut expanded = String::new();
                regex.captures(input)?.expand(&output.template, &mut expanded);
                Some(expanded)
            }
        }
    }
}
impl Provider for Lookup {
    fn value(&self, key: &str, x: &Exchange) -> Option<Value<'static>> {
        let number = self.destinations.iter().position(|known| **known == *key)?;
        let input = self.source.expand(x);
        let mapped = self.rules.iter().find_map(|rule| rule.output(number, &input, x));
        let default = || self.defaults.get(number).map(|text| text.expand(x).into_owned());
        Some(mapped.or_else(default).map_or(Value::Null, Value::from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{caddyfile::testing::Rows, handlers::testing::Site};
    use serde_json::json;

    const ROWS: Rows = Rows { directives: &[MAP], matchers: &[], modules: &[] };
    #[test]
    fn outputs_have_types_and_are_filled_up() {
        ROWS.adapt_to(&[
            (
                "map {host} {a} {b} {\nfoo.com 1 two\n~(.*)\\.bar\\.com $1 -\nx\ndefault x\n}",
                r#"[{"handle":[{"defaults":["x",""],"destinations":["{a}","{b}"],"handler":"map","mappings":[{"input":"foo.com","outputs":[1,"two"]},{"input_regexp":"(.*)\\.bar\\.com","outputs":["$1",null]},{"input":"x","outputs":[null,null]}],"source":"{http.request.host}"}]}]"#,
            ),
            (
                "map {host} x {\n}",
                r#"[{"handle":[{"destinations":["x"],"handler":"map","source":"{http.request.host}"}]}]"#,
            ),
        ]);
    }
    #[test]
    fn what_is_wrong_is_said_in_caddy_s_words() {
        ROWS.fail_with(&[
            ("map", "wrong argument count or unexpected line ending after 'map', at -:2"),
            ("map {host}", "missing destination argument(s), at -:2"),
            (
                "map {host} {path} {\n}",
                "destination {path} conflicts with a Caddyfile placeholder shorthand, at -:2",
            ),
            ("map {host} {x} {\na b c\n}", "too many outputs, at -:3"),
            ("map {host} {x} {\ndefault a\ndefault b\n}", "defaults already defined, at -:4"),
        ]);
    }
    fn build(mut json: serde_json::Value) -> Result<Site, String> {
        json["handler"] = "map".into();
        let answer = json!({"handler": "static_response", "body": "{a} {b} {c}"});
        Site::build(json!({"routes": [{"handle": [json, answer]}]}))
    }
    #[tokio::test]
    async fn the_first_output_that_is_mapped_counts_or_else_the_default() {
        let site = build(json!({
            "source": "{http.request.header.X-In}",
            "destinations": ["{a}", "{b}"],
            "mappings": [
                {"input": "one", "outputs": [1, null]},
                {"input_regexp": "^(?P<x>o)(.)", "outputs": ["$2-${x}{http.request.method}", "second"]},
                {"input": "m", "outputs": ["{http.request.method}", true]},
            ],
            "defaults": ["none", "{http.request.header.X-In}!"],
        }))
        .unwrap();
        for (input, answer) in [
            ("one", "1 second {c}"),
            ("oz", "z-o{http.request.method} second {c}"),
            ("m", "GET true {c}"),
            ("?", "none ?! {c}"),
        ] {
            assert_eq!(site.get("/", &[("x-in", input)]).await.text(), answer, "{input}");
        }
    }
    #[tokio::test]
    async fn a_destination_without_a_value_is_known_and_empty() {
        let site = build(json!({"source": "x", "destinations": ["{a}"]})).unwrap();
        assert_eq!(site.get("/", &[]).await.text(), " {b} {c}");
    }
    #[test]
    fn what_is_confusing_does_not_build() {
        for (json, error) in [
            (
                json!({"destinations": ["a"]}),
                "destination 0 must be a placeholder and only a placeholder, but got 'a'",
            ),
            (json!({"destinations": ["{a}"], "defaults": ["", ""]}), "1 destinations != 2 defaults"),
            (
                json!({"mappings": [{"input": "a", "input_regexp": "b"}]}),
                "mapping 0 has both input and input_regexp fields specified, which is confusing",
            ),
            (
                json!({"mappings": [{"input": "a"}, {"input_regexp": "a"}]}),
                "mapping 1 has a duplicate input 'a' previously used with mapping 0",
            ),
            (
                json!({"destinations": ["{a}"], "mappings": [{"input": "a"}]}),
                "mapping 0 has 0 outputs but there are 1 destinations defined",
            ),
            (
                json!({"mappings": [{"input_regexp": "("}]}),
                "compiling regexp for mapping 0: error parsing regexp: unclosed group: `(`",
            ),
        ] {
            let found = build(json).unwrap_err();
            assert!(found.ends_with(error), "{found}");
        }
    }
}
