//! What an application says: the head that it writes as CGI has it, and its body.
use super::{
    LOGGER,
    record::{self, Record},
    upload::Stdin,
};
use crate::http::{BoxError, wire::Stream};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use std::{
    any::Any,
    io::{self, ErrorKind},
    pin::Pin,
    task::{Context, Poll, ready},
};

/// Of a head, in bytes.
const LONGEST_HEAD: usize = 10 << 20;
/// What is kept of `stderr` of one request, in bytes.
const LONGEST_COMPLAINT: usize = 64 << 10;

/// A request that is being answered: still sent, too, as long as the application listens.
pub(super) struct Answering {
    stream: Stream,
    upload: Option<Stdin>,
    /// Read, but not yet a whole record.
    buffer: BytesMut,
    ended: bool,
    complaints: Complaints,
}
/// What the script has written to `stderr`, for the log.
struct Complaints {
    kept: Option<Vec<u8>>,
    status: StatusCode,
}
impl Answering {
    pub(super) fn new(stream: Stream, upload: Stdin, capture_stderr: bool) -> Self {
        let complaints = Complaints { kept: capture_stderr.then(Vec::new), status: StatusCode::OK };
        Self { stream, upload: Some(upload), buffer: BytesMut::new(), ended: false, complaints }
    }
    /// The next part of `stdout`; `None` at its end.
    fn poll_stdout(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, BoxError>> {
        if let Some(upload) = &mut self.upload {
            match upload.poll(&mut self.stream, cx) {
                Poll::Pending => {}
                Poll::Ready(Ok(())) => self.upload = None,
                // It has heard enough; whether there is an answer is to be seen.
                Poll::Ready(Err(error)) if error.is::<io::Error>() => self.upload = None,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            }
        }
        loop {
            while !self.ended
                && let Some(record) = record::take(&mut self.buffer)?
            {
                match record {
                    Record::Stdout(data) if !data.is_empty() => return Poll::Ready(Ok(Some(data))),
                    Record::Stderr(text) => self.complaints.add(&text),
                    Record::End => self.ended = true,
                    _ => {}
                }
            }
            if self.ended {
                return Poll::Ready(Ok(None));
            }
            let read = ready!(self.stream.poll_fill(cx))?;
            if read.is_empty() {
                return Poll::Ready(Err(io::Error::new(ErrorKind::UnexpectedEof, "unexpected EOF").into()));
            }
            self.buffer.extend_from_slice(&read);
        }
    }
    /// The head; what of the body came with it stays in `said`.
    ///
    /// # Errors
    /// There is none, or it is not to be understood.
    pub(super) fn poll_head(
        &mut self,
        said: &mut BytesMut,
        cx: &mut Context<'_>,
    ) -> Poll<Result<CgiHead, BoxError>> {
        loop {
            if let Some((head, length)) = head_in(said)? {
                let body = said.split_off(length);
                *said = body;
                self.complaints.status = head.0;
                return Poll::Ready(Ok(head));
            }
            if said.len() > LONGEST_HEAD {
                return Poll::Ready(Err("response header too long".into()));
            }
            match ready!(self.poll_stdout(cx))? {
                Some(data) => said.extend_from_slice(&data),
                None => return Poll::Ready(Err("unexpected EOF".into())),
            }
        }
    }
    /// Reads on as far as that does not wait; true if that is to the end.
    ///
    /// # Errors
    /// The answer breaks off.
    pub(super) fn rest(&mut self, said: &mut BytesMut) -> Result<bool, BoxError> {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        loop {
            match self.poll_stdout(&mut cx) {
                Poll::Ready(Ok(Some(data))) => said.extend_from_slice(&data),
                Poll::Ready(Ok(None)) => return Ok(true),
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => return Ok(false),
            }
            // Long ones are better passed on in parts.
            if said.len() > record::LONGEST {
                return Ok(false);
            }
        }
    }
}
impl Complaints {
    fn add(&mut self, text: &[u8]) {
        if let Some(kept) = &mut self.kept {
            let room = LONGEST_COMPLAINT.saturating_sub(kept.len()).min(text.len());
            kept.extend_from_slice(&text[..room]);
        }
    }
}
impl Drop for Complaints {
    fn drop(&mut self) {
        let Some(kept) = self.kept.take().filter(|kept| !kept.is_empty()) else { return };
        let body = String::from_utf8_lossy(&kept);
        if self.status.as_u16() >= 400 {
            tracing::error!(target: LOGGER, body = &*body, "stderr");
        } else {
            tracing::warn!(target: LOGGER, body = &*body, "stderr");
        }
    }
}

/// A status and fields, as CGI has them.
type CgiHead = (StatusCode, HeaderMap);

/// The head at the beginning of what was said, and how long it is; `None` as long as it is not complete.
fn head_in(said: &[u8]) -> Result<Option<(CgiHead, usize)>, BoxError> {
    let mut headers = HeaderMap::new();
    let mut at = 0;
    while let Some(end) = memchr::memchr(b'\n', &said[at..]) {
        let line = &said[at..at + end];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        at += end + 1;
        if line.is_empty() {
            let status = status(&headers)?;
            return Ok(Some(((status, headers), at)));
        }
        let malformed = || format!("malformed MIME header: {:?}", String::from_utf8_lossy(line));
        let colon = memchr::memchr(b':', line).ok_or_else(malformed)?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        let name = HeaderName::from_bytes(name).map_err(|_| malformed())?;
        headers.append(name, HeaderValue::from_bytes(value).map_err(|_| malformed())?);
    }
    Ok(None)
}
fn status(headers: &HeaderMap) -> Result<StatusCode, BoxError> {
    let Some(said) = headers.get("status") else { return Ok(StatusCode::OK) };
    let code = said.as_bytes().split(|&byte| byte == b' ').next().unwrap_or_default();
    StatusCode::from_bytes(code).map_err(|_| format!("malformed status: {said:?}").into())
}

/// The body, as the application says it.
pub(super) struct Said {
    /// What came with the head.
    pub(super) first: Bytes,
    pub(super) answering: Answering,
    /// Bytes that its `Content-Length` promises.
    pub(super) left: Option<u64>,
    /// Dropped when the body is.
    pub(super) _held: Box<dyn Any + Send>,
}
impl Said {
    pub(super) fn length_of(headers: &HeaderMap) -> Option<u64> {
        headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
    }
    fn count(&mut self, data: &Bytes) -> Result<(), BoxError> {
        if let Some(left) = &mut self.left {
            *left =
                left.checked_sub(data.len() as u64).ok_or("response body longer than its Content-Length")?;
        }
        Ok(())
    }
}
impl Body for Said {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let data = if this.first.is_empty() {
            ready!(this.answering.poll_stdout(cx))?
        } else {
            Some(std::mem::take(&mut this.first))
        };
        match data {
            Some(data) => {
                this.count(&data)?;
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
            None if this.left.is_some_and(|left| left > 0) => {
                Poll::Ready(Some(Err("response body shorter than its Content-Length".into())))
            }
            None => Poll::Ready(None),
        }
    }
    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_those_of_cgi() {
        let read = |text: &str| {
            head_in(text.as_bytes())
                .map(|head| head.map(|((status, headers), length)| (status.as_u16(), headers.len(), length)))
                .map_err(|error| error.to_string())
        };
        assert_eq!(read("A: b\r\n\r\nbody"), Ok(Some((200, 1, 8))));
        assert_eq!(read("Status: 404 Not Found\nA:b\n\nbody"), Ok(Some((404, 2, 27))));
        assert_eq!(read("Status: 302\r\n\r\n"), Ok(Some((302, 1, 15))));
        assert_eq!(read("A: b\r\n"), Ok(None));
        assert_eq!(read("\r\nbody"), Ok(Some((200, 0, 2))));
        assert!(read("nonsense\r\n\r\n").is_err());
        assert!(read("A b: c\r\n\r\n").is_err());
        assert!(read("Status: never\r\n\r\n").is_err());
    }
}
