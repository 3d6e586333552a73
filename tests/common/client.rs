//! One request, one connection.
use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}
impl Response {
    /// The values of a field, whatever its case.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let fields = self.head.split("\r\n").filter_map(|line| line.split_once(": "));
        fields.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.all(name).first().copied()
    }
    pub(crate) fn number(&self, name: &str) -> u64 {
        let value = self.header(name).unwrap_or_else(|| panic!("no {name}: {}", self.head));
        value.parse().unwrap_or_else(|_| panic!("{name}: {value}"))
    }
}
pub(crate) fn get(port: u16, path: &str) -> Response {
    send(Ipv4Addr::LOCALHOST, port, "localhost", path, "")
}
pub(crate) fn get_with(port: u16, host: &str, path: &str, fields: &str) -> Response {
    send(Ipv4Addr::LOCALHOST, port, host, path, fields)
}
/// A connection from one of this machine's addresses.
pub(crate) fn connect(source: Ipv4Addr, port: u16) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((source, 0)).into()).unwrap();
    socket.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into()).unwrap();
    TcpStream::from(socket)
}
/// A GET from another of this machine's addresses, to a host, with more fields: lines that end with `\r\n`.
pub(crate) fn send(source: Ipv4Addr, port: u16, host: &str, path: &str, fields: &str) -> Response {
    let connection = if fields.contains("Connection:") { "" } else { "Connection: close\r\n" };
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{connection}{fields}\r\n");
    exchange(connect(source, port), &request)
}
/// `address`: `host:port`.
pub(crate) fn post(address: &str, path: &str, content_type: &str, body: &str) -> Response {
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    exchange(TcpStream::connect(address).unwrap(), &request)
}
fn exchange(mut stream: TcpStream, request: &str) -> Response {
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = vec![];
    let mut chunk = [0; 4096];
    // Who goes over to another protocol does not close the connection.
    while !bytes.starts_with(b"HTTP/1.1 101") || !bytes.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => bytes.extend_from_slice(&chunk[..read]),
            Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&bytes)),
        }
    }
    read(&String::from_utf8_lossy(&bytes))
}
/// A response as it came.
pub(crate) fn read(text: &str) -> Response {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {text:?}"));
    let status =
        head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{head}"));
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let body = if chunked { joined(body) } else { body.to_owned() };
    Response { status, head: head.to_owned(), body }
}
fn joined(mut chunks: &str) -> String {
    let mut body = String::new();
    while let Some((size, rest)) = chunks.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            break;
        }
        body.push_str(&rest[..size]);
        chunks = &rest[size + 2..];
    }
    body
}
