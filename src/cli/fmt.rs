//! `fmt`: a Caddyfile in its usual form.
use super::adapt::{complain, read};
use clap::Args;
use grammar::Error;
use std::{fs, process::ExitCode};

/// Formats a Caddyfile.
#[derive(Args)]
pub(super) struct Fmt {
    /// Configuration file; - reads standard input
    path: Option<String>,
    /// Configuration file
    #[arg(short, long)]
    config: Option<String>,
    /// Overwrite the input file with the results
    #[arg(short = 'w', long)]
    overwrite: bool,
}
impl Fmt {
    pub(super) fn run(self) -> ExitCode {
        let file = self.path.or(self.config).unwrap_or_else(|| "Caddyfile".to_owned());
        let text = match read(&file) {
            Ok(text) => text,
            Err(why) => return complain(&[Error::plain(format!("reading input file: {why}"))]),
        };
        let formatted = grammar::format(&text);
        if !self.overwrite || file == "-" {
            print!("{formatted}");
            return ExitCode::SUCCESS;
        }
        match fs::write(&file, formatted) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => complain(&[Error::plain(format!("overwriting formatted file: {why}"))]),
        }
    }
}
