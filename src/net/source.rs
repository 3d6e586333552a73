//! The files and the environment that a Caddyfile may ask for.
use crate::environment;
use grammar::Source;
use std::{
    env, fs, io,
    path::{Component, Path, PathBuf},
};

/// This machine's.
pub struct Machine;
impl Source for Machine {
    fn read(&self, path: &str) -> io::Result<String> {
        Ok(String::from_utf8_lossy(&fs::read(path)?).into_owned())
    }
    fn glob(&self, beside: &str, pattern: &str) -> io::Result<Vec<String>> {
        let pattern = absolute(beside, pattern)?;
        let mut found = vec![PathBuf::from("/")];
        for part in pattern.components() {
            let Component::Normal(name) = part else { continue };
            let name = name.to_string_lossy();
            found = found.iter().flat_map(|folder| entries(folder, &name)).collect();
        }
        found.sort();
        Ok(found.into_iter().map(|path| path.to_string_lossy().into_owned()).collect())
    }
    fn env(&self, name: &str) -> Option<String> {
        environment::var(name)
    }
    fn absolute(&self, beside: &str, pattern: &str) -> String {
        absolute(beside, pattern)
            .map_or_else(|_| pattern.to_owned(), |path| path.to_string_lossy().into_owned())
    }
}
/// Relative to the folder of `beside`; `.` and `..` resolved by name alone, as Go does.
fn absolute(beside: &str, pattern: &str) -> io::Result<PathBuf> {
    let folder = Path::new(beside).parent().unwrap_or(Path::new(""));
    let mut out = PathBuf::new();
    for part in env::current_dir()?.join(folder).join(pattern).components() {
        match part {
            Component::ParentDir => _ = out.pop(),
            Component::CurDir => {}
            other => out.push(other),
        }
    }
    Ok(out)
}
/// What in a folder has a name that matches; none if it can't be read.
fn entries(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    if !pattern.contains(['*', '?']) {
        let path = folder.join(pattern);
        return if path.symlink_metadata().is_ok() { vec![path] } else { vec![] };
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let names = names.filter(|name| matches(&pattern, &name.to_string_lossy().chars().collect::<Vec<_>>()));
    names.map(|name| folder.join(name)).collect()
}
/// `*` is any run of characters, `?` is any one. Walks both once, going back to the last `*` where they differ.
fn matches(pattern: &[char], name: &[char]) -> bool {
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == '?' || c == name[n] => (p, n) = (p + 1, n + 1),
            _ => match &mut star {
                Some((at, from)) => {
                    *from += 1;
                    (p, n) = (*at + 1, *from);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn wildcards_match_within_a_name() {
        let matches = |pattern: &str, name: &str| {
            matches(&pattern.chars().collect::<Vec<_>>(), &name.chars().collect::<Vec<_>>())
        };
        assert!(matches("*.caddy", "a.caddy"));
        assert!(matches("a?c*", "abc"));
        assert!(matches("*b*c", "abbc"));
        assert!(!matches("*.caddy", "a.caddy2"));
        assert!(!matches("a?", "a"));
    }
    #[test]
    fn relative_patterns_start_beside_the_importing_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sites")).unwrap();
        for name in ["b.caddy", "a.caddy", "c.txt"] {
            fs::write(folder.path().join("sites").join(name), "").unwrap();
        }
        let beside = folder.path().join("sites/../Caddyfile").to_string_lossy().into_owned();
        let found = Machine.glob(&beside, "sites/*.caddy").unwrap();
        let wanted: Vec<String> = ["a.caddy", "b.caddy"]
            .map(|name| folder.path().join("sites").join(name).to_string_lossy().into_owned())
            .into();
        assert_eq!(found, wanted);
        assert!(Machine.glob(&beside, "sites/none").unwrap().is_empty());
    }
}
