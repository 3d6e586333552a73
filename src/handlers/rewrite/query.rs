//! The query.
use crate::{
    config::{go_regex, is_default},
    http::{
        BuildError, Exchange, Text,
        uri::{encode_query, query_pairs},
    },
};
use regex::Regex;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::BTreeMap};

/// A query with its placeholders filled in. A value is encoded, unless it is the request's own query where a parameter
/// begins; empty parts are left out.
pub(super) fn build_query(query: &str, x: &Exchange) -> String {
    let (mut out, mut rest) = (String::with_capacity(query.len()), query);
    let mut begins = true;
    while !rest.is_empty() {
        let end = rest.find(['=', '&']).unwrap_or(rest.len());
        let part = expand(&rest[..end], begins, x);
        if !begins {
            out.push('=');
        } else if !out.is_empty() && !part.is_empty() {
            out.push('&');
        }
        out.push_str(&part);
        begins = rest[end..].starts_with('&');
        rest = rest.get(end + 1..).unwrap_or("");
    }
    out
}
fn expand(part: &str, begins: bool, x: &Exchange) -> String {
    if !part.contains(['{', '}']) {
        return part.to_owned();
    }
    let text = Text::new(part);
    let expanded = text.expand_with(x, |key, value| match value {
        Some(value) if begins && key == "http.request.uri.query" => value.into_text(),
        Some(value) => encode_query(&value.into_text()).into_owned().into(),
        // What Go prints for nothing, encoded.
        None => "%3Cnil%3E".into(),
    });
    expanded.into_owned()
}

/// Changes of parameters, in the order of their application. Names and values may hold placeholders.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct QueryOps {
    /// `key` becomes `val`.
    #[serde(skip_serializing_if = "is_default")]
    pub rename: Vec<Param>,
    #[serde(skip_serializing_if = "is_default")]
    pub set: Vec<Param>,
    #[serde(skip_serializing_if = "is_default")]
    pub add: Vec<Param>,
    #[serde(skip_serializing_if = "is_default")]
    pub replace: Vec<ParamReplacement>,
    #[serde(skip_serializing_if = "is_default")]
    pub delete: Vec<String>,
}
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Param {
    #[serde(skip_serializing_if = "is_default")]
    pub key: String,
    #[serde(skip_serializing_if = "is_default")]
    pub val: String,
}
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ParamReplacement {
    /// `*`: all of them.
    #[serde(skip_serializing_if = "is_default")]
    pub key: String,
    #[serde(skip_serializing_if = "is_default")]
    pub search: String,
    #[serde(skip_serializing_if = "is_default")]
    pub search_regexp: String,
    #[serde(skip_serializing_if = "is_default")]
    pub replace: String,
}
#[derive(Debug)]
pub(super) struct QueryChanges(Box<[QueryChange]>);
#[derive(Debug)]
enum QueryChange {
    Rename(Text, Text),
    Set(Text, Text),
    Add(Text, Text),
    Replace(Text, Search, Text),
    Delete(Text),
}
#[derive(Debug)]
enum Search {
    Text(Text),
    Regex(Regex),
}
type Params<'q> = BTreeMap<Cow<'q, str>, Vec<Cow<'q, str>>>;

impl QueryChanges {
    pub(super) fn compile(ops: QueryOps) -> Result<Self, BuildError> {
        type Pair = fn(Text, Text) -> QueryChange;
        let pairs: [(Vec<Param>, Pair); 3] =
            [(ops.rename, QueryChange::Rename), (ops.set, QueryChange::Set), (ops.add, QueryChange::Add)];
        let mut changes = vec![];
        for (params, change) in pairs {
            changes.extend(params.iter().map(|param| change(Text::new(&param.key), Text::new(&param.val))));
        }
        for op in ops.replace {
            let search = if op.search_regexp.is_empty() {
                Search::Text(Text::new(&op.search))
            } else {
                let compiled = go_regex(&op.search_regexp);
                Search::Regex(compiled.map_err(|error| {
                    format!(
                        "compiling regular expression {} in query rewrite replace operation: replacement for \
                         query field '{}': {error}",
                        op.search_regexp, op.key
                    )
                })?)
            };
            changes.push(QueryChange::Replace(Text::new(&op.key), search, Text::new(&op.replace)));
        }
        changes.extend(ops.delete.iter().map(|key| QueryChange::Delete(Text::new(key))));
        Ok(Self(changes.into()))
    }
    /// The query, sorted by name. What cannot be read of it is gone.
    pub(super) fn apply(&self, query: &str, x: &Exchange) -> String {
        let mut params = Params::new();
        for (key, value) in query_pairs(query).flatten() {
            params.entry(key).or_default().push(value);
        }
        self.0.iter().for_each(|change| change.apply(&mut params, x));
        let pairs = params.iter().flat_map(|(key, values)| values.iter().map(move |value| (key, value)));
        let pairs = pairs.map(|(key, value)| format!("{}={}", encode_query(key), encode_query(value)));
        pairs.collect::<Vec<_>>().join("&")
    }
}
impl QueryChange {
    fn apply<'q>(&self, params: &mut Params<'q>, x: &Exchange) {
        match self {
            Self::Rename(from, to) => {
                let (from, to) = (from.expand(x), to.expand(x));
                if from != to
                    && !to.is_empty()
                    && let Some(values) = params.remove(&*from)
                {
                    params.insert(to.into_owned().into(), values);
                }
            }
            Self::Set(key, value) => {
                let key = key.expand(x);
                if !key.is_empty() {
                    params.insert(key.into_owned().into(), vec![value.expand(x).into_owned().into()]);
                }
            }
            Self::Add(key, value) => {
                let key = key.expand(x);
                if !key.is_empty() {
                    let values = params.entry(key.into_owned().into()).or_default();
                    values.push(value.expand(x).into_owned().into());
                }
            }
            Self::Replace(key, search, with) => {
                let (key, with) = (key.expand(x), with.expand_known(x));
                let search = search.prepare(x);
                let of_key = params.iter_mut().filter(|(name, _)| key == "*" || **name == key);
                for value in of_key.flat_map(|(_, values)| values) {
                    *value = search.replace(value, &with).into();
                }
            }
            Self::Delete(key) => _ = params.remove(&*key.expand(x)),
        }
    }
}
enum Find<'c> {
    Text(Cow<'c, str>),
    Regex(&'c Regex),
}
impl Search {
    fn prepare<'c>(&'c self, x: &'c Exchange) -> Find<'c> {
        match self {
            Self::Text(text) => Find::Text(text.expand_known(x)),
            Self::Regex(regex) => Find::Regex(regex),
        }
    }
}
impl Find<'_> {
    fn replace(&self, value: &str, with: &str) -> String {
        match self {
            Self::Text(text) if text.is_empty() => value.to_owned(),
            Self::Text(text) => value.replace(&**text, with),
            Self::Regex(regex) => regex.replace_all(value, with).into_owned(),
        }
    }
}
