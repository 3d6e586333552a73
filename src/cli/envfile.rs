//! `--envfile`: variables from files, in Caddy's form of `KEY=VALUE`.
use super::failure::go_io;
use crate::environment;
use std::{collections::BTreeMap, fs};

/// Reads all files. The first to name a variable sets it; the process' own variables win over all of them.
///
/// # Errors
/// In Caddy's words.
pub(super) fn load(files: &[String]) -> Result<(), String> {
    if files.is_empty() {
        return Ok(());
    }
    let wrong = |why: String| format!("loading additional environment variables: {why}");
    let mut all = BTreeMap::new();
    for file in files {
        let text = fs::read(file)
            .map_err(|error| wrong(format!("reading environment file: {}", go_io("open", file, &error))))?;
        let parsed = parse(&String::from_utf8_lossy(&text));
        let parsed = parsed.map_err(|why| wrong(format!("parsing environment file: {why}")))?;
        for (name, value) in parsed {
            all.entry(name).or_insert(value);
        }
    }
    environment::set_files(all);
    Ok(())
}
fn parse(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut found = BTreeMap::new();
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let (number, line) = (at + 1, line.trim());
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((key, value)) = line.split_once('=') else {
            return Err(format!("can't parse line {number}; line should be in KEY=VALUE format"));
        };
        // So that a shell can read the file too.
        let key = key.strip_prefix("export ").unwrap_or(key);
        if key.is_empty() {
            return Err(format!("missing or empty key on line {number}"));
        }
        if key.contains(' ') {
            return Err(format!("invalid key on line {number}: contains whitespace: {key}"));
        }
        if value.starts_with([' ', '\t']) {
            return Err(format!("invalid value on line {number}: whitespace before value: '{value}'"));
        }
        let value = value.split_once('#').map_or(value, |(before, _)| before.trim_end_matches([' ', '\t']));
        let value = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => quoted(line, value, quote, &mut lines),
            _ => value.to_owned(),
        };
        found.insert(key.to_owned(), value);
    }
    Ok(found)
}
/// A value in quotes may go on over the lines that follow, until one ends with the quote.
fn quoted<'t>(
    line: &str,
    value: &str,
    quote: char,
    lines: &mut impl Iterator<Item = (usize, &'t str)>,
) -> String {
    let escaped = format!("\\{quote}");
    let (mut line, mut value) = (line.to_owned(), value.to_owned());
    while !line.ends_with(quote) || line.ends_with(&escaped) {
        value = value.replace(&escaped, &quote.to_string());
        let Some((_, next)) = lines.next() else { break };
        line = next.replace(&escaped, &quote.to_string());
        value.push('\n');
        value.push_str(&line);
    }
    let value = value.strip_prefix(quote).unwrap_or(&value);
    value.strip_suffix(quote).unwrap_or(value).to_owned()
}
#[cfg(test)]
mod tests {
    use super::parse;

    fn value(text: &str) -> Option<String> {
        parse(text).unwrap().remove("K")
    }
    #[test]
    fn lines_are_read_as_caddy_reads_them() {
        for (text, expected) in [
            ("K=v", "v"),
            ("  K=v  ", "v"),
            ("# a comment\n\nK=v", "v"),
            ("export K=v", "v"),
            ("K=a=b", "a=b"),
            ("K=", ""),
            ("K=v # comment", "v"),
            ("K=\"a#b\"", "a"),
            ("K=\"a b\"", "a b"),
            ("K='a b'", "a b"),
            ("K=\"a\nb\"\nL=x", "a\nb"),
            ("K=\"a \\\"b\\\"\nc\"", "a \"b\"\nc"),
        ] {
            assert_eq!(value(text).as_deref(), Some(expected), "{text:?}");
        }
    }
    #[test]
    fn errors_are_caddys() {
        for (text, error) in [
            ("a\nb=1", "can't parse line 1; line should be in KEY=VALUE format"),
            ("=v", "missing or empty key on line 1"),
            ("a b=v", "invalid key on line 1: contains whitespace: a b"),
            ("\nK= v", "invalid value on line 2: whitespace before value: ' v'"),
        ] {
            assert_eq!(parse(text).unwrap_err(), error, "{text:?}");
        }
    }
}
