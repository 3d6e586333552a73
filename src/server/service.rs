//! One request: from hyper's hands into the tree and back.
use super::{
    access,
    connection::Connection,
    entry::{self, Entry},
    meter::Measured,
    reply::{InFlight, Reply},
    site::Site,
    streams::Received,
    tunnel,
};
use crate::http::{Answer, Body, BoxError, Exchange, Io, Pace, answer, sniff, unusual_reason};
use bytes::Bytes;
use http_body::Body as _;
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode, Version,
    body::Incoming,
    ext::ReasonPhrase,
    header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderValue, TRANSFER_ENCODING},
    upgrade::OnUpgrade,
};
use hyper_util::rt::TokioIo;
use std::{fmt, future::poll_fn, mem, rc::Rc, sync::Arc};

/// Answers a request, whatever it is. `stream`: what is known of a stream of HTTP/2.
///
/// # Errors
/// The connection (HTTP/1) or the stream (HTTP/2) is to be closed without an answer.
pub(super) async fn respond(
    connection: Rc<Connection>,
    request: Request<Incoming>,
    stream: Option<Arc<Pace>>,
) -> Result<Response<Reply>, Aborted> {
    let is_http1 = request.version() < Version::HTTP_2;
    if is_http1 {
        poll_fn(|_| connection.activity.poll_fields()).await;
    }
    let mut in_flight = InFlight::begin(&connection.activity, stream.clone());
    match entry::admit(&request) {
        Entry::Serve => {}
        Entry::Answer(response) => return Ok(response.map(|()| Reply::new(Body::Empty, in_flight))),
        Entry::Refuse(text) => {
            connection.refusal.replace(Some(text));
            return Err(Aborted);
        }
    }
    if connection.binding.is_superseded() {
        let mut response = Response::new(Reply::new(Body::Empty, in_flight));
        // Clients know by it that another connection may do better.
        *response.status_mut() = StatusCode::MISDIRECTED_REQUEST;
        return Ok(response);
    }
    let served = connection.binding.served();
    if request.version() < Version::HTTP_2 && !served.protocols.h1 {
        return Err(Aborted);
    }
    let site = &*served.site;
    if let Some(answer) = site.challenges.answer(request.uri().path(), || host(&request)) {
        let mut response = Response::new(Reply::new(Body::from(answer), in_flight));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        return Ok(response);
    }
    let (head, body) = request.into_parts();
    let body = if body.is_end_stream() {
        Body::Empty
    } else {
        connection.activity.is_clean(false);
        let body = Body::Incoming(body);
        match &stream {
            Some(pace) => Body::boxed(Received { body, pace: pace.clone() }),
            None => body,
        }
    };
    let mut x = Exchange::new(head, body, connection.known.clone());
    x.pace = stream;
    if is_http1 {
        x.pace = site.paced.then(Arc::default);
        connection.activity.pace.replace(x.pace.clone());
    }
    if let Some(target) = connection.activity.target.take() {
        x.target = Some(target);
    }
    if let Some(entry) = access::Entry::begin(&served, &x) {
        x.body = in_flight.log(entry, x.start, mem::take(&mut x.body));
    }
    site.expected.filter(&mut x.request.headers);
    let mut answer = answer(&site.tree, &mut x).await;
    if let Body::Abort = answer.response.body {
        tell(site, &mut in_flight, &x, &answer);
        return Err(Aborted);
    }
    if !x.untyped && lacks_type(&x.headers, &answer) {
        answer.response.body = sniffed(mem::take(&mut answer.response.body), &mut x.headers).await?;
    }
    tell(site, &mut in_flight, &x, &answer);
    in_flight.measure(Measured::of(&mut x, &answer));
    Ok(reply(&connection, &mut x, answer, in_flight))
}
/// Has the logs know what the answer is.
fn tell(site: &Site, in_flight: &mut InFlight, x: &Exchange, answer: &Answer) {
    if answer.failure.is_some() {
        site.log.failed(x, answer, in_flight.entry().map(|entry| &*entry));
    }
    if let Some(entry) = in_flight.entry() {
        entry.answered(x, answer);
    }
    if x.request.method == Method::HEAD {
        in_flight.count(answer.response.body.size_hint().exact().unwrap_or(0));
    }
}
fn reply(
    connection: &Rc<Connection>,
    x: &mut Exchange,
    answer: Answer,
    in_flight: InFlight,
) -> Response<Reply> {
    let mut response = Response::new(());
    *response.status_mut() = answer.response.status;
    *response.headers_mut() = mem::take(&mut x.headers);
    if answer.response.status == StatusCode::NOT_MODIFIED {
        // As Go: what the client has already is described already.
        response.headers_mut().remove(CONTENT_TYPE);
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    if answer.response.status == StatusCode::NO_CONTENT {
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    if let Some(reason) = unusual_reason(answer.response.status)
        && let Ok(reason) = ReasonPhrase::try_from(reason.into_owned())
    {
        response.extensions_mut().insert(reason);
    }
    let body = match answer.response.body {
        Body::Upgrade(upstream) => {
            upgrade(connection, x, &mut response, upstream);
            Body::Empty
        }
        body => {
            if x.request.version == Version::HTTP_2 && body.is_end_stream() {
                say_it_is_empty(&x.request.method, &mut response);
            }
            body
        }
    };
    x.recycle();
    response.map(|()| Reply::new(body, in_flight))
}
/// As Go does on HTTP/2 too, where the end of the stream says the same and hyper leaves it at that.
fn say_it_is_empty(method: &Method, response: &mut Response<()>) {
    let status = response.status();
    let may_have_body = !status.is_informational()
        && !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
        && method != Method::HEAD;
    if may_have_body && !response.headers().contains_key(CONTENT_LENGTH) {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
}
/// Whether Go would guess what the body is.
fn lacks_type(headers: &HeaderMap, answer: &Answer) -> bool {
    let status = answer.response.status;
    !headers.contains_key(CONTENT_TYPE)
        && !answer.response.body.is_end_stream()
        && !headers.contains_key(CONTENT_ENCODING)
        && !headers.contains_key(TRANSFER_ENCODING)
        && !status.is_informational()
        && !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}
/// Guesses from the first bytes; a stream is waited for.
async fn sniffed(body: Body, headers: &mut HeaderMap) -> Result<Body, BoxError> {
    let kind = |start: &[u8]| HeaderValue::from_static(sniff::content_type(start));
    if let Body::Bytes(bytes) = &body {
        headers.insert(CONTENT_TYPE, kind(bytes));
        return Ok(body);
    }
    let (start, body) = body.peek().await?;
    if !start.is_empty() {
        headers.insert(CONTENT_TYPE, kind(&start));
    }
    Ok(body)
}
/// On HTTP/1 the connection's task takes over when hyper has written the 101; a stream of HTTP/2 has a task of its own.
fn upgrade(
    connection: &Rc<Connection>,
    x: &mut Exchange,
    response: &mut Response<()>,
    upstream: Box<dyn Io>,
) {
    if x.request.version < Version::HTTP_2 {
        connection.upgrade.replace(Some(upstream));
    } else if let Some(client) = x.request.extensions.remove::<OnUpgrade>() {
        *response.status_mut() = StatusCode::OK;
        tokio::task::spawn_local(async move {
            if let Ok(client) = client.await {
                tunnel::between(TokioIo::new(client), Bytes::new(), upstream).await;
            }
        });
    }
}

/// Tells hyper to close the connection.
#[derive(Debug)]
pub(super) struct Aborted;
impl From<BoxError> for Aborted {
    /// The body fails before its first byte: there is nothing to be said any more.
    fn from(_: BoxError) -> Self {
        Self
    }
}
impl fmt::Display for Aborted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("aborted")
    }
}
impl std::error::Error for Aborted {}
/// The host that a request is for, without its port.
fn host<B>(request: &Request<B>) -> &str {
    let named = || request.headers().get(HOST)?.to_str().ok();
    let text = request.uri().host().or_else(named).unwrap_or_default();
    let host = match text.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => text,
    };
    host.trim_matches(['[', ']'])
}
