//! An error for a person: the line that is wrong, the word underlined, and a hint.
//!
//! ```text
//! Error: unrecognized directive: respnd
//!   --> Caddyfile:2:2
//!    |
//!  2 |     respnd x
//!    |     ^^^^^^
//!    = did you mean 'respond'?
//! ```
use grammar::Error;
use std::fmt::Write;

/// How far a tab goes.
const TAB: &str = "    ";

/// `text` is what the error is about, where that is no file.
pub(super) fn render(error: &Error, text: Option<&str>, colours: bool) -> String {
    let paint = |code: &str, text: &str| {
        if colours { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    };
    let (red, blue) = (|text: &str| paint("1;31", text), |text: &str| paint("1;34", text));
    let mut out = format!("{}: {}\n", red("Error"), error.message);
    // Writing to memory does not fail.
    let mut line = |text: std::fmt::Arguments<'_>| {
        let _ = writeln!(out, "{text}");
    };
    let Some(span) = &error.span else {
        if let Some(hint) = &error.hint {
            line(format_args!("  {} {hint}", blue("=")));
        }
        return out;
    };
    let read = std::fs::read(&*span.file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let whole = read.ok().or_else(|| text.map(str::to_owned)).unwrap_or_default();
    let (row, column) = physical(&whole, span.line, span.column);
    let number = row.to_string();
    let margin = " ".repeat(number.len() + 1);
    line(format_args!("{margin}{} {}:{}:{}", blue("-->"), span.file, row, column));
    if let Some(source) = whole.lines().nth(row.saturating_sub(1)) {
        let before: String = source.chars().take(column.saturating_sub(1)).collect();
        let indent = before.replace('\t', TAB).chars().map(|_| ' ').collect::<String>();
        // Never past the end of the line: a heredoc goes on in the next.
        let left = source.chars().count().saturating_sub(before.chars().count());
        let marks = "^".repeat((span.length as usize).clamp(1, left.max(1)));
        line(format_args!("{margin} {}", blue("|")));
        line(format_args!(" {} {} {}", blue(&number), blue("|"), source.replace('\t', TAB)));
        line(format_args!("{margin} {} {indent}{}", blue("|"), red(&marks)));
    }
    for import in &*span.imports {
        line(format_args!("{margin} {} imported at {import}", blue("=")));
    }
    if let Some(hint) = &error.hint {
        line(format_args!("{margin} {} {hint}", blue("=")));
    }
    out
}
/// Line and column as an editor counts them: columns go on where a backslash continues a line.
fn physical(text: &str, line: u32, column: u32) -> (usize, usize) {
    let (mut row, mut column) = (line as usize, column as usize);
    for source in text.split('\n').skip(row.saturating_sub(1)) {
        let length = source.chars().count() + 1;
        if column <= length || !source.trim_end().ends_with('\\') {
            break;
        }
        (row, column) = (row + 1, column - length);
    }
    (row, column)
}
#[cfg(test)]
mod tests {
    use super::*;
    use grammar::Span;

    fn error(line: u32, column: u32, length: u32) -> Error {
        let span = Span {
            file: "nowhere/Caddyfile".into(),
            line,
            column,
            length,
            imports: ["x:3 (import y)".into()].into(),
        };
        Error { span: Some(span), hint: Some("did you mean 'y'?".into()), ..Error::plain("no") }
    }
    #[test]
    fn the_word_is_underlined_where_it_stands() {
        let shown = render(&error(2, 2, 3), Some("a {\n\tfoo bar\n}"), false);
        let expected = "Error: no\n  --> nowhere/Caddyfile:2:2\n   |\n 2 |     foo bar\n   |     ^^^\n   \
                        = imported at x:3 (import y)\n   = did you mean 'y'?\n";
        assert_eq!(shown, expected);
    }
    #[test]
    fn what_has_no_line_or_no_place_is_said_all_the_same() {
        assert!(
            render(&error(9, 1, 0), Some("a"), false).starts_with("Error: no\n  --> nowhere/Caddyfile:9:1\n")
        );
        assert_eq!(render(&Error::plain("no"), None, false), "Error: no\n");
    }
    #[test]
    fn what_stands_on_a_continued_line_is_shown_there() {
        let shown = render(&error(1, 8, 3), Some("foo \\\n\tbar\n"), false);
        assert!(
            shown.contains("Caddyfile:2:2\n") && shown.contains(" 2 |     bar\n   |     ^^^\n"),
            "{shown}"
        );
    }
    #[test]
    fn marks_stay_on_the_line() {
        assert!(render(&error(1, 3, 50), Some("abcd"), false).contains("  |   ^^\n"));
    }
}
