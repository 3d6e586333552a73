//! `ip_mask`: keeps the leading bits of an address, alone, before a port, or in a list.
//!
//! ```caddyfile
//! <field> ip_mask [<ipv4 bits> [<ipv6 bits>]] {
//!     ipv4 <bits>
//!     ipv6 <bits>
//! }
//! ```
use super::{LATER, NAMESPACE};
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{fields, is_default, parse_int},
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "ip_mask",
    docs: "ip_mask [<ipv4 bits> [<ipv6 bits>]] | { ipv4 <bits>; ipv6 <bits> }: keeps the leading bits of an address.",
    parse,
    support: Support::NotYet(LATER),
};
/// `caddy.logging.encoders.filter.ip_mask`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IpMask {
    /// Bits to keep of an IPv4 address.
    #[serde(skip_serializing_if = "is_default")]
    pub ipv4_cidr: i64,
    /// Bits to keep of an IPv6 address.
    #[serde(skip_serializing_if = "is_default")]
    pub ipv6_cidr: i64,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut filter) = (Words::new(line), IpMask::default());
    let args = words.rest();
    if args.len() > 2 {
        return Err(words.error("too many arguments"));
    }
    for (text, bits) in args.iter().zip([&mut filter.ipv4_cidr, &mut filter.ipv6_cidr]) {
        *bits = number(text, &words)?;
    }
    let mut block = words.block();
    while let Some(sub) = block.next() {
        let bits = match sub.text() {
            "ipv4" => &mut filter.ipv4_cidr,
            "ipv6" => &mut filter.ipv6_cidr,
            other => return Err(sub.error(format!("unrecognized subdirective {other}"))),
        };
        *bits = number(sub.need()?, sub)?;
    }
    Ok(fields(&filter))
}
fn number(text: &str, words: &Words<'_>) -> Parsed<i64> {
    parse_int(text).map_err(|why| words.error(format!("error parsing {text}: {why}")))
}
