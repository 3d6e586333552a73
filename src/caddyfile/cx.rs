//! What a directive may ask of the file around it.
use super::{Directive, Emit, Options, Parse, Parsed, Support, Syntax};
use crate::config::{MatcherSet, Module, Route};
use grammar::{Error, Line, Token};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

pub struct Cx<'t> {
    syntax: &'t Syntax,
    options: Options,
    /// The `@name` definitions in scope.
    matchers: BTreeMap<String, MatcherSet>,
    /// The number of each certificate file that was named so far.
    certificates: BTreeMap<String, usize>,
    /// How many route groups have a name already.
    pub(super) groups: u32,
    pub(super) warnings: Vec<Error>,
    pub(super) not_yet: Vec<Error>,
}
impl<'t> Cx<'t> {
    pub(super) fn new(syntax: &'t Syntax, options: Options) -> Self {
        Self {
            syntax,
            options,
            matchers: BTreeMap::new(),
            certificates: BTreeMap::new(),
            groups: 0,
            warnings: vec![],
            not_yet: vec![],
        }
    }
    pub fn options(&self) -> &Options {
        &self.options
    }
    /// The tag by which a connection policy picks the certificate of `file`: `certN`, the same for the same file.
    pub fn certificate_tag(&mut self, file: &str) -> String {
        let next = self.certificates.len();
        let number = *self.certificates.entry(file.to_owned()).or_insert(next);
        format!("cert{number}")
    }
    /// A name for a group of routes of which the first that matches is to run: `groupN`.
    pub fn next_group(&mut self) -> String {
        self.groups += 1;
        format!("group{}", self.groups - 1)
    }
    /// Says something beside the result, as Caddy's adapter warnings.
    pub fn warn(&mut self, at: &Token, message: impl Into<String>) {
        self.warnings.push(at.error(message));
    }
    /// Notes that what stands at `at` adapts but does not run yet: `run` and `validate` refuse it.
    pub fn not_yet(&mut self, at: &Token, what: &str) {
        self.not_yet.push(at.error(format!("{what} is not supported yet")));
    }
    /// Of the `@name` whose definition is being read, without the `@`: what a regular expression is called that has no
    /// name of its own. `None` within `not` and in matchers without a name.
    pub fn matcher_name(&self) -> Option<&str> {
        None
    }
    /// The matcher token of a line (`*`, `/path`, `@name`), resolved, and the line without it. `None` matches all.
    pub fn take_matcher(&mut self, line: &Line) -> Parsed<(Option<MatcherSet>, Line)> {
        let mut rest = line.clone();
        let Some(first) = line.args().first() else { return Ok((None, rest)) };
        let Some(set) = self.matcher_token(first)? else { return Ok((None, rest)) };
        rest.words.remove(1);
        Ok((set, rest))
    }
    /// What one word says as a matcher token: `None` if it is none, `Some(None)` for `*`.
    pub fn matcher_token(&self, word: &Token) -> Parsed<Option<Option<MatcherSet>>> {
        let text = word.text.as_str();
        if text == "*" {
            return Ok(Some(None));
        }
        if text.starts_with('/') {
            return Ok(Some(Some(Map::from_iter([("path".to_owned(), serde_json::json!([text]))]))));
        }
        if text.starts_with('@') {
            let Some(set) = self.matchers.get(text) else {
                return Err(word.error(format!("unrecognized matcher name: {text}")));
            };
            return Ok(Some(Some(set.clone())));
        }
        Ok(None)
    }
    /// A matcher set from the lines of a block (or the rest of one line): for `@name`, `not`, `lb_retry_match`.
    pub fn matcher_set(&mut self, lines: &[Line]) -> Parsed<MatcherSet> {
        let mut by_name: Vec<(&str, Vec<&Line>)> = vec![];
        for line in lines {
            let name = line.name().text.as_str();
            match by_name.iter_mut().find(|(known, _)| *known == name) {
                Some((_, found)) => found.push(line),
                None => by_name.push((name, vec![line])),
            }
        }
        let mut set = MatcherSet::new();
        for (name, lines) in by_name {
            let known = self.syntax.matchers.iter().find(|m| m.name == name);
            let known = known
                .ok_or_else(|| lines[0].error(format!("module not registered: http.matchers.{name}")))?;
            set.insert(name.to_owned(), (known.parse)(&lines, self)?);
        }
        Ok(set)
    }
    /// The module that a line's first word names, its JSON with `key` naming it: Caddy's `UnmarshalModule`.
    pub fn module(&mut self, namespace: &str, key: &str, line: &Line) -> Parsed<Value> {
        let name = line.name().text.as_str();
        let known = self.syntax.modules.iter().find(|m| m.namespace == namespace && m.name == name);
        let known = known.ok_or_else(|| {
            line.error(format!(
                "getting module named '{namespace}.{name}': module not registered: {namespace}.{name}"
            ))
        })?;
        if let Support::NotYet(why) = known.support {
            self.not_yet(line.name(), &format!("{namespace}.{name} ({why})"));
        }
        let mut fields = (known.parse)(line, self)?;
        fields.insert(key.to_owned(), name.into());
        fields.sort_keys();
        Ok(Value::Object(fields))
    }
    /// A block of directives as routes in the table's order: of a site, `handle`, `handle_errors`, `handle_response`.
    pub fn sorted_routes(&mut self, lines: &[Line]) -> Parsed<Vec<Route>> {
        self.routes(lines, true)
    }
    /// A block of directives as routes in the order of the text: of `route`.
    pub fn ordered_routes(&mut self, lines: &[Line]) -> Parsed<Vec<Route>> {
        self.routes(lines, false)
    }
    fn routes(&mut self, lines: &[Line], sort: bool) -> Parsed<Vec<Route>> {
        let outer = self.matchers.clone();
        for line in lines.iter().filter(|line| line.name().text.starts_with('@')) {
            let definition = match &line.block {
                Some(block) => self.matcher_set(block)?,
                None => self.matcher_set(&[Line { words: line.args().to_vec(), ..Line::default() }])?,
            };
            self.matchers.insert(line.name().text.clone(), definition);
        }
        let mut found: Vec<(usize, Vec<Route>)> = vec![];
        for line in lines.iter().filter(|line| !line.name().text.starts_with('@')) {
            let (rank, directive) = self.find(line)?;
            for emit in self.parse(directive, line)? {
                match emit {
                    Emit::Route(route) => found.push((rank, vec![route])),
                    Emit::Bundle(routes) => found.push((rank, routes)),
                    _ => {}
                }
            }
        }
        if sort {
            found.sort_by_key(|(rank, _)| *rank);
        }
        self.matchers = outer;
        Ok(found.into_iter().flat_map(|(_, routes)| routes).collect())
    }
    fn find(&self, line: &Line) -> Parsed<(usize, &'t Directive)> {
        let name = line.name().text.as_str();
        let known = self.syntax.directives.iter().enumerate().find(|(_, d)| d.name == name);
        known.ok_or_else(|| line.error(format!("unrecognized directive: {name}")))
    }
    fn parse(&mut self, directive: &Directive, line: &Line) -> Parsed<Vec<Emit>> {
        if let Support::NotYet(why) = directive.support {
            self.not_yet(line.name(), &format!("{} ({why})", directive.name));
        }
        match directive.parse {
            Parse::Own(parse) => parse(line, self),
            Parse::Matched(parse) => {
                let (set, line) = self.take_matcher(line)?;
                parse(&line, set, self)
            }
            Parse::Handler(parse) => {
                let (set, line) = self.take_matcher(line)?;
                Ok(vec![Emit::Route(Route::of(set, parse(&line, self)?))])
            }
        }
    }
}
/// A list of routes as one handler, Caddy's `subroute`.
pub fn subroute(routes: Vec<Route>) -> Module {
    Module::of("subroute", &serde_json::json!({ "routes": routes }))
}
