//! How a command that fails says so: as one line in Caddy's log form, or, to a person at a terminal, with the lines of the
//! file that are wrong.
use super::{output, snippet};
use crate::{
    config::compact,
    logging::{Fields, Level, Logs, Object},
    state::State,
};
use grammar::Error;
use serde_json::json;
use std::{
    io::{self, IsTerminal},
    process::ExitCode,
};

/// Caddy's exit codes.
pub(super) const FAILED_STARTUP: u8 = 1;
pub(super) const FORCED_QUIT: u8 = 2;
pub(super) const FAILED_QUIT: u8 = 3;

/// Why a command has failed.
#[derive(Debug)]
pub(super) struct Failure {
    code: u8,
    what: What,
}
#[derive(Debug)]
enum What {
    Text(String),
    Places {
        /// Stands before each of them, as Caddy wraps its errors.
        prefix: String,
        errors: Vec<Error>,
        text: Option<String>,
    },
    /// It has been said already.
    Said,
}
impl Failure {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { code: FAILED_STARTUP, what: What::Text(text.into()) }
    }
    /// One that ends the process with another code.
    pub(super) fn with_code(code: u8, text: impl Into<String>) -> Self {
        Self { code, what: What::Text(text.into()) }
    }
    /// Nothing more is said.
    pub(super) fn silent(code: u8) -> Self {
        Self { code, what: What::Said }
    }
    /// Errors with their places. `text` is what they are about where that is no file.
    pub(super) fn places(prefix: impl Into<String>, errors: Vec<Error>, text: Option<String>) -> Self {
        Self { code: FAILED_STARTUP, what: What::Places { prefix: prefix.into(), errors, text } }
    }
    /// All of it in one line.
    pub(super) fn text(&self) -> String {
        match &self.what {
            What::Said => String::new(),
            What::Text(text) => text.clone(),
            What::Places { prefix, errors, .. } => {
                let all: Vec<String> = errors.iter().map(|error| format!("{prefix}{error}")).collect();
                all.join("; ")
            }
        }
    }
    /// Says it, and gives the exit code.
    pub(super) fn report(self, form: Form) -> ExitCode {
        match (self.what, form) {
            (What::Said, _) => {}
            (What::Text(text), Form::Json) => out!("{}", compact(&json!([{"message": text}]))),
            (What::Text(text), Form::Log) => say(&text, None),
            (What::Places { errors, .. }, Form::Json) => {
                out!("{}", compact(&errors.iter().map(diagnostic).collect::<Vec<_>>()));
            }
            (What::Places { errors, text, .. }, Form::Log) if io::stderr().is_terminal() => {
                let colours = std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
                errors
                    .iter()
                    .for_each(|error| output::error(&snippet::render(error, text.as_deref(), colours)));
            }
            (What::Places { prefix, errors, .. }, Form::Log) => {
                errors.iter().for_each(|error| say(&format!("{prefix}{error}"), error.hint.as_deref()));
            }
        }
        ExitCode::from(self.code)
    }
}
impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}
/// Who is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Form {
    /// People, and what reads logs.
    #[default]
    Log,
    /// Editors: a JSON array on standard output.
    Json,
}
/// One error for an editor.
fn diagnostic(error: &Error) -> serde_json::Value {
    let mut shown = json!({ "message": error.message });
    if let Some(span) = &error.span {
        shown["file"] = json!(&*span.file);
        shown["line"] = json!(span.line);
        shown["column"] = json!(span.column);
        shown["length"] = json!(span.length);
        shown["imports"] = json!(&*span.imports);
    }
    if let Some(hint) = &error.hint {
        shown["hint"] = json!(hint);
    }
    shown
}
/// As a line of Caddy's log, which goes to standard error.
fn say(text: &str, hint: Option<&str>) {
    struct Hint<'a>(Option<&'a str>);
    impl Fields for Hint<'_> {
        fn write(&self, into: &mut Object<'_>) {
            if let Some(hint) = self.0 {
                into.text("hint", hint);
            }
        }
        fn is_empty(&self) -> bool {
            self.0.is_none()
        }
    }
    let logs = Logs::standard(&State::default());
    logs.write(Level::Error, "", text, &Hint(hint));
    logs.flush();
}
/// What Go says of a file: `open FILE: no such file or directory`.
pub(super) fn go_io(doing: &str, file: &str, error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    format!(
        "{doing} {file}: {}{}",
        text.chars().take(1).collect::<String>().to_lowercase(),
        text.chars().skip(1).collect::<String>()
    )
}
