//! `journald`: puts the level before every line as systemd's journal reads it (`<6>`).
//!
//! ```caddyfile
//! format journald {
//!     wrap <encoder> …
//! }
//! ```
use super::{LATER, NAMESPACE};
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{fields, is_default},
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "journald",
    docs: "journald { wrap <encoder> }: log entries for systemd's journal, with its priorities.",
    parse,
    support: Support::NotYet(LATER),
};
/// `caddy.logging.encoders.journald`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Journald {
    /// An encoder.
    #[serde(skip_serializing_if = "is_default")]
    pub wrap: Option<Value>,
}
fn parse(line: &Line, cx: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut encoder) = (Words::new(line), Journald::default());
    words.none()?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "wrap" => encoder.wrap = Some(super::wrapped(sub, cx)?),
            other => return Err(sub.error(format!("unrecognized subdirective {other}"))),
        }
    }
    Ok(fields(&encoder))
}
