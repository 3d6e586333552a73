//! Configuration adapters: what turns a text into Caddy's JSON.
use super::json;
use crate::{
    caddyfile::{self, Adapted},
    net::Machine,
    table, toml,
};
use grammar::Error;

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
