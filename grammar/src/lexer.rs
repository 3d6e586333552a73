//! How text is split into tokens: the lexical rules of `caddyfile.ebnf` in nom, one function a rule, in the same order.
//!
//! Between tokens lies blank space, in it newlines that end a line and newlines that do not. A token is a heredoc,
//! something in quotes, or a word. Nothing here fails but a heredoc.
use crate::{
    ast::{Error, Quote, Token},
    heredoc::{Fault, heredoc},
    place::{Place, characters},
};
use nom::{
    IResult, Parser,
    branch::alt,
    bytes::complete::{take_till, take_while, take_while1},
    character::complete::{anychar, char, satisfy},
    combinator::{cond, eof, map, not, opt, recognize, value},
    multi::{fold_many0, many0_count},
    sequence::{preceded, terminated},
};
use std::sync::Arc;

pub(crate) type Parsed<'a, T> = IResult<&'a str, T, Fault>;

/// What a token says and how it was written.
#[derive(Clone)]
pub(crate) struct Written {
    pub(crate) text: String,
    pub(crate) quote: Quote,
}
/// A part of the source.
#[derive(Clone)]
enum Part {
    /// Blanks, or a comment at the end of the file.
    Space,
    Newline,
    /// A newline that does not end the line.
    Continuation,
    /// `None` for a quote or a heredoc that opens at the very end of the file: Caddy sees no token there.
    Token(Option<Written>),
}

/// Splits a whole file, its environment variables already filled in.
///
/// # Errors
/// What is wrong with a heredoc, in Caddy's words; the message names the line itself.
pub(crate) fn lex(file: &Arc<str>, text: &str) -> Result<Vec<Token>, Error> {
    let imports: Arc<[Box<str>]> = Arc::from([]);
    let mut tokens = vec![];
    let mut place = Place::default();
    if text.is_empty() {
        return Err(Error { span: Some(place.span(file, &imports, 0)), ..Error::plain("EOF") });
    }
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    while !rest.is_empty() {
        let (after, part) = part(rest).map_err(|fault| {
            let message = match fault {
                nom::Err::Failure(fault) | nom::Err::Error(fault) => fault.message(&place),
                nom::Err::Incomplete(_) => "unexpected EOF".to_owned(),
            };
            let span = place.span(file, &imports, 2);
            Error { span: Some(span), ..Error::plain(message) }
        })?;
        let source = &rest[..rest.len() - after.len()];
        match part {
            Part::Space => place.pass(source),
            Part::Newline => place.end_line(),
            Part::Continuation => place.continue_line(source),
            Part::Token(written) => {
                let length = characters(source);
                let span = place.span(file, &imports, length);
                place.pass_token(source, length);
                tokens.extend(written.map(|Written { text, quote }| Token { text, quote, span }));
            }
        }
        rest = after;
    }
    Ok(tokens)
}

/// What it is shows in its first character, but for a backslash.
fn part(input: &str) -> Parsed<'_, Part> {
    match input.chars().next() {
        Some('\n') => value(Part::Newline, char('\n')).parse(input),
        Some('#') => comment(input),
        Some('\\') => alt((continuation, map(token, Part::Token))).parse(input),
        Some('"' | '`' | '<') | None => map(token, Part::Token).parse(input),
        Some(c) if is_blank(c) => {
            let end = input.find(|c| !is_blank(c)).unwrap_or(input.len());
            Ok((&input[end..], Part::Space))
        }
        Some(_) => map(|input| word(input, false), |word| Part::Token(Some(word))).parse(input),
    }
}
/// White space that does not end a line. As in Caddy, it takes a line feed to do that: a carriage return is nothing.
fn is_blank(c: char) -> bool {
    c.is_whitespace() && c != '\n'
}
/// `# …` to the end of the line. A backslash anywhere in it makes Caddy read the newline behind it as a continuation.
fn comment(input: &str) -> Parsed<'_, Part> {
    let (rest, text) = comment_text(input)?;
    if !text.contains('\\') {
        return Ok((rest, Part::Space));
    }
    value(Part::Continuation, char('\n')).or(value(Part::Space, eof)).parse(rest)
}
fn comment_text(input: &str) -> Parsed<'_, &str> {
    recognize((char('#'), take_till(|c| c == '\n'))).parse(input)
}
/// `\` at the end of a line. Blanks may stand between them, and a comment too.
fn continuation(input: &str) -> Parsed<'_, Part> {
    preceded(
        (char('\\'), take_while(is_blank), opt(comment_text)),
        value(Part::Continuation, char('\n')).or(value(Part::Space, eof)),
    )
    .parse(input)
}
/// A token, with a stray backslash before it: `\ x` is read as `\x`.
fn token(input: &str) -> Parsed<'_, Option<Written>> {
    let (rest, escaped) = opt((char('\\'), take_while(is_blank))).parse(input)?;
    let escaped = escaped.is_some();
    if !escaped && rest.starts_with("<<") {
        return heredoc(rest);
    }
    match rest.as_bytes().first() {
        Some(b'"') => double_quoted(rest, escaped),
        Some(b'`') => backquoted(rest),
        _ => map(|rest| word(rest, escaped), Some).parse(rest),
    }
}
/// A run of characters as they are meant, with a backslash before it that stays.
#[derive(Clone)]
struct Run<'a>(&'static str, &'a str);

fn plain(text: &str) -> Run<'_> {
    Run("", text)
}
/// Puts runs together, as many as there are.
fn runs<'a>(
    first: Option<Run<'a>>,
    run: impl Parser<&'a str, Output = Run<'a>, Error = Fault>,
) -> impl Parser<&'a str, Output = String, Error = Fault> {
    let add = |mut text: String, Run(backslash, more): Run<'a>| {
        text.push_str(backslash);
        text.push_str(more);
        text
    };
    fold_many0(run, move || first.clone().map_or_else(String::new, |first| add(String::new(), first)), add)
}
/// `"…"`, over several lines if need be. Only `\"` is an escape. `escaped`: as if a backslash stood behind the quote.
fn double_quoted(input: &str, escaped: bool) -> Parsed<'_, Option<Written>> {
    let (rest, first) = preceded(char('"'), cond(escaped, opt(quoted_escape))).parse(input)?;
    let unescaped = take_while1(|c| c != '"' && c != '\\').map(plain);
    let escape = preceded(char('\\'), quoted_escape);
    let (rest, text) = runs(first.flatten(), alt((unescaped, escape))).parse(rest)?;
    close(rest, text, '"', Quote::Double)
}
/// What stands behind a backslash in double quotes. The backslash stays, except before a quote.
fn quoted_escape(input: &str) -> Parsed<'_, Run<'_>> {
    map(recognize(anychar), |text| Run(if text == "\"" { "" } else { "\\" }, text)).parse(input)
}
/// `` `…` ``, without any escape.
fn backquoted(input: &str) -> Parsed<'_, Option<Written>> {
    let (rest, text) = preceded(char('`'), take_till(|c| c == '`')).parse(input)?;
    close(rest, text.to_owned(), '`', Quote::Backtick)
}
/// The closing quote; without one, all to the end of the file was meant, but as a plain word.
fn close(input: &str, text: String, mark: char, quote: Quote) -> Parsed<'_, Option<Written>> {
    let (rest, closed) = opt(char(mark)).parse(input)?;
    if closed.is_some() {
        return Ok((rest, Some(Written { text, quote })));
    }
    let (rest, _) = (opt(char('\\')), eof).parse(rest)?;
    Ok((rest, (!text.is_empty()).then_some(Written { text, quote: Quote::None })))
}
/// All up to the next white space; quotes and `#` mean nothing in it.
fn word(input: &str, escaped: bool) -> Parsed<'_, Written> {
    let end = word_end(input);
    let (text, rest) = input.split_at(end);
    // Most words have neither a backslash nor a carriage return in them.
    if !escaped && !text.is_empty() && !rest.starts_with(['\\', '\r']) {
        return Ok((rest, Written { text: text.to_owned(), quote: Quote::None }));
    }
    let (rest, first) = cond(escaped, word_escape).parse(input)?;
    let unescaped = take_while1(|c: char| !c.is_whitespace() && c != '\\').map(plain);
    let returns = || value(plain(""), char('\r'));
    let escape = preceded((char('\\'), many0_count(returns())), word_escape);
    let (rest, text) = runs(first, alt((unescaped, returns(), escape))).parse(rest)?;
    // A backslash before a blank is lost; before a newline it stays for `continuation`.
    let newline = (many0_count(returns()), char('\n'));
    let (rest, _) = opt(terminated(char('\\'), not(newline))).parse(rest)?;
    Ok((rest, Written { text, quote: Quote::None }))
}
/// Where the first blank or backslash stands.
fn word_end(input: &str) -> usize {
    let plain = input.bytes().position(|byte| !byte.is_ascii_graphic() || byte == b'\\');
    let plain = plain.unwrap_or(input.len());
    let rest = &input[plain..];
    plain + rest.find(|c: char| c.is_whitespace() || c == '\\').unwrap_or(rest.len())
}
/// What stands behind a backslash in a word. The backslash stays, except before `<`, where it says: no heredoc.
fn word_escape(input: &str) -> Parsed<'_, Run<'_>> {
    let character = recognize(satisfy(|c| !c.is_whitespace()));
    map(character, |text| Run(if text == "<" { "" } else { "\\" }, text)).parse(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tokens as `text`, each with the line it starts on where that is not the line of the token before.
    fn tokens(text: &str) -> Vec<String> {
        let mut line = 1;
        let show = |token: Token| {
            let now = token.span.line;
            let place = if now == line { String::new() } else { format!("{now}:") };
            line = now;
            let marks = match token.quote {
                Quote::None => ("", ""),
                Quote::Double => ("\"", "\""),
                Quote::Backtick => ("`", "`"),
                Quote::Heredoc => ("<<", ""),
            };
            format!("{place}{}{}{}", marks.0, token.text, marks.1)
        };
        lex(&"Caddyfile".into(), text).unwrap().into_iter().map(show).collect()
    }
    fn fault(text: &str) -> String {
        lex(&"Caddyfile".into(), text).unwrap_err().message
    }

    #[test]
    fn blanks_part_words() {
        assert_eq!(tokens("\u{feff}a\tb\u{a0}c\r\n\n d\u{2028}e"), ["a", "b", "c", "3:d", "e"]);
        assert_eq!(tokens("a\rb"), ["ab"]);
    }
    #[test]
    fn a_comment_starts_where_a_word_could() {
        assert_eq!(tokens("a # b\n#c\nd#e \"f\"#g"), ["a", "3:d#e", "\"f\""]);
    }
    #[test]
    fn quotes_count_at_the_start_of_a_word_only() {
        assert_eq!(tokens(r#""a b"c `d "e` f"g" "" `"#), ["\"a b\"", "c", "`d \"e`", "f\"g\"", "\"\""]);
        assert_eq!(tokens("\"a\nb\" c\nd"), ["\"a\nb\"", "2:c", "3:d"]);
    }
    #[test]
    fn in_double_quotes_only_a_quote_is_escaped() {
        assert_eq!(tokens(r#""a\"b\n\\" `\"` x"#), [r#""a"b\n\\""#, r#"`\"`"#, "x"]);
    }
    #[test]
    fn a_quote_without_end_is_a_word() {
        assert_eq!(tokens("a \"b c\\"), ["a", "b c"]);
        assert_eq!(tokens("a `b\n"), ["a", "b\n"]);
        assert_eq!(tokens("a \""), ["a"]);
    }
    #[test]
    fn a_backslash_continues_the_line() {
        assert_eq!(tokens("a \\\n b\\\r\n c\nd"), ["a", "b", "c", "4:d"]);
        assert_eq!(tokens("a \\ \nb"), ["a", "b"]);
        assert_eq!(tokens("a \\# b\nc"), ["a", "c"]);
        assert_eq!(tokens("a # C:\\temp\nb\nc"), ["a", "b", "3:c"]);
        assert_eq!(tokens("a \\"), ["a"]);
    }
    #[test]
    fn other_backslashes_stay() {
        assert_eq!(tokens(r"a\b \c \\d \{e\}"), [r"a\b", r"\c", r"\\d", r"\{e\}"]);
    }
    #[test]
    fn a_stray_backslash_goes_to_the_next_word() {
        assert_eq!(tokens(r#"a \ b \ \c \"d" a\ b"#), ["a", r"\b", r"\\c", r#""\d""#, "a", "b"]);
    }
    #[test]
    fn a_heredoc_loses_the_indentation_of_its_end() {
        assert_eq!(tokens("a <<END\n\t b\n\n\t  c\r\n\t END d\ne"), ["a", "<<b\n\n c", "5:d", "6:e"]);
        assert_eq!(tokens("<<E\nE"), ["<<"]);
        assert_eq!(tokens("<<E\nfoE"), ["<<"]);
        assert_eq!(tokens("<<E\n"), [""; 0]);
    }
    #[test]
    fn what_looks_like_a_heredoc_may_be_a_word() {
        assert_eq!(tokens("<<E F\n"), ["<<E", "F"]);
        assert_eq!(tokens("\\<<E\n<\\<E\na<<E\n<<E"), ["<<E", "2:<<E", "3:a<<E", "4:<<E"]);
    }
    #[test]
    fn heredocs_are_refused_in_caddys_words() {
        assert_eq!(
            fault("a\n<<\n"),
            "missing opening heredoc marker on line #2; must contain only alphanumeric characters, dashes and \
             underscores; got empty string"
        );
        assert_eq!(fault("<<<E\n"), "too many '<' for heredoc on line #1; only use two, for example <<END");
        assert_eq!(
            fault("<<E!\n"),
            "heredoc marker on line #1 must contain only alphanumeric characters, dashes and underscores; got 'E!'"
        );
        assert_eq!(fault("\n<<E\nx\n"), "incomplete heredoc <<E on line #4, expected ending marker E");
        assert_eq!(
            fault("a <<E\n\tx\n\t\tE"),
            "mismatched leading whitespace in heredoc <<E on line #2 [\tx], expected whitespace [\t\t] to match the \
             closing marker"
        );
    }
    #[test]
    fn spans_tell_where_the_source_is() {
        let tokens = lex(&"Caddyfile".into(), "é  \"b c\"\n\t<<E\nx\nE d \\\n  e").unwrap();
        let places: Vec<_> = tokens.iter().map(|t| (t.span.line, t.span.column, t.span.length)).collect();
        assert_eq!(places, [(1, 1, 1), (1, 4, 5), (2, 2, 7), (4, 3, 1), (4, 9, 1)]);
    }
    #[test]
    fn an_empty_file_is_an_end() {
        assert_eq!(fault(""), "EOF");
        assert_eq!(tokens(" \n"), [""; 0]);
    }
}
