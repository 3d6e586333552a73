//! One entry as one line.
use super::{
    json::{DurationFormat, Fields, Object},
    time::TimeFormat,
};
use crate::config::is_default;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{fmt, time::SystemTime};

/// How much an entry matters, the least first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Debug,
    #[default]
    Info,
    Warn,
    Error,
    Panic,
    Fatal,
}
impl Level {
    /// Reads Caddy's spelling, in any case; `None` for another word.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "debug" => Self::Debug,
            "" | "info" => Self::Info,
            "warn" => Self::Warn,
            "error" => Self::Error,
            "panic" => Self::Panic,
            "fatal" => Self::Fatal,
            _ => return None,
        })
    }
    fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Panic => "panic",
            Self::Fatal => "fatal",
        }
    }
    /// The colour that zap gives it on a terminal.
    fn colour(self) -> u8 {
        match self {
            Self::Debug => 35,
            Self::Info => 34,
            Self::Warn => 33,
            Self::Error | Self::Panic | Self::Fatal => 31,
        }
    }
}
pub struct Entry<'a> {
    pub level: Level,
    pub time: SystemTime,
    /// Caddy's module id; empty for the process itself.
    pub logger: &'a str,
    pub message: &'a str,
    pub fields: &'a dyn Fields,
}
/// Writes an entry as a line, its end included.
pub trait Encoder: fmt::Debug + Send + Sync {
    fn encode(&self, entry: &Entry<'_>, out: &mut Vec<u8>);
    /// Someone else notes the time: for people it is left out.
    fn leave_out_time(&mut self) {}
}
type BuildEncoder = fn(Map<String, Value>, &Encoders<'_>) -> Result<Box<dyn Encoder>, String>;
/// One row of the table of encoders.
pub struct EncoderModule {
    pub name: &'static str,
    pub build: BuildEncoder,
}
/// What an encoder that wraps another is built with.
pub struct Encoders<'m> {
    pub modules: &'m [EncoderModule],
    /// The lines go to a standard stream, and people read it.
    pub terminal: bool,
}
impl Encoders<'_> {
    /// Looks an encoder up and builds it.
    ///
    /// # Errors
    /// An unknown name, or what the encoder finds wrong.
    pub fn build(&self, config: Value) -> Result<Box<dyn Encoder>, String> {
        let mut config = super::object(config);
        let name = config.remove("format");
        let name = name.as_ref().and_then(Value::as_str).unwrap_or_default();
        let known = self.modules.iter().find(|known| known.name == name);
        let known = known.ok_or_else(|| format!("unknown module: caddy.logging.encoders.{name}"))?;
        (known.build)(config, self).map_err(|why| format!("loading log encoder module: {name}: {why}"))
    }
    /// The one that another wraps; without a configuration the usual one.
    ///
    /// # Errors
    /// As [`Self::build`].
    pub fn wrapped(&self, config: Option<Value>) -> Result<Box<dyn Encoder>, String> {
        match config {
            Some(config) => self.build(config),
            None if self.terminal => Ok(Box::new(Lines::console(Format::default()))),
            None => Ok(Box::new(Lines::json(Format::default()))),
        }
    }
}

/// JSON: what `caddy.logging.encoders.json` and `.console` have in common. An empty key leaves its value out.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Format {
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
/// `json` and `console`, compiled.
#[derive(Debug)]
pub struct Lines {
    console: bool,
    message_key: String,
    level_key: String,
    time_key: String,
    name_key: String,
    ending: String,
    time: TimeFormat,
    local: bool,
    durations: DurationFormat,
    levels: LevelFormat,
}
#[derive(Debug)]
enum LevelFormat {
    Lower,
    Upper,
    Color,
}
impl Lines {
    pub fn json(format: Format) -> Self {
        Self::new(format, false, TimeFormat::UnixSecondsFloat, LevelFormat::Lower)
    }
    pub fn console(format: Format) -> Self {
        Self::new(format, true, TimeFormat::named("wall_milli"), LevelFormat::Color)
    }
    /// What Caddy writes where no format is set: for people if standard error is a terminal, else for machines.
    pub fn unset(terminal: bool) -> Self {
        if !terminal {
            return Self::json(Format::default());
        }
        let plain = std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "xterm-mono");
        let levels = if plain { LevelFormat::Upper } else { LevelFormat::Color };
        Self { levels, ..Self::console(Format::default()) }
    }
    fn new(format: Format, console: bool, time: TimeFormat, levels: LevelFormat) -> Self {
        let key = |set: Option<String>, default: &str| set.unwrap_or_else(|| default.to_owned());
        Self {
            console,
            message_key: key(format.message_key, "msg"),
            level_key: key(format.level_key, "level"),
            time_key: key(format.time_key, "ts"),
            name_key: key(format.name_key, "logger"),
            ending: key(format.line_ending, "\n"),
            time: match format.time_format.as_str() {
                "" => time,
                name => TimeFormat::named(name),
            },
            local: format.time_local,
            durations: match format.duration_format.as_str() {
                "ms" | "milli" | "millis" => DurationFormat::Millis,
                "ns" | "nano" | "nanos" => DurationFormat::Nanos,
                "string" => DurationFormat::Text,
                _ => DurationFormat::Seconds,
            },
            levels: match format.level_format.as_str() {
                "" => levels,
                "upper" => LevelFormat::Upper,
                "color" => LevelFormat::Color,
                _ => LevelFormat::Lower,
            },
        }
    }
    fn level(&self, level: Level) -> String {
        let upper = || level.name().to_ascii_uppercase();
        match self.levels {
            LevelFormat::Lower => level.name().to_owned(),
            LevelFormat::Upper => upper(),
            LevelFormat::Color => format!("\u{1b}[{}m{}\u{1b}[0m", level.colour(), upper()),
        }
    }
    fn encode_json(&self, entry: &Entry<'_>, out: &mut Vec<u8>) {
        let mut object = Object::open(out, false, self.durations);
        if !self.level_key.is_empty() {
            match self.levels {
                LevelFormat::Lower => object.text(&self.level_key, entry.level.name()),
                _ => object.text(&self.level_key, &self.level(entry.level)),
            }
        }
        if !self.time_key.is_empty() {
            self.time.write(object.key(&self.time_key), entry.time, self.local, false);
        }
        if !self.name_key.is_empty() && !entry.logger.is_empty() {
            object.text(&self.name_key, entry.logger);
        }
        if !self.message_key.is_empty() {
            object.text(&self.message_key, entry.message);
        }
        entry.fields.write(&mut object);
        object.close();
    }
    fn encode_console(&self, entry: &Entry<'_>, out: &mut Vec<u8>) {
        let start = out.len();
        let next = |out: &mut Vec<u8>| {
            if out.len() > start {
                out.push(b'\t');
            }
        };
        if !self.time_key.is_empty() {
            self.time.write(out, entry.time, self.local, true);
        }
        if !self.level_key.is_empty() {
            next(out);
            out.extend_from_slice(self.level(entry.level).as_bytes());
        }
        if !self.name_key.is_empty() && !entry.logger.is_empty() {
            next(out);
            out.extend_from_slice(entry.logger.as_bytes());
        }
        if !self.message_key.is_empty() {
            next(out);
            out.extend_from_slice(entry.message.as_bytes());
        }
        if !entry.fields.is_empty() {
            next(out);
            let mut object = Object::open(out, true, self.durations);
            entry.fields.write(&mut object);
            object.close();
        }
    }
}
impl Encoder for Lines {
    fn leave_out_time(&mut self) {
        if self.console {
            self.time_key.clear();
        }
    }
    fn encode(&self, entry: &Entry<'_>, out: &mut Vec<u8>) {
        if self.console {
            self.encode_console(entry, out);
        } else {
            self.encode_json(entry, out);
        }
        out.extend_from_slice(self.ending.as_bytes());
    }
}
/// Fields that are kept as values, for what is rare.
impl Fields for Vec<(String, Value)> {
    fn write(&self, into: &mut Object<'_>) {
        self.iter().for_each(|(key, value)| into.value(key, value));
    }
    fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }
}
impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn line(encoder: &Lines, logger: &str, fields: &dyn Fields) -> String {
        let time = SystemTime::UNIX_EPOCH + Duration::from_nanos(1_795_305_589_351_530_300);
        let entry = Entry { level: Level::Warn, time, logger, message: "hello", fields };
        let mut out = vec![];
        encoder.encode(&entry, &mut out);
        String::from_utf8(out).unwrap()
    }
    #[test]
    fn lines_have_zaps_shape() {
        let fields = vec![("a".to_owned(), Value::from(1)), ("b".to_owned(), Value::from("x"))];
        let json = Lines::json(Format::default());
        assert_eq!(
            line(&json, "http", &fields),
            "{\"level\":\"warn\",\"ts\":1795305589.3515303,\"logger\":\"http\",\"msg\":\"hello\",\"a\":1,\"b\":\"x\"}\n"
        );
        assert_eq!(
            line(&json, "", &()),
            "{\"level\":\"warn\",\"ts\":1795305589.3515303,\"msg\":\"hello\"}\n"
        );
        let console = Lines::console(Format::default());
        assert_eq!(
            line(&console, "http", &fields),
            "2026/11/21 23:59:49.351\t\u{1b}[33mWARN\u{1b}[0m\thttp\thello\t{\"a\": 1, \"b\": \"x\"}\n"
        );
        assert_eq!(line(&console, "", &()), "2026/11/21 23:59:49.351\t\u{1b}[33mWARN\u{1b}[0m\thello\n");
    }
    #[test]
    fn keys_can_be_renamed_or_removed() {
        let format = Format {
            message_key: Some("message".into()),
            time_key: Some(String::new()),
            level_format: "upper".into(),
            line_ending: Some("\r\n".into()),
            ..Format::default()
        };
        let json = Lines::json(format);
        assert_eq!(line(&json, "", &()), "{\"level\":\"WARN\",\"message\":\"hello\"}\r\n");
    }
}
