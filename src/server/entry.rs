//! What is looked at before any route: what Go's server refuses, and what Caddy takes away.
use super::{refusal, site::Site};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version,
    header::{CONTENT_LENGTH, HOST},
    uri::Authority,
};

pub(super) enum Entry {
    Serve,
    /// By us, not by any route.
    Answer(Response<()>),
    /// With a text past hyper; the connection is closed.
    Refuse(String),
}
/// Longer than any method there is.
const LONGEST_METHOD: usize = 32;

/// Looks at a request in Caddy's order and makes its `Host` what Go takes for the host.
pub(super) fn admit<B>(request: &mut Request<B>, _site: &Site) -> Entry {
    if let Some(refused) = host(request) {
        return Entry::Refuse(refused);
    }
    if request.method() == Method::OPTIONS && request.uri().path() == "*" {
        let mut response = Response::new(());
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        return Entry::Answer(response);
    }
    if request.method().as_str().len() > LONGEST_METHOD {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        return Entry::Answer(response);
    }
    drop_ambiguous(request.headers_mut());
    Entry::Serve
}
/// The target's host wins over the header, which HTTP/1.1 must have.
fn host<B>(request: &mut Request<B>) -> Option<String> {
    let bad = |why| Some(refusal::text("400 Bad Request", why));
    let version = request.version();
    let mut given = request.headers().get_all(HOST).iter();
    match (given.next(), given.next()) {
        (None, _) if version == Version::HTTP_11 => return bad(": missing required Host header"),
        (Some(_), Some(_)) => return bad(": too many Host headers"),
        (Some(host), None) if !host.as_bytes().iter().all(|&byte| may_be_in_host(byte)) => {
            return bad(": malformed Host header");
        }
        _ => {}
    }
    if let Some(host) = request.uri().authority().map(Authority::as_str) {
        let host = HeaderValue::from_str(host.rsplit('@').next().unwrap_or(host)).ok()?;
        request.headers_mut().insert(HOST, host);
    }
    None
}
/// Go's `httpguts.ValidHostHeader`: deliberately generous.
fn may_be_in_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!$%&'()*+,-.:;=[]_~".contains(&byte)
}
/// Header fields whose names an upstream may take for others are dropped.
fn drop_ambiguous(headers: &mut HeaderMap) {
    let ambiguous = |name: &HeaderName| name.as_str().bytes().any(|byte| byte == b'_' || byte == b'.');
    if headers.keys().any(ambiguous) {
        let names: Vec<_> = headers.keys().filter(|name| ambiguous(name)).cloned().collect();
        names.iter().for_each(|name| drop(headers.remove(name)));
    }
}
