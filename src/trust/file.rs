//! `file`: certificates in PEM files.
//!
//! ```caddyfile
//! trust_pool file [<pem_files…>] {
//!     pem_file <pem_files…>
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
    name: "file",
    docs: "file [<pem_files…>] { pem_file <pem_files…> }: trusts the certificates of these files.",
    parse,
    support: Support::Full,
};
/// `tls.ca_pool.source.file`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct File {
    #[serde(skip_serializing_if = "is_default")]
    pub pem_files: Vec<String>,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let mut words = Words::new(line);
    let mut pool = File { pem_files: words.rest() };
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "pem_file" => pool.pem_files.extend(sub.rest()),
            other => return Err(sub.error(format!("unrecognized directive: {other}"))),
        }
    }
    if pool.pem_files.is_empty() {
        return Err(words.error("no certificates specified"));
    }
    Ok(fields(&pool))
}
