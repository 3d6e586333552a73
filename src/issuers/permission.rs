//! Who says whether a name may have a certificate on demand.
//!
//! ```caddyfile
//! {
//!     on_demand_tls {
//!         ask <url>
//!         permission http <url>
//!     }
//! }
//! ```
//! The answer to `GET <url>?domain=<name>` is a yes if its status is 2xx. The two forms mean the same.
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::fields,
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: "tls.permission",
    name: "http",
    docs: "http <url>: asks a server whether a name may have a certificate.",
    parse,
    support: Support::Full,
};
/// `tls.permission.http`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// A URL; placeholders are allowed.
    pub endpoint: String,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let endpoint = Words::new(line).one()?.into();
    Ok(fields(&Http { endpoint }))
}
