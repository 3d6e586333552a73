//! Where certificates come from: issuers and certificate managers, one file each, and who may ask for one on demand.
//!
//! ```caddyfile
//! tls {
//!     issuer <issuer> …
//!     get_certificate <manager> …
//! }
//! ```
pub mod acme;
pub mod internal;
pub mod managers;
pub mod permission;
pub mod zerossl;

/// What the module ids of issuers begin with.
const NAMESPACE: &str = "tls.issuance";
