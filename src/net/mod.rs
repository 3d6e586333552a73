//! What is known of the network by itself: nothing here knows a configuration.
pub mod dns;
pub mod https;
mod names;
pub mod proxy_protocol;
mod source;
pub use names::{canonical, capitalize, write_canonical};
pub use source::Machine;
