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
use crate::tls::{Authority, IssuedChain, Issuer, IssuerModule, Issuing, LEAF_LIFETIME, Request};
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{Duration, fields, is_default, parse_duration},
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{sync::Arc, time};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "internal",
    docs: "internal { ca <id>; lifetime <duration>; sign_with_root }: certificates from an authority of our own.",
    parse,
    support: Support::Full,
};
pub const MODULE: IssuerModule = IssuerModule {
    name: "internal",
    build: |fields, cx| {
        let config: Internal =
            crate::config::decode(Value::Object(fields)).map_err(|error| error.to_string())?;
        let id = if config.ca.is_empty() { "local" } else { &config.ca };
        let authority = cx.authorities.get(id);
        let authority =
            authority.ok_or_else(|| format!("no certificate authority configured with id: {id}"))?;
        Ok(Arc::new(Local {
            authority: authority.clone(),
            lifetime: config.lifetime.some().unwrap_or(LEAF_LIFETIME),
            sign_with_root: config.sign_with_root,
        }))
    },
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
#[derive(Debug)]
struct Local {
    authority: Arc<Authority>,
    lifetime: time::Duration,
    sign_with_root: bool,
}
impl Issuer for Local {
    fn key(&self) -> String {
        self.authority.id().to_owned()
    }
    fn is_internal(&self) -> bool {
        true
    }
    fn issue<'a>(&'a self, request: Request<'a>) -> Issuing<'a> {
        let issued = self.authority.issue(request.name, request.key, self.lifetime, self.sign_with_root);
        Box::pin(async { Ok(IssuedChain { pem: issued?.chain, issuer_data: Value::Null }) })
    }
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
