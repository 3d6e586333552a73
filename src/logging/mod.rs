//! Logs as Caddy has them: named logs, each with a level, names that it takes in or leaves out, an encoder and a
//! writer. Two ways lead here: `tracing` events (see [`ToLogs`]), for what is rare, and [`Logger`], looked up once, for
//! the access log.
mod encoder;
mod file;
mod filter;
mod headers;
mod json;
mod layer;
mod net;
mod sampling;
mod sink;
mod time;
mod writer;
use crate::{
    config::{self, Logging},
    state::State,
};
pub use encoder::{Encoder, EncoderModule, Encoders, Entry, Format, Level, Lines};
pub use file::FileConfig;
pub use filter::{FieldFilter, FieldFilters, FieldValue};
pub use headers::write_headers;
pub use json::{DurationFormat, Fields, Object};
pub use layer::ToLogs;
pub use net::NetConfig;
use sampling::{Sampler, Sampling};
use serde_json::{Map, Value};
pub use sink::{Sink, Target};
use std::{
    cell::RefCell,
    io::{self, IsTerminal},
    sync::Arc,
    time::SystemTime,
};

/// All logs of a configuration.
#[derive(Debug)]
pub struct Logs(Vec<Arc<Log>>);
#[derive(Debug)]
struct Log {
    name: String,
    level: Level,
    include: Vec<String>,
    exclude: Vec<String>,
    encoder: Box<dyn Encoder>,
    sampler: Option<Sampler>,
    /// `None` discards.
    sink: Option<Arc<Sink>>,
}
/// A name, and the logs that take what is said under it.
#[derive(Clone, Debug)]
pub struct Logger {
    name: Arc<str>,
    logs: Arc<[Arc<Log>]>,
}
impl Logs {
    /// What is in force before any configuration is: the default log to standard error.
    pub fn standard(state: &State) -> Self {
        Self::build(None, &[], state).unwrap_or(Self(vec![]))
    }
    /// Compiles `logging`; files are opened. Sinks of the same name are shared, also with earlier configurations.
    ///
    /// # Errors
    /// What is wrong, with Caddy's path to it.
    pub fn build(
        logging: Option<&Logging>,
        encoders: &[EncoderModule],
        state: &State,
    ) -> Result<Self, String> {
        let mut config = logging.cloned().unwrap_or_default();
        if let Some(sink) = config.sink.take() {
            // What Go's own log package says goes there: nobody does here. But what is wrong with it is said.
            let sink =
                crate::config::decode(sink).map_err(|error| format!("setting up sink log: {error}"))?;
            Log::build(String::new(), sink, encoders, state)
                .map_err(|why| format!("setting up sink log: {why}"))?;
        }
        config.logs.entry("default".into()).or_default();
        let build = |(name, log): (String, config::Log)| {
            let built = Log::build(name.clone(), log, encoders, state);
            let which =
                if name == "default" { "default log".to_owned() } else { format!("custom log '{name}'") };
            built.map(Arc::new).map_err(|why| format!("setting up {which}: {why}"))
        };
        Ok(Self(config.logs.into_iter().map(build).collect::<Result<_, _>>()?))
    }
    /// Who listens to `name`, for those who say much under it.
    pub fn logger(&self, name: impl Into<Arc<str>>) -> Logger {
        let name = name.into();
        let logs = self.0.iter().filter(|log| log.sink.is_some() && log.accepts(&name)).cloned().collect();
        Logger { name, logs }
    }
    pub fn write(&self, level: Level, logger: &str, message: &str, fields: &dyn Fields) {
        self.write_at(SystemTime::now(), level, logger, message, fields);
    }
    /// Writes what was said at `time`.
    pub fn write_at(&self, time: SystemTime, level: Level, logger: &str, message: &str, fields: &dyn Fields) {
        let logs = self.0.iter().filter(|log| log.accepts(logger));
        write(logs, &Entry { level, time, logger, message, fields }, Sink::write_in_order);
    }
    /// Connects what writes to the network.
    ///
    /// # Errors
    /// Somebody cannot be reached who has to be.
    pub fn prepare(&self) -> Result<(), String> {
        let mut sinks = self.0.iter().filter_map(|log| Some((&log.name, log.sink.as_ref()?)));
        sinks.try_for_each(|(name, sink)| {
            sink.prepare().map_err(|why| format!("setting up custom log '{name}': opening log writer: {why}"))
        })
    }
    /// Writes what waits.
    pub fn flush(&self) {
        self.0.iter().filter_map(|log| log.sink.as_ref()).for_each(|sink| sink.flush());
    }
    /// Where the default log goes: `stderr`, `stdout`, a file's name.
    pub fn default_sink(&self) -> &str {
        let default = self.0.iter().find(|log| log.name == "default");
        default.map_or("", |log| log.sink.as_ref().map_or("discard", |sink| sink.name()))
    }
    /// The lowest level that any log takes.
    pub fn most_verbose(&self) -> Level {
        self.0.iter().map(|log| log.level).min().unwrap_or_default()
    }
}
impl Logger {
    pub fn name(&self) -> &str {
        &self.name
    }
    /// Whether anyone would see an entry of this level.
    pub fn enabled(&self, level: Level) -> bool {
        self.logs.iter().any(|log| log.level <= level)
    }
    pub fn write(&self, level: Level, message: &str, fields: &dyn Fields) {
        if self.enabled(level) {
            let time = SystemTime::now();
            write(self.logs.iter(), &Entry { level, time, logger: &self.name, message, fields }, Sink::write);
        }
    }
}
fn write<'l>(logs: impl Iterator<Item = &'l Arc<Log>>, entry: &Entry<'_>, to: fn(&Arc<Sink>, &[u8])) {
    thread_local! { static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) } }
    for log in logs.filter(|log| log.level <= entry.level) {
        let Some(sink) = &log.sink else { continue };
        if log.sampler.as_ref().is_some_and(|sampler| !sampler.takes(entry.level, entry.message, entry.time))
        {
            continue;
        }
        LINE.with_borrow_mut(|line| {
            line.clear();
            log.encoder.encode(entry, line);
            to(sink, line);
        });
    }
}
impl Log {
    fn build(
        name: String,
        config: config::Log,
        encoders: &[EncoderModule],
        state: &State,
    ) -> Result<Self, String> {
        for (set, what) in [
            (config.core.is_some(), "core"),
            (config.with_caller || config.with_caller_skip != 0, "with_caller"),
            (!config.with_stacktrace.is_empty(), "with_stacktrace"),
        ] {
            if set {
                return Err(format!("{what} is not supported yet"));
            }
        }
        check_names(&config.include, &config.exclude)?;
        let level = Level::named(&config.level);
        let standard = config.writer.as_ref().and_then(|writer| writer.get("output")?.as_str());
        let standard = matches!(standard, None | Some("stdout" | "stderr"));
        let encoders = Encoders { modules: encoders, terminal: standard && io::stderr().is_terminal() };
        let sampling = config.sampling.map(crate::config::decode::<Sampling, _>).transpose();
        let sampling = sampling.map_err(|error| format!("sampling: {error}"))?;
        Ok(Self {
            name,
            level: level.ok_or_else(|| format!("unrecognized log level: {}", config.level.to_lowercase()))?,
            include: config.include,
            exclude: config.exclude,
            encoder: match config.encoder {
                Some(encoder) => encoders.build(encoder)?,
                None => Box::new(Lines::unset(encoders.terminal)),
            },
            sampler: sampling.as_ref().map(Sampler::new),
            sink: writer::build(config.writer, state)?,
        })
    }
    /// Caddy's rule: the longest name that fits decides, and a list of names to include has to be fitted. What the
    /// process itself and its admin API say is for the default log alone.
    fn accepts(&self, logger: &str) -> bool {
        let is_core = logger.is_empty() || logger == "admin" || logger.starts_with("admin.");
        if is_core && self.name != "default" {
            return false;
        }
        let within = |name: &str| {
            logger
                .strip_prefix(name)
                .is_some_and(|rest| name.is_empty() || rest.is_empty() || rest.starts_with('.'))
        };
        let longest = |names: &[String]| {
            let fitting = names.iter().filter(|name| within(name));
            fitting.map(|name| name.len() + 1).max().unwrap_or(0)
        };
        let accepted = longest(&self.include);
        if !self.include.is_empty() && accepted == 0 {
            return false;
        }
        !self.exclude.iter().any(|name| name == "*") && longest(&self.exclude) <= accepted
    }
}
fn check_names(include: &[String], exclude: &[String]) -> Result<(), String> {
    if let Some(both) = include.iter().find(|name| exclude.contains(name)) {
        return Err(format!("include and exclude must not have elements in common, but '{both}' is in both"));
    }
    let related = |a: &str, b: &str| {
        format!("{a}.").starts_with(&format!("{b}.")) || format!("{b}.").starts_with(&format!("{a}."))
    };
    if !include.is_empty() && !exclude.is_empty() {
        for (list, other, which) in [(include, exclude, "include"), (exclude, include, "exclude")] {
            if let Some(lonely) = list.iter().find(|name| !other.iter().any(|o| related(name, o))) {
                return Err(format!(
                    "when both include and exclude are populated, each element must be a superspace or subspace of one in the other list; check '{lonely}' in {which}"
                ));
            }
        }
    }
    Ok(())
}
fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn log(include: &[&str], exclude: &[&str]) -> Log {
        let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        let encoder = Box::new(Lines::json(Format::default()));
        Log {
            name: "default".into(),
            sampler: None,
            level: Level::Info,
            include: names(include),
            exclude: names(exclude),
            encoder,
            sink: None,
        }
    }
    #[test]
    fn the_longest_name_that_fits_decides() {
        for (include, exclude, logger, accepted) in [
            (&[][..], &[][..], "http", true),
            (&["http.log"], &[], "http.log.access.a", true),
            (&["http.log"], &[], "http.logs", false),
            (&["http.log.access.log0"], &[], "http.log.access.log1", false),
            (&[], &["http.log.access.log0"], "http.log.access.log0", false),
            (&[], &["http.log.access.log0"], "http.log.access", true),
            (&["http"], &["http.log"], "http.log.access", false),
            (&["http.log.access"], &["http"], "http.log.access.a", true),
            (&[], &["*"], "http", false),
            // In spite of its documentation, also what has no name; and `.` is nobody's name.
            (&[], &["*"], "", false),
            (&[], &["."], "", true),
        ] {
            assert_eq!(log(include, exclude).accepts(logger), accepted, "{include:?} {exclude:?} {logger}");
        }
    }
    #[test]
    fn each_log_writes_what_it_takes_and_files_are_opened_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let state = State::default();
        let config = json!({"logs": {
            "default": {"writer": {"output": "file", "filename": path("default")}, "exclude": ["http.log.access.log0"]},
            "log0": {"writer": {"output": "file", "filename": path("access")}, "include": ["http.log.access.log0"]},
        }});
        let logs = Logs::build(Some(&serde_json::from_value(config.clone()).unwrap()), &[], &state).unwrap();
        let fields = vec![("status".to_owned(), json!(200))];
        logs.logger("http.log.access.log0").write(Level::Info, "handled request", &fields);
        logs.write(Level::Info, "", "serving initial configuration", &());
        logs.write(Level::Debug, "", "nobody sees this", &());
        logs.flush();
        let read = |name: &str| std::fs::read_to_string(path(name)).unwrap();
        assert!(
            read("access").ends_with(
                "\"logger\":\"http.log.access.log0\",\"msg\":\"handled request\",\"status\":200}\n"
            )
        );
        assert_eq!(read("access").lines().count(), 1);
        assert!(read("default").ends_with("\"msg\":\"serving initial configuration\"}\n"));
        assert_eq!(read("default").lines().count(), 1);
        let again = Logs::build(Some(&serde_json::from_value(config.clone()).unwrap()), &[], &state).unwrap();
        assert!(Arc::ptr_eq(again.0[1].sink.as_ref().unwrap(), logs.0[1].sink.as_ref().unwrap()));
    }
    #[test]
    fn what_is_wrong_is_said() {
        let error = |log: Value| {
            let logging = serde_json::from_value(json!({"logs": {"x": log}})).unwrap();
            Logs::build(Some(&logging), &[], &State::default()).unwrap_err()
        };
        assert_eq!(
            error(json!({"level": "loud"})),
            "setting up custom log 'x': unrecognized log level: loud"
        );
        assert!(
            error(json!({"encoder": {"format": "no"}}))
                .ends_with("unknown module: caddy.logging.encoders.no")
        );
        assert!(
            error(json!({"writer": {"output": "no"}})).ends_with("unknown module: caddy.logging.writers.no")
        );
        assert!(error(json!({"include": ["a"], "exclude": ["b"]})).contains("check 'a' in include"));
    }
}
