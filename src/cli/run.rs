//! `run`: serves by a configuration until a signal ends it.
use crate::{
    config::Config,
    logging::{Logs, ToLogs},
    server::{App, Parts, Plan},
    state::State,
    table,
};
use std::{fs, process::ExitCode, sync::Arc};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::layer::SubscriberExt;

type Failed = Box<dyn std::error::Error>;

pub(super) fn run(args: impl Iterator<Item = String>) -> ExitCode {
    let args: Vec<String> = args.collect();
    let file = args.iter().position(|arg| arg == "--config").and_then(|at| args.get(at + 1));
    match serve(file.map_or("caddy.json", String::as_str)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error}");
            ExitCode::FAILURE
        }
    }
}
fn serve(file: &str) -> Result<(), Failed> {
    let state = Arc::new(State::default());
    let logs = ToLogs::new(Logs::standard(&state));
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(logs.clone()))?;
    let control = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    control.block_on(async {
        let app = App::new()?;
        app.reload(load(file, &state, &logs)?).await?;
        tracing::info!(target: "", "serving initial configuration");
        let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let mut again = signal(SignalKind::user_defined1())?;
        loop {
            tokio::select! {
                _ = term.recv() => break,
                _ = int.recv() => break,
                _ = again.recv() => {
                    let reloaded = match load(file, &state, &logs) {
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
fn load(file: &str, state: &Arc<State>, logs: &ToLogs) -> Result<Plan, Failed> {
    let config: Config = serde_json::from_str(&fs::read_to_string(file)?)?;
    let built = match &config.logging {
        Some(logging) => Logs::build(Some(logging), &[], state)?,
        None => Logs::standard(state),
    };
    let built = Arc::new(built);
    logs.replace(built.clone());
    let parts =
        Parts { modules: &table::MODULES, issuers: table::ISSUERS, state: state.clone(), logs: built };
    Ok(Plan::build(&config, &parts)?)
}
