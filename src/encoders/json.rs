//! `json`: JSON, one object a line.
//!
//! ```caddyfile
//! format json [{ <see keys> }]
//! ```
use super::{NAMESPACE, keys};
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::fields,
    logging::{EncoderModule, Format, Lines},
};
use grammar::Line;
use serde_json::{Map, Value};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "json",
    docs: "json { message_key, level_key, time_key, name_key, caller_key, stacktrace_key, line_ending, time_format, \
           time_local, duration_format, level_format }: log entries as JSON, one object a line.",
    parse,
    support: Support::Full,
};
pub const MODULE: EncoderModule = EncoderModule {
    name: "json",
    build: |config, _| {
        let format: Format =
            crate::config::decode(Value::Object(config)).map_err(|error| error.to_string())?;
        Ok(Box::new(Lines::json(format)))
    },
};
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let mut words = Words::new(line);
    words.none()?;
    Ok(fields(&keys::read(words.block(), |_| Ok(false))?))
}
