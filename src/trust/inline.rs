//! `inline`: certificates that are written down.
//!
//! ```caddyfile
//! trust_pool inline {
//!     trust_der <base64…>
//! }
//! ```
use super::NAMESPACE;
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{fields, is_default},
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "inline",
    docs: "inline { trust_der <base64…> }: trusts these certificates.",
    parse,
    support: Support::Full,
};
/// `tls.ca_pool.source.inline`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Inline {
    /// DER in base64.
    #[serde(skip_serializing_if = "is_default")]
    pub trusted_ca_certs: Vec<String>,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut pool) = (Words::new(line), Inline::default());
    if words.left() > 0 {
        return Err(words.arg_error());
    }
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "trust_der" => pool.trusted_ca_certs.extend(sub.rest()),
            other => return Err(sub.error(format!("unrecognized directive: {other}"))),
        }
    }
    if pool.trusted_ca_certs.is_empty() {
        return Err(words.error("no certificates specified"));
    }
    Ok(fields(&pool))
}
