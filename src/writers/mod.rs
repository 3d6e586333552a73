//! Log writers, one file each: where log entries go.
//!
//! ```caddyfile
//! log {
//!     output stdout|stderr|discard
//!     output file <path> { … }
//!     output net <address> { … }
//! }
//! ```
pub mod file;
pub mod net;
pub mod standard;

/// What their module ids begin with.
const NAMESPACE: &str = "caddy.logging.writers";
