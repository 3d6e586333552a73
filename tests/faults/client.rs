//! A client that shows what came of its requests in a few words.
use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

/// The requests of one connection, one after the other.
pub(crate) struct Client {
    stream: TcpStream,
    read: Vec<u8>,
}
impl Client {
    pub(crate) fn new(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Self { stream, read: vec![] }
    }
    /// Sends a request, and `then` once there is the head of an answer. What came: each status, and the last body;
    /// `(cut)` if that broke off.
    pub(crate) fn ask(&mut self, request: &str, then: &str) -> String {
        // An answer may come before all is sent, and end the connection.
        let _ = self.stream.write_all(request.as_bytes());
        let mut shown = String::new();
        loop {
            let Some(head) = self.head() else { return shown + "(nothing)" };
            let status = head.split(' ').nth(1).unwrap_or_default().to_owned();
            shown += &status;
            if status.starts_with('1') && status != "101" {
                shown += ", ";
                continue;
            }
            if status == "101" {
                self.stream.write_all(then.as_bytes()).unwrap();
            }
            let (body, whole) = self.body(&head, request.starts_with("HEAD "), &status);
            let body = String::from_utf8_lossy(&body).into_owned();
            for part in [body.as_str(), if whole { "" } else { "(cut)" }] {
                if !part.is_empty() {
                    shown += &format!(" {part}");
                }
            }
            return shown;
        }
    }
    /// Reads more. `false`: there is no more.
    fn fill(&mut self) -> bool {
        let mut chunk = [0; 4096];
        let count = self.stream.read(&mut chunk).unwrap_or(0);
        self.read.extend_from_slice(&chunk[..count]);
        count > 0
    }
    fn line_end(&mut self, end: &str) -> Option<String> {
        loop {
            if let Some(at) = self.read.windows(end.len()).position(|w| w == end.as_bytes()) {
                let rest = self.read.split_off(at + end.len());
                let line = std::mem::replace(&mut self.read, rest);
                return Some(String::from_utf8_lossy(&line[..at]).into_owned());
            }
            if !self.fill() {
                return None;
            }
        }
    }
    fn head(&mut self) -> Option<String> {
        self.line_end("\r\n\r\n")
    }
    /// The body, and whether it is whole.
    fn body(&mut self, head: &str, is_head: bool, status: &str) -> (Vec<u8>, bool) {
        let field = |name: &str| {
            let lines = head.lines().skip(1).filter_map(|line| line.split_once(": "));
            let mut found = lines.filter(|(field, _)| field.eq_ignore_ascii_case(name));
            found.next().map(|(_, value)| value.to_owned())
        };
        if is_head || ["204", "304"].contains(&status) {
            return (vec![], true);
        }
        if field("Transfer-Encoding").is_some() {
            return self.chunks();
        }
        let Some(length) = field("Content-Length").map(|length| length.parse().unwrap()) else {
            while self.fill() {}
            return (std::mem::take(&mut self.read), true);
        };
        self.exactly(length)
    }
    fn exactly(&mut self, length: usize) -> (Vec<u8>, bool) {
        while self.read.len() < length && self.fill() {}
        let rest = self.read.split_off(length.min(self.read.len()));
        let body = std::mem::replace(&mut self.read, rest);
        let whole = body.len() == length;
        (body, whole)
    }
    /// Trailers are shown in brackets behind the body.
    fn chunks(&mut self) -> (Vec<u8>, bool) {
        let mut body = vec![];
        loop {
            let Some(size) = self.line_end("\r\n") else { return (body, false) };
            let size = usize::from_str_radix(&size, 16).unwrap();
            if size == 0 {
                break;
            }
            let (chunk, whole) = self.exactly(size);
            body.extend(chunk);
            if !whole || self.line_end("\r\n").is_none() {
                return (body, false);
            }
        }
        loop {
            match self.line_end("\r\n") {
                None => return (body, false),
                Some(line) if line.is_empty() => return (body, true),
                Some(line) => body.extend(format!("[{line}]").bytes()),
            }
        }
    }
}
