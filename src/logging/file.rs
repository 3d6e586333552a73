//! The `file` writer: appends, and rolls the file when it is large, as Caddy's (timberjack's) does.
use super::sink::Target;
use crate::config::{self, is_default};
use chrono::{DateTime, Duration, Local, NaiveDateTime, Utc};
use flate2::{Compression, write::GzEncoder};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
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
/// In rolled files' names.
const STAMP: &str = "%Y-%m-%dT%H-%M-%S%.3f";

#[derive(Debug)]
pub(super) struct RollingFile {
    path: PathBuf,
    mode: Option<u32>,
    dir_mode: u32,
    /// In bytes; `None` never rolls.
    limit: Option<u64>,
    policy: Policy,
    open: Option<Open>,
}
#[derive(Debug)]
struct Open {
    file: File,
    size: u64,
    /// Device and inode: a file that was moved or deleted under us is opened anew.
    identity: (u64, u64),
}
/// What becomes of rolled files.
#[derive(Clone, Debug)]
struct Policy {
    local_time: bool,
    gzip: bool,
    keep: usize,
    keep_days: i64,
}
impl FileConfig {
    /// # Errors
    /// What does not run yet is asked for.
    fn check(&self) -> Result<(), String> {
        let later = [
            (!is_default(&self.roll_interval), "roll_interval"),
            (!self.roll_minutes.is_empty(), "roll_minutes"),
            (!self.roll_at.is_empty(), "roll_at"),
            (!self.backup_time_format.is_empty(), "backup_time_format"),
        ];
        match later.into_iter().find(|(set, _)| *set) {
            Some((_, name)) => Err(format!("{name} is not supported yet")),
            None => Ok(()),
        }
    }
}
impl RollingFile {
    /// Opens the file, so that what cannot be opened is known when the configuration is loaded.
    ///
    /// # Errors
    /// A mode that is not octal, an unknown compression, a file that cannot be opened.
    pub(super) fn open(config: FileConfig) -> Result<Self, String> {
        config.check()?;
        let octal = |mode: String| match mode.as_str() {
            "" => Ok(None),
            mode => u32::from_str_radix(mode, 8).map(Some).map_err(|_| format!("invalid mode '{mode}'")),
        };
        let gzip = match config.roll_compression.as_str() {
            "" => config.roll_gzip.unwrap_or(true),
            "none" => false,
            "gzip" => true,
            other => return Err(format!("roll_compression '{other}' is not supported yet")),
        };
        let or = |set: i64, default: u32| u32::try_from(set).ok().filter(|set| *set > 0).unwrap_or(default);
        let mut file = Self {
            mode: octal(config.mode)?,
            dir_mode: octal(config.dir_mode)?.unwrap_or(0o700),
            limit: config.roll.unwrap_or(true).then(|| u64::from(or(config.roll_size_mb, 100)) << 20),
            policy: Policy {
                local_time: config.roll_local_time,
                gzip,
                keep: or(config.roll_keep, 10) as usize,
                keep_days: or(config.roll_keep_days, 90).into(),
            },
            path: config.filename.into(),
            open: None,
        };
        let opened = file.opened().map(|_| ());
        opened.map_err(|error| format!("open {}: {error}", file.path.display()))?;
        Ok(file)
    }
    fn opened(&mut self) -> io::Result<&mut Open> {
        let there = fs::metadata(&self.path).ok().map(|meta| (meta.dev(), meta.ino()));
        let open = match self.open.take() {
            Some(open) if there == Some(open.identity) => open,
            _ => {
                if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                    DirBuilder::new().recursive(true).mode(self.dir_mode).create(folder)?;
                }
                let mode = self.mode.unwrap_or(0o600);
                let file = OpenOptions::new().append(true).create(true).mode(mode).open(&self.path)?;
                if let Some(mode) = self.mode {
                    file.set_permissions(fs::Permissions::from_mode(mode))?;
                }
                let meta = file.metadata()?;
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
    fn roll(&mut self) -> io::Result<()> {
        self.open = None;
        let now = if self.policy.local_time {
            Local::now().format(STAMP).to_string()
        } else {
            Utc::now().format(STAMP).to_string()
        };
        let (stem, ending) = self.name();
        fs::rename(&self.path, self.path.with_file_name(format!("{stem}{now}-size{ending}")))?;
        let (policy, path) = (self.policy.clone(), self.path.clone());
        // Compressing takes long; the lines that come meanwhile must not wait for it.
        thread::Builder::new().name("log roll".into()).spawn(move || policy.tidy(&path))?;
        Ok(())
    }
    /// What the names of rolled files begin and end with.
    fn name(&self) -> (String, String) {
        name(&self.path)
    }
}
impl Target for RollingFile {
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let Some(limit) = self.limit else { return self.append(lines) };
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
                self.roll()?;
            }
        }
        Ok(())
    }
}
fn name(path: &Path) -> (String, String) {
    let text = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let ending = path.extension().map(|ending| format!(".{}", ending.to_string_lossy()));
    (format!("{}-", text(path.file_stem())), ending.unwrap_or_default())
}
impl Policy {
    /// Keeps the newest rolled files and compresses them; the rest goes. What fails is tried again at the next roll.
    fn tidy(&self, path: &Path) {
        let (stem, ending) = name(path);
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut rolled: Vec<(NaiveDateTime, PathBuf)> = entries
            .filter_map(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                let plain = name.strip_suffix(".gz").unwrap_or(&name);
                let stamp = plain.strip_prefix(&stem)?.strip_suffix(&ending)?;
                let stamp = stamp.strip_suffix("-size").or(stamp.strip_suffix("-time"))?;
                Some((NaiveDateTime::parse_from_str(stamp, STAMP).ok()?, entry.path()))
            })
            .collect();
        rolled.sort_by(|a, b| b.cmp(a));
        let now: DateTime<Utc> = Utc::now();
        let oldest = now.naive_utc() - Duration::days(self.keep_days);
        for (i, (stamp, path)) in rolled.iter().enumerate() {
            if i >= self.keep || *stamp < oldest {
                fs::remove_file(path).ok();
            } else if self.gzip && path.extension().is_none_or(|ending| ending != "gz") {
                compress(path).ok();
            }
        }
    }
}
fn compress(path: &Path) -> io::Result<()> {
    let with = |more: &str| PathBuf::from(format!("{}{more}", path.display()));
    let mode = fs::metadata(path)?.permissions().mode();
    let unfinished = with(".gz.tmp");
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&unfinished)?;
    let mut encoder = GzEncoder::new(file, Compression::default());
    io::copy(&mut File::open(path)?, &mut encoder)?;
    encoder.finish()?.sync_all()?;
    fs::rename(unfinished, with(".gz"))?;
    fs::remove_file(path)
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
        RollingFile::open(FileConfig { filename, ..config }).unwrap()
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
    fn rolled_files_are_compressed() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(folder.path(), FileConfig::default());
        let rolled = folder.path().join("logs/access-2099-01-02T03-04-05.678-size.log");
        fs::write(&rolled, "line\n").unwrap();
        file.policy.tidy(&file.path);
        assert_eq!(
            names(&folder.path().join("logs")),
            ["access-2099-01-02T03-04-05.678-size.log.gz", "access.log"]
        );
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
        assert!(RollingFile::open(config).unwrap_err().starts_with("open /proc/none/x.log: "));
    }
}
