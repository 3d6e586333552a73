//! Asks as a fixture says, and shows the answer as a fixture has it.
use std::{
    fmt::Write as _,
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    time::Duration,
};

/// How long the server may be silent before what it has said is taken for all.
const PATIENCE: Duration = Duration::from_secs(3);

/// Sends what `request` says and reads until the server closes the connection.
pub(crate) fn ask(port: u16, request: &str) -> String {
    ask_within(PATIENCE, port, request)
}
/// As [`ask`], with another patience.
pub(crate) fn ask_within(patience: Duration, port: u16, request: &str) -> String {
    let asked = Asked::read(request, port);
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(patience)).unwrap();
    stream.write_all(&asked.first).unwrap();
    let (mut said, mut then) = (vec![], asked.then);
    let mut chunk = vec![0; 1 << 16];
    // Time out, reset, end: nothing more comes.
    while let Ok(read @ 1..) = stream.read(&mut chunk) {
        said.extend_from_slice(&chunk[..read]);
        if said.windows(4).any(|w| w == b"\r\n\r\n")
            && let Some(then) = then.take()
        {
            stream.write_all(&then).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
        }
    }
    show(&without_boundary(said), asked.head_only)
}

/// What is sent at once, and what after the head of the answer.
struct Asked {
    first: Vec<u8>,
    then: Option<Vec<u8>>,
    /// The answer has no body, whatever its head says.
    head_only: bool,
}
impl Asked {
    /// `METHOD URI [Name: value]... [< body]`, or quoted bytes.
    fn read(text: &str, port: u16) -> Self {
        if let Some(quoted) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            let first = unescape(quoted);
            let head_only = first.starts_with(b"HEAD ");
            return Self { first, then: None, head_only };
        }
        let (head, body) = text.split_once(" < ").unwrap_or((text, ""));
        // `*9` stands for nine times `x`.
        let body = body.strip_prefix('*').map_or(body.to_owned(), |size| "x".repeat(size.parse().unwrap()));
        let mut words = head.splitn(3, ' ');
        let (method, uri) = (words.next().unwrap(), words.next().unwrap());
        let mut lines = vec![format!("{method} {uri} HTTP/1.1"), format!("Host: localhost:{port}")];
        lines.extend(fields(words.next().unwrap_or_default()));
        let upgrade = lines.iter().any(|line| line.starts_with("Upgrade:"));
        lines.push(if upgrade { "Connection: Upgrade" } else { "Connection: close" }.into());
        if !upgrade && !body.is_empty() {
            lines.push(format!("Content-Length: {}", body.len()));
        }
        let head = lines.join("\r\n") + "\r\n\r\n";
        let head_only = method == "HEAD";
        if upgrade {
            return Self { first: head.into(), then: Some(body.into()), head_only };
        }
        Self { first: (head + &body).into(), then: None, head_only }
    }
}
/// `A: b c D: e` is two fields: a word that ends in a colon begins one.
fn fields(text: &str) -> Vec<String> {
    let mut found: Vec<String> = vec![];
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match found.last_mut() {
            Some(last) if !word.ends_with(':') => *last += &format!(" {word}"),
            _ => found.push(word.into()),
        }
    }
    found
}
/// `\r \n \t \" \\ \xNN`; and `%*9*%` for nine times `x`.
fn unescape(text: &str) -> Vec<u8> {
    if let Some((before, rest)) = text.split_once("%*")
        && let Some((size, after)) = rest.split_once("*%")
    {
        return unescape(&[before, &"x".repeat(size.parse().unwrap()), after].concat());
    }
    let (mut out, mut chars) = (vec![], text.chars());
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.extend(c.to_string().bytes());
            continue;
        }
        match chars.next().unwrap() {
            'r' => out.push(b'\r'),
            'n' => out.push(b'\n'),
            't' => out.push(b'\t'),
            'x' => {
                let digits: String = chars.by_ref().take(2).collect();
                out.push(u8::from_str_radix(&digits, 16).unwrap());
            }
            other => out.extend(other.to_string().bytes()),
        }
    }
    out
}

/// All that came, as lines with `<` before them. Fields are sorted by name; dates and random ids do not count, nor how
/// a body was cut into chunks.
fn show(mut said: &[u8], head_only: bool) -> String {
    let mut out = String::new();
    while let Some(end) = said.windows(4).position(|w| w == b"\r\n\r\n") {
        let head = String::from_utf8_lossy(&said[..end]).into_owned();
        said = &said[end + 4..];
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap_or_default();
        let mut fields: Vec<&str> = lines.filter(|line| !line.starts_with("Date: ")).collect();
        fields.sort_by_key(|field| field.split(':').next().unwrap_or_default().to_ascii_lowercase());
        let value = |name: &str| fields.iter().find_map(|field| field.strip_prefix(name)?.strip_prefix(": "));
        let length = value("Content-Length").and_then(|length| length.parse::<usize>().ok());
        let code = status.split(' ').nth(1).unwrap_or_default();
        let body = if head_only || matches!(code, "100" | "103" | "204" | "304") {
            vec![]
        } else if value("Transfer-Encoding") == Some("chunked") {
            unchunk(&mut said)
        } else {
            let length = length.unwrap_or(said.len()).min(said.len());
            let (body, rest) = said.split_at(length);
            said = rest;
            body.to_vec()
        };
        let gzip = value("Content-Encoding") == Some("gzip");
        writeln!(out, "< {status}").unwrap();
        // How long what is compressed is, and whether that is known beforehand, is the compressor's affair.
        let framing =
            |field: &str| field.starts_with("Content-Length") || field.starts_with("Transfer-Encoding");
        for field in fields.iter().filter(|field| !gzip || !framing(field)) {
            writeln!(out, "< {field}").unwrap();
        }
        let body = if gzip { gunzip(&body) } else { body };
        if !body.is_empty() {
            out += "<\n";
            let text = shorten(escape(&body));
            text.split('\n').for_each(|line| writeln!(out, "< {line}").unwrap());
        }
    }
    if !said.is_empty() {
        writeln!(out, "< (unparsed) {}", escape(said)).unwrap();
    }
    if out.is_empty() {
        out += "< (nothing)\n";
    }
    out.lines().map(|line| without_id(&without_wait(line.trim_end())) + "\n").collect()
}
fn unchunk(said: &mut &[u8]) -> Vec<u8> {
    let mut body = vec![];
    while let Some(end) = said.windows(2).position(|w| w == b"\r\n") {
        let size = usize::from_str_radix(&String::from_utf8_lossy(&said[..end]), 16).unwrap_or(0);
        let rest = &said[end + 2..];
        let size = size.min(rest.len());
        body.extend_from_slice(&rest[..size]);
        *said = &rest[(size + 2).min(rest.len())..];
        if size == 0 {
            break;
        }
    }
    body
}
fn gunzip(body: &[u8]) -> Vec<u8> {
    let mut plain = b"gunzipped ".to_vec();
    if flate2::read::GzDecoder::new(body).read_to_end(&mut plain).is_err() {
        plain.extend_from_slice(b"(broken)");
    }
    plain
}
/// Lines stay lines, other bytes that are not shown get a spelling.
fn escape(bytes: &[u8]) -> String {
    let mut out = String::new();
    for &byte in bytes {
        match byte {
            b'\n' => out.push('\n'),
            b'\\' => out += "\\\\",
            b' '..=b'~' => out.push(byte.into()),
            other => write!(out, "\\x{other:02x}").unwrap(),
        }
    }
    out
}
/// What is long is told by its beginning, its length and a sum (FNV-1a) of all of it.
fn shorten(text: String) -> String {
    const LONG: usize = 400;
    if text.len() <= LONG {
        return text;
    }
    let sum = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{}… {} bytes, sum {sum:x}", &text[..40], text.len())
}
/// What is left to wait shrinks while the test runs: minutes, rounded up, will do.
fn without_wait(line: &str) -> String {
    let seconds = line.strip_prefix("< Retry-After: ").and_then(|seconds| seconds.parse::<u64>().ok());
    seconds.map_or(line.into(), |seconds| format!("< Retry-After: {} minutes", seconds.div_ceil(60)))
}
/// What stands between the parts of a body is another each time, of the same length.
fn without_boundary(said: Vec<u8>) -> Vec<u8> {
    const BEFORE: &[u8] = b"multipart/byteranges; boundary=";
    let Some(at) = said.windows(BEFORE.len()).position(|found| found == BEFORE) else { return said };
    let boundary: Vec<u8> =
        said[at + BEFORE.len()..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).copied().collect();
    let mut out = said;
    while let Some(at) = out.windows(boundary.len()).position(|found| found == boundary) {
        out[at..at + boundary.len()].fill(b'-');
    }
    out
}
/// `id=abc234xyz` is another each time.
fn without_id(line: &str) -> String {
    let Some((before, after)) = line.split_once("id=") else { return line.into() };
    let id = after.bytes().take_while(|b| b.is_ascii_lowercase() || b.is_ascii_digit()).count();
    if id == 9 { format!("{before}id=NINE{}", without_id(&after[9..])) } else { line.into() }
}
