//! The head of a response, and what it says of the body.
use super::body::Framing;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use std::{fmt, mem::MaybeUninit};

/// Header fields that a response may have.
const FIELDS: usize = 256;

#[derive(Debug)]
pub struct Head {
    pub status: StatusCode,
    pub version: Version,
    pub headers: HeaderMap,
    pub framing: Framing,
    /// Whether the connection can be used again once the body has ended.
    pub keep_alive: bool,
}
/// Why a response cannot be understood, or not in one way only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadError(pub &'static str);

/// Reads the head at the beginning of `buffer`, and what is behind it. `None` as long as it is not complete. The answer
/// to a `HEAD` has no body, whatever it says. The fields go into `headers`, which is empty but may have room.
///
/// # Errors
/// It is not a head of HTTP/1, or says of its body's length what can be read in two ways.
pub fn parse(
    buffer: &Bytes,
    is_head: bool,
    longest: usize,
    mut headers: HeaderMap,
) -> Result<Option<(Head, Bytes)>, HeadError> {
    let mut fields = [const { MaybeUninit::<httparse::Header<'_>>::uninit() }; FIELDS];
    let mut response = httparse::Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    let length = match config.parse_response_with_uninit_headers(&mut response, buffer, &mut fields) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if buffer.len() < longest => return Ok(None),
        Ok(httparse::Status::Partial) => return Err(HeadError("response header too long")),
        Err(httparse::Error::TooManyHeaders) => return Err(HeadError("too many response header fields")),
        Err(_) => return Err(HeadError("malformed HTTP response")),
    };
    if length > longest {
        return Err(HeadError("response header too long"));
    }
    if has_bare_line_feed(&buffer[..length]) {
        return Err(HeadError("malformed HTTP response: line feed without carriage return"));
    }
    let status = response.code.and_then(|code| StatusCode::from_u16(code).ok());
    let status = status.ok_or(HeadError("malformed HTTP status code"))?;
    let version = if response.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
    let mut says = Says::default();
    for field in response.headers {
        let name = HeaderName::from_bytes(field.name.as_bytes());
        let name = name.map_err(|_| HeadError("malformed response header field"))?;
        let value = HeaderValue::from_maybe_shared(buffer.slice_ref(field.value));
        let value = value.map_err(|_| HeadError("malformed response header field"))?;
        if says.hear(&name, &value)? {
            headers.append(name, value);
        }
    }
    if says.chunked && says.length.is_some() {
        // RFC 9112, 6.3: the chunks count, nobody is to hear of the length, and the connection is not to be trusted.
        headers.remove(header::CONTENT_LENGTH);
        says.close = true;
    }
    let (framing, persistent) = says.framing(status, is_head)?;
    let keep_alive = persistent && !says.close && (version == Version::HTTP_11 || says.keep_alive);
    Ok(Some((Head { status, version, headers, framing, keep_alive }, buffer.slice(length..))))
}
/// What the fields say of the message as a whole.
#[derive(Default)]
struct Says {
    length: Option<u64>,
    chunked: bool,
    close: bool,
    keep_alive: bool,
}
impl Says {
    /// Whether the field says something new: as in Go, the same length may be said twice.
    fn hear(&mut self, name: &HeaderName, value: &HeaderValue) -> Result<bool, HeadError> {
        if name == header::CONTENT_LENGTH {
            let length = digits(value.as_bytes()).ok_or(HeadError("bad Content-Length"))?;
            return match self.length.replace(length) {
                None => Ok(true),
                Some(before) if before == length => Ok(false),
                Some(_) => Err(HeadError("more than one Content-Length")),
            };
        }
        if name == header::TRANSFER_ENCODING {
            if self.chunked || !value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked") {
                return Err(HeadError("unsupported transfer encoding"));
            }
            self.chunked = true;
        } else if name == header::CONNECTION {
            for token in value.as_bytes().split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
                self.close |= token.eq_ignore_ascii_case(b"close");
                self.keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
            }
        }
        Ok(true)
    }
    /// The body's framing, and whether the connection outlives it.
    fn framing(&self, status: StatusCode, is_head: bool) -> Result<(Framing, bool), HeadError> {
        if status == StatusCode::SWITCHING_PROTOCOLS {
            return Ok((Framing::Empty, false));
        }
        let bodiless = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        if is_head || bodiless || status.is_informational() {
            return Ok((Framing::Empty, true));
        }
        Ok(match self.length {
            _ if self.chunked => (Framing::chunked(), true),
            Some(0) => (Framing::Empty, true),
            Some(length) => (Framing::Length(length), true),
            None => (Framing::UntilClose, false),
        })
    }
}
/// Digits and nothing else: `+1`, `1,1` and `0x1` are what smuggling is made of.
fn digits(text: &[u8]) -> Option<u64> {
    let all = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| all)?.parse().ok()
}
fn has_bare_line_feed(head: &[u8]) -> bool {
    // Looks at every byte: that goes many at a time.
    let pairs = head.iter().zip(head.iter().skip(1));
    pairs.fold(head.first() == Some(&b'\n'), |bare, (&before, &byte)| {
        bare | ((byte == b'\n') & (before != b'\r'))
    })
}
impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
impl std::error::Error for HeadError {}
#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Result<Option<(Head, Bytes)>, HeadError> {
        parse(&Bytes::from(text.to_owned()), false, 1 << 16, HeaderMap::new())
    }
    #[test]
    fn what_a_head_says_of_its_body() {
        for (text, framing, keep_alive) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Framing::Length(5), true),
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Framing::Empty, true),
            ("HTTP/1.1 200\r\nTransfer-Encoding: Chunked\r\n\r\n", Framing::chunked(), true),
            ("HTTP/1.1 200 OK\r\n\r\n", Framing::UntilClose, false),
            ("HTTP/1.1 204 No Content\r\n\r\n", Framing::Empty, true),
            ("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", Framing::Empty, true),
            ("HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", Framing::Empty, false),
            ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: Close\r\n\r\n", Framing::Length(1), false),
            ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", Framing::Length(1), false),
            (
                "HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: x, keep-alive\r\n\r\n",
                Framing::Length(1),
                true,
            ),
        ] {
            let (head, rest) = head(text).unwrap().unwrap();
            assert_eq!((head.framing, head.keep_alive), (framing, keep_alive), "{text}");
            assert!(rest.is_empty());
        }
        let whole = Bytes::from_static(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
        let (head, _) = parse(&whole, true, 1 << 16, HeaderMap::new()).unwrap().unwrap();
        assert_eq!(head.framing, Framing::Empty, "the answer to a HEAD");
    }
    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n",
            "HTTP/1.1 200 OK\nA: b\n\n",
            "HTTP/1.1 200 OK\r\nA: b\n\r\n",
            "HTTP/1.1 20 OK\r\n\r\n",
            "HTTP/2.0 200 OK\r\n\r\n",
            "nonsense\r\n\r\n",
        ] {
            assert!(head(text).is_err(), "{text:?}");
        }
    }
    #[test]
    fn a_length_is_passed_on_once_and_not_beside_chunks() {
        for (fields, framing, lengths, keep_alive) in [
            ("Content-Length: 5\r\nContent-Length: 5\r\n", Framing::Length(5), 1, true),
            ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", Framing::chunked(), 0, false),
        ] {
            let (head, _) = head(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n")).unwrap().unwrap();
            assert_eq!((head.framing, head.keep_alive), (framing, keep_alive), "{fields}");
            assert_eq!(head.headers.get_all("content-length").iter().count(), lengths, "{fields}");
        }
    }
    #[test]
    fn what_is_cut_is_waited_for_up_to_a_limit() {
        assert!(head("HTTP/1.1 200 OK\r\nContent-Le").unwrap().is_none());
        let endless = Bytes::from(format!("HTTP/1.1 200 OK\r\nA: {}", "x".repeat(2000)));
        assert_eq!(parse(&endless, false, 1000, HeaderMap::new()).unwrap_err().0, "response header too long");
    }
    #[test]
    fn what_is_behind_the_head_is_kept() {
        let (head, rest) =
            head("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\nX-A: 2\r\n\r\nhello").unwrap().unwrap();
        assert_eq!(&rest[..], b"hello");
        assert_eq!(head.headers.get_all("x-a").iter().collect::<Vec<_>>(), ["1", "2"]);
    }
}
