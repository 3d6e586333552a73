//! Namecheap.
//!
//! ```caddyfile
//! dns namecheap {
//!     api_key      <key>
//!     user         <name>
//!     api_endpoint <url>
//!     client_ip    <ip>
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
    name: "namecheap",
    docs: "namecheap { api_key <key>; user <name>; api_endpoint <url>; client_ip <ip> }: \
           DNS records at Namecheap.",
    parse,
    support: Support::Full,
};
/// `dns.providers.namecheap`. All of it may hold placeholders.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Namecheap {
    #[serde(skip_serializing_if = "is_default")]
    pub api_key: String,
    #[serde(skip_serializing_if = "is_default")]
    pub user: String,
    /// Default: `https://api.namecheap.com/xml.response`.
    #[serde(skip_serializing_if = "is_default")]
    pub api_endpoint: String,
    /// This machine's public address, which the API's allow list must name.
    #[serde(skip_serializing_if = "is_default")]
    pub client_ip: String,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut provider) = (Words::new(line), Namecheap::default());
    words.none()?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        let (field, what) = match sub.text() {
            "api_key" => (&mut provider.api_key, "API key"),
            "user" => (&mut provider.user, "user"),
            "api_endpoint" => (&mut provider.api_endpoint, "API endpoint"),
            "client_ip" => (&mut provider.client_ip, "client IP"),
            other => return Err(sub.error(format!("unrecognized subdirective '{other}'"))),
        };
        if !field.is_empty() {
            return Err(sub.error(format!("{what} already set")));
        }
        *field = sub.need()?.into();
        sub.none()?;
    }
    if provider.api_key.is_empty() {
        return Err(words.error("missing API key"));
    }
    if provider.user.is_empty() {
        return Err(words.error("missing user"));
    }
    Ok(fields(&provider))
}
