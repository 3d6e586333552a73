//! `logging`.
use super::is_default;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Logging {
    /// Where Go's own log package writes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sink: Option<Value>,
    /// By name; `default` takes what no other takes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub logs: BTreeMap<String, Log>,
}
/// One log: where it writes to, in which form, and which loggers it takes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// A module of `caddy.logging.writers`, named by `output`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub writer: Option<Value>,
    /// A module of `caddy.logging.encoders`, named by `format`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoder: Option<Value>,
    /// A module of `caddy.logging.cores`, named by `module`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub core: Option<Value>,
    /// The least level that is written, in capitals.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub level: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampling: Option<Value>,
    #[serde(skip_serializing_if = "is_default")]
    pub with_caller: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub with_caller_skip: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub with_stacktrace: String,
    /// Logger names, with all below them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
}
