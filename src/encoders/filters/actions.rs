//! `query`, `cookie` and `set_cookie`: change or remove single parameters or cookies.
//!
//! ```caddyfile
//! <field> query|cookie|set_cookie {
//!     replace <name> <value>
//!     hash    <name>
//!     delete  <name>
//! }
//! ```
use super::{LATER, NAMESPACE};
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{fields, is_default},
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub const QUERY: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "query",
    docs: "query { replace <name> <value>; hash <name>; delete <name> }: changes parameters of a URI's query.",
    parse: query,
    support: Support::NotYet(LATER),
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
