//! Log encoders, one file each: how a log entry is written. Common to `json`, `console` and `transform` is
//! [`keys`].
//!
//! ```caddyfile
//! log {
//!     format <encoder> [{ … }]
//! }
//! ```
pub mod append;
pub mod console;
pub mod filter;
pub mod filters;
pub mod journald;
pub mod json;
mod json_path;
pub mod keys;
pub mod service;
#[cfg(test)]
mod tests;
pub mod transform;

use crate::caddyfile::{Cx, Parsed, Words};
use serde_json::Value;

/// What their module ids begin with.
const NAMESPACE: &str = "caddy.logging.encoders";

/// `wrap <encoder> …`: the encoder beneath.
fn wrapped(words: &mut Words<'_>, cx: &mut Cx<'_>) -> Parsed<Value> {
    words.need()?;
    cx.module(NAMESPACE, "format", &words.segment())
}
