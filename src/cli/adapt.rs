//! `adapt`: a configuration as Caddy's JSON. What it does with a file the other commands do too.

use crate::{
    caddyfile::{self, Adapted},
    config::{compact, pretty},
    net::Machine,
    table,
};
use clap::Args;
use grammar::Error;
use serde_json::json;
use std::{
    fs,
    io::Read,
    path::Path,
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

/// Adapts a configuration to Caddy's native JSON.
#[derive(Args)]
pub(super) struct Adapt {
    /// Configuration file to adapt; - reads standard input
    #[arg(short, long)]
    config: Option<String>,
    /// Name of the config adapter
    #[arg(short, long, default_value = "caddyfile")]
    adapter: String,
    /// Format the output for human readability
    #[arg(short, long)]
    pretty: bool,
    /// Validate the output
    #[arg(long)]
    validate: bool,
}
impl Adapt {
    pub(super) fn run(self) -> ExitCode {
        let adapted = match load(self.config.as_deref(), &self.adapter) {
            Ok(adapted) => adapted,
            Err(errors) => return complain(&errors),
        };
        warn(&adapted.warnings, &self.adapter);
        println!("{}", if self.pretty { pretty(&adapted.json) } else { compact(&adapted.json) });
        if self.validate {
            return super::validate::check(&adapted);
        }
        ExitCode::SUCCESS
    }
}
/// Reads and adapts a file: the one that is named, or `Caddyfile` in the working directory.
///
/// # Errors
/// All that is wrong with it.
pub(super) fn load(file: Option<&str>, adapter: &str) -> Result<Adapted, Vec<Error>> {
    let default = Path::new("Caddyfile").exists().then_some("Caddyfile");
    let Some(file) = file.or(default) else {
        return Err(vec![Error::plain(
            "input file required when there is no Caddyfile in current directory \
                                      (use --config flag)",
        )]);
    };
    let text = read(file).map_err(|why| vec![Error::plain(format!("reading input file: {why}"))])?;
    match adapter {
        "caddyfile" => caddyfile::adapt(file, &text, &Machine, &table::SYNTAX),
        "json" | "" => {
            let json = serde_json::from_str(&text);
            let json = json.map_err(|why| vec![Error::plain(format!("decoding {file} as JSON: {why}"))])?;
            Ok(Adapted { json, ..Adapted::default() })
        }
        other => Err(vec![Error::plain(format!("unrecognized config adapter: {other}"))]),
    }
}
/// A file, or standard input for `-`.
///
/// # Errors
/// In Go's words.
pub(super) fn read(file: &str) -> Result<String, String> {
    let mut bytes = vec![];
    let read = if file == "-" {
        std::io::stdin().read_to_end(&mut bytes).map(drop)
    } else {
        fs::read(file).map(|read| bytes = read)
    };
    read.map_err(|why| match why.kind() {
        std::io::ErrorKind::NotFound => format!("open {file}: no such file or directory"),
        _ => format!("open {file}: {why}"),
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
/// Writes all errors to standard error, as Caddy writes its one.
pub(super) fn complain(errors: &[Error]) -> ExitCode {
    for error in errors {
        let mut line = json!({ "level": "error", "ts": now(), "msg": error.to_string() });
        if let (Some(hint), Some(line)) = (&error.hint, line.as_object_mut()) {
            line.insert("hint".to_owned(), hint.as_str().into());
        }
        eprintln!("{}", compact(&line));
    }
    ExitCode::FAILURE
}
/// Writes warnings to standard error, as Caddy does.
pub(super) fn warn(warnings: &[Error], adapter: &str) {
    for warning in warnings {
        let (file, line) = warning.span.as_ref().map_or(("", 0), |span| (&*span.file, span.line));
        let line = json!({
            "level": "warn", "ts": now(), "logger": adapter, "msg": warning.message, "file": file, "line": line
        });
        eprintln!("{}", compact(&line));
    }
}
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}
