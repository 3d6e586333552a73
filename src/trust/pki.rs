//! `pki_root` and `pki_intermediate`: our own authorities, see the global option `pki`.
//!
//! ```caddyfile
//! trust_pool pki_root|pki_intermediate [<ids…>] {
//!     authority <ids…>
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

pub const ROOT: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "pki_root",
    docs: "pki_root [<ids…>] { authority <ids…> }: trusts the roots of our own authorities.",
    parse,
    support: Support::Partly(HERE),
};
pub const INTERMEDIATE: ModuleSyntax = ModuleSyntax {
    name: "pki_intermediate",
    docs: "pki_intermediate [<ids…>] { authority <ids…> }: trusts the intermediates of our own authorities.",
    ..ROOT
};
/// `tls.ca_pool.source.pki_root` and `….pki_intermediate`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Authorities {
    /// Ids.
    #[serde(skip_serializing_if = "is_default")]
    pub authority: Vec<String>,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let mut words = Words::new(line);
    let mut pool = Authorities { authority: words.rest() };
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "authority" => pool.authority.extend(sub.rest()),
            other => return Err(sub.error(format!("unrecognized directive: {other}"))),
        }
    }
    if pool.authority.is_empty() {
        return Err(words.error("no authorities specified"));
    }
    Ok(fields(&pool))
}
