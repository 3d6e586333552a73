//! A world without a file system.
use crate::Source;
use std::{
    collections::BTreeMap,
    io::{Error, ErrorKind, Result},
};

/// Files and environment variables in memory: for tests, and for text that comes without a file.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// By absolute path.
    pub files: BTreeMap<String, String>,
    pub env: BTreeMap<String, String>,
}
impl Memory {
    #[must_use]
    pub fn file(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.to_owned(), text.to_owned());
        self
    }
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }
}
impl Source for Memory {
    fn read(&self, path: &str) -> Result<String> {
        self.files.get(path).cloned().ok_or_else(|| Error::from(ErrorKind::NotFound))
    }
    fn glob(&self, beside: &str, pattern: &str) -> Result<Vec<String>> {
        let pattern = self.absolute(beside, pattern);
        Ok(self.files.keys().filter(|path| matches(&pattern, path)).cloned().collect())
    }
    fn env(&self, name: &str) -> Option<String> {
        self.env.get(name).cloned()
    }
}
/// Whether a path fits a pattern with at most one `*` and one `?`; neither stands for a slash.
fn matches(pattern: &str, path: &str) -> bool {
    match pattern.chars().next() {
        None => path.is_empty(),
        Some('*') => {
            let rest = &pattern[1..];
            let end = path.find('/').unwrap_or(path.len());
            path[..end].char_indices().map(|(at, _)| at).chain([end]).any(|at| matches(rest, &path[at..]))
        }
        Some(wanted) => path.chars().next().is_some_and(|c| {
            (c == wanted || wanted == '?' && c != '/')
                && matches(&pattern[wanted.len_utf8()..], &path[c.len_utf8()..])
        }),
    }
}
