//! Where certificates, keys and accounts live. One trait, so that other places than the file system can join.
mod file_system;
mod host_folders;
use crate::environment;
pub use file_system::{FileSystem, give_up_locks};
pub use host_folders::{Fingerprint, HostFolders, Pair};
use std::{
    io,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// Keys are relative paths of `/`-separated names. Values are whole: who reads never sees half of what is written.
pub trait Storage: std::fmt::Debug + Send + Sync {
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is nothing under `key`, or what the medium says.
    fn load(&self, key: &str) -> io::Result<Vec<u8>>;
    /// Replaces what is there, all or nothing, and for good once it returns.
    ///
    /// # Errors
    /// What the medium says; the earlier value stays then.
    fn store(&self, key: &str, value: &[u8]) -> io::Result<()>;
    /// Removes a value or a whole folder. What is not there is gone already.
    ///
    /// # Errors
    /// What the medium says.
    fn delete(&self, key: &str) -> io::Result<()>;
    /// The names right below `prefix`, sorted, without it; none if there is no such folder.
    ///
    /// # Errors
    /// What the medium says.
    fn list(&self, prefix: &str) -> io::Result<Vec<String>>;
    /// When a value was written.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    fn modified(&self, key: &str) -> io::Result<SystemTime>;
    /// Takes the lock of that name, across processes; waits while another holds it, up to `patience`.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`] if it stays taken, or what the medium says.
    fn lock(&self, name: &str, patience: Duration) -> io::Result<Box<dyn Lock>>;
    /// How logs name it.
    fn describe(&self) -> String;
}
/// Held until it is dropped.
pub trait Lock: Send {}

/// [`Storage::lock`], waiting off the runtime's threads.
///
/// # Errors
/// As `Storage::lock`.
pub async fn lock(storage: Arc<dyn Storage>, name: String, patience: Duration) -> io::Result<Box<dyn Lock>> {
    let waiting = tokio::task::spawn_blocking(move || storage.lock(&name, patience));
    waiting.await.map_err(io::Error::other)?
}

/// A name as a part of a key, in Caddy's (certmagic's) spelling.
pub fn safe(name: &str) -> String {
    let name = name.trim().to_lowercase();
    let name = name
        .replace(' ', "_")
        .replace('+', "_plus_")
        .replace('*', "wildcard_")
        .replace(':', "-")
        .replace("..", "");
    name.chars().filter(|c| c.is_ascii_alphanumeric() || "_@.-".contains(*c)).collect()
}
/// Caddy's folder for data: `$XDG_DATA_HOME/caddy`, `$HOME/.local/share/caddy`, or `./caddy`.
pub fn data_dir() -> PathBuf {
    home("XDG_DATA_HOME", ".local/share")
}
/// Caddy's folder for configuration: `$XDG_CONFIG_HOME/caddy`, `$HOME/.config/caddy`, or `./caddy`.
pub fn config_dir() -> PathBuf {
    home("XDG_CONFIG_HOME", ".config")
}
/// This installation's name, which is made at its first use: Caddy's `instance.uuid`.
///
/// # Errors
/// The folder for data can be neither read nor written.
pub fn instance_id() -> io::Result<String> {
    let storage = FileSystem::new(data_dir());
    match storage.load("instance.uuid") {
        Ok(known) => Ok(String::from_utf8_lossy(&known).trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let fresh = uuid::Uuid::new_v4().to_string();
            storage.store("instance.uuid", fresh.as_bytes())?;
            Ok(fresh)
        }
        Err(error) => Err(error),
    }
}
/// Whether what is written can be read again: certificates that could not be kept are not to be ordered.
///
/// # Errors
/// It can not.
pub fn check(storage: &dyn Storage) -> io::Result<()> {
    let key = format!("rw_test_{}", fastrand::u64(..));
    let contents: Vec<u8> = (0..10 * 1024).map(|_| fastrand::u8(..)).collect();
    storage.store(&key, &contents)?;
    let loaded = storage.load(&key);
    storage.delete(&key)?;
    if loaded? == contents {
        Ok(())
    } else {
        Err(io::Error::other("load yielded different value than was stored"))
    }
}
fn home(variable: &str, below_home: &str) -> PathBuf {
    let set = |name: &str| environment::var(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set(variable).or_else(|| set("HOME").map(|home| home.join(below_home)));
    base.map_or_else(|| "./caddy".into(), |base| base.join("caddy"))
}
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn names_are_made_safe_as_certmagic_does() {
        for (name, key) in [
            ("*.wild.example.com", "wildcard_.wild.example.com"),
            ("Someone+tag@Example.com", "someone_plus_tag@example.com"),
            ("::1", "--1"),
            ("../../etc", "etc"),
            ("a b/c", "a_bc"),
        ] {
            assert_eq!(safe(name), key);
        }
    }
}
