//! `query`, `cookie` and `set_cookie`: change or remove single parameters or cookies.
//!
//! ```caddyfile
//! <field> query|cookie|set_cookie {
//!     replace <name> <value>
//!     hash    <name>
//!     delete  <name>
//! }
//! ```
use super::{FilterModule, NAMESPACE, hashed};
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{fields, is_default},
    http::uri::{encode_query, query_pairs},
    logging::{FieldFilter, FieldValue},
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{borrow::Cow, collections::BTreeMap};

pub const QUERY: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "query",
    docs: "query { replace <name> <value>; hash <name>; delete <name> }: changes parameters of a URI's query.",
    parse: query,
    support: Support::Full,
};
pub const COOKIE: ModuleSyntax = ModuleSyntax {
    name: "cookie",
    docs: "cookie { replace <name> <value>; hash <name>; delete <name> }: changes cookies of a Cookie header.",
    parse: cookies,
    ..QUERY
};
pub const SET_COOKIE: ModuleSyntax = ModuleSyntax {
    name: "set_cookie",
    docs: "set_cookie { replace <name> <value>; hash <name>; delete <name> }: changes cookies of Set-Cookie headers.",
    parse: cookies,
    ..QUERY
};
/// `caddy.logging.encoders.filter.query`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Query {
    /// `null`: none.
    pub actions: Option<Vec<QueryAction>>,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryAction {
    #[serde(rename = "type")]
    pub kind: Kind,
    pub parameter: String,
    /// Of `replace`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub value: String,
}
/// `caddy.logging.encoders.filter.cookie` and `….set_cookie`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cookies {
    pub actions: Option<Vec<CookieAction>>,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CookieAction {
    #[serde(rename = "type")]
    pub kind: Kind,
    pub name: String,
    /// Of `replace`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub value: String,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Replace,
    Hash,
    Delete,
}
fn query(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let actions = read(line)?.into_iter();
    let actions = actions.map(|(kind, parameter, value)| QueryAction { kind, parameter, value });
    Ok(fields(&Query { actions: some(actions.collect()) }))
}
fn cookies(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let actions = read(line)?.into_iter();
    let actions = actions.map(|(kind, name, value)| CookieAction { kind, name, value });
    Ok(fields(&Cookies { actions: some(actions.collect()) }))
}
fn read(line: &Line) -> Parsed<Vec<(Kind, String, String)>> {
    let (mut words, mut actions) = (Words::new(line), vec![]);
    let mut block = words.block();
    while let Some(sub) = block.next() {
        let kind = match sub.text() {
            "replace" => Kind::Replace,
            "hash" => Kind::Hash,
            "delete" => Kind::Delete,
            other => return Err(sub.error(format!("unrecognized subdirective {other}"))),
        };
        let name = sub.need()?.to_owned();
        let value = if kind == Kind::Replace { sub.need()?.to_owned() } else { String::new() };
        actions.push((kind, name, value));
    }
    Ok(actions)
}
/// Go's nil slice is `null`.
fn some<T>(actions: Vec<T>) -> Option<Vec<T>> {
    (!actions.is_empty()).then_some(actions)
}

pub(super) const QUERY_FILTER: FilterModule = FilterModule::plain::<Query>("query");
impl FieldFilter for Query {
    fn filter(&self, _: &mut Cow<'_, str>, value: &mut FieldValue<'_>) -> bool {
        value.map(|uri| self.change(uri));
        true
    }
}
impl Query {
    /// The query is put together anew, in the order of its keys.
    fn change(&self, uri: &str) -> String {
        let (whole, fragment) = uri.split_once('#').map_or((uri, None), |(whole, rest)| (whole, Some(rest)));
        let (path, query) = whole.split_once('?').unwrap_or((whole, ""));
        let mut values = BTreeMap::<String, Vec<String>>::new();
        for (key, value) in query_pairs(query).flatten() {
            values.entry(key.into_owned()).or_default().push(value.into_owned());
        }
        for QueryAction { kind, parameter, value } in self.actions.iter().flatten() {
            match kind {
                Kind::Delete => drop(values.remove(parameter)),
                Kind::Replace => values.entry(parameter.clone()).or_default().iter_mut().for_each(|old| {
                    old.clone_from(value);
                }),
                Kind::Hash => {
                    let old = values.get_mut(parameter).into_iter().flatten();
                    old.for_each(|old| *old = hashed(old));
                }
            }
        }
        let pairs = values.iter().flat_map(|(key, values)| {
            values.iter().map(move |value| format!("{}={}", encode_query(key), encode_query(value)))
        });
        let query = pairs.collect::<Vec<_>>().join("&");
        let mark = if query.is_empty() { "" } else { "?" };
        let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
        format!("{path}{mark}{query}{fragment}")
    }
}
pub(super) const COOKIE_FILTER: FilterModule =
    FilterModule { name: "cookie", build: |fields| Ok(Box::new(Request(super::decode(fields)?))) };
pub(super) const SET_COOKIE_FILTER: FilterModule =
    FilterModule { name: "set_cookie", build: |fields| Ok(Box::new(Response(super::decode(fields)?))) };
impl Cookies {
    /// What becomes of a cookie: the first action that names it decides. `None`: it stays; `Some(None)`: it goes.
    fn changed(&self, name: &str, value: &str) -> Option<Option<String>> {
        let action = self.actions.iter().flatten().find(|action| action.name == name)?;
        Some(match action.kind {
            Kind::Delete => None,
            Kind::Replace => Some(action.value.clone()),
            Kind::Hash => Some(hashed(value)),
        })
    }
}
/// Of `Cookie` fields.
#[derive(Debug)]
struct Request(Cookies);
impl FieldFilter for Request {
    fn filter(&self, _: &mut Cow<'_, str>, value: &mut FieldValue<'_>) -> bool {
        let FieldValue::Texts(lines) = value else { return true };
        let pairs = lines.iter().flat_map(|line| line.split(';')).filter_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            let (name, plain) = (name.trim(), quoted.unwrap_or(value));
            let value = self.0.changed(name, plain).unwrap_or_else(|| Some(plain.to_owned()))?;
            let quotes = if quoted.is_some() || value.contains([' ', ',']) { "\"" } else { "" };
            Some(format!("{name}={quotes}{value}{quotes}"))
        });
        let all = pairs.collect::<Vec<_>>().join("; ");
        *lines = if all.is_empty() { vec![] } else { vec![all.into()] };
        true
    }
}
/// Of `Set-Cookie` fields, whose attributes stay as they are.
#[derive(Debug)]
struct Response(Cookies);
impl FieldFilter for Response {
    fn filter(&self, _: &mut Cow<'_, str>, value: &mut FieldValue<'_>) -> bool {
        let FieldValue::Texts(lines) = value else { return true };
        let changed = lines.iter().filter_map(|line| {
            let (pair, attributes) = line.split_once(';').map_or((&**line, None), |(a, b)| (a, Some(b)));
            let Some((name, raw)) = pair.split_once('=') else { return Some(line.clone().into_owned()) };
            let trimmed = raw.trim();
            let quoted = trimmed.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            let Some(value) = self.0.changed(name.trim(), quoted.unwrap_or(trimmed)) else {
                return Some(line.clone().into_owned());
            };
            let quotes = if quoted.is_some() { "\"" } else { "" };
            let before = raw.len() - raw.trim_start().len();
            let (space, rest) = raw.split_at(before);
            let (_, after) = rest.split_at(rest.trim_end().len());
            let attributes = attributes.map(|attributes| format!(";{attributes}")).unwrap_or_default();
            Some(format!("{name}={space}{quotes}{}{quotes}{after}{attributes}", value?))
        });
        *lines = changed.map(Cow::Owned).collect();
        true
    }
}
