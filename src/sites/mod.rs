//! Directives of a site that make no handler: `tls` and `log`.
pub mod bind;
pub mod client_auth;
pub mod log;
pub mod tls;
