//! HTTP/2, frame by frame, so that what no client library sends can be sent.
use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}
/// Literals without an index, without Huffman's code.
pub(crate) fn block(fields: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut out = vec![];
    for (name, value) in fields {
        out.push(0);
        for text in [name, value] {
            integer(&mut out, text.len());
            out.extend_from_slice(text);
        }
    }
    out
}
fn integer(out: &mut Vec<u8>, number: usize) {
    if number < 127 {
        return out.push(u8::try_from(number).unwrap());
    }
    out.push(127);
    let mut rest = number - 127;
    while rest >= 128 {
        out.push(u8::try_from(rest % 128 + 128).unwrap());
        rest /= 128;
    }
    out.push(u8::try_from(rest).unwrap());
}
#[derive(Debug)]
pub(crate) enum Answer {
    Status(u16),
    /// The stream, or the whole connection, is refused.
    Refused,
    Hangs,
}
/// Sends frames of stream 1, and waits for what becomes of it.
pub(crate) fn ask(site: u16, frames: &[u8], patience: Duration) -> Answer {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(("127.0.0.1", site)).unwrap();
    stream.set_read_timeout(Some(patience)).unwrap();
    let _ = stream.write_all(&[PREFACE, &frame(4, 0, 0, &[]), frames].concat());
    let mut answer = Answer::Refused;
    while begun.elapsed() < patience {
        let mut head = [0; 9];
        if stream.read_exact(&mut head).is_err() {
            return if begun.elapsed() < patience { answer } else { Answer::Hangs };
        }
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        if stream.read_exact(&mut payload).is_err() {
            return answer;
        }
        let of_ours = head[8] == 1;
        match (head[3], of_ours) {
            (HEADERS, true) => answer = Answer::Status(status(&payload)),
            (3, true) | (7, _) => return answer,
            _ => {}
        }
        if of_ours && [DATA, HEADERS].contains(&head[3]) && head[4] & END_STREAM != 0 {
            return answer;
        }
    }
    Answer::Hangs
}
/// The first field, which is `:status`: an index of the static table, or a literal.
fn status(block: &[u8]) -> u16 {
    match block {
        [0x88, ..] => 200,
        [0x89, ..] => 204,
        [0x8a, ..] => 206,
        [0x8b, ..] => 304,
        [0x8c, ..] => 400,
        [0x8d, ..] => 404,
        [0x8e, ..] => 500,
        // Huffman's code of digits: 0, 1, 2 take five bits, the others six.
        [_, length, rest @ ..] if length & 0x80 != 0 => {
            digits(&rest[..usize::from(length & 0x7f).min(rest.len())])
        }
        [_, length, rest @ ..] => std::str::from_utf8(&rest[..usize::from(*length).min(rest.len())])
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(0),
        _ => 0,
    }
}
fn digits(code: &[u8]) -> u16 {
    let bits: Vec<u8> = code.iter().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1)).collect();
    let (mut at, mut number) = (0, 0);
    for _ in 0..3 {
        let take = |count: usize| {
            bits.get(at..at + count).map(|bits| bits.iter().fold(0u16, |sum, bit| sum * 2 + u16::from(*bit)))
        };
        let (digit, length) = match (take(5), take(6)) {
            (Some(short @ 0..=2), _) => (short, 5),
            (_, Some(long @ 25..=31)) => (long - 22, 6),
            _ => return 0,
        };
        number = number * 10 + digit;
        at += length;
    }
    number
}
type Fields<'f> = Vec<(&'f [u8], &'f [u8])>;
fn request(fields: &[(&[u8], &[u8])], more: &[(&[u8], &[u8])]) -> Vec<u8> {
    let fields: Fields<'_> = fields.iter().chain(more).copied().collect();
    frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&fields))
}
pub(crate) const GET: [(&[u8], &[u8]); 4] =
    [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"a")];

/// What would become another request in HTTP/1, if it were written down as it came.
pub(crate) fn requests() -> Vec<(String, Vec<u8>)> {
    let mut all = vec![];
    let mut add = |name: String, frames: Vec<u8>| all.push((name, frames));
    let bad: [&[u8]; 12] = [
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b" ",
        b"\t",
        b":",
        b"\x7f",
        b"\x01",
        b"\xff",
        b"\r\nX: 1",
        b"\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n",
    ];
    for odd in bad {
        let shown = String::from_utf8_lossy(odd).into_owned();
        for (at, (name, value)) in GET.iter().enumerate() {
            let mut fields = GET;
            let (start, end) = ([odd, value].concat(), [value, odd].concat());
            fields[at].1 = &start;
            add(format!("{shown:?} before {:?}", String::from_utf8_lossy(name)), request(&fields, &[]));
            fields[at].1 = &end;
            add(format!("{shown:?} behind {:?}", String::from_utf8_lossy(name)), request(&fields, &[]));
        }
        add(format!("{shown:?} in a name"), request(&GET, &[(&[b"x", odd, b"y"].concat(), b"1")]));
        add(format!("{shown:?} in a value"), request(&GET, &[(b"x", &[b"a", odd, b"b"].concat())]));
    }
    for (name, value) in [
        ("connection", "close"),
        ("transfer-encoding", "chunked"),
        ("transfer-encoding", "identity"),
        ("keep-alive", "5"),
        ("proxy-connection", "x"),
        ("upgrade", "h2c"),
        ("te", "gzip"),
        ("te", "trailers"),
        ("host", "b"),
        ("host", "a"),
        ("Host", "a"),
        ("X-Upper", "1"),
        ("content-length", "5"),
        ("content-length", "0"),
        ("content-length", "-1"),
        ("content-length", "0, 0"),
        ("content-length", "x"),
        ("", "x"),
        (":x", "1"),
        (":path", "/two"),
        (":status", "200"),
        ("cookie", "a=b"),
        ("expect", "100-continue"),
        ("trailer", "x"),
    ] {
        add(format!("a field {name}: {value}"), request(&GET, &[(name.as_bytes(), value.as_bytes())]));
    }
    for (left_out, (name, _)) in GET.iter().enumerate() {
        let fields: Fields<'_> =
            GET.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, field)| *field).collect();
        add(format!("without {:?}", String::from_utf8_lossy(name)), request(&fields, &[]));
    }
    for (name, at, value) in [
        ("an empty path", 2, &b""[..]),
        ("an asterisk", 2, b"*"),
        ("an absolute path", 2, b"http://b/x"),
        ("no slash", 2, b"x"),
        ("a fragment", 2, b"/#x"),
        ("an odd scheme", 1, b"ftp"),
        ("an empty authority", 3, b""),
        ("two authorities", 3, b"a,b"),
        ("user info", 3, b"u@a"),
        ("CONNECT", 0, b"CONNECT"),
        ("a lower method", 0, b"get"),
        ("an empty method", 0, b""),
        ("a path in the authority", 3, b"a/b"),
    ] {
        let mut fields = GET;
        fields[at].1 = value;
        add(name.into(), request(&fields, &[]));
    }
    let late: Fields<'_> = [&[(&b"x"[..], &b"1"[..])][..], &GET].concat();
    add("pseudo-fields behind others".into(), request(&late, &[]));
    for (name, length, body, trailers) in [
        ("a body that is too long", "3", &b"hello"[..], None),
        ("a body that is too short", "10", b"hello", None),
        ("a body of its length", "5", b"hello", None),
        ("trailers", "5", b"hello", Some((&b"x"[..], &b"1"[..]))),
        ("a length among trailers", "5", b"hello", Some((b"content-length", b"9"))),
        ("a coding among trailers", "5", b"hello", Some((b"transfer-encoding", b"chunked"))),
        ("a pseudo-field among trailers", "5", b"hello", Some((b":path", b"/x"))),
        ("a line break among trailers", "5", b"hello", Some((b"x", b"a\r\nb"))),
    ] {
        let mut fields = GET;
        fields[0].1 = b"POST";
        let fields: Fields<'_> =
            fields.iter().copied().chain([(&b"content-length"[..], length.as_bytes())]).collect();
        let last = if trailers.is_some() { 0 } else { END_STREAM };
        let mut frames =
            [frame(HEADERS, END_HEADERS, 1, &block(&fields)), frame(DATA, last, 1, body)].concat();
        if let Some(trailer) = trailers {
            frames.extend(frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&[trailer])));
        }
        add(name.into(), frames);
    }
    all
}
