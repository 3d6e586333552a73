//! `tls`, the place of TLS among the wrappers, and `http_redirect`, which answers plain HTTP on a TLS socket with a
//! redirect.
//!
//! ```caddyfile
//! listener_wrappers {
//!     http_redirect
//!     tls
//! }
//! ```
use super::NAMESPACE;
use crate::caddyfile::{Cx, ModuleSyntax, Parsed, Support};
use grammar::Line;
use serde_json::{Map, Value};

pub const TLS: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "tls",
    docs: "tls: marks where among the wrappers TLS begins.",
    parse,
    support: Support::Full,
};
pub const HTTP_REDIRECT: ModuleSyntax = ModuleSyntax {
    name: "http_redirect",
    docs: "http_redirect: answers plain HTTP on a TLS socket with a redirect to HTTPS.",
    ..TLS
};
/// A Caddyfile can say nothing more, and what it says is not looked at.
fn parse(_: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    Ok(Map::new())
}
