//! Which configuration a command is about, and what it says: Caddy's rules.
use super::failure::{Failure, go_io};
use crate::{
    admin::{Adapter, adapt, adapter_of},
    config::compact,
};
use grammar::Error;
use serde_json::Value;
use std::{fs, io::Read, path::Path};

/// Taken where no file is named.
const DEFAULT: &str = "Caddyfile";

/// A configuration, adapted.
#[derive(Debug, Default)]
pub(super) struct Input {
    /// The file; empty if there is none.
    pub(super) file: String,
    pub(super) adapter: &'static str,
    /// `null` if there is no file.
    pub(super) json: Value,
    warnings: Vec<Error>,
    /// What adapts but does not run yet.
    not_yet: Vec<Error>,
    /// The text, for messages.
    text: String,
}
impl Input {
    /// Caddy's choice for `run`, `validate` and `reload`: the file that is named, or `Caddyfile` if there is one; the
    /// adapter that is named, or the one that the file's name tells. No file is no error.
    ///
    /// # Errors
    /// It can be neither read nor adapted.
    pub(super) fn load(file: Option<&str>, adapter: Option<&str>) -> Result<Self, Failure> {
        let (file, adapter) = (file.filter(|file| !file.is_empty()), adapter.filter(|name| !name.is_empty()));
        if file.is_none() && adapter.is_some() {
            return Err(Failure::new("cannot adapt config without config file (use --config)"));
        }
        let text = match file {
            Some("-") => {
                let text = stdin().map_err(|why| format!("reading config from stdin: {why}"))?;
                tracing::info!(target: "", "using config from stdin");
                text
            }
            Some(file) => {
                let text = read(file).map_err(|why| format!("reading config from file: {why}"))?;
                tracing::info!(target: "", file, "using config from file");
                text
            }
            None if Path::new(DEFAULT).exists() => {
                let text = read(DEFAULT).map_err(|why| format!("reading default Caddyfile: {why}"))?;
                tracing::info!(target: "", "using adjacent Caddyfile");
                text
            }
            None => return Ok(Self::default()),
        };
        let file = file.unwrap_or(DEFAULT);
        let adapter = adapter.map_or_else(|| Ok(adapter_of(file)), Adapter::named)?;
        let input = Self::adapted(adapter, file, text).map_err(|(errors, text)| {
            let prefix = match adapter {
                Adapter::None => String::new(),
                _ => format!("adapting config using {}: ", adapter.name()),
            };
            Failure::places(prefix, errors, Some(text))
        })?;
        if adapter != Adapter::None {
            tracing::info!(target: "", adapter = adapter.name(), "adapted config to JSON");
        }
        input.warn();
        Ok(input)
    }
    /// As [`Self::load`] of that file, without a word in the log.
    ///
    /// # Errors
    /// It can be neither read nor adapted.
    pub(super) fn quietly(file: &str, adapter: &str) -> Result<Self, Failure> {
        let text = read(file).map_err(|why| format!("reading config from file: {why}"))?;
        Self::adapted(Adapter::named(adapter)?, file, text)
            .map_err(|(errors, text)| Failure::places("", errors, Some(text)))
    }
    /// As [`Self::load`], but there has to be a file.
    ///
    /// # Errors
    /// There is none, or as `load`.
    pub(super) fn required(file: Option<&str>, adapter: Option<&str>) -> Result<Self, Failure> {
        let file = file.filter(|file| !file.is_empty());
        if file.is_none() {
            if !Path::new(DEFAULT).exists() {
                return Err(Failure::new(
                    "input file required when there is no Caddyfile in current directory (use --config flag)",
                ));
            }
            tracing::info!(target: "", "using adjacent Caddyfile");
        }
        Self::load(Some(file.unwrap_or(DEFAULT)), adapter)
    }
    /// What `adapt` does: a file, or `-`, by the adapter that is named; if none is, a Caddyfile unless its name ends in
    /// `.toml`.
    ///
    /// # Errors
    /// It can be neither read nor adapted.
    pub(super) fn adapt(file: Option<&str>, adapter: Option<&str>) -> Result<Self, Failure> {
        let file = file.filter(|file| !file.is_empty());
        if file.is_none() && Path::new(DEFAULT).exists() {
            tracing::info!(target: "", "using adjacent Caddyfile");
        }
        let Some(file) = file.or_else(|| Path::new(DEFAULT).exists().then_some(DEFAULT)) else {
            return Self::required(None, None);
        };
        let adapter = match adapter {
            None if adapter_of(file) == Adapter::Toml => Adapter::Toml,
            None => Adapter::Caddyfile,
            Some("") => {
                return Err(Failure::new(
                    "adapter name is required (use --adapt flag or leave unspecified for default)",
                ));
            }
            Some("json") => Adapter::None,
            Some(name) => Adapter::named(name)?,
        };
        let text = if file == "-" { stdin() } else { read(file) };
        let text = text.map_err(|why| format!("reading input file: {why}"))?;
        Self::adapted(adapter, file, text).map_err(|(errors, text)| Failure::places("", errors, Some(text)))
    }
    fn adapted(adapter: Adapter, file: &str, text: String) -> Result<Self, (Vec<Error>, String)> {
        match adapt(adapter, file, &text) {
            Ok(adapted) => Ok(Self {
                file: file.to_owned(),
                adapter: adapter.name(),
                json: adapted.json,
                warnings: adapted.warnings,
                not_yet: adapted.not_yet,
                text,
            }),
            Err(errors) => Err((errors, text)),
        }
    }
    /// Says what the adapter has to say beside its result.
    fn warn(&self) {
        for warning in &self.warnings {
            let (file, line) = warning.span.as_ref().map_or(("", 0), |span| (&*span.file, span.line));
            tracing::warn!(target: "", adapter = self.adapter, file, line, "{}", warning.message);
        }
    }
    /// The same for `adapt`, whose logger is the adapter.
    pub(super) fn warn_as_adapter(&self) {
        for warning in &self.warnings {
            let (file, line) = warning.span.as_ref().map_or(("", 0), |span| (&*span.file, span.line));
            match self.adapter {
                "toml" => tracing::warn!(target: "toml", file, line, "{}", warning.message),
                _ => tracing::warn!(target: "caddyfile", file, line, "{}", warning.message),
            }
        }
    }
    /// What is to be run has to run as a whole.
    ///
    /// # Errors
    /// Something in it adapts but does not run yet.
    pub(super) fn runnable(mut self) -> Result<Self, Failure> {
        if self.not_yet.is_empty() {
            return Ok(self);
        }
        let errors = std::mem::take(&mut self.not_yet);
        Err(Failure::places("adapting config using caddyfile: ", errors, Some(self.text)))
    }
    /// As it is sent to a running process; nothing for no file.
    pub(super) fn to_json(&self) -> String {
        if self.file.is_empty() { String::new() } else { compact(&self.json) }
    }
}
pub(super) fn read(file: &str) -> Result<String, String> {
    match fs::read(file) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => Err(go_io("open", file, &error)),
    }
}
pub(super) fn stdin() -> Result<String, String> {
    let mut bytes = vec![];
    match std::io::stdin().read_to_end(&mut bytes) {
        Ok(_) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => Err(go_io("read", "/dev/stdin", &error)),
    }
}
