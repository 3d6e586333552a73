//! Placeholders: their syntax, their values, and those that are known everywhere. What a request knows is `http`'s.
mod global;
mod text;
mod value;
pub use global::{Global, expand_global};
pub use text::{Text, Unknown};
pub use value::Value;
