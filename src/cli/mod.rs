//! The command line: one file a command.
mod adapt;
mod fmt;
mod run;
mod validate;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "proxy")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}
#[derive(Subcommand)]
enum Command {
    Adapt(adapt::Adapt),
    Fmt(fmt::Fmt),
    Run(run::Run),
    Validate(validate::Validate),
}
/// Does what the command line says.
pub fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Adapt(adapt) => adapt.run(),
        Command::Fmt(fmt) => fmt.run(),
        Command::Run(run) => run.run(),
        Command::Validate(validate) => validate.run(),
    }
}
