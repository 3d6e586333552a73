//! What becomes of rolled files.
use crate::config::Layout;
use chrono::{Duration, Local, NaiveDateTime, TimeZone, Utc};
use flate2::write::GzEncoder;
use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Go's layout of the time in rolled files' names, unless it is configured.
const LAYOUT: &str = "2006-01-02T15-04-05.000";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compressed {
    No,
    Gzip,
    Zstd,
}
impl Compressed {
    fn ending(self) -> &'static str {
        match self {
            Self::No => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }
}
/// How they are named, how many of them stay, and in what form.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    pub(super) local_time: bool,
    pub(super) compressed: Compressed,
    pub(super) keep: usize,
    pub(super) keep_days: i64,
    pub(super) stamp: Layout,
}
impl Policy {
    /// One that loses part of the time is said to standard error and not used, as in Caddy.
    pub(super) fn stamp(layout: &str) -> Layout {
        if !layout.is_empty() {
            let stamp = Layout::new(layout);
            let sample = Utc.with_ymd_and_hms(2025, 5, 22, 23, 41, 59).single();
            let sample = sample.map(|sample| sample.fixed_offset());
            if sample.is_some_and(|sample| stamp.parse(&stamp.format(&sample), &Utc) == Some(sample)) {
                return stamp;
            }
            eprintln!("log: invalid backup_time_format: {layout}: falling back to {LAYOUT}");
        }
        Layout::new(LAYOUT)
    }
    /// A name that no rolled file of `path` has yet.
    pub(super) fn fresh_name(&self, path: &Path, reason: &str) -> PathBuf {
        let now = if self.local_time { Local::now().fixed_offset() } else { Utc::now().fixed_offset() };
        let now = self.stamp.format(&now);
        let (stem, ending) = name(path);
        let named = |more: &str| path.with_file_name(format!("{stem}{now}-{reason}{more}{ending}"));
        let taken = |path: &Path| {
            let path = path.display();
            ["", ".gz", ".zst"].iter().any(|ending| Path::new(&format!("{path}{ending}")).exists())
        };
        let others = (1..1000).map(|number| named(&format!("_{number}")));
        std::iter::once(named("")).chain(others).find(|path| !taken(path)).unwrap_or_else(|| named(""))
    }
    /// Keeps the newest rolled files and compresses them; the rest goes. What fails is tried again at the next roll.
    pub(super) fn tidy(&self, path: &Path) {
        let (stem, ending) = name(path);
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let rolled: Vec<(NaiveDateTime, PathBuf, bool)> = entries
            .filter_map(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                let plain = name.strip_suffix(".gz").or(name.strip_suffix(".zst"));
                let stamp = plain.unwrap_or(&name).strip_prefix(&stem)?.strip_suffix(&ending)?;
                let (stamp, _reason) = stamp.rsplit_once('-')?;
                Some((self.stamp.parse(stamp, &Utc)?.naive_local(), entry.path(), plain.is_some()))
            })
            .collect();
        let times: BTreeSet<NaiveDateTime> = rolled.iter().map(|(time, ..)| *time).collect();
        let newest: BTreeSet<_> = times.iter().rev().take(self.keep).collect();
        let now = if self.local_time { Local::now().naive_local() } else { Utc::now().naive_utc() };
        let oldest = now - Duration::days(self.keep_days);
        for (time, path, is_compressed) in &rolled {
            if !newest.contains(time) || *time < oldest {
                fs::remove_file(path).ok();
            } else if !is_compressed && self.compressed != Compressed::No {
                compress(path, self.compressed).ok();
            }
        }
    }
}
/// What the names of rolled files begin and end with.
fn name(path: &Path) -> (String, String) {
    let text = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let ending = path.extension().map(|ending| format!(".{}", ending.to_string_lossy()));
    (format!("{}-", text(path.file_stem())), ending.unwrap_or_default())
}
fn compress(path: &Path, how: Compressed) -> io::Result<()> {
    let with = |more: &str| PathBuf::from(format!("{}{more}", path.display()));
    let mode = fs::metadata(path)?.permissions().mode();
    let unfinished = with(&format!("{}.tmp", how.ending()));
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&unfinished)?;
    let mut from = File::open(path)?;
    let done = match how {
        Compressed::No => return Ok(()),
        Compressed::Gzip => {
            let mut encoder = GzEncoder::new(file, flate2::Compression::default());
            io::copy(&mut from, &mut encoder)?;
            encoder.finish()?
        }
        Compressed::Zstd => {
            let mut encoder = zstd::Encoder::new(file, 0)?;
            io::copy(&mut from, &mut encoder)?;
            encoder.finish()?
        }
    };
    done.sync_all()?;
    fs::rename(unfinished, with(how.ending()))?;
    fs::remove_file(path)
}
#[cfg(test)]
mod tests {
    use super::*;

    fn policy(compressed: Compressed) -> Policy {
        Policy { local_time: false, compressed, keep: 2, keep_days: 36_500, stamp: Policy::stamp("") }
    }
    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
    #[test]
    fn the_newest_stay_and_are_compressed() {
        for (compressed, ending) in
            [(Compressed::Gzip, ".gz"), (Compressed::Zstd, ".zst"), (Compressed::No, "")]
        {
            let folder = tempfile::tempdir().unwrap();
            let rolled = |day: u8, rest: &str| format!("a-2099-01-0{day}T03-04-05.678-{rest}");
            for name in
                [rolled(1, "size.log"), rolled(2, "time.log"), rolled(2, "time_1.log"), rolled(3, "size.log")]
            {
                fs::write(folder.path().join(name), "line\n").unwrap();
            }
            fs::write(folder.path().join("a-b-size.log"), "someone else's").unwrap();
            policy(compressed).tidy(&folder.path().join("a.log"));
            let left = [
                format!("{}{ending}", rolled(2, "time.log")),
                format!("{}{ending}", rolled(2, "time_1.log")),
                format!("{}{ending}", rolled(3, "size.log")),
                "a-b-size.log".to_owned(),
            ];
            assert_eq!(names(folder.path()), left);
        }
    }
    #[test]
    fn a_layout_has_to_tell_the_whole_time() {
        assert_eq!(Policy::stamp(""), Layout::new(LAYOUT));
        assert_eq!(Policy::stamp("20060102_150405"), Layout::new("20060102_150405"));
        assert_eq!(Policy::stamp("2006-01-02"), Policy::stamp(""));
    }
    #[test]
    fn no_two_rolled_files_share_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let policy = Policy { stamp: Layout::new("now"), ..policy(Compressed::No) };
        for expected in ["a-now-size.log", "a-now-size_1.log"] {
            let fresh = policy.fresh_name(&path, "size");
            assert_eq!(fresh, folder.path().join(expected));
            fs::write(fresh, "").unwrap();
        }
    }
}
