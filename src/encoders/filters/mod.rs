//! The filters of the `filter` encoder, one file each.
//!
//! ```caddyfile
//! format filter {
//!     <field> <filter> …
//! }
//! ```
pub mod actions;
pub mod delete;
pub mod hash;
pub mod ip_mask;
pub mod multi_regexp;
pub mod regexp;
pub mod rename;
pub mod replace;

use super::LATER;
/// What their module ids begin with.
pub(super) const NAMESPACE: &str = "caddy.logging.encoders.filter";
