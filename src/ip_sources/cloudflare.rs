//! `cloudflare`: Cloudflare's ranges, fetched from Cloudflare (plugin `caddy-cloudflare-ip`).
//!
//! ```caddyfile
//! trusted_proxies cloudflare {
//!     interval <duration>
//!     timeout  <duration>
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
    name: "cloudflare",
    docs: "cloudflare { interval <duration>; timeout <duration> }: Cloudflare's own ranges.",
    parse,
    support: Support::NotYet("its run time comes later"),
};
/// `http.ip_sources.cloudflare`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cloudflare {
    /// How often to fetch them; 0: hourly.
    #[serde(skip_serializing_if = "is_default")]
    pub interval: Duration,
    /// How long a fetch may take; 0: for ever.
    #[serde(skip_serializing_if = "is_default")]
    pub timeout: Duration,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut source) = (Words::new(line), Cloudflare::default());
    words.none()?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        let field = match sub.text() {
            "interval" => &mut source.interval,
            "timeout" => &mut source.timeout,
            _ => return Err(sub.arg_error()),
        };
        *field = parse_duration(sub.need()?).map_err(|why| sub.error(why))?;
    }
    Ok(fields(&source))
}
