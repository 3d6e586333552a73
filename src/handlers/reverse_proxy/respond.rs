//! The response on its way back: Caddy's rules of what is taken away and added (`caddy-surface.md`, 7.8).
use super::request::via;
use crate::{
    handlers::headers::Operations,
    http::{
        Body, BoxError, Exchange, HttpError, Io, Passing, Response, ResponseMatcher, Upstream, keep_headers,
        strip_hop_by_hop,
    },
};
use bytes::Bytes;
use flate2::write::GzDecoder;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use http_body::{Body as HttpBody, Frame};
use std::{
    io::{self, Write},
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// What `header_down` does.
#[derive(Debug)]
pub(super) struct Down {
    pub(super) operations: Operations,
    /// Only if the response is such a one.
    pub(super) require: Option<ResponseMatcher>,
}
impl Passing for Down {
    fn pass(&self, status: StatusCode, headers: &mut HeaderMap, x: &Exchange) {
        if self.require.as_ref().is_none_or(|require| require.matches(status, headers)) {
            self.operations.apply_to(x, headers);
        }
    }
}
/// Decodes what only we asked to be encoded, and takes away what framed the message.
pub(super) fn receive(upstream: &mut Upstream, decode: bool) {
    upstream.headers.remove(header::TRANSFER_ENCODING);
    if decode && is_gzip(&upstream.headers) && !upstream.body.is_end_stream() {
        upstream.headers.remove(header::CONTENT_ENCODING);
        upstream.headers.remove(header::CONTENT_LENGTH);
        let encoded = mem::take(&mut upstream.body);
        upstream.body =
            Body::boxed(Gunzip { encoded, decoder: Some(GzDecoder::new(vec![])), trailers: None });
    }
}
/// Of RFC 9209.
pub(super) const PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");
/// Whether a message asks to be passed on as it comes: `Incremental: ?1` (RFC 10036).
pub(super) fn is_incremental(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all("incremental").iter().map(|value| value.as_bytes().trim_ascii());
    let yes = |value: &[u8]| value == b"?1" || value.starts_with(b"?1;");
    values.next().is_some_and(yes) && values.next().is_none()
}
/// What is said of a message that is refused, behind what others have said. `None`: we have no name.
pub(super) fn proxy_status(name: &str, upstream: &HeaderMap) -> Option<HeaderValue> {
    if name.is_empty() {
        return None;
    }
    let is_token = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '*')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~:/".contains(c));
    let name = if is_token { name.into() } else { format!("{name:?}") };
    let own = format!("{name};error=incremental_refused");
    let before = upstream.get_all(PROXY_STATUS).iter().filter_map(|value| value.to_str().ok());
    let all: Vec<&str> = before.chain([own.as_str()]).collect();
    HeaderValue::from_str(&all.join(", ")).ok()
}
/// Ends an upgraded connection when its time is over.
pub(super) fn ending(body: Body, limit: Duration) -> Body {
    match body {
        Body::Upgrade(stream) => Body::Upgrade(Box::new(Ending { stream, end: Box::pin(sleep(limit)) })),
        other => other,
    }
}
struct Ending {
    stream: Box<dyn Io>,
    end: Pin<Box<Sleep>>,
}
impl AsyncRead for Ending {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.end.is_elapsed() || self.end.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}
impl AsyncWrite for Ending {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
fn is_gzip(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"gzip"))
}
/// Adds the upstream's header fields to what is already set, and answers with its body.
pub(super) fn back(upstream: Upstream, x: &mut Exchange) -> Response {
    let Upstream { status, version, mut headers, body, passing } = upstream;
    let switches = status == StatusCode::SWITCHING_PROTOCOLS;
    let upgrade = if switches { headers.get(header::UPGRADE).cloned() } else { None };
    // Trailers are passed on, so what announces them is too.
    let is_open = body.size_hint().exact().is_none();
    let trailers = if is_open { headers.get(header::TRAILER).cloned() } else { None };
    strip_hop_by_hop(&mut headers);
    if let Some(trailers) = trailers {
        headers.insert(header::TRAILER, trailers);
    }
    if switches {
        if let Some(upgrade) = upgrade {
            headers.insert(header::UPGRADE, upgrade);
        }
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    } else {
        if let Some(passing) = passing {
            x.headers.remove(header::SERVER);
            passing.pass(status, &mut headers, x);
        }
        // As most often: there is nothing to add to.
        if x.headers.keys().all(|name| name == header::SERVER)
            && let header::Entry::Vacant(none) = headers.entry(header::VIA)
        {
            none.insert(via(version));
            keep_headers(mem::replace(&mut x.headers, headers));
            return Response { status, body };
        }
        x.headers.remove(header::SERVER);
        x.headers.append(header::VIA, via(version));
    }
    let mut last = None;
    for (name, value) in headers.drain() {
        last = name.or(last);
        if let Some(name) = &last {
            x.headers.append(name, value);
        }
    }
    keep_headers(headers);
    Response { status, body }
}
/// Reads up to `limit` bytes of a body before any of it is passed on; all of it if `limit` is negative.
///
/// # Errors
/// The body breaks off.
pub(super) async fn buffer(body: Body, limit: i64) -> Result<Body, Box<HttpError>> {
    use http_body_util::BodyExt;
    if matches!(body, Body::Empty | Body::Bytes(_) | Body::Upgrade(_) | Body::Abort) {
        return Ok(body);
    }
    let failed = |error: BoxError| {
        HttpError::behind(&*error)
            .unwrap_or_else(|| HttpError::new(StatusCode::BAD_GATEWAY, error.to_string()))
    };
    let data = |read: bytes::BytesMut| (!read.is_empty()).then(|| Frame::data(read.freeze()));
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let (mut body, mut read) = (body, bytes::BytesMut::new());
    while read.len() < limit {
        let Some(frame) = body.frame().await.transpose().map_err(failed)? else {
            return Ok(Body::Bytes(read.freeze()));
        };
        match frame.into_data() {
            Ok(data) => read.extend_from_slice(&data),
            // With trailers a body is not one piece any more.
            Err(trailers) => {
                return Ok(body.behind([data(read), Some(trailers)]));
            }
        }
    }
    Ok(body.behind([data(read), None]))
}
/// Decodes frame by frame.
struct Gunzip {
    encoded: Body,
    /// Until its last bytes are out.
    decoder: Option<GzDecoder<Vec<u8>>>,
    trailers: Option<Frame<Bytes>>,
}
impl HttpBody for Gunzip {
    type Data = Bytes;
    type Error = BoxError;
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        while let Some(decoder) = &mut this.decoder {
            let frame = ready!(Pin::new(&mut this.encoded).poll_frame(cx)).transpose()?;
            let decoded = match frame.map(Frame::into_data) {
                Some(Ok(data)) => {
                    decoder.write_all(&data)?;
                    decoder.flush()?;
                    mem::take(decoder.get_mut())
                }
                end => {
                    this.trailers = end.and_then(Result::err);
                    this.decoder.take().map(GzDecoder::finish).transpose()?.unwrap_or_default()
                }
            };
            if !decoded.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(decoded.into()))));
            }
        }
        Poll::Ready(this.trailers.take().map(Ok))
    }
}
