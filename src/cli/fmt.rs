//! `fmt`: a Caddyfile in its usual form.
use super::{
    failure::{Failure, go_io},
    input::{read, stdin},
    output,
};
use clap::Args;
use similar::{ChangeTag, TextDiff};
use std::{fs::OpenOptions, io::Write, os::unix::fs::OpenOptionsExt};

/// Formats a Caddyfile
#[derive(Args, Debug)]
pub(super) struct Fmt {
    /// The file, or - for standard input
    path: Option<String>,
    /// Configuration file
    #[arg(short, long, value_name = "string")]
    config: Option<String>,
    /// Overwrite the input file with the results
    #[arg(short = 'w', long)]
    overwrite: bool,
    /// Print the differences between the input file and the formatted output
    #[arg(short, long)]
    diff: bool,
    #[arg(hide = true)]
    more: Vec<String>,
}
impl Fmt {
    pub(super) fn run(self) -> Result<(), Failure> {
        let (path, config) = (self.path.as_deref().unwrap_or(""), self.config.as_deref().unwrap_or(""));
        if !self.more.is_empty() || (!config.is_empty() && !path.is_empty()) {
            let all: Vec<&str> = self.path.iter().chain(&self.more).map(String::as_str).collect();
            return Err(Failure::new(format!(
                "fmt does not support multiple files {config} {}",
                all.join(" ")
            )));
        }
        let file = [path, config].into_iter().find(|file| !file.is_empty()).unwrap_or("Caddyfile");
        if file == "-" {
            let text = stdin().map_err(|why| format!("reading stdin: {why}"))?;
            output::write(grammar::format(&text));
            return Ok(());
        }
        let text = read(file).map_err(|why| format!("reading input file: {why}"))?;
        let formatted = grammar::format(&text);
        if self.overwrite {
            let open = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file);
            let written = open.and_then(|mut out| out.write_all(formatted.as_bytes()));
            let wrong =
                |error| Failure::new(format!("overwriting formatted file: {}", go_io("open", file, &error)));
            return written.map_err(wrong);
        }
        if self.diff {
            print_difference(&text, &formatted)
        } else {
            output::write(&formatted)
        }
        match first_difference(&text, &formatted) {
            None => Ok(()),
            Some(line) => Err(Failure::new(format!(
                "{file}:{line}: Caddyfile input is not formatted; Tip: use '--overwrite' to update your Caddyfile in-place instead of previewing it. Consult '--help' for more options"
            ))),
        }
    }
}
fn print_difference(text: &str, formatted: &str) {
    let (before, after): (Vec<&str>, Vec<&str>) =
        (text.split('\n').collect(), formatted.split('\n').collect());
    for change in TextDiff::from_slices(&before, &after).iter_all_changes() {
        let sign = match change.tag() {
            ChangeTag::Equal => ' ',
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
        };
        out!("{sign} {}", change.value());
    }
}
/// The line in which the two differ first. How lines end is no difference.
fn first_difference(text: &str, formatted: &str) -> Option<usize> {
    let normal = text.replace("\r\n", "\n");
    if normal == formatted {
        return None;
    }
    let same = normal.bytes().zip(formatted.bytes()).take_while(|(a, b)| a == b);
    Some(1 + same.filter(|(byte, _)| *byte == b'\n').count())
}
