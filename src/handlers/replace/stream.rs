//! Replaces in bytes that come piece by piece.
use crate::http::{Body, BoxError};
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};
use memchr::memmem::Finder;
use regex::bytes::Regex;
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// Of what may still become a match of a regular expression, in bytes: the plugin's.
const LONGEST_MATCH: usize = 2048;

/// One replacement: what to look for, and what to put in its place.
#[derive(Debug)]
pub(super) enum Stage {
    Text(Box<Finder<'static>>, String),
    Regex(Regex, String),
}
impl Stage {
    /// What can be said of `held` for good; what cannot stays in it. At the `end` nothing stays.
    fn pass(&self, held: &mut Vec<u8>, end: bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(held.len());
        let (mut done, keep) = match self {
            Self::Text(search, replace) => {
                (text(search, replace.as_bytes(), held, &mut out), search.needle().len().saturating_sub(1))
            }
            Self::Regex(search, replace) => {
                (regex(search, replace.as_bytes(), held, end, &mut out), LONGEST_MATCH)
            }
        };
        let keep = if end { 0 } else { keep };
        let rest = held.get(done..).unwrap_or_default();
        let passed = rest.len().saturating_sub(keep);
        out.extend_from_slice(rest.get(..passed).unwrap_or_default());
        done += passed;
        held.drain(..done);
        out
    }
}
/// Up to where nothing more is found.
fn text(search: &Finder<'_>, replace: &[u8], held: &[u8], out: &mut Vec<u8>) -> usize {
    let mut done = 0;
    for at in search.find_iter(held) {
        out.extend_from_slice(held.get(done..at).unwrap_or_default());
        out.extend_from_slice(replace);
        done = at + search.needle().len();
    }
    done
}
/// The same; a match that more bytes could make longer waits for them.
fn regex(search: &Regex, replace: &[u8], held: &[u8], end: bool, out: &mut Vec<u8>) -> usize {
    let mut done = 0;
    for found in search.captures_iter(held) {
        let Some(whole) = found.get(0) else { continue };
        out.extend_from_slice(held.get(done..whole.start()).unwrap_or_default());
        done = whole.start();
        if whole.end() == held.len() && !end {
            break;
        }
        found.expand(replace, out);
        done = whole.end();
    }
    done
}
/// A body as a whole.
pub(super) fn replaced(stages: &[Stage], body: Vec<u8>) -> Vec<u8> {
    stages.iter().fold(body, |mut body, stage| stage.pass(&mut body, true))
}

/// A body whose bytes pass on as they come.
pub(super) struct Replaced {
    body: Body,
    stages: Arc<[Stage]>,
    /// What each stage waits with.
    held: Vec<Vec<u8>>,
    /// The body has said all.
    ended: bool,
    trailers: Option<Frame<Bytes>>,
}
impl Replaced {
    pub(super) fn new(body: Body, stages: Arc<[Stage]>) -> Self {
        let held = stages.iter().map(|_| vec![]).collect();
        Self { body, stages, held, ended: false, trailers: None }
    }
    fn pass(&mut self, data: &[u8]) -> Bytes {
        let mut passing = data.to_vec();
        for (stage, held) in self.stages.iter().zip(&mut self.held) {
            held.append(&mut passing);
            passing = stage.pass(held, self.ended);
        }
        passing.into()
    }
}
impl HttpBody for Replaced {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        while !self.ended {
            let frame = ready!(Pin::new(&mut self.body).poll_frame(cx)?);
            let out = match frame.map(Frame::into_data) {
                Some(Ok(data)) => self.pass(&data),
                end => {
                    self.ended = true;
                    self.trailers = end.and_then(Result::err);
                    self.pass(&[])
                }
            };
            if !out.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(out))));
            }
        }
        Poll::Ready(self.trailers.take().map(Ok))
    }
    fn is_end_stream(&self) -> bool {
        self.ended && self.trailers.is_none()
    }
}
