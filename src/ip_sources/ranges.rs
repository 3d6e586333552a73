//! `static`: ranges that are written down.
//!
//! ```caddyfile
//! trusted_proxies static <ranges…>
//! ```
//! Example: `trusted_proxies static private_ranges 203.0.113.0/24`.
use super::NAMESPACE;
use crate::{
    caddyfile::{Cx, ModuleSyntax, PRIVATE_RANGES, Parsed, Support},
    config::{fields, is_default},
    http::{Build, BuildError, IpSourceConfig, IpSourceModule, Ranges, ip_range},
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "static",
    docs: "static <ranges…>: these ranges; `private_ranges` stands for all private ones.",
    parse,
    support: Support::Full,
};
pub const MODULE: IpSourceModule = IpSourceModule::of::<Static>();
/// `http.ip_sources.static`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Static {
    /// Addresses and CIDR ranges.
    #[serde(skip_serializing_if = "is_default")]
    pub ranges: Vec<String>,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let mut ranges = vec![];
    for word in line.args() {
        if word.is("private_ranges") {
            ranges.extend(PRIVATE_RANGES.map(str::to_owned));
        } else {
            ranges.push(word.text.clone());
        }
    }
    Ok(fields(&Static { ranges }))
}
impl IpSourceConfig for Static {
    const NAME: &'static str = "static";
    fn build(self, _: &mut Build) -> Result<Ranges, BuildError> {
        let ranges = self.ranges.iter().map(|range| ip_range(range));
        Ok(Ranges::Fixed(ranges.collect::<Result<_, _>>()?))
    }
}
