//! `stop` and `reload`: what is asked of a process that runs.
use super::{
    client::{address, request},
    failure::Failure,
    input::Input,
};
use clap::Args;
use http::Method;
use serde_json::Value;

/// Gracefully stops a started process
#[derive(Args, Debug)]
pub(super) struct Stop {
    /// Configuration file to use to parse the admin address, if --address is not used
    #[arg(short, long, value_name = "string")]
    config: Option<String>,
    /// Name of config adapter to apply (when --config is used)
    #[arg(short, long, value_name = "string")]
    adapter: Option<String>,
    /// The address to use to reach the admin API endpoint, if not the default
    #[arg(long, value_name = "string")]
    address: Option<String>,
}
impl Stop {
    pub(super) fn run(self) -> Result<(), Failure> {
        let address = reach(self.address.as_deref(), self.config.as_deref(), self.adapter.as_deref())?;
        if let Err(failure) = request(&address, Method::POST, "/stop", &[], None) {
            tracing::warn!(target: "", error = failure.text(), "failed using API to stop instance");
            return Err(failure);
        }
        Ok(())
    }
}
/// Where the API is, for commands whose configuration only tells that.
pub(super) fn reach(
    named: Option<&str>,
    config: Option<&str>,
    adapter: Option<&str>,
) -> Result<String, Failure> {
    let json = match config {
        Some(config) if named.is_none() => {
            let input = Input::load(Some(config), adapter);
            input
                .map_err(|why| Failure::new(format!("couldn't determine admin API address: {}", why.text())))?
                .json
        }
        _ => Value::Null,
    };
    Ok(address(named, &json))
}

/// Changes the config of the running instance
#[derive(Args, Debug)]
pub(super) struct Reload {
    /// Configuration file (required)
    #[arg(short, long, value_name = "string")]
    config: Option<String>,
    /// Name of config adapter to apply
    #[arg(short, long, value_name = "string")]
    adapter: Option<String>,
    /// Address of the administration listener, if different from config
    #[arg(long, value_name = "string")]
    address: Option<String>,
    /// Force config reload, even if it is the same
    #[arg(short, long)]
    force: bool,
}
impl Reload {
    pub(super) fn run(self) -> Result<(), Failure> {
        let input = Input::load(self.config.as_deref(), self.adapter.as_deref())?.runnable()?;
        if input.file.is_empty() {
            return Err(Failure::new("no config file to load"));
        }
        let address = address(self.address.as_deref(), &input.json);
        let mut headers = vec![
            ("caddy-config-source-file", input.file.as_str()),
            ("caddy-config-source-adapter", input.adapter),
        ];
        if self.force {
            headers.push(("cache-control", "must-revalidate"));
        }
        let sent = request(&address, Method::POST, "/load", &headers, Some(input.to_json()));
        sent.map_err(|why| Failure::new(format!("sending configuration to instance: {}", why.text())))?;
        Ok(())
    }
}
