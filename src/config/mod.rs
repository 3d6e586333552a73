//! The Caddy JSON model: envelopes only. A module's own fields stay raw until the slice that owns them decodes them.
//! Fields stand in Caddy's order, since `adapt` prints them so; unknown fields are refused, as Caddy does.
mod acme;
mod address;
mod duration;
mod header;
mod http;
mod layout;
mod listener;
mod logging;
mod number;
mod pki;
pub mod placeholder;
mod regexp;
mod size;
mod strict;
mod text;
mod tls;
mod weak;
pub use acme::{AcmeIssuer, Challenges, DnsChallenge, ExternalAccount, PortChallenge, PreferredChains};
pub use address::{NetworkAddress, join_address};
pub use duration::{Duration, parse_duration, parse_go_duration};
pub use header::canonical_header;
pub use http::*;
pub use layout::Layout;
pub use listener::{HttpRedirect, ListenerWrapper, NoOptions, ProxyPolicy, ProxyProtocol};
pub use logging::{Log, Logging};
pub use number::{parse_float, parse_int, parse_int32, parse_int64, parse_uint16};
pub use pki::{Authority, KeyPair, PkiApp};
pub use regexp::{go_bytes_regex, go_regex};
pub use size::parse_size;
pub use strict::decode;
pub use text::{compact, pretty};
pub use tls::{
    Automation, AutomationPolicy, CertificateSelection, ClientAuthentication, ConnectionMatch,
    ConnectionPolicy, LoadFile, TlsApp,
};
pub use weak::WeakString;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The whole configuration.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logging: Option<Logging>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<Value>,
    /// By name: `http`, `tls`, `pki`, …
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub apps: Map<String, Value>,
}
/// `{"handler": "headers", …}`: the name beside the fields it selects. All its keys are in alphabetical order, at every
/// depth, as Caddy prints what it has read through a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Module {
    pub handler: String,
    pub fields: Map<String, Value>,
}
impl Module {
    /// # Panics
    /// If `fields` does not serialize to an object: a mistake of the slice that calls, whatever the input.
    pub fn of(handler: &str, module: &impl Serialize) -> Self {
        let mut value = Value::Object(fields(module));
        value.sort_all_objects();
        let Value::Object(fields) = value else { unreachable!("it was an object") };
        Self { handler: handler.into(), fields }
    }
    /// One JSON object, with the name among the fields.
    pub fn into_value(self) -> Value {
        let mut fields = self.fields;
        fields.insert("handler".to_owned(), self.handler.into());
        fields.sort_keys();
        Value::Object(fields)
    }
}
impl Serialize for Module {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = Value::String(self.handler.clone());
        let fields = self.fields.iter().map(|(key, value)| (key.as_str(), value));
        let mut all: Vec<(&str, &Value)> = fields.chain([("handler", &name)]).collect();
        all.sort_unstable_by_key(|(key, _)| *key);
        serializer.collect_map(all)
    }
}
impl<'de> Deserialize<'de> for Module {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = Map::deserialize(deserializer)?;
        match fields.shift_remove("handler") {
            Some(Value::String(handler)) => Ok(Self { handler, fields }),
            _ => Err(serde::de::Error::custom("module name not specified with key 'handler'")),
        }
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
