//! `{args[N]}`, `{args[from:to]}` and the deprecated `{args.N}`.
use crate::ast::{Error, Token};

/// The arguments that a token stands for as a whole, if it is `{args[from:to]}`.
pub(crate) fn variadic<'g>(
    token: &Token,
    args: &'g [String],
    warnings: &mut Vec<Error>,
) -> Option<&'g [String]> {
    let range = token.text.strip_prefix("{args[")?.strip_suffix("]}")?;
    let text = &token.text;
    if range.is_empty() {
        warnings.push(token.error(format!("Placeholder {text} cannot have an empty index")));
        return None;
    }
    let (start, end) = range.split_once(':')?;
    // Two placeholders with a colon between them.
    if start.contains('}') || end.contains('{') {
        return None;
    }
    let mut index = |text: &str, default: usize, which: &str| match text {
        "" => Some(default as i64),
        number => integer(number).or_else(|| {
            let variadic = &token.text;
            warnings
                .push(token.error(format!("Variadic placeholder {variadic} has an invalid {which} index")));
            None
        }),
    };
    let (start, end) = (index(start, 0, "start")?, index(end, args.len(), "end")?);
    let found = usize::try_from(start).ok().zip(usize::try_from(end).ok()).and_then(|(a, b)| args.get(a..b));
    if found.is_none() {
        let count = args.len();
        warnings.push(token.error(format!(
            "Variadic placeholder {text} indices are out of bounds, only {count} argument(s) exist"
        )));
    }
    found
}
/// The token's text with its single arguments filled in; what is no argument stays. As in Caddy a backslash before a
/// brace is lost, and text with more than a hundred braces that never close comes out empty.
///
/// Stops growing at `limit` bytes: the caller refuses what is as long as that.
pub(crate) fn fill(token: &Token, args: &[String], limit: usize, warnings: &mut Vec<Error>) -> String {
    let text = token.text.as_str();
    if !text.contains(['{', '}']) {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut written = 0;
    let mut unclosed = 0;
    let mut ends = Ends { text, known: 0 };
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find(['{', '}'])).map(|found| at + found) {
        at = found + 1;
        if found > 0 && bytes.get(found - 1) == Some(&b'\\') {
            out.push_str(text.get(written..found - 1).unwrap_or_default());
            written = found;
            continue;
        }
        if bytes.get(found) != Some(&b'{') {
            continue;
        }
        if unclosed > 100 {
            return String::new();
        }
        let Some(end) = ends.after(found) else {
            unclosed += 1;
            continue;
        };
        let Some(value) = text.get(found + 1..end).and_then(|key| value(key, token, args, warnings)) else {
            continue;
        };
        out.push_str(text.get(written..found).unwrap_or_default());
        out.push_str(value);
        written = end + 1;
        at = written;
        if out.len() > limit {
            break;
        }
    }
    out + text.get(written..).unwrap_or_default()
}
/// Finds closing braces, each once.
struct Ends<'t> {
    text: &'t str,
    known: usize,
}
impl Ends<'_> {
    /// The first closing brace after `open` that has no backslash before it; the last byte of the text counts with one.
    fn after(&mut self, open: usize) -> Option<usize> {
        if self.known <= open {
            let bytes = self.text.as_bytes();
            let mut end = open + self.text.get(open..)?.find('}')?;
            while end + 1 < bytes.len() && bytes.get(end - 1) == Some(&b'\\') {
                end += 1 + self.text.get(end + 1..)?.find('}')?;
            }
            self.known = end;
        }
        Some(self.known)
    }
}
fn value<'g>(key: &str, token: &Token, args: &'g [String], warnings: &mut Vec<Error>) -> Option<&'g str> {
    let count = args.len();
    let (placeholder, index, deprecated) = match (key.strip_prefix("args."), key.strip_prefix("args[")) {
        (Some(index), _) if !index.is_empty() => (format!("{{args.{index}}}"), index, true),
        (_, Some(index)) => {
            let index = index.strip_suffix(']').filter(|index| !index.is_empty())?;
            (format!("{{args[{index}]}}"), index, false)
        }
        _ => return None,
    };
    let mut warn = |message: String| warnings.push(token.error(message));
    if !deprecated && index.contains(':') {
        warn(format!("Variadic placeholder {placeholder} must be a token on its own"));
        return None;
    }
    let Some(number) = integer(index) else {
        warn(format!("Placeholder {placeholder} has an invalid index"));
        return None;
    };
    let Some(arg) = usize::try_from(number).ok().and_then(|n| args.get(n)) else {
        warn(format!("Placeholder {placeholder} index is out of bounds, only {count} argument(s) exist"));
        return None;
    };
    if deprecated {
        warn(format!("Placeholder {{args.{index}}} deprecated, use {{args[{index}]}} instead"));
    }
    Some(arg)
}
/// Go's `Atoi`, which takes a sign.
fn integer(text: &str) -> Option<i64> {
    text.parse().ok()
}
