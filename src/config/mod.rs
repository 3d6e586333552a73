//! The Caddy JSON model: envelopes only. A module's own fields stay raw until the slice that owns them decodes them.
//! Fields stand in Caddy's order, since `adapt` prints them so; unknown fields are refused, as Caddy does.
mod http;
pub use http::*;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The whole configuration.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logging: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<Value>,
    /// By name: `http`, `tls`, `pki`, …
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub apps: Map<String, Value>,
}
/// `{"handler": "headers", …}`: the name beside the fields it selects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Module {
    pub handler: String,
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}
impl Module {
    /// # Panics
    /// If `fields` does not serialize to an object: a mistake of the slice that calls, whatever the input.
    pub fn of(handler: &str, module: &impl Serialize) -> Self {
        Self { handler: handler.into(), fields: fields(module) }
    }
}
/// The fields of a module, without the key that names it.
///
/// # Panics
/// If `module` does not serialize to an object: a mistake of the slice that calls, whatever the input.
pub fn fields(module: &impl Serialize) -> Map<String, Value> {
    let Ok(Value::Object(fields)) = serde_json::to_value(module) else {
        panic!("a module serializes to an object")
    };
    fields
}
/// Go's `omitempty`, for `skip_serializing_if`: an empty string or list, zero, false, none.
pub fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
