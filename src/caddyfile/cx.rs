//! What a directive may ask of the file around it.
use super::{Directive, Emit, Options, Parse, Parsed, Support, Syntax, order::Ranks, recover};
use crate::config::{MatcherSet, Module, Route};
use grammar::{Error, Line, Token};
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

/// Named routes by their name, each with the first place where it is invoked.
pub(super) type Invoked = BTreeMap<String, Token>;

pub struct Cx<'t> {
    pub(super) syntax: &'t Syntax,
    pub(super) options: Options,
    pub(super) ranks: Ranks,
    /// The `@name` definitions in scope.
    pub(super) matchers: HashMap<String, MatcherSet>,
    /// Of the `@name` that is being defined, without the `@`.
    pub(super) matcher_name: Option<String>,
    /// How many route groups have a name already.
    pub(super) groups: u32,
    /// How many logs of sites have a name already.
    pub(super) logs: u32,
    /// The number of each certificate file that was named so far.
    certificates: HashMap<String, usize>,
    /// Where the words of the site come from that is being read.
    files: BTreeSet<Arc<str>>,
    /// The named routes that were invoked since the core looked last.
    pub(super) invoked: Invoked,
    /// What is wrong within blocks; what is wrong with a directive itself is what its parse function returns.
    pub(super) errors: Vec<Error>,
    pub(super) warnings: Vec<Error>,
    pub(super) not_yet: Vec<Error>,
}
impl<'t> Cx<'t> {
    pub(super) fn new(syntax: &'t Syntax) -> Self {
        Self {
            syntax,
            options: Options::default(),
            ranks: Ranks::new(syntax, &[]),
            matchers: HashMap::new(),
            matcher_name: None,
            groups: 0,
            logs: 0,
            certificates: HashMap::new(),
            files: BTreeSet::new(),
            invoked: Invoked::new(),
            errors: vec![],
            warnings: vec![],
            not_yet: vec![],
        }
    }
    /// The global options. While they are being read themselves: the defaults.
    pub fn options(&self) -> &Options {
        &self.options
    }
    /// Every directive of the table, by name.
    pub fn directive_names(&self) -> impl Iterator<Item = &'static str> {
        self.syntax.directives.iter().map(|directive| directive.name)
    }
    /// The tag by which a connection policy picks the certificate of `file`: `certN`, the same for the same file.
    /// Whether the file is named for the first time, too: it is to be loaded once.
    pub fn certificate_tag(&mut self, file: &str) -> (String, bool) {
        let next = self.certificates.len();
        let number = *self.certificates.entry(file.to_owned()).or_insert(next);
        (format!("cert{number}"), number == next)
    }
    /// The files that the words of this site come from, sorted; imported ones by their absolute paths.
    pub fn site_files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| &**file)
    }
    /// A site with these lines is read from here on.
    pub(super) fn enter_site(&mut self, lines: &[Line]) {
        self.files.clear();
        note_files(&mut self.files, lines);
    }
    /// A name for a group of routes of which the first that matches is to run: `groupN`.
    pub fn next_group(&mut self) -> String {
        self.groups += 1;
        format!("group{}", self.groups - 1)
    }
    /// Has the servers of this site know the named route, which `at` names.
    pub fn invoke(&mut self, name: &str, at: &Token) {
        self.invoked.entry(name.to_owned()).or_insert_with(|| at.clone());
    }
    /// Says something beside the result, as Caddy's adapter warnings.
    pub fn warn(&mut self, at: &Token, message: impl Into<String>) {
        self.warnings.push(at.error(message));
    }
    /// Notes that what stands at `at` adapts but does not run yet: `run` and `validate` refuse it.
    pub fn not_yet(&mut self, at: &Token, what: &str) {
        self.not_yet.push(at.error(format!("{what} is not supported yet")));
    }
    /// The module that a line's first word names, its JSON with `key` naming it: Caddy's `UnmarshalModule`.
    pub fn module(&mut self, namespace: &str, key: &str, line: &Line) -> Parsed<Value> {
        let mut fields = self.module_fields(namespace, line)?;
        fields.insert(key.to_owned(), line.name().text.as_str().into());
        let mut value = Value::Object(fields);
        value.sort_all_objects();
        Ok(value)
    }
    /// The same without a key: where the module stands under its name.
    pub fn module_fields(&mut self, namespace: &str, line: &Line) -> Parsed<Map<String, Value>> {
        let name = line.name().text.as_str();
        let known = self.syntax.modules.iter().find(|m| m.namespace == namespace && m.name == name);
        let known = known.ok_or_else(|| {
            let all = self.syntax.modules.iter().filter(|m| m.namespace == namespace);
            let all: Vec<&str> = all.map(|m| m.name).collect();
            let id = format!("{namespace}.{name}");
            let message = format!("getting module named '{id}': module not registered: {id}");
            let error = super::unknown(line.name(), message, &all);
            super::plugins::or_instead(error, super::plugins::module(&id))
        })?;
        if let Support::NotYet(why) = known.support {
            self.not_yet(line.name(), &format!("{namespace}.{name} ({why})"));
        }
        (known.parse)(line, self)
    }
    /// Reads one line through its directive. What was found wrong within its blocks is wrapped as Caddy does; what is
    /// wrong with the line itself is returned, wrapped too.
    pub(super) fn parse(&mut self, directive: &Directive, line: &Line) -> Parsed<Vec<Emit>> {
        if let Support::NotYet(why) = directive.support {
            self.not_yet(line.name(), &format!("{} ({why})", directive.name));
        }
        let inner = self.errors.len();
        let parsed = recover::read_all(line, |line| {
            self.errors.truncate(inner);
            self.parse_by_kind(directive, line)
        });
        if parsed.is_ok() && self.errors.len() == inner {
            return parsed.map_err(|mistakes| mistakes.last);
        }
        let context = format!("parsing caddyfile tokens for '{}': ", directive.name);
        let own = |error: Error| error.within(&context, None).or_at(line.name());
        let within: Vec<Error> = self.errors.drain(inner..).map(|e| e.within(&context, None)).collect();
        self.errors.extend(within);
        parsed.map_err(|mistakes| {
            self.errors.extend(mistakes.before.into_iter().map(own));
            own(mistakes.last)
        })
    }
    fn parse_by_kind(&mut self, directive: &Directive, line: &Line) -> Parsed<Vec<Emit>> {
        match directive.parse {
            Parse::Own(parse) => parse(line, self),
            Parse::Matched(parse) => {
                let (set, line) = self.without_matcher(line)?;
                parse(&line, set, self)
            }
            Parse::Handler(parse) => {
                let (set, line) = self.without_matcher(line)?;
                Ok(vec![Emit::Route(Route::of(set, parse(&line, self)?))])
            }
        }
    }
}
fn note_files(files: &mut BTreeSet<Arc<str>>, lines: &[Line]) {
    for line in lines {
        for word in &line.words {
            if !files.contains(&word.span.file) {
                files.insert(word.span.file.clone());
            }
        }
        note_files(files, line.lines());
    }
}
/// A list of routes as one handler, Caddy's `subroute`.
pub fn subroute(routes: Vec<Route>) -> Module {
    Module::subroute(routes)
}
