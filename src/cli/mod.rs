//! The command line: Caddy's commands, flags, outputs and exit codes, also when it is called as `caddy`. One file a
//! command, or a few that belong together.
#[macro_use]
mod output;
mod adapt;
mod booleans;
mod client;
mod control;
mod documents;
mod envfile;
mod environ;
mod failure;
mod file_server;
mod fmt;
mod hash_password;
mod input;
mod list_modules;
mod packages;
mod quick;
mod respond;
mod reverse_proxy;
mod run;
mod snippet;
mod start;
mod storage;
mod trust;
mod watch;
use crate::{
    logging::{Logs, ToLogs},
    state::State,
};
use clap::{
    CommandFactory, FromArgMatches, Parser, Subcommand,
    error::{ContextKind, ContextValue, ErrorKind},
};
use failure::{Failure, Form};
use std::{env, ffi::OsString, path::Path, process::ExitCode};
use tracing_subscriber::layer::SubscriberExt;

/// A web server and reverse proxy, configured as Caddy is.
#[derive(Parser)]
#[command(disable_version_flag = true, subcommand_required = false)]
struct Cli {
    /// Print the version
    #[arg(short = 'v', long)]
    version: bool,
    #[command(subcommand)]
    command: Option<Command>,
}
#[derive(Subcommand)]
enum Command {
    Adapt(adapt::Adapt),
    AddPackage(packages::AddPackage),
    /// Prints information about this build
    BuildInfo,
    Completion(documents::Completion),
    Environ(environ::Environ),
    FileServer(file_server::FileServer),
    Fmt(fmt::Fmt),
    HashPassword(hash_password::HashPassword),
    ListModules(list_modules::ListModules),
    Manpage(documents::Manpage),
    Reload(control::Reload),
    RemovePackage(packages::RemovePackage),
    Respond(respond::Respond),
    ReverseProxy(reverse_proxy::ReverseProxy),
    Run(run::Run),
    Start(start::Start),
    Stop(control::Stop),
    Storage(storage::StorageCommand),
    Trust(trust::Trust),
    Untrust(trust::Untrust),
    Upgrade(packages::Upgrade),
    Validate(adapt::Validate),
    /// Prints the version
    Version,
}
/// Does what the command line says.
pub fn main() -> ExitCode {
    let name =
        env::args_os().next().and_then(|path| Path::new(&path).file_stem().map(|name| name.to_owned()));
    let name = name.map_or_else(|| "proxy".to_owned(), |name| name.to_string_lossy().into_owned());
    let command = Cli::command().name(name.clone()).bin_name(name.clone());
    let args = match booleans::plain(&command, arguments()) {
        Ok(args) => args,
        Err(why) => {
            err!("Error: {why}");
            return ExitCode::FAILURE;
        }
    };
    let matches = match command.clone().try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) => return complain(&error, &name),
    };
    match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli.run(command),
        Err(error) => complain(&error, &name),
    }
}
/// The command line. As `proxy-rs` was started, `--config F` without a command means `run --config F`.
fn arguments() -> Vec<OsString> {
    let mut all: Vec<OsString> = env::args_os().collect();
    let first = all.get(1).map(|first| first.to_string_lossy().into_owned()).unwrap_or_default();
    if first == "-c" || first == "--config" || first.starts_with("--config=") {
        all.insert(1, "run".into());
    }
    all
}
impl Cli {
    fn run(self, mut help: clap::Command) -> ExitCode {
        if self.version {
            out!("{}", environ::VERSION);
            return ExitCode::SUCCESS;
        }
        let Some(command) = self.command else {
            // There is nobody to tell that nobody could be told.
            let _ = help.print_long_help();
            return ExitCode::SUCCESS;
        };
        let form = command.form();
        match command.run(&help) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => failure.report(form),
        }
    }
}
impl Command {
    fn form(&self) -> Form {
        match self {
            Self::Adapt(adapt) => adapt.format,
            Self::Validate(validate) => validate.format,
            _ => Form::Log,
        }
    }
    /// `whole` is what the program's commands are.
    fn run(self, whole: &clap::Command) -> Result<(), Failure> {
        match self {
            // These have their own logs.
            Self::Run(run) => run.run(),
            Self::FileServer(serve) => serve.run(),
            Self::Respond(respond) => respond.run(),
            Self::ReverseProxy(proxy) => proxy.run(),
            other => with_log(|logs| other.run_with_log(whole.clone(), logs)),
        }
    }
    fn run_with_log(self, whole: clap::Command, logs: &ToLogs) -> Result<(), Failure> {
        match self {
            Self::Adapt(adapt) => adapt.run(logs),
            Self::AddPackage(add) => add.run(),
            Self::Completion(completion) => completion.run(whole),
            Self::BuildInfo => {
                environ::build_info();
                Ok(())
            }
            Self::Environ(environ) => environ.run(),
            Self::FileServer(serve) => serve.run(),
            Self::Fmt(fmt) => fmt.run(),
            Self::HashPassword(hash) => hash.run(),
            Self::ListModules(list) => list.run(),
            Self::Manpage(manpage) => manpage.run(whole),
            Self::Reload(reload) => reload.run(),
            Self::RemovePackage(remove) => remove.run(),
            Self::Respond(respond) => respond.run(),
            Self::ReverseProxy(proxy) => proxy.run(),
            Self::Run(run) => run.run(),
            Self::Start(start) => start.run(),
            Self::Stop(stop) => stop.run(),
            Self::Storage(storage) => storage.run(),
            Self::Trust(trust) => trust.run(),
            Self::Untrust(untrust) => untrust.run(),
            Self::Upgrade(upgrade) => upgrade.run(),
            Self::Validate(validate) => validate.run(logs),
            Self::Version => {
                out!("{}", environ::VERSION);
                Ok(())
            }
        }
    }
}
/// What a command says on its way goes to standard error, as Caddy's default log.
fn with_log<T>(command: impl FnOnce(&ToLogs) -> T) -> T {
    let logs = ToLogs::new(Logs::standard(&State::default()));
    // Nobody else sets one.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(logs.clone()));
    let outcome = command(&logs);
    logs.logs().flush();
    outcome
}
/// What is wrong with the command line, in the words of Caddy's (cobra's) where it has some.
fn complain(error: &clap::Error, name: &str) -> ExitCode {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.as_str(),
        _ => "",
    };
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            // As above.
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        ErrorKind::InvalidSubcommand => {
            let unknown = context(ContextKind::InvalidSubcommand);
            err!("Error: unknown command \"{unknown}\" for \"{name}\"\nRun '{name} --help' for usage.");
        }
        ErrorKind::UnknownArgument => {
            let unknown = context(ContextKind::InvalidArg);
            match unknown.strip_prefix('-') {
                Some(long) if long.starts_with('-') => err!("Error: unknown flag: {unknown}"),
                Some(short) => {
                    let letter = short.chars().next().unwrap_or('-');
                    err!("Error: unknown shorthand flag: '{letter}' in {unknown}");
                }
                None => err!("Error: unknown command \"{unknown}\" for \"{name}\""),
            }
        }
        ErrorKind::InvalidValue if context(ContextKind::InvalidValue).is_empty() => {
            let flag = context(ContextKind::InvalidArg);
            let flag = flag.split_whitespace().next().unwrap_or(flag);
            err!("Error: flag needs an argument: {flag}");
        }
        _ => output::error(&error.render().to_string()),
    }
    ExitCode::FAILURE
}
