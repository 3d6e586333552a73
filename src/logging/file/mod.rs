//! The `file` writer: appends, and rolls the file when it is large, as Caddy's (timberjack's) does.
mod rolled;
mod schedule;
use super::sink::Target;
use crate::config::{
    self, is_default,
    placeholder::{Unknown, expand_global},
};
use rolled::{Compressed, Policy};
use schedule::Schedule;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
    thread,
};

/// JSON: `caddy.logging.writers.file`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct FileConfig {
    /// Placeholders are allowed.
    #[serde(skip_serializing_if = "is_default")]
    pub filename: String,
    /// Permissions in octal digits; empty: `0600`.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: String,
    /// Permissions of folders that are made; `inherit` takes the parent's, `from_file` follows `mode`; empty: `0700`.
    #[serde(skip_serializing_if = "is_default")]
    pub dir_mode: String,
    /// Unless it is `false`.
    #[serde(skip_serializing_if = "is_default")]
    pub roll: Option<bool>,
    /// In MiB; 0: 100.
    #[serde(skip_serializing_if = "is_default")]
    pub roll_size_mb: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub roll_interval: config::Duration,
    /// Minutes of every hour.
    #[serde(skip_serializing_if = "is_default")]
    pub roll_minutes: Vec<i64>,
    /// `HH:MM` of every day.
    #[serde(skip_serializing_if = "is_default")]
    pub roll_at: Vec<String>,
    /// `false`: leave rolled files uncompressed.
    #[serde(skip_serializing_if = "is_default")]
    pub roll_gzip: Option<bool>,
    /// Before `roll_gzip`: `none`, `gzip` or `zstd`.
    #[serde(skip_serializing_if = "is_default")]
    pub roll_compression: String,
    #[serde(skip_serializing_if = "is_default")]
    pub roll_local_time: bool,
    /// How many rolled files stay; 0: 10.
    #[serde(skip_serializing_if = "is_default")]
    pub roll_keep: i64,
    /// 0: 90.
    #[serde(skip_serializing_if = "is_default")]
    pub roll_keep_days: i64,
    /// A layout of Go's.
    #[serde(skip_serializing_if = "is_default")]
    pub backup_time_format: String,
}
#[derive(Debug)]
pub(super) struct RollingFile {
    path: PathBuf,
    mode: Option<u32>,
    folders: FolderMode,
    /// In bytes; `None` never rolls.
    limit: Option<u64>,
    policy: Policy,
    schedule: Schedule,
    open: Option<Open>,
}
#[derive(Debug)]
struct Open {
    file: File,
    size: u64,
    /// Device and inode: a file that was moved or deleted under us is opened anew.
    identity: (u64, u64),
}
/// Permissions of folders that are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FolderMode {
    Fixed(u32),
    /// As the nearest folder that is there.
    Inherit,
    /// As those of the file.
    FromFile,
}
impl FolderMode {
    fn read(text: &str) -> Result<Self, String> {
        Ok(match text.trim().to_lowercase().as_str() {
            "" | "0" => Self::Fixed(0o700),
            "inherit" => Self::Inherit,
            "from_file" => Self::FromFile,
            text => Self::Fixed(octal(text).map_err(|why| format!("dir_mode: {why}"))?.unwrap_or(0o700)),
        })
    }
    fn make(self, folder: &Path, file_mode: Option<u32>) -> io::Result<()> {
        if folder.as_os_str().is_empty() || folder.is_dir() {
            return Ok(());
        }
        // Who may read a folder may also enter it.
        let enterable = |mode: u32| mode | (mode & 0o444) >> 2;
        let mode = match self {
            Self::Fixed(mode) => mode,
            Self::Inherit => {
                let there = folder.ancestors().skip(1).map(|folder| match folder.as_os_str().is_empty() {
                    true => Path::new("."),
                    false => folder,
                });
                let mode =
                    there.filter_map(|folder| fs::metadata(folder).ok()).map(|meta| meta.mode() & 0o777);
                enterable(mode.into_iter().next().unwrap_or(0o700))
            }
            Self::FromFile => enterable(file_mode.unwrap_or(0)) | 0o200,
        };
        DirBuilder::new().recursive(true).mode(mode).create(folder)
    }
}
fn octal(text: &str) -> Result<Option<u32>, String> {
    match text {
        "" => Ok(None),
        text => u32::from_str_radix(text, 8).map(Some).map_err(|_| format!("invalid mode '{text}'")),
    }
}
impl RollingFile {
    /// Opens the file, so that what cannot be opened is known when the configuration is loaded.
    ///
    /// # Errors
    /// A mode that is not octal, an unknown compression, a file that cannot be opened.
    pub(super) fn open(config: &FileConfig) -> Result<Self, String> {
        let compressed = match config.roll_compression.trim().to_lowercase().as_str() {
            "" if config.roll_gzip == Some(false) => Compressed::No,
            "" | "gzip" => Compressed::Gzip,
            "none" => Compressed::No,
            "zstd" => Compressed::Zstd,
            _ => return Err(format!("invalid roll_compression: {}", config.roll_compression)),
        };
        let path = expand_global(&config.filename, Unknown::Fail);
        let or = |set: i64, default: u32| u32::try_from(set).ok().filter(|set| *set > 0).unwrap_or(default);
        let mut file = Self {
            mode: octal(&config.mode)?.filter(|mode| *mode != 0),
            folders: FolderMode::read(&config.dir_mode)?,
            limit: config.roll.unwrap_or(true).then(|| u64::from(or(config.roll_size_mb, 100)) << 20),
            policy: Policy {
                local_time: config.roll_local_time,
                compressed,
                keep: or(config.roll_keep, 10) as usize,
                keep_days: or(config.roll_keep_days, 90).into(),
                stamp: Policy::stamp(&config.backup_time_format),
            },
            schedule: Schedule::new(config),
            path: path.map_err(|why| format!("invalid filename for log file: {why}"))?.into(),
            open: None,
        };
        let opened = file.opened().map(|_| ());
        opened.map_err(|error| format!("open {}: {error}", file.path.display()))?;
        Ok(file)
    }
    /// Where it is, from the root on.
    pub(super) fn path(&self) -> PathBuf {
        std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone())
    }
    fn opened(&mut self) -> io::Result<&mut Open> {
        let there = fs::metadata(&self.path).ok().map(|meta| (meta.dev(), meta.ino()));
        let open = match self.open.take() {
            Some(open) if there == Some(open.identity) => open,
            _ => {
                self.folders.make(self.path.parent().unwrap_or(Path::new("")), self.mode)?;
                let mode = self.mode.unwrap_or(0o600);
                let file = OpenOptions::new().append(true).create(true).mode(mode).open(&self.path)?;
                let meta = file.metadata()?;
                if let Some(mode) = self.mode.filter(|mode| meta.mode() & 0o777 != mode & 0o777) {
                    file.set_permissions(fs::Permissions::from_mode(mode))?;
                }
                Open { file, size: meta.len(), identity: (meta.dev(), meta.ino()) }
            }
        };
        Ok(self.open.insert(open))
    }
    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let open = self.opened()?;
        open.file.write_all(lines)?;
        open.size += lines.len() as u64;
        Ok(())
    }
    fn roll(&mut self, reason: &str) -> io::Result<()> {
        let before = self.opened()?.file.metadata()?;
        self.open = None;
        fs::rename(&self.path, self.policy.fresh_name(&self.path, reason))?;
        let keeps_mode = self.mode.is_none();
        let fresh = &self.opened()?.file;
        let after = fresh.metadata()?;
        if keeps_mode && after.mode() != before.mode() {
            fresh.set_permissions(before.permissions())?;
        }
        if (after.uid(), after.gid()) != (before.uid(), before.gid()) {
            // Not every user may: then it stays as it is.
            let _ = fchown(fresh, Some(before.uid()), Some(before.gid()));
        }
        let (policy, path) = (self.policy.clone(), self.path.clone());
        // Compressing takes long; the lines that come meanwhile must not wait for it.
        thread::Builder::new().name("log roll".into()).spawn(move || policy.tidy(&path))?;
        Ok(())
    }
    fn roll_for_age(&mut self) -> io::Result<()> {
        self.roll("time")?;
        self.schedule.restart();
        Ok(())
    }
}
impl Target for RollingFile {
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let Some(limit) = self.limit else { return self.append(lines) };
        if self.schedule.is_due() {
            self.roll_for_age()?;
        }
        let mut rest = lines;
        while !rest.is_empty() {
            let room = limit.saturating_sub(self.opened()?.size);
            let fits = usize::try_from(room).unwrap_or(usize::MAX).min(rest.len());
            let whole = rest[..fits].iter().rposition(|&b| b == b'\n').map_or(0, |end| end + 1);
            let (now, later) = rest.split_at(if fits == rest.len() { fits } else { whole });
            self.append(now)?;
            rest = later;
            if !rest.is_empty() {
                if self.opened()?.size == 0 {
                    // A line longer than the limit has no file that would take it.
                    return Err(io::Error::other("a line is longer than the file may grow"));
                }
                self.roll("size")?;
            }
        }
        Ok(())
    }
    fn tick(&mut self) -> io::Result<()> {
        if self.limit.is_some() && self.schedule.is_marked() { self.roll_for_age() } else { Ok(()) }
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
    fn file(folder: &Path, config: FileConfig) -> RollingFile {
        let filename = folder.join("logs/access.log").display().to_string();
        RollingFile::open(&FileConfig { filename, ..config }).unwrap()
    }
    #[test]
    fn a_full_file_is_rolled_between_lines_and_old_ones_go() {
        let folder = tempfile::tempdir().unwrap();
        let logs = folder.path().join("logs");
        let config =
            FileConfig { roll_size_mb: 1, roll_keep: 2, roll_gzip: Some(false), ..Default::default() };
        let mut file = file(folder.path(), config);
        let line = [&[b'x'; 99][..], b"\n"].concat();
        for _ in 0..5 {
            file.write(&line.repeat(8000)).unwrap();
            // Rolled files of one millisecond count as one.
            let written = chrono::Utc::now().timestamp_millis();
            while chrono::Utc::now().timestamp_millis() == written {}
        }
        assert_eq!(fs::metadata(&logs).unwrap().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(logs.join("access.log")).unwrap().mode() & 0o777, 0o600);
        for name in names(&logs) {
            let size = fs::metadata(logs.join(&name)).unwrap().len();
            assert!(size <= 1 << 20 && size.is_multiple_of(100), "{name}: {size}");
        }
        file.policy.tidy(&file.path);
        let rolled = names(&logs);
        assert_eq!(rolled.len(), 3, "{rolled:?}");
        assert!(rolled[0].starts_with("access-2") && rolled[0].ends_with("-size.log"), "{rolled:?}");
    }
    #[test]
    fn an_old_file_is_rolled_before_the_next_line() {
        let folder = tempfile::tempdir().unwrap();
        let interval = config::Duration::from(std::time::Duration::from_nanos(1));
        let config = FileConfig { roll_interval: interval, roll_gzip: Some(false), ..Default::default() };
        let mut file = file(folder.path(), config);
        file.write(b"one\n").unwrap();
        file.write(b"two\n").unwrap();
        let rolled = names(&folder.path().join("logs"));
        assert_eq!(fs::read(&file.path).unwrap(), b"two\n");
        assert!(rolled.len() == 2 && rolled[0].ends_with("-time.log"), "{rolled:?}");
    }
    #[test]
    fn modes_are_as_they_are_configured() {
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        for (dir_mode, file_mode, expected) in [
            ("", "", 0o700),
            ("0750", "0640", 0o750),
            ("from_file", "0640", 0o750),
            ("Inherit", "0644", 0o755),
        ] {
            let folder = tempfile::tempdir().unwrap();
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o744)).unwrap();
            let config =
                FileConfig { dir_mode: dir_mode.into(), mode: file_mode.into(), ..Default::default() };
            let file = file(folder.path(), config);
            assert_eq!(mode(&folder.path().join("logs")), expected, "{dir_mode}");
            let of_file = if file_mode.is_empty() { 0o600 } else { octal(file_mode).unwrap().unwrap() };
            assert_eq!(mode(&file.path), of_file, "{file_mode}");
        }
    }
    #[test]
    fn a_file_that_was_moved_away_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = file(folder.path(), FileConfig::default());
        file.write(b"one\n").unwrap();
        fs::rename(&file.path, folder.path().join("moved")).unwrap();
        file.write(b"two\n").unwrap();
        assert_eq!(fs::read(&file.path).unwrap(), b"two\n");
    }
    #[test]
    fn what_cannot_be_opened_is_an_error_at_load() {
        let config = FileConfig { filename: "/proc/none/x.log".into(), ..Default::default() };
        assert!(RollingFile::open(&config).unwrap_err().starts_with("open /proc/none/x.log: "));
    }
}
