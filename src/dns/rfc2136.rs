//! A name server that takes signed updates (RFC 2136, RFC 8945): BIND, Knot, PowerDNS, …
//!
//! ```caddyfile
//! dns rfc2136 {
//!     key_name <name>
//!     key      <base64>
//!     key_alg  <algorithm>
//!     server   <host:port>
//! }
//! ```
//! Example: `key_alg hmac-sha256`, `server ns1.example.com:53`.
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
    name: "rfc2136",
    docs: "rfc2136 { key_name <name>; key <base64>; key_alg <algorithm>; server <host:port> }: \
           DNS records by signed updates (RFC 2136).",
    parse,
    support: Support::Full,
};
/// `dns.providers.rfc2136`. All of it may hold placeholders.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rfc2136 {
    #[serde(skip_serializing_if = "is_default")]
    pub key_name: String,
    /// Such as `hmac-sha256`.
    #[serde(skip_serializing_if = "is_default")]
    pub key_alg: String,
    /// In base64.
    #[serde(skip_serializing_if = "is_default")]
    pub key: String,
    /// `host:port`.
    #[serde(skip_serializing_if = "is_default")]
    pub server: String,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut provider) = (Words::new(line), Rfc2136::default());
    words.rest();
    let mut block = words.block();
    while let Some(sub) = block.next() {
        let field = match sub.text() {
            "key_name" => &mut provider.key_name,
            "key" => &mut provider.key,
            "key_alg" => &mut provider.key_alg,
            "server" => &mut provider.server,
            other => return Err(sub.error(format!("unrecognized subdirective '{other}'"))),
        };
        super::set(field, sub)?;
    }
    let needed = [
        ("key", &provider.key),
        ("key_name", &provider.key_name),
        ("key_alg", &provider.key_alg),
        ("server", &provider.server),
    ];
    match needed.into_iter().find(|(_, value)| value.is_empty()) {
        Some((name, _)) => Err(words.error(format!("rfc2136: missing {name}"))),
        None => Ok(fields(&provider)),
    }
}
