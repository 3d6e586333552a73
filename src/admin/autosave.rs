//! The last good configuration, kept for `run --resume`.
use crate::storage::config_dir;
use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// Where it is kept: Caddy's place.
pub fn path() -> PathBuf {
    config_dir().join("autosave.json")
}
/// Keeps `json`, and says so in the log.
pub(super) fn save(json: &str) {
    let file = path();
    match write(&file, json) {
        Ok(()) => {
            tracing::info!(target: "", file = %file.display(), "autosaved config (load with --resume flag)");
        }
        Err(error) => {
            tracing::error!(target: "", file = %file.display(), %error, "unable to autosave config")
        }
    }
}
/// All or nothing: whoever reads finds the old one or the new one, also after a crash.
fn write(file: &Path, json: &str) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let fresh = file.with_extension(format!("json.{}", std::process::id()));
    let written =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh).and_then(
            |mut out| {
                out.write_all(json.as_bytes())?;
                out.sync_all()
            },
        );
    match written.and_then(|()| fs::rename(&fresh, file)) {
        Ok(()) => Ok(()),
        Err(error) => {
            // What is left of it is of no use; the error that matters is the first.
            let _ = fs::remove_file(&fresh);
            Err(error)
        }
    }
}
