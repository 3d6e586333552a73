//! From `tracing` to the configured logs. An event's target is Caddy's logger name; what libraries say under their own
//! module paths is theirs and stays out.
use super::{Level, Logs};
use arc_swap::ArcSwap;
use serde_json::Value;
use std::{
    fmt::Debug,
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, Ordering::Relaxed},
    },
    time::SystemTime,
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    subscriber::Interest,
};
use tracing_subscriber::layer::{Context, Layer};

/// Passes events to the logs in force.
#[derive(Clone)]
pub struct ToLogs(Arc<Shared>);
struct Shared {
    logs: ArcSwap<Logs>,
    /// 0 is debug, else info and above: whether debug events are worth making.
    most_verbose: AtomicU8,
    /// What is said before the first configuration says where to; `None` from then on.
    held: Mutex<Option<Vec<Held>>>,
}
/// An event that waits for its log.
struct Held {
    time: SystemTime,
    level: Level,
    logger: &'static str,
    found: Found,
}
impl ToLogs {
    pub fn new(logs: Logs) -> Self {
        Self::with(logs, None)
    }
    /// Holds everything back until [`Self::release`].
    pub fn holding(logs: Logs) -> Self {
        Self::with(logs, Some(vec![]))
    }
    fn with(logs: Logs, held: Option<Vec<Held>>) -> Self {
        let most_verbose = AtomicU8::new(logs.most_verbose() as u8);
        Self(Arc::new(Shared { logs: ArcSwap::from_pointee(logs), most_verbose, held: Mutex::new(held) }))
    }
    /// Writes what was held back to the logs in force, each with its own time; from here on nothing is.
    pub fn release(&self) {
        let held = self.held().take().unwrap_or_default();
        let logs = self.0.logs.load();
        for Held { time, level, logger, found } in held {
            logs.write_at(time, level, logger, &found.message, &found.fields);
        }
    }
    fn held(&self) -> MutexGuard<'_, Option<Vec<Held>>> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// The logs in force.
    pub fn logs(&self) -> Arc<Logs> {
        self.0.logs.load_full()
    }
    /// From here on, `logs`; what the earlier ones still hold is written first.
    pub fn replace(&self, logs: Arc<Logs>) {
        self.0.most_verbose.store(logs.most_verbose() as u8, Relaxed);
        self.0.logs.swap(logs).flush();
        tracing::callsite::rebuild_interest_cache();
    }
    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        !metadata.target().contains("::") && level(metadata) as u8 >= self.0.most_verbose.load(Relaxed)
    }
}
impl<S: Subscriber> Layer<S> for ToLogs {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.wants(metadata) { Interest::always() } else { Interest::never() }
    }
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.wants(metadata)
    }
    fn max_level_hint(&self) -> Option<LevelFilter> {
        let debug = self.0.most_verbose.load(Relaxed) == Level::Debug as u8;
        Some(if debug { LevelFilter::DEBUG } else { LevelFilter::INFO })
    }
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut found = Found::default();
        event.record(&mut found);
        let (level, logger) = (level(event.metadata()), event.metadata().target());
        if let Some(held) = self.held().as_mut() {
            let found = mem::take(&mut found);
            return held.push(Held { time: SystemTime::now(), level, logger, found });
        }
        self.0.logs.load().write(level, logger, &found.message, &found.fields);
    }
}
fn level(metadata: &Metadata<'_>) -> Level {
    match *metadata.level() {
        tracing::Level::ERROR => Level::Error,
        tracing::Level::WARN => Level::Warn,
        tracing::Level::INFO => Level::Info,
        _ => Level::Debug,
    }
}
#[derive(Default)]
struct Found {
    message: String,
    fields: Vec<(String, Value)>,
}
impl Found {
    fn add(&mut self, field: &Field, value: impl Into<Value>) {
        self.fields.push((field.name().to_owned(), value.into()));
    }
}
impl Visit for Found {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, value);
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value);
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value);
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value);
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            _ => self.add(field, value),
        }
    }
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = format!("{value:?}");
        if field.name() == "message" {
            self.message = text;
            return;
        }
        // Lists of strings and numbers look in Rust as they do in JSON, and are shown as lists.
        let list = text.starts_with('[').then(|| serde_json::from_str::<Value>(&text).ok()).flatten();
        self.add(field, list.unwrap_or(Value::String(text)));
    }
}
