//! Certificate managers, one file each: they are asked for a certificate at the handshake, before any issuer.
//!
//! ```caddyfile
//! tls {
//!     get_certificate <manager> …
//! }
//! ```
pub mod http;
pub mod tailscale;

/// What their module ids begin with.
const NAMESPACE: &str = "tls.get_certificate";
