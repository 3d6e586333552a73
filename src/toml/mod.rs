//! `config.toml` to JSON: the configuration of `proxy-rs`, our own adapter.
//!
//! Its keys are named for what users want (`[[routes]]`, `[ratelimit]`, `[security]`); COMPAT.md has a row for each. What
//! comes out is the same JSON as of a Caddyfile, and what that has beyond Caddy's modules a Caddyfile may use too.
//!
//! ```toml
//! [[routes]]
//! host = "app.example.com"
//! path_prefix = "/api"
//! backends = ["http://web-ui:3000"]
//! ```
//!
//! `report` knows the text's lines, `table` and `values` read typed values out of it, `settings` and `routes` say what keys
//! there are, `json` and `server` what becomes of them.
mod json;
mod report;
mod routes;
mod server;
mod settings;
mod table;
#[cfg(test)]
mod tests;
mod values;
use grammar::{Error, Source};
use report::Report;
use serde_json::Value;
use settings::Settings;

/// What the adapter makes of a text.
#[derive(Debug, Default)]
pub struct Adapted {
    pub json: Value,
    pub warnings: Vec<Error>,
}
/// Adapts a config.toml. Of the world around it only the variable `RUST_LOG` is asked for.
///
/// # Errors
/// All that is wrong, in the order of the text; of what is no TOML only the first.
pub fn adapt(file: &str, text: &str, source: &dyn Source) -> Result<Adapted, Vec<Error>> {
    let report = Report::new(file, text);
    let document = match toml::de::DeTable::parse(text) {
        Ok(document) => document,
        Err(error) => return Err(vec![report.syntax(&error)]),
    };
    let settings = Settings::read(document.get_ref(), &report);
    let log_level = source.env("RUST_LOG").and_then(|wanted| settings::log_level(&wanted, &report));
    let (errors, warnings) = report.into_parts();
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(Adapted { json: json::configuration(&settings, log_level), warnings })
}
