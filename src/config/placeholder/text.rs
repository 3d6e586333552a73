//! Text with `{placeholders}`, taken apart once: Caddy's replacer, whose rules are those of `replacer.go`.
//!
//! A key runs to the first `}` that has no backslash before it; `\{` and `\}` are braces that mean nothing. What an
//! unknown placeholder holds is itself looked through for placeholders, where unknown ones stay: so the braces of a JSON
//! body do no harm.
use super::Value;
use std::{borrow::Cow, fmt};

/// `P` is what a key is resolved to when the text is made.
#[derive(Clone, Debug)]
pub struct Text<P> {
    source: Box<str>,
    parts: Box<[Part<P>]>,
}
#[derive(Clone, Debug)]
enum Part<P> {
    Literal(Box<str>),
    Placeholder {
        key: Box<str>,
        resolved: P,
        /// What stands there instead, if nobody knows the key and unknown ones stay.
        unknown: Box<[Part<P>]>,
    },
    /// More than a hundred braces that do not close: Caddy gives up, and the whole text is empty.
    TooManyUnclosed,
}
/// What becomes of placeholders that nobody knows, and of those that are empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// Unknown ones are empty: Caddy's `ReplaceAll`.
    Empty,
    /// Unknown ones stay as they are written: Caddy's `ReplaceKnown`.
    Stay,
    /// Unknown and empty ones are errors: Caddy's `ReplaceOrErr`.
    Fail,
}

impl<P> Text<P> {
    pub fn new(source: &str, resolve: &impl Fn(&str) -> P) -> Self {
        Self { parts: parse(source, resolve), source: source.into() }
    }
    /// As it was written.
    pub fn source(&self) -> &str {
        &self.source
    }
    pub fn is_empty(&self) -> bool {
        self.source.is_empty()
    }
    /// The text, if it has no placeholders.
    pub fn literal(&self) -> Option<&str> {
        match &*self.parts {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }
    /// What it is resolved to, if it is a single placeholder and nothing else.
    pub fn placeholder(&self) -> Option<&P> {
        match &*self.parts {
            [Part::Placeholder { resolved, .. }] => Some(resolved),
            _ => None,
        }
    }
    /// Everything that its keys were resolved to.
    pub fn placeholders(&self) -> impl Iterator<Item = &P> {
        self.parts.iter().filter_map(|part| match part {
            Part::Placeholder { resolved, .. } => Some(resolved),
            _ => None,
        })
    }
    /// The text with its values in place.
    ///
    /// # Errors
    /// With [`Unknown::Fail`] only, in Caddy's words.
    pub fn expand<'a>(
        &'a self,
        unknown: Unknown,
        value: &mut dyn FnMut(&'a str, &'a P) -> Option<Value<'a>>,
    ) -> Result<Cow<'a, str>, String> {
        match &*self.parts {
            [] => Ok("".into()),
            [Part::Literal(text)] => Ok(text.as_ref().into()),
            [Part::Placeholder { key, resolved, .. }] if unknown == Unknown::Empty => {
                Ok(value(key, resolved).unwrap_or_default().into_text())
            }
            parts => {
                let mut out = String::with_capacity(self.source.len());
                expand_into(&mut out, parts, unknown, value)?;
                Ok(out.into())
            }
        }
    }
}
fn expand_into<'a, P>(
    out: &mut String,
    parts: &'a [Part<P>],
    mode: Unknown,
    value: &mut dyn FnMut(&'a str, &'a P) -> Option<Value<'a>>,
) -> Result<(), String> {
    for part in parts {
        match part {
            Part::Literal(text) => out.push_str(text),
            Part::TooManyUnclosed => {
                out.clear();
                return if mode == Unknown::Fail {
                    Err("too many unclosed placeholders".into())
                } else {
                    Ok(())
                };
            }
            Part::Placeholder { key, resolved, unknown } => match (value(key, resolved), mode) {
                (Some(value), mode) => {
                    let text = value.into_text();
                    if text.is_empty() && mode == Unknown::Fail {
                        return Err(format!("evaluated placeholder {{{key}}} is empty"));
                    }
                    out.push_str(&text);
                }
                (None, Unknown::Empty) => {}
                (None, Unknown::Stay) => expand_into(out, unknown, mode, value)?,
                (None, Unknown::Fail) => return Err(format!("unrecognized placeholder {{{key}}}")),
            },
        }
    }
    Ok(())
}
fn parse<P>(input: &str, resolve: &impl Fn(&str) -> P) -> Box<[Part<P>]> {
    let bytes = input.as_bytes();
    let (mut parts, mut literal) = (vec![], String::new());
    let (mut at, mut written, mut unclosed) = (0, 0, 0);
    while at < bytes.len() {
        let brace = matches!(bytes[at], b'{' | b'}');
        if brace && at > 0 && bytes[at - 1] == b'\\' {
            literal.push_str(&input[written..(at - 1).max(written)]);
            written = at;
        } else if bytes[at] == b'{' {
            if unclosed > 100 {
                return [Part::TooManyUnclosed].into();
            }
            match closing(bytes, at) {
                None => unclosed += 1,
                Some(end) => {
                    literal.push_str(&input[written..at]);
                    if !literal.is_empty() {
                        parts.push(Part::Literal(std::mem::take(&mut literal).into()));
                    }
                    let key = &input[at + 1..end];
                    parts.push(Part::Placeholder {
                        key: key.into(),
                        resolved: resolve(key),
                        unknown: unresolved(key, resolve),
                    });
                    at = end;
                    written = end + 1;
                }
            }
        }
        at += 1;
    }
    literal.push_str(&input[written..]);
    if !literal.is_empty() {
        parts.push(Part::Literal(literal.into()));
    }
    parts.into()
}
/// The `}` that closes the placeholder that opens at `open`.
fn closing(bytes: &[u8], open: usize) -> Option<usize> {
    let mut end = open + memchr::memchr(b'}', &bytes[open..])?;
    while end < bytes.len() - 1 && bytes[end - 1] == b'\\' {
        end += 1 + memchr::memchr(b'}', &bytes[end + 1..])?;
    }
    Some(end)
}
/// `{key}` as it stands, but with the placeholders inside of it.
fn unresolved<P>(key: &str, resolve: &impl Fn(&str) -> P) -> Box<[Part<P>]> {
    let plain = memchr::memchr3(b'{', b'}', b'\\', key.as_bytes()).is_none();
    if plain {
        return [Part::Literal(format!("{{{key}}}").into())].into();
    }
    let mut parts = vec![Part::Literal("{".into())];
    parts.extend(parse(&format!("{key}}}"), resolve));
    parts.into()
}
impl<P> fmt::Display for Text<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `known` is known to be `K`, `empty` to be empty.
    fn expand(text: &str, unknown: Unknown) -> Result<String, String> {
        let text = Text::new(text, &|key: &str| match key {
            "known" => Some("K"),
            "empty" => Some(""),
            _ => None,
        });
        let expanded = text.expand(unknown, &mut |_, value| value.map(Value::from));
        expanded.map(Cow::into_owned)
    }
    #[test]
    fn unknown_placeholders_stay_or_are_empty() {
        let cases = [
            ("", "", ""),
            ("plain", "plain", "plain"),
            ("{known}", "K", "K"),
            ("a{known}b{empty}c", "aKbc", "aKbc"),
            ("a{no}b", "a{no}b", "ab"),
            ("{}", "{}", ""),
            (r"\{known\}", "{known}", "{known}"),
            (r"a\b", r"a\b", r"a\b"),
            (r"\\{known}", r"\{known}", r"\{known}"),
            ("{known", "{known", "{known"),
            ("known}", "known}", "known}"),
            (r#"{"a": "{known}"}"#, r#"{"a": "K"}"#, "\"}"),
            ("{a {b {known} c} d}", "{a {b K c} d}", " c} d}"),
            (r"{a\}b}", "{a}b}", ""),
            (r"{known\}", r"{known}", ""),
        ];
        for (text, stay, empty) in cases {
            assert_eq!(expand(text, Unknown::Stay).unwrap(), stay, "{text}");
            assert_eq!(expand(text, Unknown::Empty).unwrap(), empty, "{text}");
        }
    }
    #[test]
    fn unknown_and_empty_placeholders_may_be_errors() {
        assert_eq!(expand("a{known}", Unknown::Fail).unwrap(), "aK");
        assert_eq!(expand("a{no}", Unknown::Fail).unwrap_err(), "unrecognized placeholder {no}");
        assert_eq!(expand("a{empty}", Unknown::Fail).unwrap_err(), "evaluated placeholder {empty} is empty");
    }
    #[test]
    fn too_many_unclosed_braces_make_the_text_empty() {
        let text = "{".repeat(102);
        assert_eq!(expand(&text, Unknown::Stay).unwrap(), "");
        assert_eq!(expand(&text, Unknown::Fail).unwrap_err(), "too many unclosed placeholders");
        assert_eq!(expand(&text[1..], Unknown::Stay).unwrap(), text[1..]);
    }
}
