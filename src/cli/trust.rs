//! `trust` and `untrust`: whether this machine trusts the root of a local authority.
use super::{
    client::request,
    control::reach,
    failure::{Failure, go_io},
};
use crate::tls::trust_store::{install, is_installed, uninstall};
use clap::Args;
use http::Method;
use serde_json::Value;
use std::fs;

/// Installs a CA certificate into local trust stores
#[derive(Args, Debug)]
pub(super) struct Trust {
    #[command(flatten)]
    authority: Authority,
}
/// Untrusts a locally-trusted CA certificate
#[derive(Args, Debug)]
pub(super) struct Untrust {
    /// The path to the CA certificate to untrust
    #[arg(short = 'p', long, value_name = "string", default_value = "")]
    cert: String,
    #[command(flatten)]
    authority: Authority,
}
/// Whose root it is, and which process knows it.
#[derive(Args, Debug)]
struct Authority {
    /// The ID of the CA (defaults to 'local')
    #[arg(long, value_name = "string", default_value = "")]
    ca: String,
    /// Address of the administration API listener (if --config is not used)
    #[arg(long, value_name = "string")]
    address: Option<String>,
    /// Configuration file (if --address is not used)
    #[arg(short, long, value_name = "string")]
    config: Option<String>,
    /// Name of config adapter to apply (if --config is used)
    #[arg(short, long, value_name = "string")]
    adapter: Option<String>,
}
impl Trust {
    pub(super) fn run(self) -> Result<(), Failure> {
        let (root, path) = self.authority.root()?;
        if is_installed(&root) {
            tracing::info!(target: "", path, "root certificate is already trusted by system");
            return Ok(());
        }
        tracing::warn!(target: "", path, "installing root certificate (you might be prompted for password)");
        install(&root)?;
        Ok(())
    }
}
impl Untrust {
    pub(super) fn run(self) -> Result<(), Failure> {
        let Authority { ca, address, config, .. } = &self.authority;
        let root = if self.cert.is_empty() {
            self.authority.root()?.0
        } else if ca.is_empty() && address.is_none() && config.is_none() {
            fs::read_to_string(&self.cert).map_err(|error| {
                let why = go_io("stat", &self.cert, &error);
                Failure::new(format!("accessing certificate file: {why}"))
            })?
        } else {
            let why = "conflicting command line arguments, cannot use --cert with other flags";
            return Err(Failure::new(why));
        };
        uninstall(&root).map_err(|why| Failure::new(format!("failed to uninstall certificate file: {why}")))
    }
}
impl Authority {
    /// The root (PEM), and where it came from: the running process knows it.
    fn root(&self) -> Result<(String, String), Failure> {
        let address = reach(self.address.as_deref(), self.config.as_deref(), self.adapter.as_deref())?;
        let id = if self.ca.is_empty() { "local" } else { &self.ca };
        let path = format!("/pki/ca/{id}");
        let info = request(&address, Method::GET, &path, &[], None)
            .map_err(|why| Failure::new(format!("requesting CA info: {}", why.text())))?;
        let info: Value = serde_json::from_slice(&info)
            .map_err(|error| Failure::new(format!("failed to decode JSON response: {error}")))?;
        let root = info.get("root_certificate").and_then(Value::as_str);
        let root = root.ok_or_else(|| Failure::new("failed to decode root certificate: there is none"))?;
        Ok((root.to_owned(), address + &path))
    }
}
