//! The request as the logs show it.
use crate::{logging::Object, net::write_canonical};
use http::{HeaderMap, Version, header};
use smallvec::SmallVec;
use std::{
    cell::RefCell,
    mem,
    net::{IpAddr, SocketAddr},
};

/// A request as the client sent it. Handlers change requests, so this is taken before they see it.
#[derive(Debug)]
pub struct Request {
    /// Method, host and target; then for each header field its name and value, each behind its length.
    text: Vec<u8>,
    method: usize,
    host: usize,
    uri: usize,
    remote: Option<SocketAddr>,
    version: Version,
    chunked: bool,
}
/// Where [`Request::of`] finds what it keeps.
#[derive(Debug)]
pub struct Seen<'a> {
    /// `None`: a peer without an address.
    pub remote: Option<SocketAddr>,
    pub version: Version,
    pub method: &'a str,
    /// As sent, with port.
    pub host: &'a str,
    /// As sent.
    pub uri: &'a str,
    pub headers: &'a HeaderMap,
}
/// A TLS connection, in IANA's numbers.
#[derive(Clone, Debug)]
pub struct Tls<'a> {
    pub resumed: bool,
    pub version: u16,
    pub cipher_suite: u16,
    /// ALPN.
    pub proto: &'a str,
    pub server_name: &'a str,
    /// Common name and serial number of the client's certificate.
    pub client: Option<(&'a str, &'a str)>,
}
thread_local! {
    /// Memory of requests that are done, for those to come.
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}
/// How many buffers a thread keeps, and how large they may be.
const SPARES: usize = 64;
const SPARE_SIZE: usize = 16 << 10;

impl Request {
    pub fn of(seen: &Seen<'_>) -> Self {
        let mut text = SPARE.with_borrow_mut(Vec::pop).unwrap_or_default();
        text.extend_from_slice(seen.method.as_bytes());
        text.extend_from_slice(seen.host.as_bytes());
        text.extend_from_slice(seen.uri.as_bytes());
        let mut chunked = false;
        for (name, value) in seen.headers {
            // Go keeps these apart from the others.
            if name == header::HOST {
                continue;
            }
            if name == header::TRANSFER_ENCODING {
                chunked = true;
                continue;
            }
            for part in [name.as_str().as_bytes(), value.as_bytes()] {
                text.extend_from_slice(&u32::try_from(part.len()).unwrap_or(0).to_ne_bytes());
                text.extend_from_slice(part);
            }
        }
        let (method, host) = (seen.method.len(), seen.method.len() + seen.host.len());
        let (remote, version) = (seen.remote, seen.version);
        Self { text, method, host, uri: host + seen.uri.len(), remote, version, chunked }
    }
    fn method(&self) -> &[u8] {
        self.text.get(..self.method).unwrap_or_default()
    }
    pub(super) fn host(&self) -> &str {
        self.text.get(self.method..self.host).and_then(|host| str::from_utf8(host).ok()).unwrap_or_default()
    }
    fn uri(&self) -> &[u8] {
        self.text.get(self.host..self.uri).unwrap_or_default()
    }
    fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let mut rest = self.text.get(self.uri..).unwrap_or_default();
        let mut part = move || {
            let (length, behind) = rest.split_first_chunk()?;
            let (part, behind) = behind.split_at_checked(u32::from_ne_bytes(*length) as usize)?;
            rest = behind;
            Some(part)
        };
        std::iter::from_fn(move || {
            let name = part()?;
            Some((str::from_utf8(name).ok()?, part()?))
        })
    }
    pub(super) fn write(
        &self,
        client_ip: Option<IpAddr>,
        tls: Option<&Tls<'_>>,
        credentials: bool,
        into: &mut Object<'_>,
    ) {
        match self.remote {
            Some(remote) => {
                into.display("remote_ip", remote.ip());
                into.display("remote_port", remote.port());
            }
            None => {
                into.text("remote_ip", "@");
                into.text("remote_port", "");
            }
        }
        match client_ip {
            Some(ip) => into.display("client_ip", ip),
            None => into.text("client_ip", "@"),
        }
        into.text("proto", proto(self.version));
        into.bytes("method", self.method());
        into.text("host", self.host());
        into.bytes("uri", self.uri());
        into.object("headers", |into| headers(self.headers(), credentials, into));
        if self.chunked {
            into.texts("transfer_encoding", [&b"chunked"[..]].into_iter());
        }
        if let Some(tls) = tls {
            into.object("tls", |into| tls.write(into));
        }
    }
}
impl Drop for Request {
    fn drop(&mut self) {
        let mut text = mem::take(&mut self.text);
        if text.capacity() > SPARE_SIZE {
            return;
        }
        text.clear();
        // A thread that ends keeps nothing.
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < SPARES {
                spare.push(text);
            }
        });
    }
}
fn proto(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        Version::HTTP_3 => "HTTP/3.0",
        _ => "HTTP/1.1",
    }
}
impl Tls<'_> {
    fn write(&self, into: &mut Object<'_>) {
        into.boolean("resumed", self.resumed);
        into.integer("version", self.version.into());
        into.integer("cipher_suite", self.cipher_suite.into());
        into.text("proto", self.proto);
        into.text("server_name", self.server_name);
        into.boolean("ech", false);
        if let Some((name, serial)) = self.client {
            into.text("client_common_name", name);
            into.text("client_serial", serial);
        }
    }
}
/// Fields in Go's spelling, those of one name together; what would give someone away is not shown.
pub fn headers<'h>(
    fields: impl Iterator<Item = (&'h str, &'h [u8])>,
    credentials: bool,
    into: &mut Object<'_>,
) {
    let mut spelt = Vec::new();
    let mut fields = fields.peekable();
    while let Some((name, first)) = fields.next() {
        spelt.clear();
        write_canonical(name, &mut spelt);
        let key = str::from_utf8(&spelt).unwrap_or(name);
        let mut values = SmallVec::<[&[u8]; 4]>::from_slice(&[first]);
        while let Some((_, value)) = fields.next_if(|(next, _)| *next == name) {
            values.push(value);
        }
        if !credentials && matches!(name, "cookie" | "set-cookie" | "authorization" | "proxy-authorization") {
            values = SmallVec::from_slice(&[&b"REDACTED"[..]]);
        }
        into.texts(key, values.into_iter());
    }
}
