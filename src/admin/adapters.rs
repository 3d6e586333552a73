//! Configuration adapters: what turns a text into Caddy's JSON.
use super::{Refused, json};
use crate::{
    caddyfile::{self, Adapted},
    config::compact,
    net::Machine,
    table, toml,
};
use bytes::Bytes;
use grammar::Error;
use serde::Serialize;
use std::fmt;

/// A known adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adapter {
    Caddyfile,
    /// Of a config.toml.
    Toml,
    /// The text is JSON already.
    None,
}
impl Adapter {
    /// # Errors
    /// There is none of that name.
    pub fn named(name: &str) -> Result<Self, String> {
        match name {
            "caddyfile" => Ok(Self::Caddyfile),
            "toml" => Ok(Self::Toml),
            "" => Ok(Self::None),
            _ => Err(format!("unrecognized config adapter: {name}")),
        }
    }
    /// As `--adapter` and the log name it; empty for none.
    pub fn name(self) -> &'static str {
        match self {
            Self::Caddyfile => "caddyfile",
            Self::Toml => "toml",
            Self::None => "",
        }
    }
    /// What a text is called that comes without a file.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Caddyfile => "Caddyfile",
            Self::Toml => "config.toml",
            Self::None => "",
        }
    }
}
/// Which adapter a file is for, by its name, where none was asked for.
pub fn adapter_of(file: &str) -> Adapter {
    let name = file.rsplit('/').next().unwrap_or(file).to_lowercase();
    if name.ends_with(".toml") {
        return Adapter::Toml;
    }
    let caddyfile = name.starts_with("caddyfile") || name.ends_with(".caddyfile");
    if caddyfile && !name.ends_with(".json") { Adapter::Caddyfile } else { Adapter::None }
}
/// Adapts `text`, which came from `file`.
///
/// # Errors
/// All that is wrong, with its places.
pub fn adapt(adapter: Adapter, file: &str, text: &str) -> Result<Adapted, Vec<Error>> {
    match adapter {
        Adapter::Caddyfile => caddyfile::adapt(file, text, &Machine, &table::SYNTAX),
        Adapter::Toml => {
            let toml::Adapted { json, warnings } = toml::adapt(file, text, &Machine)?;
            Ok(Adapted { json, warnings, not_yet: vec![] })
        }
        Adapter::None if text.trim().is_empty() => Ok(Adapted::default()),
        Adapter::None => match json::parse(text.as_bytes()) {
            Ok(json) => Ok(Adapted { json, ..Adapted::default() }),
            Err(why) => Err(vec![Error::plain(format!(
                "config is not valid JSON: {}, at offset {}; did you mean to use a config adapter (the --adapter flag)?",
                why.message, why.offset
            ))]),
        },
    }
}
/// What an adapter says beside its result.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Warning {
    #[serde(skip_serializing_if = "str::is_empty")]
    file: String,
    #[serde(skip_serializing_if = "crate::config::is_default")]
    line: u32,
    message: String,
}
impl From<&Error> for Warning {
    fn from(error: &Error) -> Self {
        let (file, line) = error.span.as_ref().map_or(("", 0), |span| (&*span.file, span.line));
        Self { file: file.to_owned(), line, message: error.message.clone() }
    }
}
impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}
/// A body as JSON: adapted, where its type names an adapter. Whether it is to run: then what adapts only is refused.
///
/// # Errors
/// In Caddy's words.
pub(super) fn by_content_type(
    content_type: &str,
    body: Bytes,
    runs: bool,
) -> Result<(Bytes, Vec<Warning>), Refused> {
    let media_type = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if content_type.is_empty() || media_type.ends_with("/json") {
        return Ok((body, vec![]));
    }
    if media_type.is_empty() {
        return Err(Refused::bad("invalid Content-Type: mime: no media type"));
    }
    let (_, name) = media_type.split_once('/').ok_or_else(|| Refused::bad("malformed Content-Type"))?;
    let adapter = match Adapter::named(name) {
        Ok(adapter) if adapter != Adapter::None => adapter,
        _ => return Err(Refused::bad(format!("unrecognized config adapter '{name}'"))),
    };
    let text = String::from_utf8_lossy(&body);
    let refuse = |errors: &[Error]| {
        let why = errors.first().map(ToString::to_string).unwrap_or_default();
        Refused::bad(format!("adapting config using {name} adapter: {why}"))
    };
    let adapted = adapt(adapter, adapter.file_name(), &text).map_err(|errors| refuse(&errors))?;
    if runs && !adapted.not_yet.is_empty() {
        return Err(refuse(&adapted.not_yet));
    }
    let warnings = adapted.warnings.iter().map(Warning::from).collect();
    Ok((compact(&adapted.json).into(), warnings))
}
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn a_files_name_tells_its_adapter() {
        for (file, adapter) in [
            ("Caddyfile", Adapter::Caddyfile),
            ("/etc/caddy/caddyfile.prod", Adapter::Caddyfile),
            ("site.caddyfile", Adapter::Caddyfile),
            ("caddyfile.json", Adapter::None),
            ("caddy.json", Adapter::None),
            ("/etc/proxy/config.toml", Adapter::Toml),
            ("Caddyfile/x", Adapter::None),
            ("-", Adapter::None),
        ] {
            assert_eq!(adapter_of(file), adapter, "{file}");
        }
    }
}
