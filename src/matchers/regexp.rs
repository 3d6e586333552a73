//! What `path_regexp`, `header_regexp` and `vars_regexp` share: a regular expression whose captures become placeholders.
use crate::{
    caddyfile::{Cx, Parsed, Words},
    config::{go_regex, is_default},
    http::{Exchange, Key},
};
use grammar::Line;
use regex::Regex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// JSON: `{"name": …, "pattern": …}`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Regexp {
    /// Its captures are known as `{http.regexp.<name>.*}` too.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) name: String,
    /// In Go's syntax.
    pub(super) pattern: String,
}
impl Regexp {
    pub(super) fn compile(self) -> Result<Captures, String> {
        let Self { name, pattern } = self;
        let regex = go_regex(&pattern).map_err(|e| format!("compiling matcher regexp {pattern}: {e}"))?;
        if !name.is_empty() && !name.bytes().any(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(format!("invalid regexp name (must contain only word characters): {name}"));
        }
        let keys = |group: &str| {
            let named = (!name.is_empty()).then(|| format!("http.regexp.{name}.{group}").into());
            named.into_iter().chain([format!("http.regexp.{group}").into()]).collect::<Vec<Key>>()
        };
        let groups = regex.capture_names().enumerate().map(|(i, group)| {
            let mut all = keys(&i.to_string());
            all.extend(group.into_iter().flat_map(keys));
            all.into()
        });
        Ok(Captures { groups: groups.collect(), regex })
    }
    /// `[<name>] <field> <pattern>`, a field a line: of `header_regexp` and `vars_regexp`. Says of each field whether it
    /// was there already.
    pub(super) fn by_field(
        name: &str,
        lines: &[&Line],
        cx: &Cx<'_>,
        mut twice: impl FnMut(&Words<'_>, &str) -> Parsed<()>,
    ) -> Parsed<BTreeMap<String, Self>> {
        let mut fields = BTreeMap::new();
        super::lines::each(lines, |words| {
            let (first, second) = (words.need()?.to_owned(), words.need()?.to_owned());
            let (regexp_name, field, pattern) = match words.arg() {
                Some(third) => (first, second, third.text.clone()),
                None => (String::new(), first, second),
            };
            if fields.contains_key(&field) {
                twice(words, &field)?;
            }
            fields.insert(field, Self { name: or_matcher_name(regexp_name, cx), pattern });
            super::lines::no_block(name, words)
        })?;
        Ok(fields)
    }
}
/// A regular expression without a name has that of its `@name`.
pub(super) fn or_matcher_name(name: String, cx: &Cx<'_>) -> String {
    if name.is_empty() { cx.matcher_name().unwrap_or_default().to_owned() } else { name }
}

/// Compiled.
#[derive(Debug)]
pub(super) struct Captures {
    regex: Regex,
    /// What each group is called, with its number and, if it has one, its name.
    groups: Box<[Box<[Key]>]>,
}
impl Captures {
    /// Whether `text` matches; if so, what was captured is known to `x`.
    pub(super) fn find(&self, text: &str, x: &mut Exchange) -> bool {
        let Some(found) = self.regex.captures(text) else { return false };
        for (capture, keys) in found.iter().zip(&self.groups) {
            let value = capture.map_or("", |capture| capture.as_str());
            for key in keys {
                x.set(key.clone(), value);
            }
        }
        true
    }
}
