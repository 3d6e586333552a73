//! Request targets that hyper refuses and Go takes: encoded before hyper sees them.
//!
//! Only a request line is ever changed, and only one that is whole and begins a message; fields and framing never.
use std::str;

/// A request line that hyper takes, and the target as it was.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Encoded {
    pub(super) line: Vec<u8>,
    pub(super) target: Box<str>,
    /// How much of what was received `line` stands for.
    pub(super) replaces: usize,
}
/// What `received` begins with, if that is a request line that needs it.
pub(super) fn encode(received: &[u8]) -> Option<Encoded> {
    let end = memchr::memchr(b'\n', received)?;
    let line = &received[..end];
    // The first look is all that most requests cost.
    if line.iter().all(|&byte| !UNUSUAL[usize::from(byte)]) {
        return None;
    }
    let start = memchr::memchr(b' ', line)? + 1;
    let stop = memchr::memrchr(b' ', line)?;
    let target = line.get(start..stop)?;
    let utf8 = str::from_utf8(target).is_ok();
    let refused = |byte: u8| if byte.is_ascii() { REFUSED.contains(&byte) } else { !utf8 };
    if target.starts_with(b"*") || !target.iter().any(|&byte| refused(byte)) {
        return None;
    }
    let mut encoded = received[..start].to_vec();
    for &byte in target {
        if refused(byte) {
            const HEX: &[u8; 16] = b"0123456789ABCDEF";
            encoded.extend([b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        } else {
            encoded.push(byte);
        }
    }
    encoded.extend_from_slice(&line[stop..]);
    Some(Encoded { line: encoded, target: String::from_utf8_lossy(target).into(), replaces: end })
}
/// A fragment among them: hyper would cut it off, where Go has it in the path.
const REFUSED: &[u8] = b"\"<>`#";
const UNUSUAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut i = 0;
    while i < REFUSED.len() {
        table[REFUSED[i] as usize] = true;
        i += 1;
    }
    i = 0x80;
    while i < 256 {
        table[i] = true;
        i += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;
    fn encoded(received: &[u8]) -> Option<(String, Box<str>)> {
        let Encoded { mut line, target, replaces } = encode(received)?;
        line.extend_from_slice(&received[replaces..]);
        Some((String::from_utf8(line).unwrap(), target))
    }
    #[test]
    fn what_hyper_takes_stays_as_it_is() {
        for line in [
            "GET /a?b=%20[1]{2}|^ HTTP/1.1\r\n",
            "GET /käse HTTP/1.1\r\n",
            "GET /\"",
            "\n",
            "\"\n",
            "GET *\" HTTP/1.1\n",
        ] {
            assert_eq!(encoded(line.as_bytes()), None, "{line}");
        }
        let field = b"GET / HTTP/1.1\r\nA: \"<>`#\xe9\r\n\r\n";
        assert_eq!(encoded(field), None);
    }
    #[test]
    fn what_it_does_not_take_is_encoded_and_remembered() {
        let (whole, target) = encoded(b"GET /r#x\"<>`\xe9 HTTP/1.1\r\nA: \"\r\n\r\n").unwrap();
        assert_eq!(whole, "GET /r%23x%22%3C%3E%60%E9 HTTP/1.1\r\nA: \"\r\n\r\n");
        assert_eq!(&*target, "/r#x\"<>`\u{fffd}");
    }
}
