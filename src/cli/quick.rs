//! What `respond`, `file-server` and `reverse-proxy` have in common: a server that a few flags describe, without an admin
//! API, and without a trace of its configuration when it ends.
use super::{
    failure::Failure,
    run::{Signals, serve, until_stopped},
};
use crate::{
    admin::Instance,
    config::compact,
    logging::{Logs, ToLogs},
    state::State,
};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use tracing_subscriber::layer::SubscriberExt;

/// The configuration around `apps`.
pub(super) fn configuration(apps: &Value, debug: bool) -> Value {
    let mut config = json!({ "admin": { "disabled": true, "config": { "persist": false } }, "apps": apps });
    if debug {
        config["logging"] = json!({ "logs": { "default": { "level": "DEBUG" } } });
    }
    config
}
/// Serves until a signal ends it; `started` is called as soon as it does.
///
/// # Errors
/// It cannot start.
pub(super) fn run(config: &Value, started: impl AsyncFnOnce(&Instance)) -> Result<(), Failure> {
    let state = Arc::new(State::default());
    let logs = ToLogs::holding(Logs::standard(&state));
    // Nobody else sets one.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(logs.clone()));
    let outcome = serve(state, &logs, async |instance| {
        let signals = Signals::listen()?;
        let loaded = instance.load(compact(config).as_bytes(), true).await;
        loaded.map_err(|why| Failure::new(why.message))?;
        started(&instance).await;
        until_stopped(&instance, signals, &[], None).await
    });
    logs.release();
    logs.logs().flush();
    outcome
}
/// `Field: value` of a flag that is called `flag`; a field that comes again replaces the earlier one.
///
/// # Errors
/// In Caddy's words.
pub(super) fn header_fields(flag: &str, lines: &[String]) -> Result<Map<String, Value>, Failure> {
    let mut fields = Map::new();
    for (at, line) in lines.iter().enumerate() {
        let (name, value) =
            line.split_once(':').map_or(("", ""), |(name, value)| (name.trim(), value.trim()));
        if name.is_empty() || value.is_empty() {
            return Err(Failure::new(format!(
                "{flag} {at}: invalid format \"{line}\" (expecting \"Field: value\")"
            )));
        }
        fields.insert(canonical(name), json!([value]));
    }
    Ok(fields)
}
/// A field's name as Go writes it.
fn canonical(name: &str) -> String {
    let part = |part: &str| {
        let (first, rest) = part.split_at(part.chars().next().map_or(0, char::len_utf8));
        first.to_uppercase() + &rest.to_lowercase()
    };
    name.split('-').map(part).collect::<Vec<_>>().join("-")
}
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn fields_are_split_and_named_as_go_names_them() {
        let lines = ["x-a: 1".to_owned(), "CONTENT-type:b c".to_owned(), "X-A:2".to_owned()];
        let fields = header_fields("header", &lines).unwrap();
        assert_eq!(Value::Object(fields), json!({"X-A": ["2"], "Content-Type": ["b c"]}));
        for wrong in ["x", ": y", "x:"] {
            let said = header_fields("header-up", &["a: b".to_owned(), wrong.to_owned()]).unwrap_err().text();
            assert_eq!(said, format!("header-up 1: invalid format \"{wrong}\" (expecting \"Field: value\")"));
        }
    }
}
