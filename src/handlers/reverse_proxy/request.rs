//! The request as an upstream gets it: its head, by Caddy's rules (`caddy-surface.md`, 7.8).
use crate::{
    handlers::headers::Operations,
    http::{Exchange, hop_by_hop, names_in_connection},
    net::capitalize,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version, header};
use hyper::ext::Protocol;
use std::cell::RefCell;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const EARLY_DATA: HeaderName = HeaderName::from_static("early-data");
/// Heads of one thread are written into blocks of this size.
const BLOCK: usize = 32 << 10;
thread_local! { static HEADS: RefCell<BytesMut> = RefCell::new(BytesMut::new()) }

/// What the head says of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    None,
    Exactly(u64),
    Chunked,
}
/// What a request to an upstream is made of, beside the client's own fields.
pub(super) struct Outgoing<'a> {
    pub(super) method: &'a Method,
    /// Path and query.
    pub(super) target: &'a str,
    pub(super) length: Length,
    /// `Upgrade`, in lower case, if the client asks for another protocol.
    pub(super) upgrade: Option<&'a HeaderValue>,
    /// `Sec-WebSocket-Key`, where the client's version of HTTP needs none.
    pub(super) key: Option<&'a HeaderValue>,
    /// Whether the client's `X-Forwarded-*` are believed.
    pub(super) trusted: bool,
    /// What the upstream calls itself.
    pub(super) hostport: &'a str,
    /// Whether that goes into `Host` instead of what the client says.
    pub(super) own_host: bool,
    /// Whether compressed responses are asked for on behalf of clients that do not.
    pub(super) compression: bool,
    /// Whether the connection ends with the response.
    pub(super) closes: bool,
    /// The request goes to an HTTP proxy that is to pass it on; with this to authorize it.
    pub(super) proxy: Option<Option<String>>,
    pub(super) operations: &'a Operations,
}
impl Outgoing<'_> {
    /// For HTTP/1.1, ready to be sent; and whether a compressed response is asked for that nobody else wants.
    pub(super) fn head(&self, x: &Exchange) -> (Bytes, bool) {
        if self.operations.is_empty() && self.proxy.is_none() {
            return self.plain_head(x);
        }
        let (mut fields, gzip) = self.fields(x);
        let Some(authorization) = &self.proxy else {
            return (head_of(self.method, self.target, &fields, self.length), gzip);
        };
        if let Some(Ok(value)) = authorization.as_ref().map(|value| HeaderValue::from_str(value)) {
            fields.insert(header::PROXY_AUTHORIZATION, value);
        }
        // As in Go, the host is what `Host` says.
        let host = fields.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        (head_of(self.method, &format!("http://{host}{}", self.target), &fields, self.length), gzip)
    }
    /// The same as the general case, but straight from the client's fields into the buffer.
    fn plain_head(&self, x: &Exchange) -> (Bytes, bool) {
        let client = &x.request.headers;
        let mut gzip = self.compression && self.method != Method::HEAD;
        let head = write(|out| {
            request_line(out, self.method, self.target);
            put(out, &[b"Host: ", self.host(client), b"\r\n"]);
            let (listed, mut trailers) = (names_in_connection(client), false);
            for (name, value) in client {
                match name.as_str() {
                    "host" | "x-forwarded-for" | "x-forwarded-proto" | "x-forwarded-host" => continue,
                    "te" => trailers |= has_token(value, "trailers"),
                    // As Go's transport decides it.
                    "accept-encoding" | "range" => gzip &= value.is_empty(),
                    _ => {}
                }
                if passes(name) && !listed.contains(name.as_str()) {
                    field(out, name, value.as_bytes());
                }
            }
            if trailers {
                put(out, &[b"Te: trailers\r\n"]);
            }
            match Forwarded::of(x, self.trusted) {
                Some(forwarded) => forwarded.write(out),
                // What the client says of itself is neither believed nor passed on, unless it is trusted.
                None if !self.trusted => {}
                None => {
                    for name in [FORWARDED_FOR, FORWARDED_PROTO, FORWARDED_HOST] {
                        client.get_all(&name).iter().for_each(|value| field(out, &name, value.as_bytes()));
                    }
                }
            }
            put(out, &[b"Via: ", via_text(x.request.version).as_bytes(), b"\r\n"]);
            if is_early(x) {
                put(out, &[b"Early-Data: 1\r\n"]);
            }
            if gzip {
                put(out, &[b"Accept-Encoding: gzip\r\n"]);
            }
            if let Some(upgrade) = self.upgrade {
                put(out, &[b"Connection: Upgrade\r\nUpgrade: ", upgrade.as_bytes(), b"\r\n"]);
                if let Some(key) = self.key {
                    put(out, &[b"Sec-WebSocket-Key: ", key.as_bytes(), b"\r\n"]);
                }
            } else if self.closes {
                put(out, &[b"Connection: close\r\n"]);
            }
            end_of_head(out, self.length);
        });
        (head, gzip)
    }
    /// As Go's transport decides it.
    fn wants_gzip(&self, fields: &HeaderMap) -> bool {
        let says = |name| fields.get(name).is_some_and(|value| !value.is_empty());
        self.compression
            && self.method != Method::HEAD
            && !says(header::ACCEPT_ENCODING)
            && !says(header::RANGE)
    }
    fn host<'h>(&'h self, client: &'h HeaderMap) -> &'h [u8] {
        let said = client.get(header::HOST).filter(|host| !self.own_host && !host.is_empty());
        said.map_or(self.hostport.as_bytes(), HeaderValue::as_bytes)
    }
    /// All fields but those that frame the message; and whether a compressed response is asked for that nobody else wants.
    pub(super) fn fields(&self, x: &Exchange) -> (HeaderMap, bool) {
        let client = &x.request.headers;
        let listed = names_in_connection(client);
        let mut fields = HeaderMap::with_capacity(client.len() + 6);
        for (name, value) in client {
            if passes(name) && !listed.contains(name.as_str()) {
                fields.append(name, value.clone());
            }
        }
        if wants_trailers(client) {
            fields.insert(header::TE, HeaderValue::from_static("trailers"));
        }
        match Forwarded::of(x, self.trusted) {
            Some(forwarded) => forwarded.insert(&mut fields),
            None if self.trusted => {}
            None => {
                for name in [FORWARDED_FOR, FORWARDED_PROTO, FORWARDED_HOST] {
                    fields.remove(name);
                }
            }
        }
        fields.append(header::VIA, via(x.request.version));
        if is_early(x) {
            fields.insert(EARLY_DATA, HeaderValue::from_static("1"));
        }
        if let Some(upgrade) = self.upgrade {
            fields.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
            fields.insert(header::UPGRADE, upgrade.clone());
            if let Some(key) = self.key {
                fields.insert(header::SEC_WEBSOCKET_KEY, key.clone());
            }
        } else if self.closes {
            fields.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if self.own_host
            && let Ok(host) = HeaderValue::from_str(self.hostport)
        {
            fields.insert(header::HOST, host);
        }
        self.operations.apply_to(x, &mut fields);
        if fields.get(header::HOST).is_none_or(HeaderValue::is_empty)
            && let Ok(host) = HeaderValue::from_str(self.hostport)
        {
            fields.insert(header::HOST, host);
        }
        let gzip = self.wants_gzip(&fields);
        if gzip {
            fields.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        }
        (fields, gzip)
    }
}
/// Whether a client's field goes on at all: not what concerns this connection, nor what frames the message.
fn passes(name: &HeaderName) -> bool {
    !hop_by_hop(name) && name != header::CONTENT_LENGTH
}
fn wants_trailers(client: &HeaderMap) -> bool {
    client.get_all(header::TE).iter().any(|value| has_token(value, "trailers"))
}
/// RFC 8470: the request came before the handshake was over, so it may be a replay.
fn is_early(x: &Exchange) -> bool {
    x.connection.tls.as_ref().is_some_and(|tls| tls.early)
}

/// `X-Forwarded-*`.
struct Forwarded<'x> {
    /// What trusted proxies say of those before them.
    prior: Vec<&'x HeaderValue>,
    peer: Option<&'x str>,
    proto: &'x [u8],
    host: &'x [u8],
}
impl<'x> Forwarded<'x> {
    /// `None`: a peer that has no address and is not trusted.
    fn of(x: &'x Exchange, trusted: bool) -> Option<Self> {
        let client = &x.request.headers;
        let peer = x.connection.remote_ip();
        if peer.is_none() && !trusted {
            return None;
        }
        let (proto, host) = (x.scheme().as_bytes(), x.hostport().as_bytes());
        if !trusted {
            return Some(Self { prior: vec![], peer, proto, host });
        }
        let last = |name: HeaderName| {
            let said = client.get_all(name).iter().next_back().map(HeaderValue::as_bytes);
            said.filter(|said| !said.is_empty())
        };
        let prior = client.get_all(FORWARDED_FOR).iter();
        Some(Self {
            prior: prior.filter(|value| !value.is_empty()).collect(),
            peer,
            proto: last(FORWARDED_PROTO).unwrap_or(proto),
            host: last(FORWARDED_HOST).unwrap_or(host),
        })
    }
    fn write(&self, out: &mut BytesMut) {
        if self.peer.is_some() || !self.prior.is_empty() {
            put(out, &[b"X-Forwarded-For: "]);
            self.chain(out);
            put(out, &[b"\r\n"]);
        }
        put(out, &[b"X-Forwarded-Host: ", self.host, b"\r\nX-Forwarded-Proto: ", self.proto, b"\r\n"]);
    }
    fn chain(&self, out: &mut BytesMut) {
        let mut separator: &[u8] = b"";
        for value in &self.prior {
            put(out, &[separator, value.as_bytes()]);
            separator = b", ";
        }
        if let Some(peer) = self.peer {
            put(out, &[separator, peer.as_bytes()]);
        }
    }
    fn insert(&self, fields: &mut HeaderMap) {
        let mut chain = BytesMut::new();
        self.chain(&mut chain);
        if !chain.is_empty() {
            set(fields, FORWARDED_FOR, chain.freeze());
        }
        set(fields, FORWARDED_PROTO, Bytes::copy_from_slice(self.proto));
        set(fields, FORWARDED_HOST, Bytes::copy_from_slice(self.host));
    }
}
fn set(fields: &mut HeaderMap, name: HeaderName, value: Bytes) {
    if let Ok(value) = HeaderValue::from_maybe_shared(value) {
        fields.insert(name, value);
    }
}

/// The head of a request with these fields, for HTTP/1.1.
pub(super) fn head_of(method: &Method, target: &str, fields: &HeaderMap, length: Length) -> Bytes {
    write(|out| {
        request_line(out, method, target);
        if let Some(host) = fields.get(header::HOST) {
            put(out, &[b"Host: ", host.as_bytes(), b"\r\n"]);
        }
        // What frames the message is ours to say, whatever operations want.
        let ours = [header::HOST, header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::TRAILER];
        for (name, value) in fields.iter().filter(|(name, _)| !ours.contains(name)) {
            field(out, name, value.as_bytes());
        }
        end_of_head(out, length);
    })
}
fn write(head: impl FnOnce(&mut BytesMut)) -> Bytes {
    HEADS.with_borrow_mut(|out| {
        if out.capacity() < BLOCK / 8 {
            *out = BytesMut::with_capacity(BLOCK);
        }
        head(out);
        out.split().freeze()
    })
}
fn put(out: &mut BytesMut, parts: &[&[u8]]) {
    parts.iter().for_each(|part| out.extend_from_slice(part));
}
fn request_line(out: &mut BytesMut, method: &Method, target: &str) {
    put(out, &[method.as_str().as_bytes(), b" ", target.as_bytes(), b" HTTP/1.1\r\n"]);
}
fn field(out: &mut BytesMut, name: &HeaderName, value: &[u8]) {
    let start = out.len();
    out.reserve(name.as_str().len() + value.len() + 4);
    out.extend_from_slice(name.as_str().as_bytes());
    capitalize(&mut out[start..], true);
    // Some servers want these as RFC 6455 writes them.
    if out[start..].starts_with(b"Sec-Websocket-") {
        out[start + 7] = b'S';
    }
    put(out, &[b": ", value, b"\r\n"]);
}
fn end_of_head(out: &mut BytesMut, length: Length) {
    match length {
        Length::None => {}
        Length::Exactly(length) => {
            put(out, &[b"Content-Length: ", itoa::Buffer::new().format(length).as_bytes(), b"\r\n"]);
        }
        Length::Chunked => put(out, &[b"Transfer-Encoding: chunked\r\n"]),
    }
    put(out, &[b"\r\n"]);
}
/// What Caddy adds to messages that it passes on, by the version in which they came.
pub(super) fn via(version: Version) -> HeaderValue {
    HeaderValue::from_static(via_text(version))
}
fn via_text(version: Version) -> &'static str {
    match version {
        // Of what is no HTTP at all: FastCGI.
        Version::HTTP_09 => "0.0 Caddy",
        Version::HTTP_10 => "1.0 Caddy",
        Version::HTTP_2 => "2.0 Caddy",
        Version::HTTP_3 => "3.0 Caddy",
        _ => "1.1 Caddy",
    }
}
/// A WebSocket over HTTP/2 or 3 (RFC 8441): for the upstream it is one over HTTP/1.1, with a key of ours.
pub(super) fn websocket_key(x: &Exchange) -> Option<HeaderValue> {
    let protocol = x.request.extensions.get::<Protocol>()?;
    if x.request.method != Method::CONNECT || protocol.as_str() != "websocket" {
        return None;
    }
    let mut random = [0_u8; 16];
    fastrand::fill(&mut random);
    HeaderValue::from_str(&BASE64_STANDARD.encode(random)).ok()
}
/// The protocol that a client asks to go over to.
pub(super) fn upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let protocol = headers.get(header::UPGRADE)?;
    let asked = headers.get_all(header::CONNECTION).iter().any(|value| has_token(value, "upgrade"));
    HeaderValue::from_str(&protocol.to_str().ok().filter(|_| asked)?.to_ascii_lowercase()).ok()
}
fn has_token(value: &HeaderValue, token: &str) -> bool {
    let mut tokens = value.as_bytes().split(|&byte| byte == b',');
    tokens.any(|found| found.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}
