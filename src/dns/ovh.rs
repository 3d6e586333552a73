//! OVH.
//!
//! ```caddyfile
//! dns ovh {
//!     endpoint           <name_or_url>
//!     application_key    <key>
//!     application_secret <secret>
//!     consumer_key       <key>
//! }
//! ```
//! Example: `dns ovh { endpoint ovh-eu … }`. What is missing is looked for in `OVH_*` variables and `ovh.conf` files.
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
    name: "ovh",
    docs: "ovh { endpoint <name>; application_key <key>; application_secret <secret>; consumer_key <key> }: \
           DNS records at OVH.",
    parse,
    support: Support::Full,
};
/// `dns.providers.ovh`. All of it may hold placeholders.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ovh {
    /// Such as `ovh-eu`, or a URL.
    #[serde(skip_serializing_if = "is_default")]
    pub endpoint: String,
    #[serde(skip_serializing_if = "is_default")]
    pub application_key: String,
    #[serde(skip_serializing_if = "is_default")]
    pub application_secret: String,
    #[serde(skip_serializing_if = "is_default")]
    pub consumer_key: String,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut provider) = (Words::new(line), Ovh::default());
    words.none()?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        let field = match sub.text() {
            "endpoint" => &mut provider.endpoint,
            "application_key" => &mut provider.application_key,
            "application_secret" => &mut provider.application_secret,
            "consumer_key" => &mut provider.consumer_key,
            other => return Err(sub.error(format!("unrecognized subdirective '{other}'"))),
        };
        super::set(field, sub)?;
    }
    Ok(fields(&provider))
}
