//! Which sink a log writes to. Sinks that do the same are one, also over reloads.
use super::{
    FileConfig, NetConfig,
    file::RollingFile,
    net::NetWriter,
    object,
    sink::{Sink, Stderr, Stdout},
};
use crate::state::State;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// # Errors
/// An unknown module, or what it cannot do. Nothing is connected yet.
pub(super) fn build(config: Option<Value>, state: &State) -> Result<Option<Arc<Sink>>, String> {
    let mut config = object(config.unwrap_or_else(|| json!({ "output": "stderr" })));
    let name = config.remove("output");
    let loading = |why: String| format!("loading log writer module: {why}");
    let plain = |config: &Map<String, Value>| match config.keys().next() {
        Some(field) => Err(loading(format!("unknown field \"{field}\""))),
        None => Ok(()),
    };
    match name.as_ref().and_then(Value::as_str).unwrap_or_default() {
        "stdout" => plain(&config).map(|()| Some(state.get_or("std:out", || Sink::new("stdout", Stdout)))),
        "stderr" => plain(&config).map(|()| Some(state.get_or("std:err", || Sink::new("stderr", Stderr)))),
        "discard" => plain(&config).map(|()| None),
        "file" => {
            let file: FileConfig = crate::config::decode(Value::Object(config))
                .map_err(|error| loading(format!("file: {error}")))?;
            let opened = RollingFile::open(&file).map_err(|why| format!("opening log writer: {why}"))?;
            let name = opened.path().display().to_string();
            Ok(Some(state.get_or(&format!("file:{file:?}"), || Sink::new(name, opened))))
        }
        "net" => {
            let net: NetConfig = crate::config::decode(Value::Object(config))
                .map_err(|error| loading(format!("net: {error}")))?;
            let writer = NetWriter::new(&net).map_err(|why| loading(format!("net: {why}")))?;
            Ok(Some(state.get_or(&format!("net:{net:?}"), || Sink::new(writer.name(), writer))))
        }
        other => Err(format!("unknown module: caddy.logging.writers.{other}")),
    }
}
