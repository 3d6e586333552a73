//! Header operations, compiled.
use super::{HeaderOps, Replacement};
use crate::{
    config::go_regex,
    http::{BuildError, Exchange, Text},
};
use http::{HeaderMap, HeaderName, HeaderValue};
use regex::Regex;
use std::borrow::Cow;

/// In the order of their application, which is Caddy's: delete all, add, set, delete, replace.
#[derive(Debug, Default)]
pub struct Operations(Box<[Operation]>);
#[derive(Debug)]
enum Operation {
    Clear,
    Add(Name, Value),
    Set(Name, Value),
    Delete(Pattern),
    Replace(Pattern, Search, Text),
}
/// What has no placeholders is made once; a clone of it allocates nothing. What cannot stand in a header is `None`: Go
/// leaves it out when it writes the message.
#[derive(Debug)]
enum Name {
    Fixed(Option<HeaderName>),
    Text(Text),
}
#[derive(Debug)]
enum Value {
    Fixed(Option<HeaderValue>),
    Text(Text),
}
/// Which fields.
#[derive(Debug)]
enum Pattern {
    Fixed(Fields),
    Text(Text),
}
#[derive(Clone, Debug)]
enum Fields {
    None,
    All,
    One(HeaderName),
    /// Parts of names, in lower case.
    Prefix(String),
    Suffix(String),
    Part(String),
}
#[derive(Debug)]
enum Search {
    Text(Text),
    Regex(Regex),
    /// With placeholders: compiled for each request, and passed over where that fails.
    RegexText(Text),
}

impl Operations {
    /// # Errors
    /// A replacement whose expression is wrong, or that has two things to search for.
    pub fn compile(ops: HeaderOps) -> Result<Self, BuildError> {
        let mut all = vec![];
        let (clear, delete): (Vec<_>, Vec<_>) = ops.delete.iter().partition(|name| *name == "*");
        if !clear.is_empty() {
            all.push(Operation::Clear);
        }
        for (name, values) in ops.add {
            all.extend(values.iter().map(|value| Operation::Add(Name::new(&name), Value::new(value))));
        }
        for (name, values) in ops.set {
            all.push(Operation::Set(Name::new(&name), Value::new(&values.join(","))));
        }
        all.extend(delete.into_iter().map(|name| Operation::Delete(Pattern::new(name, Fields::matching))));
        for (name, replacements) in ops.replace {
            for (at, replacement) in replacements.iter().enumerate() {
                let search = Search::compile(&name, at, replacement)?;
                let replace = Text::new(&replacement.replace);
                all.push(Operation::Replace(Pattern::new(&name, Fields::named), search, replace));
            }
        }
        Ok(Self(all.into()))
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    pub fn apply_to_request(&self, x: &mut Exchange) {
        for operation in &self.0 {
            operation.prepare(x).apply(&mut x.request.headers);
        }
    }
    pub fn apply_to_response(&self, x: &mut Exchange) {
        for operation in &self.0 {
            operation.prepare(x).apply(&mut x.headers);
        }
    }
    /// To fields beside the exchange's own, such as those of a request to an upstream.
    pub fn apply_to(&self, x: &Exchange, headers: &mut HeaderMap) {
        for operation in &self.0 {
            operation.prepare(x).apply(headers);
        }
    }
}

/// An operation whose placeholders have their values, so that it borrows nothing of the exchange.
enum Change<'o> {
    Nothing,
    Clear,
    Add(Cow<'o, HeaderName>, HeaderValue),
    Set(Cow<'o, HeaderName>, HeaderValue),
    Delete(Cow<'o, Fields>),
    Replace(Cow<'o, Fields>, Find<'o>, String),
}
enum Find<'o> {
    Text(String),
    Regex(Cow<'o, Regex>),
}
impl Operation {
    fn prepare(&self, x: &Exchange) -> Change<'_> {
        let prepared = match self {
            Self::Clear => Some(Change::Clear),
            Self::Add(name, value) => name.expand(x).zip(value.expand(x)).map(|(n, v)| Change::Add(n, v)),
            Self::Set(name, value) => name.expand(x).zip(value.expand(x)).map(|(n, v)| Change::Set(n, v)),
            Self::Delete(fields) => Some(Change::Delete(fields.expand(x, Fields::matching))),
            Self::Replace(fields, search, replace) => search.expand(x).map(|find| {
                let fields = fields.expand(x, Fields::named);
                Change::Replace(fields, find, replace.expand_known(x).into_owned())
            }),
        };
        prepared.unwrap_or(Change::Nothing)
    }
}
impl Change<'_> {
    fn apply(self, headers: &mut HeaderMap) {
        match self {
            Self::Nothing => {}
            Self::Clear => headers.clear(),
            Self::Add(name, value) => _ = headers.append(name.as_ref(), value),
            Self::Set(name, value) => _ = headers.insert(name.as_ref(), value),
            Self::Delete(fields) => match fields.as_ref() {
                Fields::One(name) => _ = headers.remove(name),
                fields => {
                    let gone: Vec<HeaderName> = headers.keys().filter(|n| fields.have(n)).cloned().collect();
                    gone.iter().for_each(|name| _ = headers.remove(name));
                }
            },
            Self::Replace(fields, find, with) => {
                let values = headers.iter_mut().filter(|(name, _)| fields.have(name));
                values.for_each(|(_, value)| find.replace(value, &with));
            }
        }
    }
}
impl Find<'_> {
    /// A value that is no text stays, and so does one whose new text cannot stand in a header.
    fn replace(&self, value: &mut HeaderValue, with: &str) {
        let Ok(text) = std::str::from_utf8(value.as_bytes()) else { return };
        let new = match self {
            Self::Text(find) => text.replace(find, with).into(),
            Self::Regex(regex) => regex.replace_all(text, with),
        };
        if let Cow::Owned(new) = new
            && let Some(new) = header_value(&new)
        {
            *value = new;
        }
    }
}

impl Name {
    fn new(name: &str) -> Self {
        let text = Text::new(name);
        match text.literal() {
            Some(literal) => Self::Fixed(literal.parse().ok()),
            None => Self::Text(text),
        }
    }
    fn expand(&self, x: &Exchange) -> Option<Cow<'_, HeaderName>> {
        match self {
            Self::Fixed(name) => name.as_ref().map(Cow::Borrowed),
            Self::Text(text) => text.expand_known(x).parse().ok().map(Cow::Owned),
        }
    }
}
impl Value {
    fn new(value: &str) -> Self {
        let text = Text::new(value);
        match text.literal() {
            Some(literal) => Self::Fixed(header_value(literal)),
            None => Self::Text(text),
        }
    }
    fn expand(&self, x: &Exchange) -> Option<HeaderValue> {
        match self {
            Self::Fixed(value) => value.clone(),
            Self::Text(text) => header_value(&text.expand_known(x)),
        }
    }
}
/// As Go writes a value: line breaks are spaces, and there is no space around it.
pub fn header_value(text: &str) -> Option<HeaderValue> {
    let trimmed = text.trim_matches([' ', '\t', '\r', '\n']);
    if trimmed.contains(['\r', '\n']) {
        return HeaderValue::from_str(&trimmed.replace(['\r', '\n'], " ")).ok();
    }
    HeaderValue::from_str(trimmed).ok()
}
impl Pattern {
    fn new(text: &str, fields: fn(&str) -> Fields) -> Self {
        let text = Text::new(text);
        match text.literal() {
            Some(literal) => Self::Fixed(fields(literal)),
            None => Self::Text(text),
        }
    }
    fn expand(&self, x: &Exchange, fields: fn(&str) -> Fields) -> Cow<'_, Fields> {
        match self {
            Self::Fixed(fields) => Cow::Borrowed(fields),
            Self::Text(text) => Cow::Owned(fields(&text.expand_known(x))),
        }
    }
}
impl Fields {
    /// What a name to delete stands for. A lone `*` has been seen to before.
    fn matching(name: &str) -> Self {
        let name = name.to_lowercase();
        if name == "*" {
            return Self::None;
        }
        match (name.strip_prefix('*'), name.strip_suffix('*')) {
            (Some(rest), Some(_)) => Self::Part(rest.strip_suffix('*').unwrap_or(rest).into()),
            (Some(suffix), None) => Self::Suffix(suffix.into()),
            (None, Some(prefix)) => Self::Prefix(prefix.into()),
            (None, None) => Self::named(&name),
        }
    }
    fn named(name: &str) -> Self {
        if name == "*" {
            return Self::All;
        }
        name.parse().map_or(Self::None, Self::One)
    }
    fn have(&self, name: &HeaderName) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::One(one) => one == name,
            Self::Prefix(prefix) => name.as_str().starts_with(prefix),
            Self::Suffix(suffix) => name.as_str().ends_with(suffix),
            Self::Part(part) => name.as_str().contains(part),
        }
    }
}
impl Search {
    fn compile(name: &str, at: usize, from: &Replacement) -> Result<Self, BuildError> {
        if !from.search.is_empty() && !from.search_regexp.is_empty() {
            return Err(format!(
                "cannot specify both a substring search and a regular expression search for field '{name}'"
            )
            .into());
        }
        if from.search_regexp.is_empty() {
            return Ok(Self::Text(Text::new(&from.search)));
        }
        if holds_placeholders(&from.search_regexp) {
            return Ok(Self::RegexText(Text::new(&from.search_regexp)));
        }
        let regex = go_regex(&from.search_regexp);
        Ok(Self::Regex(
            regex.map_err(|error| format!("replacement {at} for header field '{name}': {error}"))?,
        ))
    }
    fn expand(&self, x: &Exchange) -> Option<Find<'_>> {
        match self {
            Self::Text(text) => Some(Find::Text(text.expand_known(x).into_owned())),
            Self::Regex(regex) => Some(Find::Regex(Cow::Borrowed(regex))),
            Self::RegexText(text) => {
                go_regex(&text.expand_known(x)).ok().map(|regex| Find::Regex(Cow::Owned(regex)))
            }
        }
    }
}
/// Whether some pair of braces holds what may be a placeholder: anything but a repetition such as `{2,3}`.
fn holds_placeholders(regex: &str) -> bool {
    let keys = regex.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
    keys.map(|(key, _)| key).any(|key| key.contains(|c: char| !c.is_ascii_digit() && c != ','))
}
