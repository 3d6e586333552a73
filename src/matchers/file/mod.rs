//! `file`: a file exists. Waits for the disk.
//!
//! ```caddyfile
//! file [<files...>] {
//!     root       <path>
//!     try_files  <files...>
//!     try_policy first_exist|first_exist_fallback|smallest_size|largest_size|most_recently_modified
//!     split_path <delimiters...>
//! }
//! @static file {path} {path}/index.html
//! rewrite @static {file_match.relative}
//! ```
//! What ends in `/` has to be a directory, everything else a file; `*`, `?` and `[…]` are wildcards; `=404` fails with that
//! status. The one that is found is known as `{file_match.relative}`, `.absolute`, `.type` and `.remainder`.
mod select;
#[cfg(test)]
mod tests;
use crate::{
    caddyfile::{MatcherSyntax, Parsed, Support, Words},
    config::{fields, is_default},
    http::{
        Build, BuildError, Exchange, Flow, HttpError, Matcher, MatcherConfig, MatcherModule, Result, Text,
    },
};
use grammar::Line;
use http::StatusCode;
use select::{Candidate, Policy, select};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;

pub const SYNTAX: MatcherSyntax = MatcherSyntax {
    name: "file",
    docs: "file [<files...>] { root <path> ; try_files <files...> ; try_policy <policy> ; split_path <delimiters...> }\n\
           One of the files exists.",
    parse: |lines, _| parse(lines),
    support: Support::Full,
};
pub const MODULE: MatcherModule = MatcherModule::of::<File>();

fn parse(lines: &[&Line]) -> Parsed<Value> {
    let mut file = File::default();
    let mut files = vec![];
    for line in lines {
        let mut words = Words::new(line);
        files.extend(words.rest());
        let mut block = words.block();
        while let Some(words) = block.next() {
            match words.text() {
                "root" => file.root = words.need()?.to_owned(),
                "try_files" => {
                    files.extend(words.rest());
                    if files.is_empty() {
                        return Err(words.arg_error());
                    }
                }
                "try_policy" => file.try_policy = words.need()?.to_owned(),
                "split_path" => file.split_path = words.some()?,
                other => return Err(words.error(format!("unrecognized subdirective: {other}"))),
            }
        }
    }
    file.try_files = (!files.is_empty()).then_some(files);
    Ok(fields(&file).into())
}

/// JSON: `http.matchers.file`.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    /// A file system of the app `caddy.filesystems`; `{http.vars.fs}` unless it says otherwise.
    #[serde(skip_serializing_if = "is_default")]
    fs: String,
    /// `{http.vars.root}` unless it says otherwise; the current directory, if that is empty.
    #[serde(skip_serializing_if = "is_default")]
    root: String,
    /// The path of the request unless it says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    try_files: Option<Vec<String>>,
    /// Which of several files: `first_exist` unless it says otherwise.
    #[serde(skip_serializing_if = "is_default")]
    try_policy: String,
    /// Ends of names behind which the rest of a path is no longer of the file: `.php`.
    #[serde(skip_serializing_if = "is_default")]
    split_path: Vec<String>,
}
impl MatcherConfig for File {
    const NAME: &'static str = "file";
    fn build(self, _: &mut Build) -> std::result::Result<Box<dyn Matcher>, BuildError> {
        let or = |text: String, default: &str| Text::new(if text.is_empty() { default } else { &text });
        let policy =
            Policy::new(&self.try_policy).ok_or_else(|| format!("unknown try policy {}", self.try_policy))?;
        let files = self.try_files.unwrap_or_else(|| vec!["{http.request.uri.path}".to_owned()]);
        Ok(Box::new(Finder {
            fs: or(self.fs, "{http.vars.fs}"),
            root: or(self.root, "{http.vars.root}"),
            attempts: files.iter().map(|file| Attempt::new(file, policy)).collect(),
            policy,
            split_path: self.split_path.into(),
        }))
    }
}
#[derive(Debug)]
struct Finder {
    fs: Text,
    root: Text,
    attempts: Box<[Attempt]>,
    policy: Policy,
    split_path: Box<[String]>,
}
#[derive(Debug)]
enum Attempt {
    File {
        path: Text,
        directory: bool,
    },
    /// `=404`.
    Fail(StatusCode),
}
impl Attempt {
    fn new(file: &str, policy: Policy) -> Self {
        let status = file.strip_prefix('=').filter(|_| policy.takes_first());
        let status = status.and_then(|code| code.parse::<u16>().ok()).and_then(|code| code.try_into().ok());
        status
            .map_or_else(|| Self::File { path: Text::new(file), directory: file.ends_with('/') }, Self::Fail)
    }
}
impl Matcher for Finder {
    fn matches<'x>(&'x self, x: &'x mut Exchange) -> Flow<'x, bool> {
        Flow::wait(self.find(x))
    }
    fn waits(&self) -> bool {
        true
    }
}
impl Finder {
    async fn find(&self, x: &mut Exchange) -> Result<bool> {
        let fs = self.fs.expand(x);
        if !["", "default"].contains(&&*fs) {
            tracing::error!(target: "http.matchers.file", fs = %fs, "use of unregistered filesystem");
            return Ok(false);
        }
        let root = self.root.expand_with(x, |_, value| {
            let value = value.unwrap_or_default().into_text();
            if value.is_empty() { ".".into() } else { value }
        });
        let root = crate::http::fs::clean(&root).into_owned();
        let (mut patterns, mut failure) = (vec![], None);
        for attempt in &self.attempts {
            match attempt {
                Attempt::Fail(status) => {
                    failure = Some(*status);
                    break;
                }
                Attempt::File { path, directory } => patterns.push(self.pattern(path, *directory, &root, x)),
            }
        }
        // A fallback is the last of all, so not one before which it fails.
        let policy = if failure.is_some() { self.policy.without_fallback() } else { self.policy };
        let found = tokio::task::spawn_blocking(move || select(&patterns, &root, policy));
        match (found.await.map_err(HttpError::internal)?, failure) {
            (Some(found), _) => {
                x.set("http.matchers.file.relative", found.relative);
                x.set("http.matchers.file.absolute", found.path);
                x.set("http.matchers.file.remainder", found.remainder);
                x.set("http.matchers.file.type", if found.directory { "directory" } else { "file" });
                Ok(true)
            }
            (None, Some(status)) => Err(HttpError::new(status, status.as_str())),
            (None, None) => Ok(false),
        }
    }
    /// Where to look. Wildcards in what the request brings mean nothing.
    fn pattern(&self, path: &Text, directory: bool, root: &str, x: &Exchange) -> Candidate {
        let path = path.expand_with(x, |_, value| {
            let value = value.unwrap_or_default().into_text();
            if value.contains(['*', '[', '?', '\\']) { escaped(&value).into() } else { value }
        });
        let (path, remainder) = self.split(crate::http::fs::clean(&path));
        let path = if directory { format!("{path}/") } else { path };
        let pattern = crate::http::fs::path_within(root, &path);
        Candidate { pattern, remainder }
    }
    fn split(&self, path: Cow<'_, str>) -> (String, String) {
        let found = self.split_path.iter().find_map(|delimiter| {
            let end = index_fold(&path, delimiter)? + delimiter.len();
            let rest = path.get(end..)?;
            (rest.is_empty() || rest.starts_with('/')).then_some(end)
        });
        match found.and_then(|end| path.split_at_checked(end)) {
            Some((path, rest)) => (path.to_owned(), rest.to_owned()),
            None => (path.into_owned(), String::new()),
        }
    }
}
fn escaped(value: &str) -> String {
    value.chars().fold(String::with_capacity(value.len() + 4), |mut out, c| {
        if "*[?\\".contains(c) {
            out.push('\\');
        }
        out.push(c);
        out
    })
}
/// Where `part` stands in `text`, in any case. As in Caddy, not at the very end.
fn index_fold(text: &str, part: &str) -> Option<usize> {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    let last = text.len().checked_sub(part.len())?;
    (0..last).find(|at| text.get(*at..at + part.len()).is_some_and(|found| found.eq_ignore_ascii_case(part)))
}
