//! `stdout`, `stderr`, `discard`.
//!
//! ```caddyfile
//! output stdout|stderr|discard
//! ```
use super::NAMESPACE;
use crate::caddyfile::{Cx, ModuleSyntax, Parsed, Support};
use grammar::Line;
use serde_json::{Map, Value};

pub const STDOUT: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "stdout",
    docs: "stdout: writes log entries to the standard output.",
    parse,
    support: Support::Full,
};
pub const STDERR: ModuleSyntax = ModuleSyntax {
    name: "stderr",
    docs: "stderr: writes log entries to the standard error output.",
    ..STDOUT
};
pub const DISCARD: ModuleSyntax =
    ModuleSyntax { name: "discard", docs: "discard: writes log entries nowhere.", ..STDOUT };

/// They have no options.
fn parse(_: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    Ok(Map::new())
}
