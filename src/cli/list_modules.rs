//! `list-modules`: what is built in, by Caddy's module ids.
use super::failure::Failure;
use crate::{config::compact, table};
use clap::Args;
use serde::Serialize;
use std::collections::BTreeSet;

/// Lists the installed modules
#[derive(Args, Debug)]
pub(super) struct ListModules {
    /// Print package paths
    #[arg(long)]
    packages: bool,
    /// Print version information
    #[arg(long)]
    versions: bool,
    /// Skip printing standard modules
    #[arg(short, long)]
    skip_standard: bool,
    /// Print modules in JSON format
    #[arg(long)]
    json: bool,
}
/// What Caddy has without plugins, beside what the table tells.
const BUILT_IN: &[&str] = &[
    "admin.api.load",
    "admin.api.metrics",
    "admin.api.pki",
    "admin.api.reverse_proxy",
    "caddy.adapters.caddyfile",
    "caddy.adapters.toml",
    "http",
    "pki",
    "tls",
    "tls.certificates.automate",
    "tls.certificates.load_files",
];
/// Plugins in real Caddy: namespaces, and names.
const PLUGINS: &[&str] = &[
    "caddy.adapters.toml",
    "caddy.logging.encoders.formatted",
    "caddy.logging.encoders.service",
    "caddy.logging.encoders.transform",
    "dns.providers.",
    "http.encoders.br",
    "http.handlers.log_error",
    "http.handlers.rate_limit",
    "http.handlers.replace_response",
    "http.handlers.token_bucket",
    "http.ip_sources.cloudflare",
];
#[derive(Serialize)]
struct Listed<'a> {
    module_name: &'a str,
    module_type: &'static str,
    version: &'static str,
    package_url: &'static str,
}
const VERSION: &str = concat!("v", env!("CARGO_PKG_VERSION"));
const PACKAGE: &str = env!("CARGO_PKG_NAME");

impl ListModules {
    pub(super) fn run(self) -> Result<(), Failure> {
        let all = ids();
        let is_plugin = |id: &String| {
            PLUGINS.iter().any(|plugin| id == plugin || (plugin.ends_with('.') && id.starts_with(plugin)))
        };
        let (plugins, standard): (Vec<&String>, Vec<&String>) = all.iter().partition(|id| is_plugin(id));
        if self.json {
            let list = |ids: &[&String], module_type| {
                ids.iter()
                    .map(move |id| Listed {
                        module_name: id,
                        module_type,
                        version: VERSION,
                        package_url: PACKAGE,
                    })
                    .map(|listed| serde_json::to_value(listed).unwrap_or_default())
                    .collect::<Vec<_>>()
            };
            let mut shown = if self.skip_standard { vec![] } else { list(&standard, "standard") };
            shown.extend(list(&plugins, "non-standard"));
            out!("{}", indented(&shown));
            return Ok(());
        }
        if !self.skip_standard {
            standard.iter().for_each(|id| self.print(id));
            out!("\n  Standard modules: {}", standard.len());
        }
        if !plugins.is_empty() {
            if !self.skip_standard {
                out!("");
            }
            plugins.iter().for_each(|id| self.print(id));
            out!("\n  Non-standard modules: {}", plugins.len());
        }
        Ok(())
    }
    fn print(&self, id: &str) {
        let version = if self.versions { format!(" {VERSION}") } else { String::new() };
        let package = if self.packages { format!(" {PACKAGE}") } else { String::new() };
        out!("{id}{version}{package}");
    }
}
fn indented(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| compact(value))
}
/// All module ids, sorted.
pub(super) fn ids() -> BTreeSet<String> {
    let handlers = table::MODULES.handlers.iter().map(|module| format!("http.handlers.{}", module.name));
    let matchers = table::MODULES.matchers.iter().map(|module| format!("http.matchers.{}", module.name));
    let encoders = table::ENCODERS.iter().map(|module| format!("caddy.logging.encoders.{}", module.name));
    let issuers = table::TLS.issuers.iter().map(|module| format!("tls.issuance.{}", module.name));
    let named = table::SYNTAX.modules.iter().map(|module| format!("{}.{}", module.namespace, module.name));
    let built_in = BUILT_IN.iter().map(|id| (*id).to_owned());
    handlers.chain(matchers).chain(encoders).chain(issuers).chain(named).chain(built_in).collect()
}
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn plugins_of_caddy_are_built_in() {
        let all = ids();
        for id in
            ["http.handlers.rate_limit", "http.matchers.path", "dns.providers.ovh", "tls.issuance.internal"]
        {
            assert!(all.contains(id), "{id}");
        }
    }
}
