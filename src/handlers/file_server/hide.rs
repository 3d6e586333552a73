//! What `hide` hides.
use crate::http::{
    Exchange, Text,
    fs::clean,
    glob::{Glob, matches},
};
use std::{borrow::Cow, env, sync::Arc};

/// The entries of `hide`, in order. Those without placeholders are compiled once.
#[derive(Debug)]
pub(super) struct Hide {
    fixed: Arc<[Entry]>,
    texts: Box<[Text]>,
}
/// For one request.
#[derive(Clone, Debug)]
pub(super) struct Hidden {
    fixed: Arc<[Entry]>,
    expanded: Vec<Entry>,
}
#[derive(Clone, Debug)]
enum Entry {
    /// Without a slash: any part of a path, by a pattern.
    Name(Glob),
    /// A path, and all that lies below it; or a pattern of whole paths.
    Path(String, Option<Glob>),
    /// A pattern that cannot be read.
    Nothing,
}
impl Hide {
    pub(super) fn new(entries: &[String]) -> Self {
        let (texts, fixed): (Vec<&String>, Vec<&String>) =
            entries.iter().partition(|entry| Text::new(entry).literal().is_none());
        Self {
            fixed: fixed.into_iter().map(|entry| Entry::new(entry)).collect(),
            texts: texts.into_iter().map(|entry| Text::new(entry)).collect(),
        }
    }
    pub(super) fn expand(&self, x: &Exchange) -> Hidden {
        let expanded = self.texts.iter().map(|text| Entry::new(&text.expand(x))).collect();
        Hidden { fixed: self.fixed.clone(), expanded }
    }
}
impl Hidden {
    pub(super) fn hides(&self, file: &str) -> bool {
        if self.fixed.is_empty() && self.expanded.is_empty() {
            return false;
        }
        let file = absolute(file);
        self.fixed.iter().chain(&self.expanded).any(|entry| entry.hides(&file))
    }
}
impl Entry {
    fn new(text: &str) -> Self {
        if text.contains('/') {
            let path = absolute(text).into_owned();
            let glob = Glob::new(&path).filter(|glob| glob.literal().is_none());
            return Self::Path(path, glob);
        }
        Glob::new(text).map_or(Self::Nothing, Self::Name)
    }
    fn hides(&self, file: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Name(glob) => file.split('/').any(|part| glob.matches(part)),
            Self::Path(path, glob) => {
                let below = file.strip_prefix(path.as_str());
                below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
                    || glob.as_ref().is_some_and(|glob| glob.matches(file))
            }
        }
    }
}
/// A path from the root of the file system on; as it is, if the current directory is not to be had.
fn absolute(path: &str) -> Cow<'_, str> {
    if path.starts_with('/') {
        return clean(path);
    }
    match env::current_dir() {
        Ok(here) => clean(&format!("{}/{path}", here.to_string_lossy())).into_owned().into(),
        Err(_) => path.into(),
    }
}
/// Whether `file` is hidden by what is written already: before paths are made absolute, as Caddy's adapter asks it.
pub(super) fn is_hidden(file: &str, entries: &[String]) -> bool {
    let file = absolute(file);
    entries.iter().any(|entry| {
        let below = if entry.contains('/') { file.strip_prefix(entry.as_str()) } else { None };
        let name = || !entry.contains('/') && file.split('/').any(|part| matches(entry, part));
        below.is_some_and(|below| below.starts_with('/')) || name() || matches(entry, &file)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(entries: &[&str], file: &str) -> bool {
        let entries: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
        let Hide { fixed, texts } = Hide::new(&entries);
        assert!(texts.is_empty());
        Hidden { fixed, expanded: vec![] }.hides(file)
    }
    #[test]
    fn names_hide_any_part_and_paths_what_lies_below() {
        let here = env::current_dir().unwrap();
        let here = here.to_str().unwrap();
        for (entry, file, expected) in [
            (".git", "/srv/.git/config", true),
            (".git", "/srv/.gitignore", false),
            ("*.bak", "/srv/a/x.bak", true),
            ("*.bak", "/srv/x.bak.txt", false),
            ("/srv/secret", "/srv/secret", true),
            ("/srv/secret/", "/srv/secret/x", true),
            ("/srv/secret", "/srv/secrets", false),
            ("/srv/*/x", "/srv/a/x", true),
            ("/srv/*/x", "/srv/a/b/x", false),
            ("./a", "a", true),
            ("./a", "./a/b", true),
            ("./a", "b/a", false),
            ("a/../b", &format!("{here}/b"), true),
            ("[", "/srv/[", false),
        ] {
            assert_eq!(hidden(&[entry], file), expected, "{entry} and {file}");
        }
        assert!(!hidden(&[], "/srv/a"));
    }
}
