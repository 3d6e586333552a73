//! Sources of IP ranges: whom to trust as a proxy.
//!
//! ```caddyfile
//! servers {
//!     trusted_proxies <source> …
//! }
//! ```
pub mod cloudflare;
pub mod ranges;

/// What their module ids begin with.
const NAMESPACE: &str = "http.ip_sources";
