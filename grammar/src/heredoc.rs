//! `<<MARKER` … `MARKER`.
use crate::{
    ast::Quote,
    lexer::{Parsed, Written},
    place::{Place, newlines},
};
use nom::{
    Parser,
    bytes::complete::{tag, take_till},
    character::complete::char,
    combinator::opt,
    error::{ErrorKind, ParseError},
    sequence::preceded,
};

/// What can be wrong while text is split.
#[derive(Debug)]
pub(crate) enum Fault {
    NoMarker,
    TooManyAngles,
    BadMarker(String),
    /// `nth` line of the text, from 1.
    Mismatch {
        marker: String,
        nth: u32,
        line: String,
        padding: String,
    },
    /// `breaks`: newlines from the opening to the end of the file.
    Incomplete {
        marker: String,
        breaks: u32,
    },
    /// No fault: nom tries the next rule.
    NoMatch,
}
impl<'a> ParseError<&'a str> for Fault {
    fn from_error_kind(_: &'a str, _: ErrorKind) -> Self {
        Self::NoMatch
    }
    fn append(_: &'a str, _: ErrorKind, other: Self) -> Self {
        other
    }
}
impl Fault {
    /// Caddy's words for it, `place` being where the token starts.
    pub(crate) fn message(&self, place: &Place) -> String {
        let line = place.line();
        match self {
            Self::NoMarker => format!(
                "missing opening heredoc marker on line #{line}; must contain only alphanumeric characters, dashes and \
                 underscores; got empty string"
            ),
            Self::TooManyAngles => {
                format!("too many '<' for heredoc on line #{line}; only use two, for example <<END")
            }
            Self::BadMarker(marker) => format!(
                "heredoc marker on line #{line} must contain only alphanumeric characters, dashes and underscores; got \
                 '{marker}'"
            ),
            Self::Mismatch { marker, nth, line: text, padding } => format!(
                "mismatched leading whitespace in heredoc <<{marker} on line #{} [{text}], expected whitespace \
                 [{padding}] to match the closing marker",
                line + nth
            ),
            Self::Incomplete { marker, breaks } => format!(
                "incomplete heredoc <<{marker} on line #{}, expected ending marker {marker}",
                place.physical_line() + breaks
            ),
            Self::NoMatch => "unexpected character".to_owned(),
        }
    }
}

/// A heredoc, or what only looks like one: a space behind the marker makes it a plain word, as does the file's end.
pub(crate) fn heredoc(input: &str) -> Parsed<'_, Option<Written>> {
    let (rest, marker) = preceded(tag("<<"), take_till(|c| c == ' ' || c == '\n')).parse(input)?;
    let marker = marker.replace('\r', "");
    let (rest, newline) = opt(char('\n')).parse(rest)?;
    if newline.is_none() {
        return Ok((rest, Some(Written { text: format!("<<{marker}"), quote: Quote::None })));
    }
    check(&marker).map_err(nom::Err::Failure)?;
    if rest.is_empty() {
        return Ok((rest, None));
    }
    // As in Caddy the marker's text ends the heredoc wherever it is met, inside a word too.
    let Some(end) = rest.find(&marker) else {
        return Err(nom::Err::Failure(Fault::Incomplete { marker, breaks: 1 + newlines(rest) }));
    };
    let text = body(&rest[..end], &marker).map_err(nom::Err::Failure)?;
    Ok((&rest[end + marker.len()..], Some(Written { text, quote: Quote::Heredoc })))
}
pub(crate) fn is_marker(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}
fn check(marker: &str) -> Result<(), Fault> {
    if marker.is_empty() {
        Err(Fault::NoMarker)
    } else if marker.starts_with('<') {
        Err(Fault::TooManyAngles)
    } else if !is_marker(marker) {
        Err(Fault::BadMarker(marker.to_owned()))
    } else {
        Ok(())
    }
}
/// The lines of a heredoc, without the white space that stands before the closing marker.
fn body(source: &str, marker: &str) -> Result<String, Fault> {
    // Without a newline the marker stands on the first line, and what is before it counts for nothing.
    let Some((lines, padding)) = source.rsplit_once('\n') else { return Ok(String::new()) };
    let mut out = String::with_capacity(source.len());
    for (n, line) in lines.split('\n').enumerate() {
        if n > 0 {
            out.push('\n');
        }
        if line.is_empty() || line == "\r" {
            continue;
        }
        let text = line.strip_prefix(padding).ok_or_else(|| Fault::Mismatch {
            marker: marker.to_owned(),
            nth: u32::try_from(n + 1).unwrap_or(u32::MAX),
            line: line.trim_end_matches(['\r', '\n']).to_owned(),
            padding: padding.to_owned(),
        })?;
        out.extend(text.chars().filter(|c| *c != '\r'));
    }
    Ok(out)
}
