//! `version`, `build-info` and `environ`: what this is, and where.
use super::{envfile, failure::Failure};
use crate::{
    admin::autosave_path,
    environment,
    storage::{config_dir, data_dir},
};
use clap::Args;
use std::{env, thread};

/// The version of Caddy that this takes the place of, then our own.
pub(super) const VERSION: &str = concat!("v2.11.7 (proxy ", env!("CARGO_PKG_VERSION"), ")");

/// Prints the environment
#[derive(Args, Debug)]
pub(super) struct Environ {
    /// Environment file(s) to load
    #[arg(long, value_name = "strings", value_delimiter = ',')]
    envfile: Vec<String>,
}
impl Environ {
    pub(super) fn run(self) -> Result<(), Failure> {
        envfile::load(&self.envfile)?;
        print();
        Ok(())
    }
}
/// In Caddy's lines, with Go's names of what there is of it here.
pub(super) fn print() {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let os = if env::consts::OS == "macos" { "darwin" } else { env::consts::OS };
    let arch = match env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    out!("caddy.HomeDir={}", environment::var("HOME").filter(|home| !home.is_empty()).unwrap_or(".".into()));
    out!("caddy.AppDataDir={}", data_dir().display());
    out!("caddy.AppConfigDir={}", config_dir().display());
    out!("caddy.ConfigAutosavePath={}", autosave_path().display());
    out!("caddy.Version={VERSION}");
    out!("runtime.GOOS={os}");
    out!("runtime.GOARCH={arch}");
    out!("runtime.Compiler=rustc");
    out!("runtime.NumCPU={cores}");
    out!("runtime.GOMAXPROCS={cores}");
    out!("runtime.Version=rust");
    match env::current_dir() {
        Ok(folder) => out!("os.Getwd={}\n", folder.display()),
        Err(error) => out!("os.Getwd=<error: {error}>\n"),
    }
    environment::all().iter().for_each(|variable| out!("{variable}"));
}
/// What it was built of.
pub(super) fn build_info() {
    out!("path\t{}", env!("CARGO_PKG_NAME"));
    out!("mod\t{}\tv{}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    out!("build\tlanguage=rust");
    out!("build\tprofile={}", if cfg!(debug_assertions) { "debug" } else { "release" });
    out!("build\tos={}", env::consts::OS);
    out!("build\tarch={}", env::consts::ARCH);
}
