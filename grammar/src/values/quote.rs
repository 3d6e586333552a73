//! How Go writes text into its messages.
use std::fmt::Write as _;

/// Go's `strconv.Quote`, in bytes since a cut may go through a character.
pub fn quote(text: &[u8]) -> String {
    let mut out = String::from('"');
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            quote_char(c, &mut out);
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out + "\""
}
fn quote_char(c: char, out: &mut String) {
    match c {
        '"' | '\\' => out.extend(['\\', c]),
        '\x07' => out.push_str("\\a"),
        '\x08' => out.push_str("\\b"),
        '\x0c' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\x0b' => out.push_str("\\v"),
        ' '..='~' => out.push(c),
        '\0'..='\x7f' => {
            let _ = write!(out, "\\x{:02x}", u32::from(c));
        }
        // Rust, as Go, shows what is printable; its escapes alone look different.
        _ if c.escape_debug().len() == 1 && !c.is_whitespace() => out.push(c),
        _ if u32::from(c) > 0xffff => {
            let _ = write!(out, "\\U{:08x}", u32::from(c));
        }
        _ => {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        }
    }
}
/// The quoting of Go's `time`, which shows ASCII alone.
pub(super) fn quote_ascii(text: &str) -> String {
    let mut out = String::from('"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            b' '..=0x7f => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_as_go_does() {
        assert_eq!(
            quote("a\"b\\c\td\u{0}é\u{200b}\u{a0}世".as_bytes()),
            r#""a\"b\\c\td\x00é\u200b\u00a0世""#
        );
        assert_eq!(quote(b"\xa9\x7f"), r#""\xa9\x7f""#);
        assert_eq!(quote_ascii("x\"é\n"), r#""x\"\xc3\xa9\x0a""#);
    }
}
