//! `internal`: certificates from an authority of our own, see the global option `pki`.
//!
//! ```caddyfile
//! tls internal
//! tls {
//!     issuer internal {
//!         ca       <id>
//!         lifetime <duration>
//!         sign_with_root
//!     }
//! }
//! ```
use super::NAMESPACE;
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{Duration, fields, is_default, parse_duration},
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "internal",
    docs: "internal { ca <id>; lifetime <duration>; sign_with_root }: certificates from an authority of our own.",
    parse,
    support: Support::Full,
};
/// `tls.issuance.internal`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Internal {
    /// Empty: `local`.
    #[serde(skip_serializing_if = "is_default")]
    pub ca: String,
    /// 0: 12 hours.
    #[serde(skip_serializing_if = "is_default")]
    pub lifetime: Duration,
    /// Sign with the root rather than the intermediate: for clients that cannot follow a chain.
    #[serde(skip_serializing_if = "is_default")]
    pub sign_with_root: bool,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut issuer) = (Words::new(line), Internal::default());
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "ca" => issuer.ca = sub.one()?.into(),
            "lifetime" => issuer.lifetime = parse_duration(sub.need()?).map_err(|why| sub.error(why))?,
            "sign_with_root" => {
                sub.none()?;
                issuer.sign_with_root = true;
            }
            other => return Err(sub.error(format!("unrecognized subdirective '{other}'"))),
        }
    }
    Ok(fields(&issuer))
}
