//! `validate`: adapts a configuration, builds all of it, and lets it go.
use super::adapt::{complain, load, warn};
use crate::{
    caddyfile::Adapted,
    config::Config,
    logging::Logs,
    server::{Parts, Plan},
    state::State,
    table,
};
use clap::Args;
use grammar::Error;
use serde::Deserialize;
use std::{path::Path, process::ExitCode, sync::Arc};

/// Tests whether a configuration file is valid.
#[derive(Args)]
pub(super) struct Validate {
    /// Configuration file
    #[arg(short, long)]
    config: Option<String>,
    /// Name of the config adapter
    #[arg(short, long)]
    adapter: Option<String>,
}
impl Validate {
    pub(super) fn run(self) -> ExitCode {
        let named = self.config.as_deref().unwrap_or("Caddyfile");
        let json = Path::new(named).extension().is_some_and(|end| end == "json");
        let adapter = self.adapter.unwrap_or_else(|| if json { "json" } else { "caddyfile" }.to_owned());
        match load(self.config.as_deref(), &adapter) {
            Ok(adapted) => {
                warn(&adapted.warnings, &adapter);
                check(&adapted)
            }
            Err(errors) => complain(&errors),
        }
    }
}
/// Builds what a configuration says, without a port or the network.
pub(super) fn check(adapted: &Adapted) -> ExitCode {
    if !adapted.not_yet.is_empty() {
        return complain(&adapted.not_yet);
    }
    let built = build(adapted);
    match built {
        Ok(_) => {
            println!("Valid configuration");
            ExitCode::SUCCESS
        }
        Err(why) => complain(&[Error::plain(why)]),
    }
}
fn build(adapted: &Adapted) -> Result<Plan, String> {
    let config = Config::deserialize(&adapted.json).map_err(|why| why.to_string())?;
    let state = Arc::new(State::default());
    let logs = Arc::new(Logs::standard(&state));
    Plan::build(&config, &Parts { modules: &table::MODULES, issuers: table::ISSUERS, state, logs })
}
