//! `run`: serves by a configuration until a signal ends it.
use crate::{
    config::Config,
    logging::{Logs, ToLogs},
    server::{App, Parts, Plan},
    state::State,
    table,
};
use clap::Args;
use std::{path::Path, process::ExitCode, sync::Arc};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::layer::SubscriberExt;

type Failed = Box<dyn std::error::Error>;

/// Starts the server and serves until it is told to stop.
#[derive(Args)]
pub(super) struct Run {
    /// Configuration file
    #[arg(short, long)]
    config: Option<String>,
    /// Name of the config adapter
    #[arg(short, long)]
    adapter: Option<String>,
}
impl Run {
    pub(super) fn run(self) -> ExitCode {
        match serve(&self) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("Error: {error}");
                ExitCode::FAILURE
            }
        }
    }
}
fn serve(options: &Run) -> Result<(), Failed> {
    let state = Arc::new(State::default());
    let logs = ToLogs::new(Logs::standard(&state));
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(logs.clone()))?;
    let control = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    control.block_on(async {
        let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let mut again = signal(SignalKind::user_defined1())?;
        let app = App::new()?;
        app.reload(load(options, &state, &logs)?).await?;
        tracing::info!(target: "", "serving initial configuration");
        loop {
            tokio::select! {
                _ = term.recv() => break,
                _ = int.recv() => break,
                _ = again.recv() => {
                    let reloaded = match load(options, &state, &logs) {
                        Ok(plan) => app.reload(plan).await.map_err(Into::into),
                        Err(error) => Err(error),
                    };
                    if let Err(error) = reloaded {
                        tracing::error!(target: "", %error, "reload failed");
                    }
                }
            }
        }
        app.stop().await;
        Ok(())
    })
}
fn load(options: &Run, state: &Arc<State>, logs: &ToLogs) -> Result<Plan, Failed> {
    let file = options.config.as_deref();
    let json = Path::new(file.unwrap_or("Caddyfile")).extension().is_some_and(|end| end == "json");
    let adapter = options.adapter.as_deref().unwrap_or(if json { "json" } else { "caddyfile" });
    let adapted = super::adapt::load(file, adapter).map_err(|errors| joined(&errors))?;
    super::adapt::warn(&adapted.warnings, adapter);
    if !adapted.not_yet.is_empty() {
        return Err(joined(&adapted.not_yet).into());
    }
    let config: Config = serde_json::from_value(adapted.json)?;
    let built = match &config.logging {
        Some(logging) => Logs::build(Some(logging), table::ENCODERS, state)?,
        None => Logs::standard(state),
    };
    let built = Arc::new(built);
    logs.replace(built.clone());
    let parts =
        Parts { modules: &table::MODULES, issuers: table::ISSUERS, state: state.clone(), logs: built };
    Ok(Plan::build(&config, &parts)?)
}
fn joined(errors: &[grammar::Error]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
