//! Whom to trust: pools of certificate authorities, and single client certificates.
//!
//! ```caddyfile
//! tls {
//!     client_auth {
//!         trust_pool <pool> …
//!         verifier leaf …
//!     }
//! }
//! ```
//! `reverse_proxy`'s `tls_trust_pool` takes the same pools.
pub mod combined;
pub mod file;
pub mod http;
pub mod inline;
pub mod leaf;
pub mod pki;
pub mod storage;
pub mod system;

use crate::caddyfile::{Cx, Parsed, Words};
use serde_json::Value;

/// What the module ids of pools begin with.
const NAMESPACE: &str = "tls.ca_pool.source";
/// Where pools run that need more than themselves.
const HERE: &str = "for client certificates, not for `reverse_proxy`";
/// Why the rarer pools don't run.
const LATER: &str = "its run time comes later";

/// `<pool> …`: a pool within another thing.
fn pool(words: &mut Words<'_>, cx: &mut Cx<'_>) -> Parsed<Value> {
    words.need()?;
    cx.module(NAMESPACE, "provider", &words.segment())
}
