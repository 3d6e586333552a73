//! A body, encoded as it comes.
use super::coding::{Coding, Encoder};
use crate::http::{Body, BoxError};
use bytes::{Buf, Bytes};
use http_body::{Body as HttpBody, Frame};
use std::{
    mem,
    pin::Pin,
    task::{Context, Poll},
};

/// What is in memory and no longer is encoded at once.
const AT_ONCE: usize = 64 * 1024;
/// Go says how long a response is if it is no longer than this and is there before the first byte of it leaves.
const KNOWN_LENGTH: usize = 2048;
/// So much is encoded before the worker does something else.
const CHUNK: usize = 32 * 1024;
/// So much is worth a frame.
const FRAME: usize = 16 * 1024;

pub(super) fn encode(coding: &Coding, body: Body) -> Body {
    match &body {
        Body::Empty => return body,
        Body::Bytes(plain) if plain.is_empty() => return body,
        Body::Bytes(plain) if plain.len() <= AT_ONCE => {
            let mut encoder = coding.encoder();
            if let Ok(encoded) = whole(&mut encoder, plain) {
                return match encoded.len() {
                    ..=KNOWN_LENGTH => Body::Bytes(encoded),
                    _ => Body::boxed(Encoded { encoded, ..Encoded::new(Body::Empty, None) }),
                };
            }
        }
        _ => {}
    }
    Body::boxed(Encoded::new(body, Some(coding.encoder())))
}
fn whole(encoder: &mut Encoder, plain: &[u8]) -> std::io::Result<Bytes> {
    encoder.write(plain)?;
    encoder.finish()?;
    Ok(encoder.take().into())
}

struct Encoded {
    plain: Body,
    /// Of a frame, what is not encoded yet.
    rest: Bytes,
    /// Until its last bytes are out; only then come the trailers.
    encoder: Option<Encoder>,
    /// Whether something has been written since the last flush.
    unflushed: bool,
    /// Ready to go.
    encoded: Bytes,
    trailers: Option<Frame<Bytes>>,
}
impl Encoded {
    fn new(plain: Body, encoder: Option<Encoder>) -> Self {
        Self { plain, rest: Bytes::new(), encoder, unflushed: false, encoded: Bytes::new(), trailers: None }
    }
}
impl HttpBody for Encoded {
    type Data = Bytes;
    type Error = BoxError;

    /// Where there is nothing to read for now, what was read is flushed: events of a stream arrive at once.
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        while let Some(encoder) = &mut this.encoder {
            if !this.rest.is_empty() {
                let chunk = this.rest.len().min(CHUNK);
                encoder.write(this.rest.get(..chunk).unwrap_or_default())?;
                this.rest.advance(chunk);
                this.unflushed = true;
                if encoder.len() >= FRAME {
                    return Poll::Ready(Some(Ok(Frame::data(encoder.take().into()))));
                }
                continue;
            }
            match Pin::new(&mut this.plain).poll_frame(cx)? {
                Poll::Pending => {
                    if mem::take(&mut this.unflushed) {
                        encoder.flush()?;
                    }
                    if encoder.len() == 0 {
                        return Poll::Pending;
                    }
                    return Poll::Ready(Some(Ok(Frame::data(encoder.take().into()))));
                }
                Poll::Ready(frame) => match frame.map(Frame::into_data) {
                    Some(Ok(data)) => this.rest = data,
                    end => {
                        encoder.finish()?;
                        this.encoded = encoder.take().into();
                        this.trailers = end.and_then(Result::err);
                        this.encoder = None;
                    }
                },
            }
        }
        if !this.encoded.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(mem::take(&mut this.encoded)))));
        }
        Poll::Ready(this.trailers.take().map(Ok))
    }
    fn is_end_stream(&self) -> bool {
        self.encoder.is_none() && self.encoded.is_empty() && self.trailers.is_none()
    }
}
