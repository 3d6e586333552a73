//! Certificates: where they come from, which one a handshake gets, and under what terms.
mod authority;
mod keys;
pub use authority::{Authority, AuthoritySettings, Issued, LEAF_LIFETIME};
pub use keys::{KeyType, certificates_from_pem, key_from_pem, key_to_pem, to_pem};
