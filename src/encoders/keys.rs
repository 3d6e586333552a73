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
    caddyfile::{Block, Parsed, Words},
    logging::Format,
};

/// Reads the sub-directives above. `other` is asked first, for what an encoder has besides; it says whether it knew the
/// sub-directive and read it.
pub(super) fn read(
    mut block: Block<'_>,
    mut other: impl FnMut(&mut Words<'_>) -> Parsed<bool>,
) -> Parsed<Format> {
    let mut format = Format::default();
    while let Some(sub) = block.next() {
        if other(sub)? {
            continue;
        }
        let name = sub.text();
        if name == "time_local" {
            format.time_local = true;
            sub.none()?;
            continue;
        }
        let value = sub.one()?.to_owned();
        match name {
            "message_key" => format.message_key = Some(value),
            "level_key" => format.level_key = Some(value),
            "time_key" => format.time_key = Some(value),
            "name_key" => format.name_key = Some(value),
            "caller_key" => format.caller_key = Some(value),
            "stacktrace_key" => format.stacktrace_key = Some(value),
            "line_ending" => format.line_ending = Some(value),
            "time_format" => format.time_format = value,
            "duration_format" => format.duration_format = value,
            "level_format" => format.level_format = value,
            _ => return Err(sub.error(format!("unrecognized subdirective {name}"))),
        }
    }
    Ok(format)
}
