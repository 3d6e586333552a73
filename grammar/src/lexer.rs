//! How text is split into tokens: the lexical rules of `caddyfile.ebnf` in nom, one function a rule, in the same order.
//!
//! Between tokens lies blank space, in it newlines that end a line and newlines that do not. A token is a heredoc,
//! something in quotes, or a word. Nothing here fails but a heredoc.
use crate::{
    ast::{Error, Quote, Span, Token},
    heredoc::{Fault, heredoc},
    place::Place,
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
    if text.is_empty() {
        return Err(Error::plain("EOF"));
    }
    let imports: Arc<[Box<str>]> = Arc::from([]);
    let mut tokens = vec![];
    let mut place = Place::default();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    while !rest.is_empty() {
        let (after, part) = part(rest).map_err(|fault| match fault {
            nom::Err::Failure(fault) | nom::Err::Error(fault) => Error::plain(fault.message(&place)),
            nom::Err::Incomplete(_) => Error::plain("unexpected EOF"),
        })?;
        let source = &rest[..rest.len() - after.len()];
        match part {
            Part::Space => place.pass(source),
            Part::Newline => place.end_line(),
            Part::Continuation => place.continue_line(source),
            Part::Token(written) => {
                let (line, column) = (place.line(), place.column());
                let length = place.pass_token(source);
                tokens.extend(written.map(|Written { text, quote }| Token {
                    text,
                    quote,
                    span: Span { file: file.clone(), line, column, length, imports: imports.clone() },
                }));
            }
        }
        rest = after;
    }
    Ok(tokens)
}

fn part(input: &str) -> Parsed<'_, Part> {
    alt((
        value(Part::Space, take_while1(is_blank)),
        value(Part::Newline, char('\n')),
        comment,
        continuation,
        map(token, Part::Token),
    ))
    .parse(input)
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
    alt((|i| double_quoted(i, escaped), backquoted, map(|i| word(i, escaped), Some))).parse(rest)
}
/// `"…"`, over several lines if need be. Only `\"` is an escape. `escaped`: as if a backslash stood behind the quote.
fn double_quoted(input: &str, escaped: bool) -> Parsed<'_, Option<Written>> {
    let (rest, first) = preceded(char('"'), cond(escaped, opt(quoted_escape))).parse(input)?;
    let plain = map(take_while1(|c| c != '"' && c != '\\'), |text| (false, text));
    let escape = preceded(char('\\'), quoted_escape);
    let (rest, text) = fold_many0(
        alt((plain, escape)),
        move || first.flatten().map_or_else(String::new, written),
        |mut text, more| {
            text.push_str(&written(more));
            text
        },
    )
    .parse(rest)?;
    close(rest, text, '"', Quote::Double)
}
/// What stands behind a backslash in double quotes, and whether the backslash stays.
fn quoted_escape(input: &str) -> Parsed<'_, (bool, &str)> {
    map(recognize(anychar), |text| (text != "\"", text)).parse(input)
}
fn written((backslash, text): (bool, &str)) -> String {
    if backslash { format!("\\{text}") } else { text.to_owned() }
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
    let (rest, first) = cond(escaped, word_escape).parse(input)?;
    let plain = map(take_while1(|c: char| !c.is_whitespace() && c != '\\'), str::to_owned);
    let escape = preceded((char('\\'), many0_count(char('\r'))), word_escape);
    let (rest, text) = fold_many0(
        alt((plain, value(String::new(), char('\r')), escape)),
        move || first.clone().unwrap_or_default(),
        |text, more| text + &more,
    )
    .parse(rest)?;
    // A backslash before a blank is lost; before a newline it stays for `continuation`.
    let (rest, _) = opt(terminated(char('\\'), not((many0_count(char('\r')), char('\n'))))).parse(rest)?;
    Ok((rest, Written { text, quote: Quote::None }))
}
/// What stands behind a backslash in a word. The backslash stays, except before `<`, where it says: no heredoc.
fn word_escape(input: &str) -> Parsed<'_, String> {
    map(satisfy(|c| !c.is_whitespace()), |c| if c == '<' { c.to_string() } else { format!("\\{c}") })
        .parse(input)
}
