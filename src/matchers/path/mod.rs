//! `path`: the request path, in any case and however it is spelt.
//!
//! ```caddyfile
//! path <paths...>
//! @api path /api/* *.json
//! ```
//! `*` alone is everything; in front, behind or both it stands for any text (`*.php`, `/api/*`, `*secret*`). Elsewhere, and
//! with `?` and `[a-z]`, a pattern is a glob whose wildcards stay within a segment. The path is decoded and cleaned (`.`,
//! `..`; empty segments too, unless the pattern has some); a `%` in the pattern compares that place as it stands in the
//! request line, `%*` any run of it.
mod escaped;
use crate::{
    caddyfile::{MatcherSyntax, Support},
    http::{
        Build, BuildError, Exchange, Flow, Matcher, MatcherConfig, MatcherModule, Text, glob::Glob,
        uri::clean_path,
    },
};
use serde::Deserialize;
use std::borrow::Cow;

pub const SYNTAX: MatcherSyntax = MatcherSyntax {
    name: "path",
    docs: "path <paths...>\nThe path is one of these, or begins, ends or contains it (`*`).",
    parse: |lines, _| super::lines::words("path", lines),
    support: Support::Full,
};
pub const MODULE: MatcherModule = MatcherModule::of::<Path>();

/// JSON: `http.matchers.path`: patterns.
#[derive(Deserialize)]
#[serde(transparent)]
struct Path(Option<Vec<String>>);
impl MatcherConfig for Path {
    const NAME: &'static str = "path";
    fn build(self, _: &mut Build) -> Result<Box<dyn Matcher>, BuildError> {
        let all = self.0.unwrap_or_default();
        let everything = all.iter().skip(1).any(|pattern| pattern == "*");
        let patterns = if everything { &["*".to_owned()][..] } else { &all };
        // Caddy lowers what is in braces too.
        let patterns = patterns.iter().map(|pattern| Entry::new(&pattern.to_lowercase()));
        Ok(Box::new(AnyOf(patterns.collect())))
    }
}
#[derive(Debug)]
struct AnyOf(Box<[Entry]>);
#[derive(Debug)]
enum Entry {
    Fixed(Pattern),
    /// Becomes a pattern when its placeholders are known.
    Dynamic(Text),
}
impl Entry {
    fn new(text: &str) -> Self {
        let text = Text::new(text);
        match text.literal() {
            Some(literal) => Self::Fixed(Pattern::new(literal)),
            None => Self::Dynamic(text),
        }
    }
}
impl Matcher for AnyOf {
    fn matches<'x>(&'x self, x: &'x mut Exchange) -> Flow<'x, bool> {
        let path = lower(x.path());
        let (mut merged, mut whole) = (None, None);
        let mut fits = |pattern: &Pattern| {
            // Most lists are of one kind, so each form is made when it is first asked for.
            let form = if pattern.merge { &mut merged } else { &mut whole };
            let clean = form.get_or_insert_with(|| clean_path(&path, pattern.merge));
            pattern.fits(clean, x)
        };
        let found = self.0.iter().any(|entry| match entry {
            Entry::Fixed(pattern) => fits(pattern),
            Entry::Dynamic(text) => fits(&Pattern::new(&text.expand(x))),
        });
        found.into()
    }
}
fn lower(text: Cow<'_, str>) -> Cow<'_, str> {
    let lowered = text.bytes().fold(true, |lower, byte| lower & byte.is_ascii() & !byte.is_ascii_uppercase());
    if lowered { text } else { text.to_lowercase().into() }
}
#[derive(Debug)]
struct Pattern {
    kind: Kind,
    /// Whether empty segments of the path do not count.
    merge: bool,
}
#[derive(Debug)]
enum Kind {
    Everything,
    Exact(Box<str>),
    Prefix(Box<str>),
    Suffix(Box<str>),
    Contains(Box<str>),
    Glob(Glob),
    /// With a `%`: in part of the path as it stands in the request line.
    Escaped(Box<str>),
    /// A glob that cannot be read.
    Nothing,
}
impl Pattern {
    fn new(text: &str) -> Self {
        Self { kind: Kind::new(text), merge: !text.contains("//") }
    }
    /// `path` is decoded, cleaned and in lower case.
    fn fits(&self, path: &str, x: &Exchange) -> bool {
        match &self.kind {
            Kind::Everything => true,
            Kind::Exact(text) => path == &**text,
            Kind::Prefix(text) => path.starts_with(&**text),
            Kind::Suffix(text) => path.ends_with(&**text),
            Kind::Contains(text) => path.contains(&**text),
            Kind::Glob(glob) => glob.matches(path),
            Kind::Escaped(text) => {
                let raw = x.escaped_path();
                escaped::fits(text, &clean_path(&raw, self.merge).to_lowercase())
            }
            Kind::Nothing => false,
        }
    }
}
impl Kind {
    fn new(text: &str) -> Self {
        let stars = text.matches('*').count();
        let (front, behind) = (text.strip_prefix('*'), text.strip_suffix('*'));
        match (stars, front, behind) {
            (1, Some(""), _) => Self::Everything,
            _ if text.contains('%') => Self::Escaped(text.into()),
            (2, Some(rest), Some(_)) => Self::Contains(rest.strip_suffix('*').unwrap_or_default().into()),
            (1, Some(rest), _) => Self::Suffix(rest.into()),
            (1, _, Some(rest)) => Self::Prefix(rest.into()),
            _ => match Glob::new(text) {
                None => Self::Nothing,
                Some(glob) => match glob.literal() {
                    Some(literal) => Self::Exact(literal.into()),
                    None => Self::Glob(glob),
                },
            },
        }
    }
}
