//! `adapt` and `validate`: what a configuration is as JSON, and whether all of it can be built.
use super::{
    envfile,
    failure::{Failure, Form},
    input::Input,
};
use crate::{
    admin::{check, decode},
    config::{compact, pretty},
    logging::ToLogs,
};
use clap::Args;

/// Adapts a configuration to Caddy's native JSON
#[derive(Args, Debug)]
pub(super) struct Adapt {
    /// Configuration file to adapt (required)
    #[arg(short, long, value_name = "string")]
    config: Option<String>,
    /// Name of config adapter [default: caddyfile, but toml for *.toml]
    #[arg(short, long, value_name = "string")]
    adapter: Option<String>,
    /// Format the output for human readability
    #[arg(short, long)]
    pretty: bool,
    /// Validate the output
    #[arg(long)]
    validate: bool,
    /// Environment file(s) to load
    #[arg(long, value_name = "strings", value_delimiter = ',')]
    envfile: Vec<String>,
    /// How errors are shown: for people, or as JSON for editors
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Form,
}
impl Adapt {
    pub(super) fn run(self, logs: &ToLogs) -> Result<(), Failure> {
        envfile::load(&self.envfile)?;
        let input = Input::adapt(self.config.as_deref(), self.adapter.as_deref())?;
        // What was said before the result is read before it.
        logs.logs().flush();
        let mut text = if self.pretty { pretty(&input.json) } else { compact(&input.json) };
        text.push('\n');
        super::output::write(text);
        input.warn_as_adapter();
        if self.validate {
            let input = input.runnable()?;
            let config = decode(&input.json).map_err(|why| format!("decoding config: {why}"))?;
            check(&config).map_err(|why| format!("validation: {why}"))?;
            return Ok(());
        }
        // The process ends here: to take a large configuration apart would only take time.
        std::mem::forget(input);
        Ok(())
    }
}
/// Tests whether a configuration file is valid
#[derive(Args, Debug)]
pub(super) struct Validate {
    /// Input configuration file
    #[arg(short, long, value_name = "string")]
    config: Option<String>,
    /// Name of config adapter
    #[arg(short, long, value_name = "string")]
    adapter: Option<String>,
    /// Environment file(s) to load
    #[arg(long, value_name = "strings", value_delimiter = ',')]
    envfile: Vec<String>,
    /// How errors are shown: for people, or as JSON for editors
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Form,
}
impl Validate {
    pub(super) fn run(self, logs: &ToLogs) -> Result<(), Failure> {
        envfile::load(&self.envfile)?;
        let input = Input::required(self.config.as_deref(), self.adapter.as_deref())?.runnable()?;
        let config = decode(&input.json).map_err(|why| format!("decoding config: {why}"))?;
        check(&config)?;
        logs.logs().flush();
        match self.format {
            Form::Log => out!("Valid configuration"),
            Form::Json => out!("[]"),
        }
        Ok(())
    }
}
