//! The request as an upstream gets it: its head, by Caddy's rules (`caddy-surface.md`, 7.8).
use crate::{
    handlers::headers::Operations,
    http::{Exchange, hop_by_hop, names_in_connection},
    net::write_canonical,
};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version, header};
use std::{cell::RefCell, fmt::Write as _};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
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
/// What stands in the head beside the client's own fields.
pub(super) struct Outgoing<'a> {
    pub(super) method: &'a Method,
    pub(super) target: &'a str,
    pub(super) length: Length,
    /// `Upgrade`, in lower case, if the client asks for another protocol.
    pub(super) upgrade: Option<&'a HeaderValue>,
    /// Whether the client's `X-Forwarded-*` are believed.
    pub(super) trusted: bool,
    /// In place of the client's `Host`.
    pub(super) host: Option<HeaderValue>,
    /// Ask for a compressed response on the client's behalf.
    pub(super) gzip: bool,
    pub(super) operations: &'a Operations,
}
impl Outgoing<'_> {
    /// For HTTP/1.1, ready to be sent.
    pub(super) fn head(&self, x: &Exchange) -> Bytes {
        write_head(self.method, self.target, &self.fields(x), self.length, self.upgrade)
    }
    /// All fields but those that frame the message.
    pub(super) fn fields(&self, x: &Exchange) -> HeaderMap {
        let client = &x.request.headers;
        let listed = names_in_connection(client);
        let mut fields = HeaderMap::with_capacity(client.len() + 6);
        for (name, value) in client {
            let framing = name == header::CONTENT_LENGTH;
            let trailers = name == header::TE && has_token(value, "trailers");
            if trailers {
                fields.insert(header::TE, HeaderValue::from_static("trailers"));
            } else if !framing && !hop_by_hop(name) && !listed.contains(name.as_str()) {
                fields.append(name, value.clone());
            }
        }
        self.forward(x, &mut fields);
        fields.append(header::VIA, via(x.request.version));
        if self.gzip {
            fields.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if let Some(host) = &self.host {
            fields.insert(header::HOST, host.clone());
        }
        self.operations.apply_to(x, &mut fields);
        fields
    }
    fn forward(&self, x: &Exchange, fields: &mut HeaderMap) {
        let last =
            |name: &HeaderName| x.request.headers.get_all(name).iter().next_back().filter(|_| self.trusted);
        let Some(peer) = x.connection.remote else {
            if !self.trusted {
                for name in [FORWARDED_FOR, FORWARDED_PROTO, FORWARDED_HOST] {
                    fields.remove(name);
                }
            }
            return;
        };
        let mut chain = String::new();
        if self.trusted {
            for value in
                x.request.headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok())
            {
                chain += value;
                chain += ", ";
            }
        }
        // Writing to memory does not fail.
        write!(chain, "{}", peer.ip().to_canonical()).ok();
        if let Ok(chain) = HeaderValue::try_from(chain) {
            fields.insert(FORWARDED_FOR, chain);
        }
        let proto = last(&FORWARDED_PROTO).cloned();
        fields.insert(FORWARDED_PROTO, proto.unwrap_or_else(|| HeaderValue::from_static(x.scheme())));
        let host = last(&FORWARDED_HOST).or_else(|| x.request.headers.get(header::HOST));
        if let Some(host) = host.cloned() {
            fields.insert(FORWARDED_HOST, host);
        }
    }
}
/// The head of a request of our own.
pub(super) fn plain_head(method: &Method, target: &str, fields: &HeaderMap, length: Length) -> Bytes {
    write_head(method, target, fields, length, None)
}
fn write_head(
    method: &Method,
    target: &str,
    fields: &HeaderMap,
    length: Length,
    upgrade: Option<&HeaderValue>,
) -> Bytes {
    HEADS.with_borrow_mut(|out| {
        if out.capacity() < BLOCK / 8 {
            *out = BytesMut::with_capacity(BLOCK);
        }
        let put =
            |out: &mut BytesMut, parts: &[&[u8]]| parts.iter().for_each(|part| out.extend_from_slice(part));
        put(out, &[method.as_str().as_bytes(), b" ", target.as_bytes(), b" HTTP/1.1\r\n"]);
        if let Some(host) = fields.get(header::HOST) {
            put(out, &[b"Host: ", host.as_bytes(), b"\r\n"]);
        }
        let mut canonical = vec![];
        for (name, value) in fields.iter().filter(|(name, _)| *name != header::HOST) {
            canonical.clear();
            write_canonical(name.as_str(), &mut canonical);
            put(out, &[&canonical, b": ", value.as_bytes(), b"\r\n"]);
        }
        match length {
            Length::None => {}
            Length::Exactly(length) => {
                put(out, &[b"Content-Length: ", itoa::Buffer::new().format(length).as_bytes(), b"\r\n"]);
            }
            Length::Chunked => put(out, &[b"Transfer-Encoding: chunked\r\n"]),
        }
        if let Some(upgrade) = upgrade {
            put(out, &[b"Connection: Upgrade\r\nUpgrade: ", upgrade.as_bytes(), b"\r\n"]);
        }
        put(out, &[b"\r\n"]);
        out.split().freeze()
    })
}
/// What Caddy adds to messages that it passes on, by the version in which they came.
pub(super) fn via(version: Version) -> HeaderValue {
    HeaderValue::from_static(match version {
        Version::HTTP_10 => "1.0 Caddy",
        Version::HTTP_2 => "2.0 Caddy",
        Version::HTTP_3 => "3.0 Caddy",
        _ => "1.1 Caddy",
    })
}
/// The protocol that a client asks to go over to.
pub(super) fn upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let asked = headers.get_all(header::CONNECTION).iter().any(|value| has_token(value, "upgrade"));
    let protocol = headers.get(header::UPGRADE).filter(|_| asked)?;
    HeaderValue::from_str(&protocol.to_str().ok()?.to_ascii_lowercase()).ok()
}
fn has_token(value: &HeaderValue, token: &str) -> bool {
    let mut tokens = value.as_bytes().split(|&byte| byte == b',');
    tokens.any(|found| found.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}
