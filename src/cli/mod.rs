//! The command line: one file a command.
mod run;
use std::process::ExitCode;

/// Does what the command line says.
pub fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        Some("run") => run::run(args),
        _ => {
            eprintln!("Usage: proxy run [--config FILE] ");
            ExitCode::FAILURE
        }
    }
}
