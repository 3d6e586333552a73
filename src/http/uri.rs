//! Paths and queries as Go's `net/url` reads and writes them.
use http::{Uri, uri::PathAndQuery};
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// Undoes the percent encoding of a path; `+` stays. Bytes that are no UTF-8 become U+FFFD.
pub fn decode_path(path: &str) -> Cow<'_, str> {
    if memchr::memchr(b'%', path.as_bytes()).is_none() {
        return path.into();
    }
    percent_decode_str(path).decode_utf8_lossy()
}
/// A path as it stands in a request line, if it is decoded.
pub fn encode_path(path: &str) -> Cow<'_, str> {
    encode(path, |byte| byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&byte))
}
/// Whether Go keeps this spelling of an encoded path, rather than to encode it anew.
pub fn is_encoded_path(path: &str) -> bool {
    path.bytes().all(|byte| IN_PATHS[usize::from(byte)])
}
const IN_PATHS: [bool; 256] = letters_digits_and(b"-_.~$&+,/:;=@!'()*[]%");
/// A table of bytes: those of ASCII's letters and digits, and `others`.
pub const fn letters_digits_and(others: &[u8]) -> [bool; 256] {
    let (mut table, mut i) = ([false; 256], 0);
    while i < 128 {
        table[i] = (i as u8).is_ascii_alphanumeric();
        i += 1;
    }
    i = 0;
    while i < others.len() {
        table[others[i] as usize] = true;
        i += 1;
    }
    table
}
/// The path as Go writes it: its `URL.EscapedPath`.
pub fn escaped_path(raw: &str) -> Cow<'_, str> {
    if is_encoded_path(raw) { raw.into() } else { encode_path(&decode_path(raw)).into_owned().into() }
}
/// Path and query as Go writes them: its `URL.RequestURI`.
pub fn request_uri(uri: &Uri) -> Cow<'_, str> {
    match escaped_path(uri.path()) {
        Cow::Borrowed(_) => uri.path_and_query().map_or("/", PathAndQuery::as_str).into(),
        Cow::Owned(path) => uri.query().map_or(path.clone(), |query| format!("{path}?{query}")).into(),
    }
}
/// Caddy's `CleanPath`: `.` and `..` are resolved, and slashes in a row are one if `merge_slashes` says so. A slash at
/// the end stays. For paths that begin with a slash; others are left alone.
pub fn clean_path(path: &str, merge_slashes: bool) -> Cow<'_, str> {
    let Some(inner) = path.strip_prefix('/') else { return path.into() };
    let mut pairs = path.as_bytes().windows(2);
    if !pairs.any(|pair| pair == b"/." || merge_slashes && pair == b"//") {
        return path.into();
    }
    let (inner, end) = inner.strip_suffix('/').map_or((inner, ""), |inner| (inner, "/"));
    let mut kept: Vec<&str> = vec![];
    for segment in inner.split('/') {
        match segment {
            "." => {}
            "" if merge_slashes => {}
            ".." => _ = kept.pop(),
            _ => kept.push(segment),
        }
    }
    let end = if kept.is_empty() { "" } else { end };
    format!("/{}{end}", kept.join("/")).into()
}
/// As a value within a query: Go's `QueryEscape`.
pub fn encode_query(value: &str) -> Cow<'_, str> {
    if !value.contains(' ') {
        return encode(value, is_unreserved);
    }
    let words = value.split(' ').map(|word| encode(word, is_unreserved));
    words.collect::<Vec<_>>().join("+").into()
}
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)
}
/// `None` if an escape is broken: Go's `QueryUnescape`.
pub fn decode_query(value: &str) -> Option<Cow<'_, str>> {
    let hex = |at: usize| value.as_bytes().get(at).is_some_and(u8::is_ascii_hexdigit);
    if memchr::memchr_iter(b'%', value.as_bytes()).any(|at| !hex(at + 1) || !hex(at + 2)) {
        return None;
    }
    if !value.contains('+') {
        return Some(percent_decode_str(value).decode_utf8_lossy());
    }
    let spaced = value.replace('+', " ");
    Some(percent_decode_str(&spaced).decode_utf8_lossy().into_owned().into())
}
/// The pairs of a query, decoded, in order. `Err` stands for one that Go leaves out: a broken escape, or a `;`.
pub fn query_pairs(query: &str) -> impl Iterator<Item = Result<(Cow<'_, str>, Cow<'_, str>), Malformed>> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if pair.contains(';') {
            return Err(Malformed);
        }
        decode_query(key).zip(decode_query(value)).ok_or(Malformed)
    })
}
/// A pair of a query that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

fn encode(text: &str, keep: impl Fn(u8) -> bool) -> Cow<'_, str> {
    if text.bytes().all(&keep) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if keep(byte) {
            out.push(byte.into());
        } else {
            const HEX: &[u8; 16] = b"0123456789ABCDEF";
            let digit = |nibble: u8| HEX[usize::from(nibble)].into();
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    out.into()
}
/// With ASCII letters in lower case.
pub fn lower_ascii(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        text.to_ascii_lowercase().into()
    } else {
        text.into()
    }
}

/// Host and port of an address: Go's `SplitHostPort`. `None` if it has no port or too many colons.
pub fn split_host_port(address: &str) -> Option<(&str, &str)> {
    // As most often: a name or an IPv4 address.
    let mut colon = None;
    let is_plain = address.bytes().enumerate().all(|(at, byte)| match byte {
        b':' => colon.replace(at).is_none(),
        b'[' | b']' => false,
        _ => true,
    });
    if is_plain {
        return colon.map(|at| (&address[..at], &address[at + 1..]));
    }
    let (host, port) = match address.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host, rest.strip_prefix(':')?)
        }
        None => {
            let (host, port) = address.rsplit_once(':')?;
            (!host.contains(':')).then_some((host, port))?
        }
    };
    let plain = |text: &str| !text.contains(['[', ']']);
    (plain(host) && plain(port) && !port.contains(':')).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_decoded_and_encoded_as_in_go() {
        let cases = [
            ("/a%20b", "/a b", "/a%20b"),
            ("/a%2Fb", "/a/b", "/a/b"),
            ("/caf%c3%a9", "/café", "/caf%C3%A9"),
            ("/a+b", "/a+b", "/a+b"),
            ("/%zz", "/%zz", "/%25zz"),
            ("/(a)", "/(a)", "/%28a%29"),
            ("/%3F%23", "/?#", "/%3F%23"),
        ];
        for (raw, decoded, encoded) in cases {
            assert_eq!(decode_path(raw), decoded, "{raw}");
            assert_eq!(encode_path(decoded), encoded, "{decoded}");
        }
        assert!(is_encoded_path("/a%2Fb(1)!*'"));
        assert!(!is_encoded_path("/café"));
        assert!(!is_encoded_path("/a b"));
    }
    #[test]
    fn paths_are_cleaned_as_in_caddy() {
        let cases = [
            // path, with slashes merged, with slashes kept
            ("/a/b", "/a/b", "/a/b"),
            ("/", "/", "/"),
            ("//", "/", "//"),
            ("//a", "/a", "//a"),
            ("/a//b/", "/a/b/", "/a//b/"),
            ("/a/./b/../c", "/a/c", "/a/c"),
            ("/../../a", "/a", "/a"),
            ("/a//../b", "/b", "/a/b"),
            ("/a/..", "/", "/"),
            ("/a/../", "/", "/"),
            ("/.a/b.", "/.a/b.", "/.a/b."),
            ("*", "*", "*"),
        ];
        for (path, merged, kept) in cases {
            assert_eq!(clean_path(path, true), merged, "{path}");
            assert_eq!(clean_path(path, false), kept, "{path}");
        }
    }
    #[test]
    fn query_values_are_decoded_and_encoded_as_in_go() {
        assert_eq!(encode_query("a b/é&=+~"), "a+b%2F%C3%A9%26%3D%2B~");
        assert_eq!(decode_query("a+b%2F%C3%A9").unwrap(), "a b/é");
        assert_eq!(decode_query("%zz"), None);
        assert_eq!(decode_query("%4"), None);
        let pairs = query_pairs("a=1&b&&c=x=y&d=%zz&e;f&a=2").collect::<Vec<_>>();
        let pair = |key: &'static str, value: &'static str| Ok((key.into(), value.into()));
        let expected =
            [pair("a", "1"), pair("b", ""), pair("c", "x=y"), Err(Malformed), Err(Malformed), pair("a", "2")];
        assert_eq!(pairs, expected);
    }
    #[test]
    fn hosts_and_ports_are_split_as_in_go() {
        let cases = [
            ("a.com:80", Some(("a.com", "80"))),
            ("[::1]:80", Some(("::1", "80"))),
            (":80", Some(("", "80"))),
            ("a:", Some(("a", ""))),
            ("a.com", None),
            ("::1", None),
            ("[::1]", None),
            ("[::1]80", None),
            ("a]:1", None),
            ("[a[b]:1", None),
            ("[a]:1:2", None),
        ];
        for (address, split) in cases {
            assert_eq!(split_host_port(address), split, "{address}");
        }
    }
}
