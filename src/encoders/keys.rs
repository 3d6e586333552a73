//! What `json`, `console` and `transform` have in common: how keys, times, durations and levels are written.
//!
//! ```caddyfile
//! format json {
//!     message_key     <key>
//!     level_key       <key>
//!     time_key        <key>
//!     name_key        <key>
//!     caller_key      <key>
//!     stacktrace_key  <key>
//!     line_ending     <characters>
//!     time_format     <format>
//!     time_local
//!     duration_format <format>
//!     level_format    <format>
//! }
//! ```
use crate::{
    caddyfile::{Block, Parsed},
    config::is_default,
};
use serde::{Deserialize, Serialize};

/// `json`'s and `console`'s fields. An empty key leaves its value out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keys {
    /// Default: `msg`.
    #[serde(skip_serializing_if = "is_default")]
    pub message_key: Option<String>,
    /// Default: `level`.
    #[serde(skip_serializing_if = "is_default")]
    pub level_key: Option<String>,
    /// Default: `ts`.
    #[serde(skip_serializing_if = "is_default")]
    pub time_key: Option<String>,
    /// Default: `logger`.
    #[serde(skip_serializing_if = "is_default")]
    pub name_key: Option<String>,
    /// Default: `caller`.
    #[serde(skip_serializing_if = "is_default")]
    pub caller_key: Option<String>,
    /// Default: `stacktrace`.
    #[serde(skip_serializing_if = "is_default")]
    pub stacktrace_key: Option<String>,
    /// Default: a line feed.
    #[serde(skip_serializing_if = "is_default")]
    pub line_ending: Option<String>,
    /// `unix_seconds_float`, `unix_milli_float`, `unix_nano`, `iso8601`, `rfc3339`, `rfc3339_nano`, `wall`,
    /// `wall_milli`, `wall_nano`, `common_log`, or a layout of Go's.
    #[serde(skip_serializing_if = "is_default")]
    pub time_format: String,
    /// Local time rather than UTC.
    #[serde(skip_serializing_if = "is_default")]
    pub time_local: bool,
    /// `seconds`, `millis`, `nanos` or `string`.
    #[serde(skip_serializing_if = "is_default")]
    pub duration_format: String,
    /// `lower`, `upper` or `color`.
    #[serde(skip_serializing_if = "is_default")]
    pub level_format: String,
}
impl Keys {
    /// Reads the sub-directives above. `other` is asked first, for what an encoder has besides; it says whether it knew
    /// the sub-directive and read it.
    pub(super) fn read(
        mut block: Block<'_>,
        mut other: impl FnMut(&mut crate::caddyfile::Words<'_>) -> Parsed<bool>,
    ) -> Parsed<Self> {
        let mut keys = Self::default();
        while let Some(sub) = block.next() {
            if other(sub)? {
                continue;
            }
            let name = sub.text();
            if name == "time_local" {
                keys.time_local = true;
                sub.none()?;
                continue;
            }
            let value = sub.one()?.to_owned();
            match name {
                "message_key" => keys.message_key = Some(value),
                "level_key" => keys.level_key = Some(value),
                "time_key" => keys.time_key = Some(value),
                "name_key" => keys.name_key = Some(value),
                "caller_key" => keys.caller_key = Some(value),
                "stacktrace_key" => keys.stacktrace_key = Some(value),
                "line_ending" => keys.line_ending = Some(value),
                "time_format" => keys.time_format = value,
                "duration_format" => keys.duration_format = value,
                "level_format" => keys.level_format = value,
                _ => return Err(sub.error(format!("unrecognized subdirective {name}"))),
            }
        }
        Ok(keys)
    }
}
