//! Regular expressions as Go reads them.
use regex::{Regex, bytes};
use std::{iter::Peekable, str::Chars};

/// Compiles an expression of Go's syntax, which differs from this library's: `\d`, `\s`, `\w` and `\b` know ASCII only,
/// `\Q…\E` quotes, a `{` that opens no repetition is a brace, and a character class has no set operations.
///
/// # Errors
/// What is wrong with it, in one line.
pub fn go_regex(pattern: &str) -> Result<Regex, String> {
    Regex::new(&translate(pattern)).map_err(|error| wrong(pattern, &error))
}
/// The same, for bytes that need not be UTF-8.
///
/// # Errors
/// As [`go_regex`].
pub fn go_bytes_regex(pattern: &str) -> Result<bytes::Regex, String> {
    bytes::Regex::new(&translate(pattern)).map_err(|error| wrong(pattern, &error))
}
fn wrong(pattern: &str, error: &regex::Error) -> String {
    let text = error.to_string();
    let reason = text.lines().last().unwrap_or_default();
    format!("error parsing regexp: {}: `{pattern}`", reason.strip_prefix("error: ").unwrap_or(reason))
}
type Input<'p> = Peekable<Chars<'p>>;

fn translate(pattern: &str) -> String {
    let (mut out, mut input) = (String::with_capacity(pattern.len()), pattern.chars().peekable());
    while let Some(c) = input.next() {
        match c {
            '\\' => escape(&mut out, &mut input),
            '[' => class(&mut out, &mut input),
            '{' if !is_repetition(input.clone()) => out.push_str("\\{"),
            _ => out.push(c),
        }
    }
    out
}
/// What follows a backslash outside of a class.
fn escape(out: &mut String, input: &mut Input<'_>) {
    match input.next() {
        None => out.push('\\'),
        Some('b') => out.push_str(r"(?-u:\b)"),
        Some('Q') => quoted(out, input),
        Some(c) => match ascii_class(c) {
            Some((class, negated)) => {
                out.push_str(if negated { "[^" } else { "[" });
                out.push_str(class);
                out.push(']');
            }
            None => escaped(out, c, input),
        },
    }
}
/// An escape that means the same inside and outside of a class.
fn escaped(out: &mut String, c: char, input: &mut Input<'_>) {
    match c {
        // Here they would be the edges of a word.
        '<' | '>' => out.push(c),
        '0'..='7' => {
            let mut code = c.to_digit(8).unwrap_or(0);
            for _ in 0..2 {
                let Some(digit) = input.peek().and_then(|c| c.to_digit(8)) else { break };
                code = code * 8 + digit;
                input.next();
            }
            out.push_str(&format!("\\x{{{code:X}}}"));
        }
        _ => {
            out.push('\\');
            out.push(c);
        }
    }
}
/// Up to `\E` or the end.
fn quoted(out: &mut String, input: &mut Input<'_>) {
    while let Some(c) = input.next() {
        if c == '\\' && input.peek() == Some(&'E') {
            input.next();
            return;
        }
        out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
    }
}
/// From behind the opening bracket to the closing one.
fn class(out: &mut String, input: &mut Input<'_>) {
    out.push('[');
    if input.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    let mut first = true;
    while let Some(c) = input.next() {
        match c {
            ']' if !first => return out.push(']'),
            '[' if input.peek() == Some(&':') => {
                out.push('[');
                for c in input.by_ref() {
                    out.push(c);
                    if c == ']' {
                        break;
                    }
                }
            }
            // Between two characters it makes a range, else it stands for itself.
            '-' if !first && input.peek().is_some_and(|next| *next != ']') => {
                out.push('-');
                if input.next_if_eq(&'-').is_some() {
                    out.push_str("\\-");
                }
            }
            '\\' => match input.next() {
                None => out.push('\\'),
                Some(c) => match ascii_class(c) {
                    Some((class, false)) => out.push_str(class),
                    Some((class, true)) => out.push_str(&format!("[^{class}]")),
                    None => escaped(out, c, input),
                },
            },
            _ => out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
        first = false;
    }
}
/// What a letter behind a backslash stands for, and whether for all but that.
fn ascii_class(letter: char) -> Option<(&'static str, bool)> {
    let class = match letter.to_ascii_lowercase() {
        'd' => "0-9",
        's' => r"\t\n\x0C\r ",
        'w' => "0-9A-Za-z_",
        _ => return None,
    };
    Some((class, letter.is_ascii_uppercase()))
}
/// `n}`, `n,}` or `n,m}`.
fn is_repetition(mut input: Input<'_>) -> bool {
    let mut digits = 0;
    while input.next_if(char::is_ascii_digit).is_some() {
        digits += 1;
    }
    if input.next_if_eq(&',').is_some() {
        while input.next_if(char::is_ascii_digit).is_some() {}
    }
    digits > 0 && input.next() == Some('}')
}

#[cfg(test)]
mod tests {
    use super::go_regex;

    #[test]
    fn classes_know_ascii_only() {
        for (pattern, yes, no) in [
            (r"^\d$", "7", "٧"),
            (r"^\w$", "a", "é"),
            (r"^\s$", "\t", "\u{a0}"),
            (r"^[\d.]+$", "1.5", "٧"),
            (r"^[^\d]$", "x", "7"),
            (r"^[\W]$", "é", "a"),
            (r"^\S$", "\u{a0}", " "),
            (r"é\b", "é", "éa"),
        ] {
            let regex = go_regex(pattern).unwrap();
            let boundary = pattern.ends_with(r"\b");
            assert_eq!(regex.is_match(yes), !boundary, "{pattern}");
            assert_eq!(regex.is_match(no), boundary, "{pattern}");
        }
    }
    #[test]
    fn braces_brackets_and_quotes_read_as_in_go() {
        for (pattern, text) in [
            (r"^{x}$", "{x}"),
            (r"^a{2}$", "aa"),
            (r"^a{,2}$", "a{,2}"),
            (r"^a{1,}$", "aaa"),
            (r"^\Qa.b\E$", "a.b"),
            (r"^\Q[", "["),
            (r"^[[]$", "["),
            (r"^[]a]$", "]"),
            (r"^[a&&b]$", "&"),
            (r"^[+--]$", ","),
            (r"^[a-]$", "-"),
            (r"^[-a]$", "-"),
            (r"^[[:alpha:]_]+$", "a_b"),
            (r"^\<\>\/$", "<>/"),
            (r"^\101\x42$", "AB"),
            (r"^(?P<n>a)(?<m>b)$", "ab"),
            (r"^\.(?i)PHP$", ".php"),
        ] {
            assert!(go_regex(pattern).unwrap().is_match(text), "{pattern}");
        }
        assert!(!go_regex(r"^[+--]$").unwrap().is_match("a"));
    }
    #[test]
    fn an_error_takes_one_line() {
        let error = go_regex("(").unwrap_err();
        assert_eq!(error, "error parsing regexp: unclosed group: `(`");
    }
}
