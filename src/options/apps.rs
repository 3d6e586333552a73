//! Options that make an app of their own, or are one's.
//!
//! ```caddyfile
//! {
//!     metrics {
//!         per_host
//!         observe_catchall_hosts
//!         otlp
//!     }
//!     events {
//!         on <event>|* <handler> …
//!     }
//!     filesystem <name> <module> …
//! }
//! ```
use crate::{
    caddyfile::{Cx, GlobalOption, Options, Parsed, Support, Words},
    config::Metrics,
};
use grammar::Line;
use serde_json::{Value, json};

pub const METRICS: GlobalOption = GlobalOption {
    name: "metrics",
    docs: "metrics { per_host; observe_catchall_hosts; otlp }: counts requests.",
    parse: metrics,
    support: Support::Partly("otlp"),
};
pub const EVENTS: GlobalOption = GlobalOption {
    name: "events",
    docs: "events { on <event>|* <handler> … }: what to do when something happens.",
    parse: events,
    support: Support::Full,
};
pub const FILESYSTEM: GlobalOption = GlobalOption {
    name: "filesystem",
    docs: "filesystem <name> <module> …: a file system for `fs`.",
    parse: filesystem,
    support: Support::Full,
};
fn metrics(line: &Line, options: &mut Options, cx: &mut Cx<'_>) -> Parsed<()> {
    let (mut words, mut metrics) = (Words::new(line), Metrics::default());
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "per_host" => metrics.per_host = true,
            "observe_catchall_hosts" => metrics.observe_catchall_hosts = true,
            "otlp" => {
                cx.not_yet(sub.token(), "metrics.otlp");
                metrics.otlp = true;
            }
            other => return Err(sub.error(format!("unrecognized servers option '{other}'"))),
        }
    }
    options.metrics = Some(metrics);
    Ok(())
}
/// Caddy itself has no event handlers: `exec` is a plugin.
fn events(line: &Line, options: &mut Options, cx: &mut Cx<'_>) -> Parsed<()> {
    let (mut words, mut subscriptions) = (Words::new(line), vec![]);
    let mut block = words.block();
    while let Some(sub) = block.next() {
        if sub.text() != "on" {
            return Err(sub.arg_error());
        }
        let event = match sub.need()? {
            "*" => "",
            event => event,
        };
        sub.need()?;
        let handler = cx.module("events.handlers", "handler", &sub.segment())?;
        subscriptions.push(json!({"events": [event], "handlers": [handler]}));
    }
    let none = subscriptions.is_empty();
    options.events = Some(if none { json!({}) } else { json!({ "subscriptions": subscriptions }) });
    Ok(())
}
/// Nor file systems.
fn filesystem(line: &Line, options: &mut Options, cx: &mut Cx<'_>) -> Parsed<()> {
    let mut words = Words::new(line);
    let name = words.need()?;
    words.need()?;
    let module = cx.module("caddy.fs", "backend", &words.segment())?;
    let mut app = options.filesystems.take().unwrap_or_else(|| json!({"filesystems": []}));
    if let Some(Value::Array(all)) = app.get_mut("filesystems") {
        all.push(json!({"name": name, "file_system": module}));
    }
    options.filesystems = Some(app);
    Ok(())
}
