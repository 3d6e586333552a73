//! How to reach the outside: `url` goes through a proxy, `none` goes straight.
//!
//! ```caddyfile
//! reverse_proxy … {
//!     transport http {
//!         network_proxy none
//!         network_proxy url <url>
//!     }
//! }
//! ```
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support},
    config::fields,
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub const NONE: ModuleSyntax = ModuleSyntax {
    namespace: "caddy.network_proxy",
    name: "none",
    docs: "none: no proxy, whatever the environment says.",
    parse: |_, _| Ok(Map::new()),
    support: Support::Full,
};
pub const URL: ModuleSyntax = ModuleSyntax {
    name: "url",
    docs: "url <url>: through this proxy (HTTP or SOCKS5).",
    parse,
    support: Support::Partly("proxies that are spoken to over TLS are refused"),
    ..NONE
};
/// `caddy.network_proxy.url`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Url {
    /// Placeholders are allowed.
    pub url: String,
}
/// What is missing or too much is not looked at: Caddy takes the last word it comes to.
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let word = line.args().first().unwrap_or(line.name());
    Ok(fields(&Url { url: word.text.clone() }))
}
