//! `tailscale`: the Tailscale of this machine has certificates for its `*.ts.net` names.
//!
//! ```caddyfile
//! get_certificate tailscale
//! ```
use super::NAMESPACE;
use crate::caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words};
use grammar::Line;
use serde_json::{Map, Value};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "tailscale",
    docs: "tailscale: certificates of `*.ts.net` names from this machine's Tailscale.",
    parse,
    support: Support::NotYet("its run time comes later"),
};
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    Words::new(line).none()?;
    Ok(Map::new())
}
