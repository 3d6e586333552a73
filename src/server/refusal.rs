//! What clients are told whose requests cannot be understood: Go's words, byte for byte.

/// A whole response, after which the connection is closed.
pub(super) fn text(status: &str) -> String {
    with_body(status, status)
}
fn with_body(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n{body}")
}
/// Of codings other than `chunked` alone.
pub(super) fn transfer_encoding() -> String {
    with_body("501 Not Implemented", "Unsupported transfer encoding")
}
/// Of an `Expect` other than `100-continue`.
pub(super) fn expectation() -> String {
    "HTTP/1.1 417 Expectation Failed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".into()
}
/// What hyper could not parse; `read` is what it has not taken.
pub(super) fn of(error: &hyper::Error, read: &[u8]) -> String {
    if error.is_parse_too_large() {
        return text("431 Request Header Fields Too Large");
    }
    if error.to_string().contains("transfer-encoding") {
        return transfer_encoding();
    }
    if has_unknown_version(read) {
        return text("505 HTTP Version Not Supported: unsupported protocol version");
    }
    if has_invalid_name(read) {
        return text("400 Bad Request: invalid header name");
    }
    text("400 Bad Request")
}
/// Whether the request line ends with a well-formed version that is not 1.x.
fn has_unknown_version(read: &[u8]) -> bool {
    let line = read.split(|&byte| byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    let version = line.rsplit(|&byte| byte == b' ').next().unwrap_or_default();
    matches!(version, [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
        if major.is_ascii_digit() && minor.is_ascii_digit() && *major != b'1')
}
/// Whether the name of some field is none.
fn has_invalid_name(read: &[u8]) -> bool {
    let lines =
        read.split(|&byte| byte == b'\n').skip(1).map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let fields = lines.take_while(|line| !line.is_empty());
    let mut names = fields
        .filter_map(|line| line.split(|&byte| byte == b':').next().filter(|name| name.len() < line.len()));
    names.any(|name| {
        !name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
    })
}
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn only_a_whole_version_is_unknown() {
        assert!(has_unknown_version(b"GET / HTTP/2.0\r\nHost: a\r\n\r\n"));
        assert!(!has_unknown_version(b"GET / HTTP/1.1\r\n"));
        assert!(!has_unknown_version(b"GET / HTP/2.0\r\n"));
        assert!(!has_unknown_version(b""));
    }
}
