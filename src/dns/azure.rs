//! Azure DNS.
//!
//! ```caddyfile
//! dns azure {
//!     subscription_id     <id>
//!     resource_group_name <name>
//!     tenant_id           <id>
//!     client_id           <id>
//!     client_secret       <secret>
//! }
//! ```
//! Without `tenant_id`, `client_id` and `client_secret` the machine's managed identity signs in.
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
    name: "azure",
    docs: "azure { subscription_id <id>; resource_group_name <name>; tenant_id <id>; client_id <id>; \
           client_secret <secret> }: DNS records at Azure.",
    parse,
    support: Support::Full,
};
/// `dns.providers.azure`. All of it may hold placeholders.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Azure {
    #[serde(skip_serializing_if = "is_default")]
    pub subscription_id: String,
    #[serde(skip_serializing_if = "is_default")]
    pub resource_group_name: String,
    #[serde(skip_serializing_if = "is_default")]
    pub tenant_id: String,
    #[serde(skip_serializing_if = "is_default")]
    pub client_id: String,
    #[serde(skip_serializing_if = "is_default")]
    pub client_secret: String,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut provider) = (Words::new(line), Azure::default());
    words.none()?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        let field = match sub.text() {
            "subscription_id" => &mut provider.subscription_id,
            "resource_group_name" => &mut provider.resource_group_name,
            "tenant_id" => &mut provider.tenant_id,
            "client_id" => &mut provider.client_id,
            "client_secret" => &mut provider.client_secret,
            other => return Err(sub.error(format!("unrecognized subdirective '{other}'"))),
        };
        super::set(field, sub)?;
    }
    Ok(fields(&provider))
}
