//! A configuration's text, and all that can be made of it without the network.
use super::{go_words, settings::Settings, tree};
use crate::{
    config::Config,
    logging::Logs,
    server::{Parts, Plan},
    state::State,
    table,
};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Reads a configuration, which may be `null`.
///
/// # Errors
/// In Go's words.
pub fn decode(json: &Value) -> Result<Config, String> {
    if json.is_null() {
        return Ok(Config::default());
    }
    if let Some(kind) = not_an_object(json) {
        return Err(format!("json: cannot unmarshal {kind} into Go value of type caddy.Config"));
    }
    let mut json = json.clone();
    tree::without_ids(&mut json);
    drop_nulls(&mut json, ["", ""]);
    crate::config::decode::<Config, _>(&json).map_err(|error| go_words(&error.to_string()))
}
/// What it is instead, as Go calls it.
fn not_an_object(json: &Value) -> Option<&'static str> {
    match json {
        Value::Object(_) | Value::Null => None,
        Value::Array(_) => Some("array"),
        Value::String(_) => Some("string"),
        Value::Number(_) => Some("number"),
        Value::Bool(_) => Some("bool"),
    }
}
/// To Go, a field that is `null` is as good as one that is not there. `within`: the two keys that it stands under.
fn drop_nulls(json: &mut Value, within: [&str; 2]) {
    match json {
        Value::Object(fields) => {
            // A matcher's header fields, by name: those that are `null` must not be in the message.
            let by_name = matches!(within, [_, "header"] | ["match" | "require", "headers"]);
            fields.retain(|_, value| by_name || !value.is_null());
            for (name, value) in fields.iter_mut() {
                drop_nulls(value, [within[1], name]);
            }
        }
        Value::Array(values) => {
            // An element that is `null` is an empty one: a text, or an object without fields. But a `map` has outputs of
            // any kind, and those that are `null` mean something.
            let objects = values.iter().any(Value::is_object) || within[1] == "routes";
            let empty = if objects { Value::Object(Map::new()) } else { "".into() };
            let nulls = values.iter_mut().filter(|value| value.is_null() && within[1] != "outputs");
            nulls.for_each(|value| *value = empty.clone());
            values.iter_mut().for_each(|value| drop_nulls(value, within));
        }
        _ => {}
    }
}
/// Builds all of a configuration and lets it go: what `validate` does.
///
/// # Errors
/// Where and what is wrong, in Caddy's words where it has some.
pub fn check(config: &Config) -> Result<(), String> {
    let state = Arc::new(State::default());
    let logs = Arc::new(Logs::build(config.logging.as_ref(), table::ENCODERS, &state)?);
    let settings = Settings::read(config.admin.as_ref())?;
    settings.address()?;
    settings.loader()?;
    let built = plan(config, &state, logs)?;
    match built.tls.problems.first() {
        Some(problem) => Err(problem.clone()),
        None => Ok(()),
    }
}
/// The servers of a configuration.
///
/// # Errors
/// An app that is not known, or what does not build.
pub(super) fn plan(config: &Config, state: &Arc<State>, logs: Arc<Logs>) -> Result<Plan, String> {
    check_apps(config)?;
    let parts = Parts { modules: &table::MODULES, tls: &table::TLS, state: state.clone(), logs };
    Plan::build(config, &parts)
}
fn check_apps(config: &Config) -> Result<(), String> {
    for (name, app) in &config.apps {
        match name.as_str() {
            "http" | "tls" | "pki" => {}
            // Both do nothing unless they are filled.
            "events" | "caddy.filesystems" => {
                let empty = |part: &Value| match part {
                    Value::Array(list) => list.is_empty(),
                    Value::Object(map) => map.is_empty(),
                    _ => part.is_null(),
                };
                if app.as_object().is_some_and(|app| !app.values().all(empty)) {
                    return Err(format!("loading {name} app module: {name} is not supported yet"));
                }
            }
            _ => return Err(format!("loading {name} app module: unknown module: {name}")),
        }
    }
    Ok(())
}
