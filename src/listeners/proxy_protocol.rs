//! `proxy_protocol`: the client's address as a load balancer in front tells it (HAProxy's PROXY protocol, 1 and 2).
//!
//! ```caddyfile
//! listener_wrappers {
//!     proxy_protocol {
//!         timeout         <duration>
//!         allow           <ranges…>
//!         deny            <ranges…>
//!         fallback_policy ignore|use|reject|require|skip
//!     }
//! }
//! ```
use super::NAMESPACE;
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{ProxyPolicy as Policy, ProxyProtocol, fields, parse_duration},
};
use grammar::Line;
use serde_json::{Map, Value};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "proxy_protocol",
    docs: "proxy_protocol { timeout <duration>; allow <ranges…>; deny <ranges…>; fallback_policy <policy> }: \
           reads the client's address from the PROXY protocol.",
    parse,
    support: Support::Full,
};
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut wrapper) = (Words::new(line), ProxyProtocol::default());
    words.none()?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "timeout" => {
                let timeout = parse_duration(sub.need()?);
                wrapper.timeout = timeout
                    .map_err(|why| sub.error(format!("parsing proxy_protocol timeout duration: {why}")))?;
            }
            "allow" => wrapper.allow.extend(sub.rest()),
            "deny" => wrapper.deny.extend(sub.rest()),
            "fallback_policy" => {
                let name = sub.need()?;
                wrapper.fallback_policy = match name.to_uppercase().as_str() {
                    "IGNORE" => Policy::Ignore,
                    "USE" => Policy::Use,
                    "REJECT" => Policy::Reject,
                    "REQUIRE" => Policy::Require,
                    "SKIP" => Policy::Skip,
                    _ => return Err(sub.error(format!("{name} is invalid policy"))),
                };
            }
            _ => return Err(sub.arg_error()),
        }
    }
    Ok(fields(&wrapper))
}
