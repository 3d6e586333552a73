//! Caddy's file-system layout, to the byte: folders 0700, files 0600, locks under `locks/`.
use super::{Lock, Storage, safe};
use chrono::{DateTime, SecondsFormat, Utc};
use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Component, Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

/// A holder says that often that it is alive, …
const REFRESH: Duration = Duration::from_secs(5);
/// … and is taken for dead after twice as long.
const STALE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(250);

#[derive(Clone, Debug)]
pub struct FileSystem {
    root: PathBuf,
}
impl FileSystem {
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }
    /// Where a key is; never outside the root.
    fn path(&self, key: &str) -> io::Result<PathBuf> {
        let relative = Path::new(key);
        if relative.components().any(|part| !matches!(part, Component::Normal(_))) {
            return Err(io::Error::new(ErrorKind::InvalidInput, format!("not a storage key: {key}")));
        }
        Ok(self.root.join(relative))
    }
}
impl Storage for FileSystem {
    fn load(&self, key: &str) -> io::Result<Vec<u8>> {
        fs::read(self.path(key)?)
    }
    fn store(&self, key: &str, value: &[u8]) -> io::Result<()> {
        let path = self.path(key)?;
        let folder = path.parent().unwrap_or(&self.root);
        private_folder(folder)?;
        let unfinished = folder.join(format!(".{:016x}.tmp", fastrand::u64(..)));
        let written = (|| {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
            file.write_all(value)?;
            file.sync_all()?;
            fs::rename(&unfinished, &path)?;
            // The new name itself is safe only when the folder is.
            File::open(folder)?.sync_all()
        })();
        if written.is_err() {
            fs::remove_file(&unfinished).ok();
        }
        written
    }
    fn delete(&self, key: &str) -> io::Result<()> {
        let path = self.path(key)?;
        let gone = match fs::symlink_metadata(&path) {
            Ok(meta) if meta.is_dir() => fs::remove_dir_all(&path),
            Ok(_) => fs::remove_file(&path),
            Err(error) => Err(error),
        };
        gone.or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
    }
    fn list(&self, prefix: &str) -> io::Result<Vec<String>> {
        let folder = if prefix.is_empty() { self.root.clone() } else { self.path(prefix)? };
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(vec![]),
            entries => entries?,
        };
        let name = |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
        let mut names = entries.map(name).collect::<io::Result<Vec<_>>>()?;
        names.sort();
        Ok(names)
    }
    fn modified(&self, key: &str) -> io::Result<SystemTime> {
        fs::metadata(self.path(key)?)?.modified()
    }
    fn lock(&self, name: &str, patience: Duration) -> io::Result<Box<dyn Lock>> {
        let path = self.path(&format!("locks/{}.lock", safe(name)))?;
        private_folder(path.parent().unwrap_or(&self.root))?;
        let started = Instant::now();
        loop {
            match OpenOptions::new().write(true).create_new(true).mode(0o644).open(&path) {
                Ok(file) => return Held::new(path, file).map(|held| Box::new(held) as Box<dyn Lock>),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
            if is_stale(&path) {
                tracing::info!(target: "tls", lock = name, "lock is stale; removing then retrying");
                fs::remove_file(&path).ok();
            } else if started.elapsed() >= patience {
                return Err(io::Error::new(ErrorKind::TimedOut, format!("lock {name} is held by another")));
            } else {
                thread::sleep(POLL);
            }
        }
    }
    fn describe(&self) -> String {
        format!("FileStorage:{}", self.root.display())
    }
}
fn private_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}
/// Whether a lock's holder has not been heard of for too long. A file without content may be about to get some.
fn is_stale(path: &Path) -> bool {
    let Ok(text) = fs::read_to_string(path) else { return false };
    let time = |field: &str| {
        let json: serde_json::Value = serde_json::from_str(&text).ok()?;
        DateTime::parse_from_rfc3339(json.get(field)?.as_str()?).ok()
    };
    let heard =
        time("updated").or_else(|| time("created")).map(|time| SystemTime::from(time.with_timezone(&Utc)));
    let heard = heard.or_else(|| fs::metadata(path).ok()?.modified().ok());
    heard.and_then(|heard| heard.elapsed().ok()).is_some_and(|silence| silence > STALE)
}
/// The files of all locks that this process holds.
static LOCKS: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
fn locks() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    LOCKS.lock().unwrap_or_else(PoisonError::into_inner)
}
/// Gives up all locks of this process, which is about to end without waiting for their holders.
pub fn give_up_locks() {
    for path in std::mem::take(&mut *locks()) {
        // Whoever waits for it takes it for stale soon, if it stays.
        fs::remove_file(path).ok();
    }
}
/// A lock file that a thread keeps fresh.
struct Held {
    path: PathBuf,
    /// Dropped to end the thread.
    stop: Option<Sender<()>>,
    refreshing: Option<thread::JoinHandle<()>>,
}
impl Held {
    fn new(path: PathBuf, mut file: File) -> io::Result<Self> {
        let created = Utc::now();
        file.write_all(lock_text(created).as_bytes())?;
        file.sync_all()?;
        let (stop, stopped) = mpsc::channel::<()>();
        let own = path.clone();
        let refresh = move || {
            while stopped.recv_timeout(REFRESH) == Err(RecvTimeoutError::Timeout) {
                let text = lock_text(created);
                // Only if it is still there: a lock that was broken is not ours to make anew.
                let file = OpenOptions::new().write(true).truncate(true).open(&own);
                if file.and_then(|mut file| file.write_all(text.as_bytes())).is_err() {
                    return;
                }
            }
        };
        let refreshing = thread::Builder::new().name("lock".into()).spawn(refresh)?;
        locks().insert(path.clone());
        Ok(Self { path, stop: Some(stop), refreshing: Some(refreshing) })
    }
}
impl Lock for Held {}
impl Drop for Held {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(refreshing) = self.refreshing.take() {
            refreshing.join().ok();
        }
        // Unless it was given up: then it may be another's.
        if locks().remove(&self.path) {
            fs::remove_file(&self.path).ok();
        }
    }
}
fn lock_text(created: DateTime<Utc>) -> String {
    let show = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Nanos, true);
    format!("{{\"created\":\"{}\",\"updated\":\"{}\"}}\n", show(created), show(Utc::now()))
}
#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn mode(path: impl AsRef<Path>) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }
    #[test]
    fn values_are_stored_privately_and_found_again() {
        let root = tempfile::tempdir().unwrap();
        let storage = FileSystem::new(root.path().join("caddy"));
        storage.store("certificates/local/a/a.key", b"secret").unwrap();
        storage.store("certificates/local/a/a.key", b"newer").unwrap();
        assert_eq!(storage.load("certificates/local/a/a.key").unwrap(), b"newer");
        assert_eq!(storage.list("certificates/local/a").unwrap(), ["a.key"]);
        assert_eq!(mode(root.path().join("caddy/certificates/local")), 0o700);
        assert_eq!(mode(root.path().join("caddy/certificates/local/a/a.key")), 0o600);
        storage.delete("certificates").unwrap();
        storage.delete("certificates").unwrap();
        assert_eq!(storage.load("certificates/local/a/a.key").unwrap_err().kind(), ErrorKind::NotFound);
        assert!(storage.list("certificates").unwrap().is_empty());
    }
    #[test]
    fn no_key_leads_out_of_the_root() {
        let root = tempfile::tempdir().unwrap();
        let storage = FileSystem::new(root.path().join("caddy"));
        for key in ["../x", "/etc/passwd", "a/../../x", "./x"] {
            assert_eq!(storage.store(key, b"").unwrap_err().kind(), ErrorKind::InvalidInput, "{key}");
        }
    }
    #[test]
    fn a_failed_write_leaves_the_earlier_value_and_no_rest() {
        let root = tempfile::tempdir().unwrap();
        let storage = FileSystem::new(root.path());
        storage.store("a/b", b"one").unwrap();
        fs::create_dir(root.path().join("a/taken")).unwrap();
        assert!(storage.store("a/taken", b"two").is_err());
        assert_eq!(storage.list("a").unwrap(), ["b", "taken"]);
    }
    #[test]
    fn a_lock_is_held_by_one_and_free_when_dropped() {
        let root = tempfile::tempdir().unwrap();
        let storage = FileSystem::new(root.path());
        let held = storage.lock("issue_cert_a.b", Duration::ZERO).unwrap();
        let path = root.path().join("locks/issue_cert_a.b.lock");
        assert_eq!(mode(&path), 0o644);
        assert!(fs::read_to_string(&path).unwrap().starts_with("{\"created\":\"2"));
        let again = storage.lock("issue_cert_a.b", Duration::ZERO);
        assert_eq!(again.err().unwrap().kind(), ErrorKind::TimedOut);
        drop(held);
        drop(storage.lock("issue_cert_a.b", Duration::ZERO).unwrap());
        assert!(!path.exists());
    }
    #[test]
    fn a_dead_holders_lock_is_broken() {
        let root = tempfile::tempdir().unwrap();
        let storage = FileSystem::new(root.path());
        fs::create_dir(root.path().join("locks")).unwrap();
        let old = "{\"created\":\"2020-01-01T00:00:00Z\",\"updated\":\"2020-01-01T00:00:05Z\"}\n";
        fs::write(root.path().join("locks/x.lock"), old).unwrap();
        storage.lock("x", Duration::ZERO).unwrap();
    }
}
