//! JSON as Go's `encoding/json` takes it: its complaints word for word, since people and scripts read them, and the form
//! in which Caddy keeps a configuration.
use serde_json::{Number, Value};

/// What is wrong, and after how many bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct SyntaxError {
    pub message: String,
    pub offset: usize,
}
/// Reads JSON.
///
/// # Errors
/// In Go's words.
pub fn parse(text: &[u8]) -> Result<Value, SyntaxError> {
    check(text)?;
    // Go replaces what is not UTF-8.
    serde_json::from_str(&String::from_utf8_lossy(text))
        .map_err(|error| SyntaxError { message: error.to_string(), offset: text.len() })
}
/// The same JSON without spaces, and otherwise as it is written; Go's escapes for what HTML would misread.
///
/// # Errors
/// In Go's words.
pub(super) fn compact_text(text: &[u8]) -> Result<String, SyntaxError> {
    check(text)?;
    let (mut out, mut in_text, mut escaped) = (String::with_capacity(text.len()), false, false);
    for c in String::from_utf8_lossy(text).chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            ' ' | '\t' | '\r' | '\n' if !in_text => {}
            c => out.push(c),
        }
        in_text ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
    }
    Ok(out)
}
/// As Caddy keeps it, decoded into Go's maps: keys sorted, numbers as `float64` holds them.
pub(super) fn normalize(value: &mut Value) {
    value.sort_all_objects();
    numbers(value);
}
fn numbers(value: &mut Value) {
    /// Beyond it, not every integer is a `float64`.
    const EXACT: u64 = 1 << 53;
    match value {
        Value::Number(number) => {
            let exact = number.as_i64().is_some_and(|n| n.unsigned_abs() <= EXACT);
            if let (false, Some(float)) = (exact, number.as_f64()) {
                let whole = float.fract() == 0.0 && float.abs() < 1e19;
                let shown = if whole && float < 0.0 {
                    Some(Number::from(float as i64))
                } else if whole {
                    Some(Number::from(float as u64))
                } else {
                    Number::from_f64(float)
                };
                *number = shown.unwrap_or_else(|| number.clone());
            }
        }
        Value::Array(values) => values.iter_mut().for_each(numbers),
        Value::Object(values) => values.values_mut().for_each(numbers),
        _ => {}
    }
}

/// Go's limit.
const DEEPEST: usize = 10_000;

/// Whether `text` is one JSON value.
///
/// # Errors
/// In Go's words.
fn check(text: &[u8]) -> Result<(), SyntaxError> {
    let mut scan = Scan { text, at: 0 };
    scan.value("looking for beginning of value")?;
    match scan.peek() {
        None => Ok(()),
        Some(_) => Err(scan.unexpected("after top-level value")),
    }
}
struct Scan<'t> {
    text: &'t [u8],
    at: usize,
}
impl Scan<'_> {
    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.text.get(self.at) {
            self.at += 1;
        }
        self.here()
    }
    fn here(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }
    /// The byte here is none that `context` allows, or there is none.
    fn unexpected(&self, context: &str) -> SyntaxError {
        let Some(byte) = self.here() else {
            let message = "unexpected end of JSON input".to_owned();
            return SyntaxError { message, offset: self.text.len() };
        };
        let shown = match char::from(byte) {
            '\'' => r"'\''".to_owned(),
            '"' => "'\"'".to_owned(),
            c if c < ' ' || c == '\u{7f}' => match c {
                '\u{7}' => r"'\a'".to_owned(),
                '\u{8}' => r"'\b'".to_owned(),
                '\u{b}' => r"'\v'".to_owned(),
                '\u{c}' => r"'\f'".to_owned(),
                '\t' | '\r' | '\n' => format!("'{}'", c.escape_default()),
                c => format!("'\\x{:02x}'", u32::from(c)),
            },
            c if ('\u{80}'..'\u{a1}').contains(&c) || c == '\u{ad}' => format!("'\\u{:04x}'", u32::from(c)),
            '\\' => r"'\\'".to_owned(),
            c => format!("'{c}'"),
        };
        SyntaxError { message: format!("invalid character {shown} {context}"), offset: self.at + 1 }
    }
    /// One value, however deep: without recursion, since the peer says how deep.
    fn value(&mut self, context: &str) -> Result<(), SyntaxError> {
        // What is open: the byte that closes it.
        let mut open: Vec<u8> = vec![];
        let mut context = context;
        loop {
            let begins = self.peek();
            match begins {
                Some(opens @ (b'{' | b'[')) => {
                    self.at += 1;
                    open.push(opens + 2);
                    if open.len() > DEEPEST {
                        let message = "exceeded max depth".to_owned();
                        return Err(SyntaxError { message, offset: self.at });
                    }
                    if self.peek() != open.last().copied() {
                        if opens == b'{' {
                            self.key()?;
                        }
                        context = "looking for beginning of value";
                        continue;
                    }
                }
                Some(b'"') => self.string()?,
                Some(b'-' | b'0'..=b'9') => self.number()?,
                Some(b't') => self.literal("true")?,
                Some(b'f') => self.literal("false")?,
                Some(b'n') => self.literal("null")?,
                _ => return Err(self.unexpected(context)),
            }
            // A value has ended, and with it maybe what it is in.
            loop {
                let Some(&close) = open.last() else { return Ok(()) };
                let next = self.peek();
                if next == Some(close) {
                    self.at += 1;
                    open.pop();
                } else if next == Some(b',') {
                    self.at += 1;
                    if close == b'}' {
                        self.key()?;
                    }
                    break;
                } else {
                    let after =
                        if close == b'}' { "after object key:value pair" } else { "after array element" };
                    return Err(self.unexpected(after));
                }
            }
            context = "looking for beginning of value";
        }
    }
    fn key(&mut self) -> Result<(), SyntaxError> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("looking for beginning of object key string"));
        }
        self.string()?;
        if self.peek() != Some(b':') {
            return Err(self.unexpected("after object key"));
        }
        self.at += 1;
        Ok(())
    }
    fn string(&mut self) -> Result<(), SyntaxError> {
        self.at += 1;
        loop {
            match self.here() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.at += 1;
                    match self.here() {
                        Some(b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"') => self.at += 1,
                        Some(b'u') => {
                            for _ in 0..4 {
                                self.at += 1;
                                if !self.here().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                                    return Err(self.unexpected("in \\u hexadecimal character escape"));
                                }
                            }
                            self.at += 1;
                        }
                        _ => return Err(self.unexpected("in string escape code")),
                    }
                }
                Some(0x20..) => self.at += 1,
                _ => return Err(self.unexpected("in string literal")),
            }
        }
    }
    fn number(&mut self) -> Result<(), SyntaxError> {
        let digit = |scan: &Self| scan.here().is_some_and(|byte| byte.is_ascii_digit());
        if self.here() == Some(b'-') {
            self.at += 1;
        }
        if !digit(self) {
            return Err(self.unexpected("in numeric literal"));
        }
        if self.here() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits();
        }
        if self.here() == Some(b'.') {
            self.at += 1;
            if !digit(self) {
                return Err(self.unexpected("after decimal point in numeric literal"));
            }
            self.digits();
        }
        if let Some(b'e' | b'E') = self.here() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.here() {
                self.at += 1;
            }
            if !digit(self) {
                return Err(self.unexpected("in exponent of numeric literal"));
            }
            self.digits();
        }
        Ok(())
    }
    fn digits(&mut self) {
        while self.here().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }
    fn literal(&mut self, word: &str) -> Result<(), SyntaxError> {
        for expected in word.bytes() {
            if self.here() != Some(expected) {
                let expected = char::from(expected);
                return Err(self.unexpected(&format!("in literal {word} (expecting '{expected}')")));
            }
            self.at += 1;
        }
        Ok(())
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn complaints_are_gos() {
        for (text, message, offset) in [
            ("", "unexpected end of JSON input", 0),
            ("{", "unexpected end of JSON input", 1),
            ("x", "invalid character 'x' looking for beginning of value", 1),
            ("{a", "invalid character 'a' looking for beginning of object key string", 2),
            ("{\"a\" 1}", "invalid character '1' after object key", 6),
            ("{\"a\": 1 2}", "invalid character '2' after object key:value pair", 9),
            ("[1,]", "invalid character ']' looking for beginning of value", 4),
            ("{\"a\":1,}", "invalid character '}' looking for beginning of object key string", 8),
            ("[1 2]", "invalid character '2' after array element", 4),
            ("1 '", r"invalid character '\'' after top-level value", 3),
            ("\"a\nb\"", r"invalid character '\n' in string literal", 3),
            (r#""\x""#, "invalid character 'x' in string escape code", 3),
            (r#""\u00g0""#, r"invalid character 'g' in \u hexadecimal character escape", 6),
            ("-x", "invalid character 'x' in numeric literal", 2),
            ("1.x", "invalid character 'x' after decimal point in numeric literal", 3),
            ("1e\"", "invalid character '\"' in exponent of numeric literal", 3),
            ("nulk", "invalid character 'k' in literal null (expecting 'l')", 4),
            ("01", "invalid character '1' after top-level value", 2),
        ] {
            assert_eq!(
                parse(text.as_bytes()),
                Err(SyntaxError { message: message.into(), offset }),
                "{text}"
            );
        }
    }
    #[test]
    fn depth_is_bounded_without_recursion() {
        let deep = "[".repeat(20_000);
        assert_eq!(parse(deep.as_bytes()).unwrap_err().message, "exceeded max depth");
    }
    #[test]
    fn values_are_kept_as_go_keeps_them() {
        let mut value = parse(br#"{"b": 1, "a": {"d": 9007199254740993, "c": [1.0, 1.5, -0.25]}}"#).unwrap();
        normalize(&mut value);
        let kept = json!({"a": {"c": [1, 1.5, -0.25], "d": 9007199254740992_u64}, "b": 1});
        assert_eq!(value.to_string(), kept.to_string());
    }
}
