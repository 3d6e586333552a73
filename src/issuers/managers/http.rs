//! `http`: another server knows the certificate.
//!
//! ```caddyfile
//! get_certificate http <url>
//! ```
//! The answer to `GET <url>?server_name=…` is the chain and the key in PEM, or 204 if that server has none.
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
    name: "http",
    docs: "http <url>: asks a server for the certificate.",
    parse,
    support: Support::NotYet("its run time comes later"),
};
/// `tls.get_certificate.http`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    #[serde(skip_serializing_if = "is_default")]
    pub url: String,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let mut words = Words::new(line);
    let manager = Http { url: words.need()?.into() };
    words.none()?;
    match words.block().next() {
        Some(sub) => Err(sub.error("block not allowed here")),
        None => Ok(fields(&manager)),
    }
}
