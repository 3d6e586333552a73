//! The filters of the `filter` encoder, one file each.
//!
//! ```caddyfile
//! format filter {
//!     <field> <filter> …
//! }
//! ```
pub mod actions;
pub mod delete;
pub mod hash;
pub mod ip_mask;
pub mod multi_regexp;
pub mod regexp;
pub mod rename;
pub mod replace;

/// What their module ids begin with.
pub(super) const NAMESPACE: &str = "caddy.logging.encoders.filter";

use crate::logging::FieldFilter;
use aws_lc_rs::digest::{SHA256, digest};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

type Built = Result<Box<dyn FieldFilter>, String>;
/// One row of the table of filters.
pub(super) struct FilterModule {
    name: &'static str,
    build: fn(Map<String, Value>) -> Built,
}
impl FilterModule {
    /// A filter that is what its JSON says.
    const fn plain<T: FieldFilter + DeserializeOwned + 'static>(name: &'static str) -> Self {
        Self { name, build: |fields| Ok(Box::new(decode::<T>(fields)?)) }
    }
}
const FILTERS: &[FilterModule] = &[
    actions::COOKIE_FILTER,
    actions::QUERY_FILTER,
    actions::SET_COOKIE_FILTER,
    delete::FILTER,
    hash::FILTER,
    ip_mask::FILTER,
    multi_regexp::FILTER,
    regexp::FILTER,
    rename::FILTER,
    replace::FILTER,
];
/// A filter from its JSON.
///
/// # Errors
/// An unknown name, or what the filter finds wrong.
pub(super) fn build(config: Value) -> Built {
    let Value::Object(mut fields) = config else { return Err("a filter is an object".into()) };
    let name = fields.remove("filter");
    let name = name.as_ref().and_then(Value::as_str).unwrap_or_default();
    let known = FILTERS.iter().find(|known| known.name == name);
    let known = known.ok_or_else(|| format!("unknown module: {NAMESPACE}.{name}"))?;
    (known.build)(fields).map_err(|why| format!("{NAMESPACE}.{name}: {why}"))
}
fn decode<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, String> {
    crate::config::decode(Value::Object(fields)).map_err(|error| error.to_string())
}
/// The first four bytes of the SHA-256, in hexadecimal.
fn hashed(text: &str) -> String {
    let digest = digest(&SHA256, text.as_bytes());
    digest.as_ref().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}
