//! `admin` of the configuration.
use super::loader::Loader;
use crate::{
    config::{
        Duration,
        placeholder::{Unknown, expand_global},
    },
    environment,
    server::Address,
};
use serde::Deserialize;
use serde_json::Value;

/// Where the endpoint is unless the configuration or `CADDY_ADMIN` says otherwise.
const DEFAULT: &str = "localhost:2019";

/// JSON: `admin`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    pub(super) disabled: bool,
    /// One network address; placeholders are allowed.
    pub(super) listen: String,
    /// Ask every request for an allowed origin, not only those of browsers.
    pub(super) enforce_origin: bool,
    /// Hosts, or origins, that requests may be for and from; by default those of the address.
    pub(super) origins: Option<Vec<String>>,
    config: ConfigSettings,
    identity: Option<Value>,
    remote: Option<Value>,
}
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ConfigSettings {
    persist: Option<bool>,
    load: Option<Value>,
    load_delay: Duration,
}
impl Settings {
    /// # Errors
    /// What is unknown, or known and not supported yet.
    pub(super) fn read(admin: Option<&Value>) -> Result<Self, String> {
        let Some(admin) = admin.filter(|admin| !admin.is_null()) else { return Ok(Self::default()) };
        let settings: Self =
            crate::config::decode(admin).map_err(|error| super::go_words(&error.to_string()))?;
        for (set, what) in
            [(settings.identity.is_some(), "admin.identity"), (settings.remote.is_some(), "admin.remote")]
        {
            if set {
                return Err(format!("{what} is not supported yet"));
            }
        }
        Ok(settings)
    }
    /// Whether a configuration is kept for `run --resume`.
    pub(super) fn persist(&self) -> bool {
        self.config.persist.unwrap_or(true)
    }
    /// Where the next configuration comes from, if it comes from anywhere.
    ///
    /// # Errors
    /// In Caddy's words.
    pub(super) fn loader(&self) -> Result<Option<Loader>, String> {
        self.config.load.as_ref().map(|load| Loader::read(load, self.config.load_delay)).transpose()
    }
    /// # Errors
    /// In Caddy's words.
    pub(super) fn address(&self) -> Result<Address, String> {
        let listen = expand_global(&self.listen, Unknown::Fail)
            .map_err(|why| format!("replacing listen address: {why}"))?;
        let text = if listen.is_empty() { default_address() } else { listen };
        let parsed = Address::parse(&text, 0).map_err(|why| format!("parsing listener address: {why}"))?;
        match <[Address; 1]>::try_from(parsed) {
            Ok([address]) => Ok(address),
            Err(_) => Err(format!("must be exactly one listener address; cannot listen on: {text}")),
        }
    }
}
/// The address where nothing is configured.
pub fn default_address() -> String {
    environment::var("CADDY_ADMIN").unwrap_or_else(|| DEFAULT.to_owned())
}
