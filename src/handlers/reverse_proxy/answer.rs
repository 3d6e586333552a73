//! What an upstream answers over HTTP/1.1, up to the end of the head.
use super::forward::{Failure, Unanswered};
use crate::http::{
    spare_headers,
    wire::{Head, HeadError, Stream, Upload, UploadError, parse},
};
use bytes::{Bytes, BytesMut};
use http::StatusCode;
use std::{
    future::poll_fn,
    io::{self, ErrorKind},
    mem,
    task::{Context, Poll, ready},
};

/// Sends and listens at once: an upstream may answer before it has heard everything.
pub(super) struct Answering {
    is_head: bool,
    longest: usize,
    read: Read,
    /// Nothing more can be sent; there may be an answer all the same.
    unwritable: Option<io::Error>,
}
/// What there is of a head.
enum Read {
    Nothing,
    /// Most heads come in one piece; or it is what was behind an interim response.
    Whole(Bytes),
    /// It comes in parts. Parsed again when its end has come, or when it has doubled, so that all of it is read a few
    /// times at the most, and rubbish is found to be such before it ends.
    Parts {
        read: BytesMut,
        parsed: usize,
    },
}
/// A response.
pub(super) enum Said {
    Final(Head, Bytes),
    /// There is another one to come.
    Interim(Head),
}
impl Answering {
    /// `is_head`: the request is a `HEAD`. `longest`: of a head, in bytes.
    pub(super) fn new(is_head: bool, longest: usize) -> Self {
        Self { is_head, longest, read: Read::Nothing, unwritable: None }
    }
    /// Waits for the next response, and sends in the meantime.
    pub(super) async fn next(
        &mut self,
        stream: &mut Stream,
        upload: &mut Upload,
    ) -> Result<Said, Unanswered> {
        poll_fn(|cx| self.poll(stream, upload, cx)).await
    }
    fn poll(
        &mut self,
        stream: &mut Stream,
        upload: &mut Upload,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Said, Unanswered>> {
        if self.unwritable.is_none() && !upload.is_done() {
            match upload.poll(stream, cx) {
                Poll::Ready(Err(UploadError::Body(error))) => {
                    return Poll::Ready(Err(Failure::Body(error).into()));
                }
                Poll::Ready(Err(UploadError::Write(error))) => self.unwritable = Some(error),
                Poll::Ready(Ok(())) | Poll::Pending => {}
            }
        }
        loop {
            match self.head() {
                Ok(Some(said)) => return Poll::Ready(Ok(said)),
                Ok(None) => {}
                Err(HeadError(why)) => return Poll::Ready(Err(Failure::Broken(why.into()).into())),
            }
            let read = match ready!(stream.poll_fill(cx)) {
                Ok(read) => read,
                Err(error) => return Poll::Ready(Err(self.ended(Some(error)))),
            };
            if read.is_empty() {
                return Poll::Ready(Err(self.ended(None)));
            }
            self.read.append(read);
        }
    }
    /// A head, if one is there.
    fn head(&mut self) -> Result<Option<Said>, HeadError> {
        let Some(text) = self.read.worth_parsing(self.longest) else { return Ok(None) };
        match parse(&text, self.is_head, self.longest, spare_headers())? {
            None => {
                self.read = Read::parts(text);
                Ok(None)
            }
            Some((head, rest)) if is_interim(head.status) => {
                self.read = if rest.is_empty() { Read::Nothing } else { Read::Whole(rest) };
                Ok(Some(Said::Interim(head)))
            }
            Some((head, rest)) => Ok(Some(Said::Final(head, rest))),
        }
    }
    fn ended(&mut self, error: Option<io::Error>) -> Unanswered {
        if error.as_ref().is_some_and(|error| error.kind() == ErrorKind::TimedOut) {
            return Failure::Timeout("i/o timeout".into()).into();
        }
        if let Read::Nothing = self.read {
            return Unanswered::Gone;
        }
        Failure::Broken(
            self.unwritable.take().or(error).map_or("unexpected EOF".into(), |error| error.to_string()),
        )
        .into()
    }
}
fn is_interim(status: StatusCode) -> bool {
    status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS
}
impl Read {
    fn parts(text: Bytes) -> Self {
        let parsed = text.len();
        Self::Parts { read: text.try_into_mut().unwrap_or_else(|text| BytesMut::from(&text[..])), parsed }
    }
    fn append(&mut self, more: Bytes) {
        match self {
            Self::Nothing => *self = Self::Whole(more),
            Self::Whole(_) => {
                if let Self::Whole(text) = mem::replace(self, Self::Nothing) {
                    *self = Self::parts(text);
                    self.append(more);
                }
            }
            Self::Parts { read, .. } => read.extend_from_slice(&more),
        }
    }
    /// What has been read, if another look at it may tell more.
    fn worth_parsing(&mut self, longest: usize) -> Option<Bytes> {
        const END: &[u8] = b"\r\n\r\n";
        match self {
            Self::Nothing => None,
            Self::Whole(text) => Some(mem::take(text)),
            Self::Parts { read, parsed } => {
                let unseen = parsed.saturating_sub(END.len() - 1);
                let has_end = || memchr::memmem::find(&read[unseen..], END).is_some();
                let worth =
                    read.len() > *parsed && (read.len() >= 2 * *parsed || read.len() >= longest || has_end());
                worth.then(|| read.split().freeze())
            }
        }
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    /// What is parsed of a head that comes in such parts.
    fn parsed(parts: &[&'static str]) -> Vec<usize> {
        let mut read = Read::Nothing;
        let mut parsed = vec![];
        for part in parts {
            read.append(Bytes::from_static(part.as_bytes()));
            if let Some(text) = read.worth_parsing(1000) {
                parsed.push(text.len());
                read = Read::parts(text);
            }
        }
        parsed
    }
    #[test]
    fn a_head_is_parsed_when_it_may_be_complete() {
        assert_eq!(parsed(&["HTTP/1.1 200 OK\r\n\r\n"]), [19]);
        assert_eq!(parsed(&["HTTP/1.1 200 OK\r\n", "A: b\r\n", "C: d\r\n", "\r\n"]), [17, 31]);
        assert_eq!(parsed(&["HTTP/1.1 200 OK\r\n\r", "\n"]), [18, 19], "an end that is cut");
        assert_eq!(parsed(&["H", "T", "T", "P", "/", "1", ".", "1"]), [1, 2, 4, 8], "when it has doubled");
        assert_eq!(parsed(&["HTTP/1.1 200 OK\r\n", "A"]), [17]);
    }
}
