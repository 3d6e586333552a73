//! `storage`: certificates in the storage.
//!
//! ```caddyfile
//! trust_pool storage [<keys…>] {
//!     storage <module> …
//!     keys    <keys…>
//! }
//! ```
use super::{HERE, NAMESPACE};
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{fields, is_default},
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "storage",
    docs: "storage [<keys…>] { storage <module>; keys <keys…> }: trusts certificates of the storage.",
    parse,
    support: Support::Partly(HERE),
};
/// `tls.ca_pool.source.storage`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Storage {
    /// A module of `caddy.storage`; none: the global one.
    #[serde(skip_serializing_if = "is_default")]
    pub storage: Option<Value>,
    /// Of PEM texts.
    #[serde(skip_serializing_if = "is_default")]
    pub pem_keys: Vec<String>,
}
fn parse(line: &Line, cx: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let mut words = Words::new(line);
    let mut pool = Storage { storage: None, pem_keys: words.rest() };
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "storage" if pool.storage.is_some() => return Err(sub.error("storage module already set")),
            "storage" => {
                sub.need()?;
                pool.storage = Some(cx.module("caddy.storage", "module", &sub.segment())?);
            }
            "keys" => pool.pem_keys.extend(sub.rest()),
            other => return Err(sub.error(format!("unrecognized directive: {other}"))),
        }
    }
    Ok(fields(&pool))
}
