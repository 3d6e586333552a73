//! Listener wrappers, one file each: what stands between a socket and the server.
//!
//! ```caddyfile
//! servers {
//!     listener_wrappers {
//!         <wrapper> [{ … }]
//!         …
//!     }
//! }
//! ```
pub mod plain;
pub mod proxy_protocol;

/// What their module ids begin with.
const NAMESPACE: &str = "caddy.listeners";
