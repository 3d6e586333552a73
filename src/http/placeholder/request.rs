//! `{http.request.*}`.
use super::{joined, masked, text};
use crate::{
    config::placeholder::Value,
    http::{
        Body, Exchange,
        uri::{encode_query, query_pairs, split_host_port},
    },
};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderName, Version, header};
use std::{borrow::Cow, net::SocketAddr};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    Method,
    Scheme,
    Proto,
    ProtoName,
    Host,
    Port,
    HostPort,
    /// From the right, 0 being the top-level domain.
    Label(usize),
    Local(Side),
    Remote(Side),
    /// `remote.host/24` or `remote.host/24,64`: bits of IPv4 and IPv6.
    RemotePrefix {
        v4: Option<u8>,
        v6: Option<u8>,
    },
    Uri,
    UriEscaped,
    Path(PathPart),
    PathEscaped,
    Query,
    QueryEscaped,
    PrefixedQuery,
    QueryValue(Box<str>),
    Header(HeaderName),
    Cookie(Box<str>),
    Body,
    BodyBase64,
    Duration,
    DurationMs,
    Uuid,
    OrigMethod,
    OrigUri,
    OrigPath(PathPart),
    OrigQuery,
    OrigPrefixedQuery,
}
/// Of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Whole,
    Host,
    Port,
}
/// Of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathPart {
    Whole,
    Dir,
    File,
    FileBase,
    FileExt,
    /// From the left, 0 being the first.
    Segment(usize),
}
impl Request {
    /// Of a key behind `http.request.`.
    pub(super) fn new(key: &str) -> Option<Self> {
        if let Some(name) = key.strip_prefix("uri.query.") {
            return Some(Self::QueryValue(name.into()));
        }
        if let Some(name) = key.strip_prefix("cookie.") {
            return Some(Self::Cookie(name.into()));
        }
        if let Some(index) = key.strip_prefix("host.labels.") {
            return index.parse().ok().map(Self::Label);
        }
        if let Some(bits) = key.strip_prefix("remote.host/") {
            let (v4, v6) = bits.split_once(',').unwrap_or((bits, bits));
            return Some(Self::RemotePrefix { v4: v4.parse().ok(), v6: v6.parse().ok() });
        }
        if let Some(part) = key.strip_prefix("orig_uri.path") {
            let part = PathPart::new(part)?;
            return (!matches!(part, PathPart::FileBase | PathPart::FileExt)).then_some(Self::OrigPath(part));
        }
        Some(match key {
            "method" => Self::Method,
            "scheme" => Self::Scheme,
            "proto" => Self::Proto,
            "proto_name" => Self::ProtoName,
            "host" => Self::Host,
            "port" => Self::Port,
            "hostport" => Self::HostPort,
            "local" => Self::Local(Side::Whole),
            "local.host" => Self::Local(Side::Host),
            "local.port" => Self::Local(Side::Port),
            "remote" => Self::Remote(Side::Whole),
            "remote.host" => Self::Remote(Side::Host),
            "remote.port" => Self::Remote(Side::Port),
            "uri" => Self::Uri,
            "uri_escaped" => Self::UriEscaped,
            "uri.path_escaped" => Self::PathEscaped,
            "uri.query" => Self::Query,
            "uri.query_escaped" => Self::QueryEscaped,
            "uri.prefixed_query" => Self::PrefixedQuery,
            "body" => Self::Body,
            "body_base64" => Self::BodyBase64,
            "duration" => Self::Duration,
            "duration_ms" => Self::DurationMs,
            "uuid" => Self::Uuid,
            "orig_method" => Self::OrigMethod,
            "orig_uri" => Self::OrigUri,
            "orig_uri.query" => Self::OrigQuery,
            "orig_uri.prefixed_query" => Self::OrigPrefixedQuery,
            _ => return key.strip_prefix("uri.path").and_then(PathPart::new).map(Self::Path),
        })
    }
    pub(super) fn value<'a>(&self, x: &'a Exchange) -> Option<Value<'a>> {
        let request = &x.request;
        Some(match self {
            Self::Method => request.method.as_str().into(),
            Self::Scheme => x.scheme().into(),
            Self::Proto => proto(request.version, "HTTP/2.0", "HTTP/3.0").into(),
            Self::ProtoName => proto(request.version, "HTTP/2", "HTTP/3").into(),
            Self::Host => x.host().into(),
            Self::Port => number_or_text(split_host_port(x.hostport()).map_or("", |(_, port)| port)),
            Self::HostPort => x.hostport().into(),
            Self::Label(index) => {
                x.host().rsplit('.').nth(*index).map_or("".into(), |label| label.to_lowercase().into())
            }
            Self::Local(side) => address(x.connection.local, *side),
            Self::Remote(_) if x.connection.tls.as_ref().is_some_and(|tls| tls.early) => Value::Null,
            Self::Remote(Side::Host) => x.connection.remote_ip().unwrap_or("@").into(),
            Self::Remote(side) => address(x.connection.remote, *side),
            Self::RemotePrefix { v4, v6 } => match x.connection.remote {
                Some(peer) => masked(peer.ip(), *v4, *v6),
                None => "@".into(),
            },
            Self::Uri => text(x.uri()),
            Self::UriEscaped => encode_query(&x.uri()).into_owned().into(),
            Self::Path(part) => part.of(x.path()),
            Self::PathEscaped => encode_query(&x.path()).into_owned().into(),
            Self::Query => x.query().into(),
            Self::QueryEscaped => text(encode_query(x.query())),
            Self::PrefixedQuery => prefixed(x.query()),
            Self::QueryValue(name) => query_value(x.query(), name),
            // Go keeps it out of the header map.
            Self::Header(name) if name == header::HOST => "".into(),
            Self::Header(name) => joined(&request.headers, name),
            Self::Cookie(name) => x.cookie(name).unwrap_or("").into(),
            Self::Body => match &x.body {
                Body::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned().into(),
                _ => "".into(),
            },
            Self::BodyBase64 => match &x.body {
                Body::Bytes(bytes) => BASE64_STANDARD.encode(bytes).into(),
                _ => "".into(),
            },
            Self::Duration => x.start.elapsed().into(),
            Self::DurationMs => (x.start.elapsed().as_secs_f64() * 1e3).into(),
            Self::Uuid => x.request_id().into(),
            Self::OrigMethod => x.original_method().as_str().into(),
            Self::OrigUri => x.original_target().into(),
            Self::OrigPath(part) => part.of(super::super::uri::decode_path(x.original_uri().path())),
            Self::OrigQuery => x.original_uri().query().unwrap_or("").into(),
            Self::OrigPrefixedQuery => prefixed(x.original_uri().query().unwrap_or("")),
        })
    }
    /// Whether its value needs the request's body in memory.
    pub fn reads_body(&self) -> bool {
        matches!(self, Self::Body | Self::BodyBase64)
    }
}
impl PathPart {
    /// Of a key behind `uri.path`.
    fn new(key: &str) -> Option<Self> {
        Some(match key {
            "" => Self::Whole,
            ".dir" => Self::Dir,
            ".file" => Self::File,
            ".file.base" => Self::FileBase,
            ".file.ext" => Self::FileExt,
            _ => Self::Segment(key.strip_prefix('.')?.parse().ok()?),
        })
    }
    fn of(self, path: Cow<'_, str>) -> Value<'_> {
        match path {
            Cow::Borrowed(path) => self.within(path).into(),
            Cow::Owned(path) if self == Self::Whole => path.into(),
            Cow::Owned(path) => self.within(&path).to_owned().into(),
        }
    }
    fn within(self, path: &str) -> &str {
        let file_at = path.rfind('/').map_or(0, |slash| slash + 1);
        let (dir, file) = path.split_at(file_at);
        let ext = file.rfind('.').map_or("", |dot| &file[dot..]);
        match self {
            Self::Whole => path,
            Self::Dir => dir,
            Self::File => file,
            Self::FileExt => ext,
            // Go's `path.Base` of `/a/b/` is `b`, and of `/` itself.
            Self::FileBase => match path.trim_end_matches('/') {
                "" if path.is_empty() => ".",
                "" => "/",
                trimmed => {
                    let base = trimmed.rfind('/').map_or(trimmed, |slash| &trimmed[slash + 1..]);
                    base.strip_suffix(ext).unwrap_or(base)
                }
            },
            Self::Segment(index) => {
                path.strip_prefix('/').unwrap_or(path).split('/').nth(index).unwrap_or("")
            }
        }
    }
}
fn proto(version: Version, two: &'static str, three: &'static str) -> &'static str {
    match version {
        Version::HTTP_09 => "HTTP/0.9",
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => two,
        Version::HTTP_3 => three,
        _ => "HTTP/1.1",
    }
}
fn number_or_text(text: &str) -> Value<'_> {
    text.parse::<i64>().map_or_else(|_| text.into(), Value::Int)
}
/// Peers without an address are called `@`, as in Go.
fn address(address: Option<SocketAddr>, side: Side) -> Value<'static> {
    match (address, side) {
        (Some(address), Side::Whole) => address.to_string().into(),
        (Some(address), Side::Host) => address.ip().to_string().into(),
        (Some(address), Side::Port) => address.port().into(),
        (None, Side::Port) => "".into(),
        (None, _) => "@".into(),
    }
}
fn prefixed(query: &str) -> Value<'_> {
    if query.is_empty() { "".into() } else { format!("?{query}").into() }
}
fn query_value<'a>(query: &'a str, name: &str) -> Value<'a> {
    let mut values = query_pairs(query).filter_map(|pair| pair.ok().filter(|(key, _)| key == name));
    let Some((_, first)) = values.next() else { return "".into() };
    match values.next() {
        None => text(first),
        Some((_, second)) => {
            let mut all = vec![first, second];
            all.extend(values.map(|(_, value)| value));
            all.join(",").into()
        }
    }
}
