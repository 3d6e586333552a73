//! What the global options block says.
use super::{Binding, CustomLog};
use crate::config::{Authority, Duration, Metrics, Server};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The global options, each as its option reads it. Set by the rows of [`GlobalOption`](super::GlobalOption).
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `order`: the directives' names in the order that is in force. Empty until an `order` option changes it.
    pub order: Vec<String>,
    pub debug: bool,
    pub http_port: Option<i64>,
    pub https_port: Option<i64>,
    /// `auto_https`: `off`, `disable_redirects`, `disable_certs`, `ignore_loaded_certs`.
    pub auto_https: Vec<String>,
    pub default_bind: Vec<Binding>,
    pub grace_period: Option<Duration>,
    pub shutdown_delay: Option<Duration>,
    pub metrics: Option<Metrics>,
    /// The `admin` object, without `persist_config`.
    pub admin: Option<Value>,
    /// `persist_config off`.
    pub persist_config_off: bool,
    /// `servers`, in the order of the text.
    pub servers: Vec<ServerOptions>,
    /// `log`, in the order of the text.
    pub logs: Vec<CustomLog>,

    /// `storage`: a module of `caddy.storage`, named by `module`.
    pub storage: Option<Value>,
    /// `pki`: certificate authorities by id.
    pub authorities: Option<BTreeMap<String, Authority>>,
    pub skip_install_trust: bool,
    /// The `events` app.
    pub events: Option<Value>,
    /// The `caddy.filesystems` app.
    pub filesystems: Option<Value>,
    /// Apps of plugins, by name.
    pub apps: Map<String, Value>,

    pub email: Option<String>,
    pub default_sni: Option<String>,
    pub fallback_sni: Option<String>,
    pub local_certs: bool,
    pub key_type: Option<String>,
    pub acme_ca: Option<String>,
    pub acme_ca_root: Option<String>,
    /// `{"key_id", "mac_key"}`.
    pub acme_eab: Option<Value>,
    /// The outer `Some`: the option is there; the inner one: with a provider of its own, named by `name`.
    pub acme_dns: Option<Option<Value>>,
    /// `dns`: the provider of those that name none.
    pub dns: Option<Value>,
    pub tls_resolvers: Vec<String>,
    /// `tls_automate_names`: names to have certificates of without serving them, in the order of the text.
    pub automate_names: Vec<String>,
    /// `ech`: the object `encrypted_client_hello`.
    pub ech: Option<Value>,
    /// `on_demand_tls`: the object `automation.on_demand`.
    pub on_demand_tls: Option<Value>,
    /// `cert_issuer`: modules of `tls.issuance`, named by `module`, in the order of the text.
    pub cert_issuers: Vec<Value>,
    pub cert_lifetime: Option<Duration>,
    pub renewal_window_ratio: Option<f64>,
    /// `ocsp_stapling off`.
    pub ocsp_stapling_off: bool,
    pub ocsp_interval: Option<Duration>,
    pub renew_interval: Option<Duration>,
    /// `storage_clean_interval <duration>`.
    pub storage_clean_interval: Option<Duration>,
    /// `storage_clean_interval off`.
    pub storage_clean_off: bool,
    /// `storage_check off`.
    pub storage_check_off: bool,
    /// `preferred_chains`: the object of an ACME issuer.
    pub preferred_chains: Option<Value>,
}
impl Options {
    pub fn http_port(&self) -> i64 {
        self.http_port.unwrap_or(80)
    }
    pub fn https_port(&self) -> i64 {
        self.https_port.unwrap_or(443)
    }
}
/// One `servers` option.
#[derive(Clone, Debug, Default)]
pub struct ServerOptions {
    /// As it is written; empty for all servers that no other option names.
    pub address: String,
    /// What the server is called instead of `srvN`; empty if it keeps that name.
    pub name: String,
    /// Only what these options set; the rest is as [`Server::default`]. Its `metrics` go to the app.
    pub settings: Server,
}
