//! The `pki` app.
use super::{Duration, is_default};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// `apps.pki`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PkiApp {
    /// By id; `local` is there even if it isn't named.
    #[serde(skip_serializing_if = "is_default")]
    pub certificate_authorities: BTreeMap<String, Authority>,
}
/// An authority of our own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Authority {
    /// For people; empty: `Caddy Local Authority`.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Empty: the name, the year and `ECC Root`.
    #[serde(skip_serializing_if = "is_default")]
    pub root_common_name: String,
    /// Empty: the name and `ECC Intermediate`.
    #[serde(skip_serializing_if = "is_default")]
    pub intermediate_common_name: String,
    /// 0: 7 days.
    #[serde(skip_serializing_if = "is_default")]
    pub intermediate_lifetime: Duration,
    /// Make this machine trust it; yes unless it says otherwise.
    #[serde(skip_serializing_if = "is_default")]
    pub install_trust: Option<bool>,
    /// None: one is made.
    #[serde(skip_serializing_if = "is_default")]
    pub root: Option<KeyPair>,
    /// None: one is made.
    #[serde(skip_serializing_if = "is_default")]
    pub intermediate: Option<KeyPair>,
    /// How often to look whether the intermediate is to be renewed; 0: 10 minutes.
    #[serde(skip_serializing_if = "is_default")]
    pub maintenance_interval: Duration,
    /// Renew it when this part of its lifetime is left; 0: a fifth.
    #[serde(skip_serializing_if = "is_default")]
    pub renewal_window_ratio: f64,
    /// A module of `caddy.storage`, named by `module`; none: the global one.
    #[serde(skip_serializing_if = "is_default")]
    pub storage: Option<Value>,
}
/// A certificate and its key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeyPair {
    /// A file.
    #[serde(skip_serializing_if = "is_default")]
    pub certificate: String,
    /// A file.
    #[serde(skip_serializing_if = "is_default")]
    pub private_key: String,
    /// `pem_file`, the default and the only one.
    #[serde(skip_serializing_if = "is_default")]
    pub format: String,
}
