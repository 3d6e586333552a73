//! `ip_mask`: keeps the leading bits of an address, alone, before a port, or in a list.
//!
//! ```caddyfile
//! <field> ip_mask [<ipv4 bits> [<ipv6 bits>]] {
//!     ipv4 <bits>
//!     ipv6 <bits>
//! }
//! ```
use super::{FilterModule, NAMESPACE};
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{fields, is_default, parse_int},
    http::uri::split_host_port,
    logging::{FieldFilter, FieldValue},
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{borrow::Cow, net::IpAddr};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "ip_mask",
    docs: "ip_mask [<ipv4 bits> [<ipv6 bits>]] | { ipv4 <bits>; ipv6 <bits> }: keeps the leading bits of an address.",
    parse,
    support: Support::Full,
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
pub(super) const FILTER: FilterModule = FilterModule::plain::<IpMask>("ip_mask");
impl FieldFilter for IpMask {
    fn filter(&self, _: &mut Cow<'_, str>, value: &mut FieldValue<'_>) -> bool {
        value.map(|text| self.mask(text));
        true
    }
}
impl IpMask {
    /// Masks each address of a list; what is none stays.
    fn mask(&self, text: &str) -> String {
        let masked = text.split(',').map(str::trim).map(|part| {
            let (host, port) = split_host_port(part).unwrap_or((part, ""));
            let Ok(address) = host.parse::<IpAddr>() else { return part.to_owned() };
            // As in Go an IPv4 address stays one in IPv6's clothing.
            let masked = match address.to_canonical() {
                IpAddr::V4(address) => leading(self.ipv4_cidr, 32)
                    .map(|bits| (u32::from(address) & bits as u32).to_be_bytes().into()),
                IpAddr::V6(address) => {
                    leading(self.ipv6_cidr, 128).map(|bits| (u128::from(address) & bits).to_be_bytes().into())
                }
            };
            let shown = masked.map_or_else(|| "<nil>".to_owned(), |masked: IpAddr| masked.to_string());
            match port {
                "" => shown,
                port if shown.contains(':') => format!("[{shown}]:{port}"),
                port => format!("{shown}:{port}"),
            }
        });
        masked.collect::<Vec<_>>().join(", ")
    }
}
/// A mask of so many leading bits; `None` where there are none or too many: Go masks with nothing then.
fn leading(bits: i64, size: u32) -> Option<u128> {
    let bits = u32::try_from(bits).ok().filter(|bits| (1..=size).contains(bits))?;
    Some((u128::MAX >> (128 - size)) & !((u128::MAX >> (128 - size)).checked_shr(bits).unwrap_or(0)))
}
