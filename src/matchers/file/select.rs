//! Looks on the disk. Blocks.
use crate::http::glob::Glob;
use std::{
    fs::{self, Metadata},
    path::Path,
    time::SystemTime,
};

/// Which of the files that exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    First,
    /// The last one need not be a file.
    FirstOrLast,
    Smallest,
    Largest,
    Newest,
}
impl Policy {
    pub(super) fn new(name: &str) -> Option<Self> {
        Some(match name {
            "" | "first_exist" => Self::First,
            "first_exist_fallback" => Self::FirstOrLast,
            "smallest_size" => Self::Smallest,
            "largest_size" => Self::Largest,
            "most_recently_modified" => Self::Newest,
            _ => return None,
        })
    }
    pub(super) fn takes_first(self) -> bool {
        matches!(self, Self::First | Self::FirstOrLast)
    }
    pub(super) fn without_fallback(self) -> Self {
        if self == Self::FirstOrLast { Self::First } else { self }
    }
}
/// Where to look, wildcards and all, and what of the request's path is left behind it.
pub(super) struct Candidate {
    pub(super) pattern: String,
    pub(super) remainder: String,
}
pub(super) struct Found {
    pub(super) path: String,
    /// Without the root.
    pub(super) relative: String,
    pub(super) remainder: String,
    pub(super) directory: bool,
}
pub(super) fn select(candidates: &[Candidate], root: &str, policy: Policy) -> Option<Found> {
    let found = |path: String, candidate: &Candidate, directory| Found {
        relative: path.strip_prefix(root).unwrap_or(&path).to_owned(),
        path,
        remainder: candidate.remainder.clone(),
        directory,
    };
    let last = candidates.len().wrapping_sub(1);
    let mut best: Option<(u128, Found)> = None;
    for (at, candidate) in candidates.iter().enumerate() {
        for path in expand(&candidate.pattern) {
            if policy == Policy::FirstOrLast && at == last {
                return Some(found(path, candidate, false));
            }
            let Ok(data) = fs::metadata(&path) else { continue };
            if policy.takes_first() {
                if data.is_dir() == path.ends_with('/') {
                    return Some(found(path, candidate, data.is_dir()));
                }
                continue;
            }
            let rank = rank(&data, policy);
            if best
                .as_ref()
                .map_or(policy != Policy::Largest || rank > 0, |(best, _)| better(rank, *best, policy))
            {
                best = Some((rank, found(path, candidate, data.is_dir())));
            }
        }
    }
    best.map(|(_, found)| found)
}
fn rank(data: &Metadata, policy: Policy) -> u128 {
    let modified = || data.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok();
    match policy {
        Policy::Newest => modified().map_or(0, |since| since.as_nanos()),
        _ => data.len().into(),
    }
}
fn better(rank: u128, best: u128, policy: Policy) -> bool {
    match policy {
        // Caddy takes an empty file for none.
        Policy::Smallest => best == 0 || rank < best,
        _ => rank > best,
    }
}
/// The paths that a pattern stands for, in the order of their names: Go's `filepath.Glob`.
fn expand(pattern: &str) -> Vec<String> {
    if !pattern.contains(['*', '?', '[', '\\']) {
        return existing(pattern.to_owned());
    }
    match Glob::new(pattern) {
        None => return vec![],
        Some(glob) => {
            if let Some(literal) = glob.literal() {
                return existing(literal);
            }
        }
    }
    let (directory, name) = pattern.rsplit_once('/').unwrap_or((".", pattern));
    let directory = if directory.is_empty() { "/" } else { directory };
    let Some(name) = Glob::new(name) else { return vec![] };
    let within = |directory: String| {
        let entries = fs::read_dir(&directory).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> = names.filter(|found| name.matches(found)).collect();
        names.sort();
        let join = move |name: String| match &*directory {
            "." => name,
            directory => format!("{}/{name}", directory.trim_end_matches('/')),
        };
        names.into_iter().map(join)
    };
    expand(directory).into_iter().flat_map(within).collect()
}
fn existing(path: String) -> Vec<String> {
    if fs::symlink_metadata(Path::new(&path)).is_ok() { vec![path] } else { vec![] }
}
