//! `upgrade`, `add-package`, `remove-package`: Caddy fetches another binary for them. Here everything is built in.
use super::{failure::Failure, list_modules};
use clap::Args;

/// Upgrade Caddy (EXPERIMENTAL)
#[derive(Args, Debug)]
pub(super) struct Upgrade {
    /// Keep the backed up binary, instead of deleting it
    #[arg(short, long)]
    keep_backup: bool,
}
/// Adds Caddy packages (EXPERIMENTAL)
#[derive(Args, Debug)]
pub(super) struct AddPackage {
    /// Keep the backed up binary, instead of deleting it
    #[arg(short, long)]
    keep_backup: bool,
    /// Packages, with or without @version
    #[arg(required = true)]
    packages: Vec<String>,
}
/// Removes Caddy packages (EXPERIMENTAL)
#[derive(Args, Debug)]
pub(super) struct RemovePackage {
    /// Keep the backed up binary, instead of deleting it
    #[arg(short, long)]
    keep_backup: bool,
    /// Packages
    #[arg(required = true)]
    packages: Vec<String>,
}
impl Upgrade {
    pub(super) fn run(self) -> Result<(), Failure> {
        out!(
            "Nothing to do: all modules are part of this program. A newer one comes as a newer image or package."
        );
        Ok(())
    }
}
impl AddPackage {
    /// What is here already needs no adding, so that a Dockerfile that adds it goes on.
    pub(super) fn run(self) -> Result<(), Failure> {
        for package in &self.packages {
            match module_of(package) {
                Some(module) => out!("Nothing to do for {package}: {module} is built in."),
                None => {
                    return Err(Failure::new(format!(
                        "{package} is not built in and cannot be added: this program has no packages; list-modules says what it has"
                    )));
                }
            }
        }
        Ok(())
    }
}
impl RemovePackage {
    pub(super) fn run(self) -> Result<(), Failure> {
        let all = self.packages.join(", ");
        Err(Failure::new(format!(
            "nothing was removed ({all}): all modules are part of this program, and those that no configuration names cost nothing"
        )))
    }
}
/// The module that a package of Caddy's world brings, if it is here.
fn module_of(package: &str) -> Option<String> {
    let package = package.split('@').next().unwrap_or(package);
    let id = match package {
        "github.com/mholt/caddy-ratelimit" => "http.handlers.rate_limit".to_owned(),
        "github.com/ueffel/caddy-brotli" => "http.encoders.br".to_owned(),
        "github.com/caddyserver/replace-response" => "http.handlers.replace_response".to_owned(),
        "github.com/caddyserver/transform-encoder" => "caddy.logging.encoders.transform".to_owned(),
        "github.com/WeidiDeng/caddy-cloudflare-ip" => "http.ip_sources.cloudflare".to_owned(),
        package => {
            let provider = package.strip_prefix("github.com/caddy-dns/")?;
            format!("dns.providers.{}", provider.split('/').next().unwrap_or(provider))
        }
    };
    list_modules::ids().contains(&id).then_some(id)
}
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn packages_of_modules_that_are_built_in_are_known() {
        for (package, module) in [
            ("github.com/mholt/caddy-ratelimit", Some("http.handlers.rate_limit")),
            ("github.com/caddy-dns/ovh@v1.0.1", Some("dns.providers.ovh")),
            ("github.com/caddy-dns/hetzner/v2", Some("dns.providers.hetzner")),
            ("github.com/caddy-dns/nobody", None),
            ("github.com/mholt/caddy-l4", None),
        ] {
            assert_eq!(module_of(package).as_deref(), module, "{package}");
        }
    }
}
