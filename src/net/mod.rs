//! What is known of the network by itself: nothing here knows a configuration.
pub mod https;
mod names;
pub use names::write_canonical;
