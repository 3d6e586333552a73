//! Templates as a row of texts and actions, and actions as a row of tokens.
use super::value::Failure;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A keyword, a function, `true`, `nil`, …
    Name(String),
    /// `.Name`; empty: the lone dot.
    Field(String),
    /// `$name`; empty: the lone dollar.
    Var(String),
    Int(i64),
    Float(f64),
    Str(String),
    Pipe,
    Open,
    Close,
    Comma,
    Declare,
    Assign,
}
/// A token, and whether it follows the one before without a space.
pub(super) type Spaced = (Token, bool);

#[derive(Debug, PartialEq)]
pub(super) enum Piece {
    Text(String),
    Action(Vec<Spaced>),
}
/// # Errors
/// An action that does not end, or holds what is no token.
pub(super) fn pieces(text: &str, open: &str, close: &str) -> Result<Vec<Piece>, Failure> {
    let (mut out, mut rest, mut trims) = (vec![], text, false);
    loop {
        let Some(at) = rest.find(open) else {
            push_text(&mut out, if trims { rest.trim_start_matches(SPACE) } else { rest });
            return Ok(out);
        };
        let (before, mut inner) = (&rest[..at], &rest[at + open.len()..]);
        let trim_before = inner.strip_prefix('-').filter(|inner| inner.starts_with(SPACE));
        let before = if trims { before.trim_start_matches(SPACE) } else { before };
        push_text(&mut out, if trim_before.is_some() { before.trim_end_matches(SPACE) } else { before });
        inner = trim_before.unwrap_or(inner);
        let inside = inner.trim_start_matches(SPACE);
        let end = if inside.starts_with("/*") {
            let end = inner.find("*/").ok_or("unclosed comment")?;
            let behind = inner[end + 2..].trim_start_matches(SPACE);
            let behind = behind.strip_prefix('-').unwrap_or(behind);
            if !behind.starts_with(close) {
                return Err("comment ends before closing delimiter".into());
            }
            inner.len() - behind.len()
        } else {
            let (tokens, end) = tokens(inner, close)?;
            out.push(Piece::Action(tokens));
            end
        };
        trims = inner[..end].ends_with('-') && inner[..end - 1].ends_with(SPACE)
            || inner[..end].ends_with('-') && inner[..end - 1].ends_with("*/");
        rest = &inner[end + close.len()..];
    }
}
const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

fn push_text(out: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        out.push(Piece::Text(text.into()));
    }
}
/// The tokens of an action, and where the closing delimiter stands.
fn tokens(action: &str, close: &str) -> Result<(Vec<Spaced>, usize), Failure> {
    let (mut out, mut at) = (vec![], 0);
    loop {
        let rest = &action[at..];
        let unspaced = rest.trim_start_matches(SPACE);
        let spaced = unspaced.len() < rest.len();
        at += rest.len() - unspaced.len();
        if unspaced.starts_with(close) {
            return Ok((out, at));
        }
        if spaced && unspaced.strip_prefix('-').is_some_and(|behind| behind.starts_with(close)) {
            return Ok((out, at + 1));
        }
        if unspaced.is_empty() {
            return Err("unclosed action".into());
        }
        let (token, length) = token(unspaced)?;
        out.push((token, !spaced));
        at += length;
    }
}
fn token(text: &str) -> Result<(Token, usize), Failure> {
    let name_length =
        |text: &str| text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let first = text.chars().next().unwrap_or_default();
    Ok(match first {
        '|' => (Token::Pipe, 1),
        '(' => (Token::Open, 1),
        ')' => (Token::Close, 1),
        ',' => (Token::Comma, 1),
        ':' if text.starts_with(":=") => (Token::Declare, 2),
        '=' => (Token::Assign, 1),
        '$' => {
            let length = name_length(&text[1..]);
            (Token::Var(text[1..=length].into()), length + 1)
        }
        '.' if !text[1..].starts_with(|c: char| c.is_ascii_digit()) => {
            let length = name_length(&text[1..]);
            (Token::Field(text[1..=length].into()), length + 1)
        }
        '`' => {
            let end = text[1..].find('`').ok_or("unterminated raw quoted string")?;
            (Token::Str(text[1..=end].into()), end + 2)
        }
        '"' => quoted(text)?,
        '\'' => {
            let (inner, length) = unescaped(&text[1..], '\'')?;
            let mut chars = inner.chars();
            match (chars.next(), chars.next()) {
                (Some(one), None) => (Token::Int(i64::from(u32::from(one))), length + 2),
                _ => return Err("malformed character constant".into()),
            }
        }
        c if c.is_ascii_digit() || matches!(c, '+' | '-' | '.') => number(text)?,
        c if c.is_alphabetic() || c == '_' => {
            let length = name_length(text);
            (Token::Name(text[..length].into()), length)
        }
        other => return Err(format!("unexpected {other:?} in action").into()),
    })
}
fn quoted(text: &str) -> Result<(Token, usize), Failure> {
    let (inner, length) = unescaped(&text[1..], '"')?;
    Ok((Token::Str(inner), length + 2))
}
/// What is before the quote that ends it, with Go's escapes undone; and how long it was.
fn unescaped(text: &str, quote: char) -> Result<(String, usize), Failure> {
    let (mut out, mut chars) = (String::new(), text.char_indices());
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => return Ok((out, at)),
            '\n' => break,
            '\\' => {
                let Some((_, escape)) = chars.next() else { break };
                let digits = |chars: &mut std::str::CharIndices<'_>, count, radix, first: Option<char>| {
                    let digits: String = first.into_iter().chain(chars.take(count).map(|(_, c)| c)).collect();
                    u32::from_str_radix(&digits, radix).ok().and_then(char::from_u32)
                };
                let plain = match escape {
                    'n' => Some('\n'),
                    't' => Some('\t'),
                    'r' => Some('\r'),
                    'a' => Some('\x07'),
                    'b' => Some('\x08'),
                    'f' => Some('\x0c'),
                    'v' => Some('\x0b'),
                    '\\' | '"' | '\'' => Some(escape),
                    'x' => digits(&mut chars, 2, 16, None),
                    'u' => digits(&mut chars, 4, 16, None),
                    'U' => digits(&mut chars, 8, 16, None),
                    '0'..='7' => digits(&mut chars, 2, 8, Some(escape)),
                    _ => None,
                };
                out.push(plain.ok_or_else(|| format!("invalid escape \\{escape} in string"))?);
            }
            c => out.push(c),
        }
    }
    Err("unterminated quoted string".into())
}
fn number(text: &str) -> Result<(Token, usize), Failure> {
    let unsigned = text.trim_start_matches(['+', '-']);
    let sign = text.len() - unsigned.len();
    let is_hex = unsigned.starts_with("0x") || unsigned.starts_with("0X");
    let mut before = ' ';
    let length = unsigned
        .find(|c: char| {
            let exponent = !is_hex && matches!(c, '+' | '-') && matches!(before, 'e' | 'E');
            before = c;
            !(c.is_ascii_alphanumeric() || c == '_' || c == '.' || exponent)
        })
        .unwrap_or(unsigned.len());
    let (whole, digits) = (&text[..sign + length], unsigned[..length].replace('_', ""));
    let bad = || format!("bad number syntax: {whole:?}");
    let radix = |prefix: &str, radix| {
        let digits = digits.to_ascii_lowercase();
        digits.strip_prefix(prefix).map(|digits| i64::from_str_radix(digits, radix))
    };
    let octal = |digits: &str| {
        digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit())
    };
    let int = radix("0x", 16)
        .or_else(|| radix("0b", 2))
        .or_else(|| radix("0o", 8))
        .unwrap_or_else(|| if octal(&digits) { i64::from_str_radix(&digits, 8) } else { digits.parse() });
    let negative = text.starts_with('-');
    let token = match int {
        _ if sign > 1 => return Err(bad().into()),
        Ok(int) => Token::Int(if negative { -int } else { int }),
        Err(_) => {
            let float: f64 = digits.parse().map_err(|_| bad())?;
            Token::Float(if negative { -float } else { float })
        }
    };
    Ok((token, sign + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(template: &str) -> Vec<String> {
        let pieces = pieces(template, "{{", "}}").unwrap();
        pieces
            .into_iter()
            .map(|piece| match piece {
                Piece::Text(text) => text,
                Piece::Action(tokens) => format!("<{}>", tokens.len()),
            })
            .collect()
    }
    #[test]
    fn texts_are_trimmed_where_actions_say_so() {
        assert_eq!(texts("a {{.x}} b"), ["a ", "<1>", " b"]);
        assert_eq!(texts("a {{- .x -}} \n b"), ["a", "<1>", "b"]);
        assert_eq!(texts("a {{-3}} b"), ["a ", "<1>", " b"]);
        assert_eq!(texts("a {{/* c */}} b{{- /* d */ -}} e"), ["a ", " b", "e"]);
        assert!(pieces("{{ .x", "{{", "}}").is_err());
        assert!(pieces("{{ \"x }}", "{{", "}}").is_err());
    }
    #[test]
    fn tokens_are_those_of_go() {
        let of = |action: &str| {
            tokens(action, "}}").unwrap().0.into_iter().map(|(token, _)| token).collect::<Vec<_>>()
        };
        assert_eq!(
            of(r#"printf "a\n\x41\u00e9" `r\n` 0x1F 1_000 017 1.5e3 -2 'a' }}"#),
            [
                Token::Name("printf".into()),
                Token::Str("a\nAé".into()),
                Token::Str("r\\n".into()),
                Token::Int(31),
                Token::Int(1000),
                Token::Int(15),
                Token::Float(1500.0),
                Token::Int(-2),
                Token::Int(97)
            ]
        );
        assert_eq!(
            of("$x := .A.B | f }}"),
            [
                Token::Var("x".into()),
                Token::Declare,
                Token::Field("A".into()),
                Token::Field("B".into()),
                Token::Pipe,
                Token::Name("f".into())
            ]
        );
    }
}
