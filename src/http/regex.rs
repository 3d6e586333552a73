//! Regular expressions as Go's `regexp` reads them.
//!
//! The `regex` crate is of the same family (RE2), but for some details: Go's `\d`, `\w`, `\s` and `\b` are ASCII, it
//! knows `\Q…\E` and octal escapes, takes a `{` that repeats nothing literally, and has no set operations within classes.
//! A pattern is rewritten accordingly before it is compiled.
use regex::{Regex, RegexBuilder};
use std::{fmt::Write, iter::Peekable, str::Chars};

/// Compiles a pattern of Go's.
///
/// # Errors
/// What is wrong with it, as `error parsing regexp: …`.
pub fn regex(pattern: &str) -> Result<Regex, String> {
    let failed = |what: &str| format!("error parsing regexp: {what}: `{pattern}`");
    let translated = translate(pattern).map_err(failed)?;
    // Go has no such limit but for its repetitions (1,000).
    let built = RegexBuilder::new(&translated).size_limit(256 << 20).build();
    built.map_err(|error| {
        let text = error.to_string();
        let last = text.lines().last().unwrap_or("invalid");
        failed(last.strip_prefix("error: ").unwrap_or(last))
    })
}
fn translate(pattern: &str) -> Result<String, &'static str> {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => escape(&mut chars, &mut out, false)?,
            '[' => class(&mut chars, &mut out)?,
            '{' if !repeats(chars.clone()) => out.push_str(r"\{"),
            other => out.push(other),
        }
    }
    Ok(out)
}
/// Whether what follows a `{` makes it a repetition: `2}`, `2,}`, `2,3}`.
fn repeats(chars: Peekable<Chars<'_>>) -> bool {
    let rest: String = chars.collect();
    let Some((inside, _)) = rest.split_once('}') else { return false };
    let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    !least.is_empty() && digits(least) && digits(most)
}
/// What stands behind a backslash.
fn escape(chars: &mut Peekable<Chars<'_>>, out: &mut String, in_class: bool) -> Result<(), &'static str> {
    let c = chars.next().ok_or("trailing backslash at end of expression")?;
    match c {
        'd' if in_class => out.push_str("0-9"),
        'w' if in_class => out.push_str("0-9A-Za-z_"),
        's' if in_class => out.push_str(r"\t\n\f\r "),
        'd' => out.push_str("[0-9]"),
        'w' => out.push_str("[0-9A-Za-z_]"),
        's' => out.push_str(r"[\t\n\f\r ]"),
        'D' => out.push_str("[^0-9]"),
        'W' => out.push_str("[^0-9A-Za-z_]"),
        'S' => out.push_str(r"[^\t\n\f\r ]"),
        'b' if !in_class => out.push_str(r"(?-u:\b)"),
        'Q' if !in_class => {
            let mut text = String::new();
            for c in chars.by_ref() {
                text.push(c);
                if text.ends_with("\\E") {
                    text.truncate(text.len() - 2);
                    break;
                }
            }
            out.push_str(&regex::escape(&text));
        }
        '0'..='7' => {
            let mut code = c.to_digit(8).unwrap_or_default();
            if c != '0' && !chars.peek().is_some_and(|next| next.is_digit(8)) {
                return Err("invalid escape sequence");
            }
            for _ in 0..2 {
                let Some(digit) = chars.peek().and_then(|next| next.to_digit(8)) else { break };
                code = code * 8 + digit;
                chars.next();
            }
            // Writing to a string does not fail.
            _ = write!(out, r"\x{{{code:x}}}");
        }
        'Z' | 'G' | 'K' | 'h' | 'H' | 'R' | 'u' | 'U' | '<' | '>' | '8' | '9' | 'E' => {
            return Err("invalid escape sequence");
        }
        // A letter keeps its meaning; punctuation is escaped.
        other => out.extend(['\\', other]),
    }
    Ok(())
}
/// A class, from behind its `[`.
fn class(chars: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), &'static str> {
    const OPEN: &str = "missing closing ]";
    out.push('[');
    if chars.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    let mut first = true;
    loop {
        let c = chars.next().ok_or(OPEN)?;
        match c {
            ']' if !first => break,
            '[' if chars.peek() == Some(&':') => {
                out.push('[');
                loop {
                    let c = chars.next().ok_or(OPEN)?;
                    out.push(c);
                    if c == ']' {
                        break;
                    }
                }
            }
            '\\' => escape(chars, out, true)?,
            // These have a meaning of their own within a class of the crate's.
            '[' | ']' | '&' | '~' => out.extend(['\\', c]),
            '-' if first || chars.peek() == Some(&']') || out.ends_with('-') => out.push_str(r"\-"),
            '-' => out.push('-'),
            other => out.push(other),
        }
        first = false;
    }
    out.push(']');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_go() {
        let cases = [
            (r"^\d+$", "12", true),
            (r"^\d+$", "١٢", false),
            (r"^\w+$", "é", false),
            (r"^[\w-]+$", "a-b_1", true),
            (r"^[\w-]+$", "é", false),
            (r"^[^\s]+$", "a\u{a0}b", true),
            (r"^[\D]+$", "a", true),
            (r"^[\D]+$", "1", false),
            (r"\bfoo\b", "éfoo", true),
            (r"^\Qa.b*\E+$", "a.b**", true),
            (r"^\Qa.b", "a.b", true),
            (r"^\101$", "A", true),
            (r"^\0$", "\0", true),
            (r"^a{2}$", "aa", true),
            (r"^a{2,}$", "aaa", true),
            (r"^a{1,2}$", "aaa", false),
            (r"^{x}$", "{x}", true),
            (r"^a{,2}$", "a{,2}", true),
            (r"^a{$", "a{", true),
            (r"^a{2$", "a{2", true),
            (r"^a{2,3,}$", "a{2,3,}", true),
            (r"^[[a]$", "[", true),
            (r"^[a&&b]+$", "a&b", true),
            (r"^[a~~b]+$", "~", true),
            (r"^[]a]+$", "]a", true),
            (r"^[^]a]+$", "]", false),
            (r"^[-a]$", "-", true),
            (r"^[a-]$", "-", true),
            (r"^[+--]$", ",", true),
            (r"^[[:alpha:]_]+$", "a_b", true),
            (r"^[[:^digit:]]$", "1", false),
            (r"^\pL+$", "éa", true),
            (r"^(?i)CAFÉ$", "café", true),
            (r"^(?P<n>a)(?<m>b)$", "ab", true),
            (r"a$", "a\n", false),
            (r"\Aa\z", "a", true),
            (r"^\x41\x{42}$", "AB", true),
            (r"^a\.b\/c\-d$", "a.b/c-d", true),
            (r"^/(foo|bar)/?$", "/bar/", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(regex(pattern).unwrap().is_match(text), expected, "{pattern} on {text}");
        }
    }
    #[test]
    fn what_go_refuses_is_refused() {
        for pattern in
            ["(", ")", "[a", "*", r"a\", r"\1", r"\h", r"\Z", "(?=a)", "a{2,1}", r"[z-a]", "(?P<n>a)(?P<n>b)"]
        {
            let error = regex(pattern).unwrap_err();
            assert!(error.starts_with("error parsing regexp: "), "{error}");
            assert!(error.ends_with(&format!(": `{pattern}`")), "{error}");
        }
    }
}
