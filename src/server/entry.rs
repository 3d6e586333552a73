//! What is looked at before any route: what Go's server refuses or answers by itself.
use super::refusal;
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
    if let Some(refused) = host(request) {
        return Entry::Refuse(refused);
    }
    if !is_target(request) {
        return Entry::Refuse(refusal::text("400 Bad Request"));
    }
    let codings = request.headers().get(TRANSFER_ENCODING);
    if codings.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"chunked")) {
        return Entry::Refuse(refusal::transfer_encoding());
    }
    if request
        .headers()
        .get(EXPECT)
        .is_some_and(|expect| !expect.as_bytes().eq_ignore_ascii_case(b"100-continue"))
    {
        return Entry::Refuse(refusal::expectation());
    }
    if request.method() == Method::OPTIONS && request.uri().path() == "*" {
        let mut response = Response::new(());
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        return Entry::Answer(response);
    }
    Entry::Serve
}
/// HTTP/1.1 must have one `Host`; what Go finds wrong with it.
fn host<B>(request: &Request<B>) -> Option<String> {
    let bad = |why| Some(refusal::text(why));
    let version = request.version();
    let mut given = request.headers().get_all(HOST).iter();
    match (given.next(), given.next()) {
        (None, _) if version == Version::HTTP_11 => {
            return bad("400 Bad Request: missing required Host header");
        }
        (Some(_), Some(_)) => return bad("400 Bad Request"),
        (Some(host), None) if !host.as_bytes().iter().all(|&byte| may_be_in_host(byte)) => {
            return bad("400 Bad Request: malformed Host header");
        }
        _ => {}
    }
    None
}
/// Whether Go's `url.ParseRequestURI` takes the target: a path or a whole URL, with whole escapes in the path.
fn is_target<B>(request: &Request<B>) -> bool {
    let (uri, method) = (request.uri(), request.method());
    let escapes = |path: &str| {
        let mut parts = path.split('%');
        parts.next();
        parts.all(|part| part.as_bytes().get(..2).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)))
    };
    let host_alone = uri.scheme().is_none() && uri.authority().is_some();
    (!host_alone || method == Method::CONNECT || request.version() >= Version::HTTP_2) && escapes(uri.path())
}
/// Go's `httpguts.ValidHostHeader`: deliberately generous.
fn may_be_in_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!$%&'()*+,-.:;=[]_~".contains(&byte)
}
