//! `net`: writes to a socket.
//!
//! ```caddyfile
//! output net <address> {
//!     dial_timeout <duration>
//!     soft_start
//! }
//! ```
//! Example: `output net udp/logs.example.com:514`.
use super::NAMESPACE;
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{fields, parse_duration},
    logging::NetConfig,
};
use grammar::Line;
use serde_json::{Map, Value};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "net",
    docs: "net <address> { dial_timeout <duration>; soft_start }: writes log entries to a socket.",
    parse,
    support: Support::Full,
};
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let mut words = Words::new(line);
    let mut writer = NetConfig { address: words.need()?.into(), ..NetConfig::default() };
    words.none()?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "dial_timeout" => {
                let text = sub.need()?;
                let timeout = parse_duration(text);
                writer.dial_timeout = timeout.map_err(|_| sub.error(format!("invalid duration: {text}")))?;
                sub.none()?;
            }
            "soft_start" => {
                sub.none()?;
                writer.soft_start = true;
            }
            other => return Err(sub.error(format!("unrecognized subdirective '{other}'"))),
        }
    }
    Ok(fields(&writer))
}
