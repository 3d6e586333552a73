//! Texts.
use super::{Args, text_list, texts};
use crate::{
    config::go_regex,
    handlers::templates::{
        printf::quote,
        value::{Outcome, Value},
    },
};

pub(super) fn call(name: &str, args: &[Value]) -> Option<Outcome> {
    let mut args = Args(args);
    apply(name, &mut args).transpose()
}
/// Of what a function may write, in bytes.
const LONGEST: usize = 16 << 20;

fn apply(name: &str, a: &mut Args<'_>) -> Result<Option<Value>, super::Failure> {
    Ok(Some(match name {
        "trim" => a.text()?.trim().into(),
        "trimAll" | "trimall" => {
            let set: Vec<char> = a.text()?.chars().collect();
            a.text()?.trim_matches(set.as_slice()).into()
        }
        "trimSuffix" => {
            let end = a.text()?;
            let text = a.text()?;
            text.strip_suffix(end).unwrap_or(text).into()
        }
        "trimPrefix" => {
            let start = a.text()?;
            let text = a.text()?;
            text.strip_prefix(start).unwrap_or(text).into()
        }
        "nospace" => a.text()?.split_whitespace().collect::<String>().into(),
        "upper" => a.text()?.to_uppercase().into(),
        "lower" => a.text()?.to_lowercase().into(),
        "title" => title(a.text()?).into(),
        "untitle" => each_word(a.text()?, |first| first.to_lowercase().collect()).into(),
        "swapcase" => swap_case(a.text()?).into(),
        "repeat" => {
            let count = a.size()?;
            let text = a.text()?;
            if count.saturating_mul(text.len()) > LONGEST {
                return Err("repeat: the text is too long".into());
            }
            text.repeat(count).into()
        }
        "substr" => {
            let (start, end) = (a.int()?, a.int()?);
            let text = a.text()?;
            let start = usize::try_from(start).unwrap_or(0).min(text.len());
            let end = usize::try_from(end).map_or(text.len(), |end| end.min(text.len()));
            text.get(start..end).unwrap_or_default().into()
        }
        "trunc" => {
            let length = a.int()?;
            let text = a.text()?;
            let size = usize::try_from(length.unsigned_abs()).unwrap_or(usize::MAX).min(text.len());
            if length < 0 { text.get(text.len() - size..) } else { text.get(..size) }.unwrap_or(text).into()
        }
        "abbrev" => abbreviate(a.size()?, a.text()?).into(),
        "abbrevboth" => abbreviate_both(a.int()?, a.int()?, a.text()?).into(),
        "initials" => {
            a.text()?.split_whitespace().filter_map(|word| word.chars().next()).collect::<String>().into()
        }
        "contains" => {
            let part = a.text()?;
            a.text()?.contains(part).into()
        }
        "hasPrefix" => {
            let start = a.text()?;
            a.text()?.starts_with(start).into()
        }
        "hasSuffix" => {
            let end = a.text()?;
            a.text()?.ends_with(end).into()
        }
        "quote" => texts(a.rest()).iter().map(|text| quote(text)).collect::<Vec<_>>().join(" ").into(),
        "squote" => {
            texts(a.rest()).iter().map(|text| format!("'{text}'")).collect::<Vec<_>>().join(" ").into()
        }
        "cat" => texts(a.rest()).join(" ").into(),
        "indent" | "nindent" => {
            let pad = " ".repeat(a.size()?.min(1000));
            let indented = format!("{pad}{}", a.text()?.replace('\n', &format!("\n{pad}")));
            if name == "nindent" { format!("\n{indented}").into() } else { indented.into() }
        }
        "replace" => {
            let (old, new) = (a.text()?, a.text()?);
            a.text()?.replace(old, new).into()
        }
        "plural" => {
            let (one, many) = (a.text()?, a.text()?);
            if a.int()? == 1 { one.into() } else { many.into() }
        }
        "snakecase" => words(a.text()?).join("_").into(),
        "kebabcase" => words(a.text()?).join("-").into(),
        "camelcase" => words(a.text()?)
            .iter()
            .map(|word| each_word(word, |c| c.to_uppercase().collect()))
            .collect::<String>()
            .into(),
        "wrap" | "wrapWith" => {
            let width = a.size()?;
            let between = if name == "wrapWith" { a.text()? } else { "\n" };
            wrap(width, between, a.text()?).into()
        }
        "split" => {
            let by = a.text()?;
            let parts = a.text()?.split(by).enumerate();
            Value::map(parts.map(|(at, part)| (format!("_{at}"), part.into())))
        }
        "splitn" => {
            let (by, count) = (a.text()?, a.size()?);
            let parts = a.text()?.splitn(count, by).enumerate();
            Value::map(parts.map(|(at, part)| (format!("_{at}"), part.into())))
        }
        "splitList" => {
            let by = a.text()?;
            let text = a.text()?;
            if by.is_empty() { text_list(text.chars()) } else { text_list(text.split(by)) }
        }
        "join" => {
            let by = a.text()?;
            match a.next()? {
                Value::List(items) => texts(items).join(by).into(),
                Value::Nil => "".into(),
                other => other.shown().into(),
            }
        }
        "toStrings" => match a.next()? {
            Value::List(items) => text_list(texts(items)),
            other => text_list([other.shown()]),
        },
        "toString" => a.next()?.shown().into(),
        "randAlphaNum" => {
            random(a.size()?, b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789").into()
        }
        "randAlpha" => random(a.size()?, b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ").into(),
        "randNumeric" => random(a.size()?, b"0123456789").into(),
        "randAscii" => random(a.size()?, &(b' '..=b'~').collect::<Vec<_>>()).into(),
        "shuffle" => {
            let mut letters: Vec<char> = a.text()?.chars().collect();
            fastrand::shuffle(&mut letters);
            letters.into_iter().collect::<String>().into()
        }
        "regexMatch" => go_regex(a.text()?)?.is_match(a.text()?).into(),
        "regexFind" => {
            let regex = go_regex(a.text()?)?;
            regex.find(a.text()?).map_or("", |found| found.as_str()).into()
        }
        "regexFindAll" => {
            let regex = go_regex(a.text()?)?;
            let (text, count) = (a.text()?, a.int()?);
            let most = usize::try_from(count).unwrap_or(usize::MAX);
            text_list(regex.find_iter(text).take(most).map(|found| found.as_str()))
        }
        "regexReplaceAll" => {
            let regex = go_regex(a.text()?)?;
            let text = a.text()?;
            regex.replace_all(text, a.text()?).into_owned().into()
        }
        "regexReplaceAllLiteral" => {
            let regex = go_regex(a.text()?)?;
            let text = a.text()?;
            regex.replace_all(text, regex::NoExpand(a.text()?)).into_owned().into()
        }
        "regexSplit" => {
            let regex = go_regex(a.text()?)?;
            let (text, count) = (a.text()?, a.int()?);
            text_list(split(&regex, text, usize::try_from(count).ok()))
        }
        "regexQuoteMeta" => regex::escape(a.text()?).into(),
        _ => return Ok(None),
    }))
}
fn each_word(text: &str, change: impl Fn(char) -> String) -> String {
    let (mut out, mut begins) = (String::with_capacity(text.len()), true);
    for c in text.chars() {
        if begins {
            out.push_str(&change(c));
        } else {
            out.push(c);
        }
        begins = c.is_whitespace();
    }
    out
}
/// Go's `strings.Title`: what follows anything but letters, digits and underscores begins a word.
fn title(text: &str) -> String {
    let (mut out, mut begins) = (String::with_capacity(text.len()), true);
    for c in text.chars() {
        if begins {
            out.extend(c.to_uppercase());
        } else {
            out.push(c);
        }
        let within = c.is_alphanumeric() || c == '_' || !c.is_ascii() && !c.is_whitespace();
        begins = !within;
    }
    out
}
/// Go's `Regexp.Split`: at most so many parts, where a number is given.
fn split<'t>(regex: &regex::Regex, text: &'t str, most: Option<usize>) -> Vec<&'t str> {
    if most == Some(0) {
        return vec![];
    }
    if text.is_empty() && !regex.as_str().is_empty() {
        return vec![""];
    }
    let (mut parts, mut begin, mut end) = (vec![], 0, 0);
    for found in regex.find_iter(text) {
        if most.is_some_and(|most| parts.len() + 1 == most) {
            break;
        }
        end = found.start();
        if found.end() != 0 {
            parts.extend(text.get(begin..end));
        }
        begin = found.end();
    }
    if end != text.len() {
        parts.extend(text.get(begin..));
    }
    parts
}
fn swap_case(text: &str) -> String {
    let swapped = text.chars().map(|c| {
        if c.is_uppercase() { c.to_lowercase().collect::<String>() } else { c.to_uppercase().collect() }
    });
    swapped.collect()
}
fn abbreviate(width: usize, text: &str) -> String {
    let count = text.chars().count();
    if width < 4 || count <= width {
        return text.into();
    }
    text.chars().take(width - 3).chain("...".chars()).collect()
}
/// Of `width` bytes around the offset `from`, with dots where something is missing.
fn abbreviate_both(from: i64, width: i64, text: &str) -> String {
    if width < 4 || from > 0 && width < 7 {
        return text.into();
    }
    let (length, width) = (text.len(), usize::try_from(width).unwrap_or(0));
    if length <= width {
        return text.into();
    }
    let bytes = |range: std::ops::Range<usize>| {
        String::from_utf8_lossy(text.as_bytes().get(range).unwrap_or_default()).into_owned()
    };
    let from = usize::try_from(from).unwrap_or(0).min(length).min(length - (width - 3));
    if from <= 4 {
        return bytes(0..width - 3) + "...";
    }
    if from + width - 3 < length {
        return format!("...{}...", bytes(from..from + width - 6));
    }
    format!("...{}", bytes(length - (width - 3)..length))
}
/// In lower case: `HTTPServer one-two` has four.
fn words(text: &str) -> Vec<String> {
    let (mut out, mut word, letters) = (vec![], String::new(), text.chars().collect::<Vec<_>>());
    for (at, &c) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at)).copied().unwrap_or(' ');
        let after = letters.get(at + 1).copied().unwrap_or(' ');
        let hump = c.is_uppercase()
            && (before.is_lowercase()
                || before.is_ascii_digit()
                || before.is_uppercase() && after.is_lowercase());
        if (hump || !c.is_alphanumeric()) && !word.is_empty() {
            out.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
    }
    if !word.is_empty() {
        out.push(word);
    }
    out
}
fn wrap(width: usize, between: &str, text: &str) -> String {
    let (mut out, mut column) = (String::new(), 0);
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            out.push_str(between);
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}
fn random(count: usize, from: &[u8]) -> String {
    (0..count.min(10_000))
        .filter_map(|_| from.get(fastrand::usize(..from.len())))
        .map(|&byte| char::from(byte))
        .collect()
}
