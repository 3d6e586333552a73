//! The path, and the target that a URI is set to.
use super::{Substring, query::build_query};
use crate::http::{
    Exchange, Text,
    uri::{clean_path, encode_path, is_encoded_path},
};
use http::Uri;
use percent_encoding::percent_decode_str;
use regex::Regex;

/// A URI while it is changed.
pub(super) struct RawUri {
    /// As it stands in a request line: Go's `EscapedPath`.
    pub(super) path: String,
    pub(super) query: String,
}
impl RawUri {
    pub(super) fn of(x: &Exchange) -> Self {
        Self { path: x.escaped_path().into_owned(), query: x.query().to_owned() }
    }
    /// Sets the path to what `change` makes of it. What comes out may be no longer fit for a request line: it is encoded
    /// anew then.
    fn change_path(&mut self, change: impl Fn(&str) -> String) {
        let path = change(&self.path);
        self.path = if is_escaped(&path) && is_encoded_path(&path) {
            path
        } else if is_escaped(&path) {
            recode(&path)
        } else {
            let decoded = percent_decode_str(&self.path).decode_utf8_lossy();
            encode_path(&change(&decoded)).into_owned()
        };
    }
    /// # Errors
    /// It is longer than a URI can be (64 KiB).
    pub(super) fn finish(mut self) -> Result<Uri, http::uri::InvalidUri> {
        if !self.path.starts_with('/') && self.path != "*" {
            self.path.insert(0, '/');
        }
        if !self.query.is_empty() {
            self.path.push('?');
            push_query(&mut self.path, &self.query);
        }
        self.path.parse()
    }
}
/// A query as it may stand in a request line: what may not is encoded. (Go sends it as it is.)
fn push_query(out: &mut String, query: &str) {
    for c in query.chars() {
        match c {
            '"' | '#' | '<' | '>' | '\0'..=' ' | '\x7f' => out.push_str(&format!("%{:02X}", u32::from(c))),
            _ => out.push(c),
        }
    }
}
/// Whether all its percent signs begin an escape.
fn is_escaped(path: &str) -> bool {
    let bytes = path.as_bytes();
    let hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    memchr::memchr_iter(b'%', bytes).all(|at| hex(at + 1) && hex(at + 2))
}
/// Go's own encoding of a path that may be encoded otherwise, or not at all.
fn recode(path: &str) -> String {
    if !is_escaped(path) {
        return encode_path(path).into_owned();
    }
    let mut out = String::with_capacity(path.len());
    for chunk in percent_decode_str(path).collect::<Vec<u8>>().utf8_chunks() {
        out.push_str(&encode_path(chunk.valid()));
        chunk.invalid().iter().for_each(|byte| out.push_str(&format!("%{byte:02X}")));
    }
    out
}

/// What the URI is set to: Caddy's `uri`.
#[derive(Debug, Default)]
pub(super) struct Target {
    path: Option<Text>,
    query: Option<String>,
}
impl Target {
    pub(super) fn new(uri: &str) -> Self {
        let (uri, fragment) = uri.split_once('#').map_or((uri, false), |(uri, _)| (uri, true));
        let (path, query) = uri.split_once('?').map_or((uri, None), |(path, query)| (path, Some(query)));
        // Caddy takes a path for given, though empty, where a fragment follows.
        let path = (!path.is_empty() || fragment && query.is_none()).then(|| Text::new(path));
        Self { path, query: query.map(str::to_owned) }
    }
    pub(super) fn is_empty(&self) -> bool {
        self.path.is_none() && self.query.is_none()
    }
    pub(super) fn apply(&self, uri: &mut RawUri, x: &Exchange) {
        let path = self.path.as_ref().map(|path| {
            path.expand_with(x, |key, value| match key {
                // These are decoded, and what they hold is to stay path.
                "http.request.uri.path" => x.escaped_path(),
                "http.matchers.file.relative" => {
                    escape_segments(&value.unwrap_or_default().into_text()).into()
                }
                _ => value.unwrap_or_default().into_text(),
            })
        });
        // A fragment that came with a value is for the client alone.
        let path = path.as_deref().map(|path| path.split('#').next().unwrap_or_default());
        let (path, mut injected) = match path {
            None => (None, None),
            Some(path) => match path.split_once('?') {
                None => (Some(path), None),
                // A query came with a value. Its braces are no placeholders: they are the client's.
                Some((path, query)) => (Some(path), Some(query.replace('{', "%7B").replace('}', "%7D"))),
            },
        };
        if self.query.as_ref().is_some_and(|query| !query.is_empty()) {
            injected = None;
        }
        if let Some(query) = injected.as_ref().or(self.query.as_ref()) {
            uri.query = build_query(query, x);
        }
        if let Some(path) = path {
            uri.path = recode(path);
        }
    }
}
/// Everything but slashes and unreserved characters.
fn escape_segments(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' => out.push(byte.into()),
            byte if byte.is_ascii_alphanumeric() => out.push(byte.into()),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// A change of the path as it is.
#[derive(Debug)]
pub(super) enum PathChange {
    StripPrefix(Text),
    StripSuffix(Text),
    Substring { find: Text, replace: Text, limit: usize, merge_slashes: bool },
    Regex(Regex, Text),
}
impl PathChange {
    pub(super) fn substring(from: &Substring) -> Self {
        Self::Substring {
            find: Text::new(&from.find),
            replace: Text::new(&from.replace),
            limit: usize::try_from(from.limit).ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX),
            merge_slashes: !from.find.contains("//"),
        }
    }
    pub(super) fn apply(&self, uri: &mut RawUri, x: &Exchange) {
        match self {
            Self::StripPrefix(prefix) => {
                let mut prefix = prefix.expand(x);
                if !prefix.starts_with('/') {
                    prefix = format!("/{prefix}").into();
                }
                let merge = !prefix.contains("//");
                uri.change_path(|path| strip_prefix(&clean_path(path, merge), &prefix).to_owned());
            }
            Self::StripSuffix(suffix) => {
                let suffix = suffix.expand(x);
                let merge = !suffix.contains("//");
                uri.change_path(|path| strip_suffix(&clean_path(path, merge), &suffix).to_owned());
            }
            Self::Substring { find, replace, limit, merge_slashes } => {
                let (find, replace) = (find.expand(x), replace.expand(x));
                if find.is_empty() {
                    return;
                }
                uri.change_path(|path| clean_path(path, *merge_slashes).replacen(&*find, &replace, *limit));
                uri.query = uri.query.replacen(&*find, &replace, *limit);
            }
            Self::Regex(find, replace) => {
                let replace = replace.expand(x);
                uri.change_path(|path| find.replace_all(path, &*replace).into_owned());
            }
        }
    }
}

/// One character of an encoded path, or of a pattern of it.
#[derive(Clone, Copy)]
enum Unit<'p> {
    Plain(&'p str),
    /// `%xx`.
    Escape(&'p str),
}
impl<'p> Unit<'p> {
    fn first(path: &'p str) -> Option<Self> {
        if is_escape(path.get(..3)?) {
            return path.get(..3).map(Self::Escape);
        }
        None
    }
    fn take(path: &'p str) -> Option<(Self, &'p str)> {
        let unit = Self::first(path).unwrap_or_else(|| {
            let end = path.chars().next().map_or(0, char::len_utf8);
            Self::Plain(&path[..end])
        });
        (unit.len() > 0).then(|| (unit, &path[unit.len()..]))
    }
    fn take_last(path: &'p str) -> Option<(Self, &'p str)> {
        let tail = path.len().checked_sub(3).and_then(|at| path.get(at..)).filter(|tail| is_escape(tail));
        let unit = match tail {
            Some(escape) => Self::Escape(escape),
            None => Self::Plain(&path[path.char_indices().next_back()?.0..]),
        };
        Some((unit, &path[..path.len() - unit.len()]))
    }
    fn len(self) -> usize {
        match self {
            Self::Plain(text) | Self::Escape(text) => text.len(),
        }
    }
    /// Whether the path's unit is what the pattern asks for: an escape wants the same escape, all else is compared
    /// decoded; neither minds the case. Beyond ASCII nothing is equal, as in Caddy.
    fn is(self, pattern: Unit<'_>) -> bool {
        match (self, pattern) {
            (Self::Plain(a), Unit::Plain(b)) | (Self::Escape(a), Unit::Escape(b)) => {
                a.eq_ignore_ascii_case(b)
            }
            (Self::Escape(escape), Unit::Plain(b)) => {
                let byte = u8::from_str_radix(&escape[1..], 16).unwrap_or_default();
                b.len() == 1 && byte.is_ascii() && b.as_bytes()[0].eq_ignore_ascii_case(&byte)
            }
            (Self::Plain(_), Unit::Escape(_)) => false,
        }
    }
}
fn is_escape(text: &str) -> bool {
    matches!(text.as_bytes(), [b'%', a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit())
}
/// The path without the prefix, or as it is.
fn strip_prefix<'p>(path: &'p str, prefix: &str) -> &'p str {
    strip(path, prefix, Unit::take, Unit::take)
}
fn strip_suffix<'p>(path: &'p str, suffix: &str) -> &'p str {
    strip(path, suffix, Unit::take_last, Unit::take_last)
}
/// Takes units off both for as long as they are equal.
fn strip<'p, 's>(
    path: &'p str,
    mut pattern: &'s str,
    take: fn(&'p str) -> Option<(Unit<'p>, &'p str)>,
    take_pattern: fn(&'s str) -> Option<(Unit<'s>, &'s str)>,
) -> &'p str {
    let mut rest = path;
    while let Some((wanted, pattern_rest)) = take_pattern(pattern) {
        match take(rest) {
            Some((unit, path_rest)) if unit.is(wanted) => (rest, pattern) = (path_rest, pattern_rest),
            _ => return path,
        }
    }
    rest
}
