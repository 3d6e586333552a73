//! What is looked at before any route: what Go's server refuses or answers by itself.
use super::refusal;
use crate::http::uri::letters_digits_and;
use http::{
    HeaderValue, Method, Request, Response, Version,
    header::{CONTENT_LENGTH, EXPECT, HOST, TRANSFER_ENCODING},
};

pub(super) enum Entry {
    Serve,
    /// By us, not by any route.
    Answer(Response<()>),
    /// With a text past hyper; the connection is closed.
    Refuse(String),
}
/// Looks at a request before anything else does.
pub(super) fn admit<B>(request: &Request<B>) -> Entry {
    match refused(request) {
        Some(text) => Entry::Refuse(text),
        None if request.method() == Method::OPTIONS && request.uri().path() == "*" => {
            let mut response = Response::new(());
            response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
            Entry::Answer(response)
        }
        None => Entry::Serve,
    }
}
/// What Go finds wrong, in its order. HTTP/1.1 must have one `Host`.
fn refused<B>(request: &Request<B>) -> Option<String> {
    let (mut hosts, mut malformed, mut coding, mut expectation) = (0, false, false, false);
    for (name, value) in request.headers() {
        let value = value.as_bytes();
        if name == HOST {
            hosts += 1;
            malformed |= !value.iter().all(|&byte| IN_HOSTS[usize::from(byte)]);
        } else if name == TRANSFER_ENCODING {
            coding |= !value.eq_ignore_ascii_case(b"chunked");
        } else if name == EXPECT {
            expectation |= !value.eq_ignore_ascii_case(b"100-continue");
        }
    }
    let text = match hosts {
        0 if request.version() == Version::HTTP_11 => "400 Bad Request: missing required Host header",
        2.. => "400 Bad Request",
        _ if malformed => "400 Bad Request: malformed Host header",
        _ if !is_target(request) => "400 Bad Request",
        _ if coding => return Some(refusal::transfer_encoding()),
        _ if expectation => return Some(refusal::expectation()),
        _ => return None,
    };
    Some(refusal::text(text))
}
/// Whether Go's `url.ParseRequestURI` takes the target: a path or a whole URL, with whole escapes in the path.
fn is_target<B>(request: &Request<B>) -> bool {
    let (uri, method) = (request.uri(), request.method());
    let escapes = |path: &str| {
        if memchr::memchr(b'%', path.as_bytes()).is_none() {
            return true;
        }
        let mut parts = path.split('%');
        parts.next();
        parts.all(|part| part.as_bytes().get(..2).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)))
    };
    let host_alone = uri.scheme().is_none() && uri.authority().is_some();
    (!host_alone || method == Method::CONNECT || request.version() >= Version::HTTP_2) && escapes(uri.path())
}
/// Go's `httpguts.ValidHostHeader`: deliberately generous.
const IN_HOSTS: [bool; 256] = letters_digits_and(b"!$%&'()*+,-.:;=[]_~");
