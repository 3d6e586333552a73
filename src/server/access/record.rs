//! What is kept of a request for the logs, in one buffer: copying it there is cheaper than holding on to the request.
use crate::{http::Exchange, logging::Object, logging::write_headers, net::capitalize};
use http::{HeaderMap, header};
use std::{cell::RefCell, mem};

/// Texts one behind another: of the request as the client sent it (handlers change requests, so this is taken before
/// they see it), and of the response, once that is known.
#[derive(Debug)]
pub(super) struct Record {
    text: Vec<u8>,
    /// Where each part ends.
    ends: [usize; PARTS],
    parts: usize,
    pub(super) chunked: bool,
}
/// The parts, in the order in which they are added.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Method,
    /// As sent, with port.
    Host,
    Uri,
    RequestFields,
    ResponseFields,
    /// Of who has logged in.
    User,
    /// The request's id, if it was asked for.
    Uuid,
}
const PARTS: usize = 7;

thread_local! {
    /// Memory of records that are done, for those to come.
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}
/// How many buffers a thread keeps, and how large they may be.
const SPARES: usize = 64;
const SPARE_SIZE: usize = 16 << 10;

impl Record {
    pub(super) fn of(x: &Exchange) -> Self {
        let text = SPARE.with_borrow_mut(Vec::pop).unwrap_or_default();
        let headers = &x.request.headers;
        let chunked = headers.contains_key(header::TRANSFER_ENCODING);
        let mut record = Self { text, ends: [0; PARTS], parts: 0, chunked };
        record.add(x.original_method().as_str().as_bytes());
        record.add(x.hostport().as_bytes());
        record.add(x.original_target().as_bytes());
        // Go keeps these apart from the others.
        let apart = [header::HOST, header::TRANSFER_ENCODING];
        record.add_fields(headers, |name| !apart.contains(name));
        record
    }
    /// The next part.
    pub(super) fn add(&mut self, part: &[u8]) {
        self.text.extend_from_slice(part);
        self.end_part();
    }
    /// The next part: for each field its name in Go's spelling and its value, each behind its length.
    pub(super) fn add_fields(&mut self, headers: &HeaderMap, wanted: impl Fn(&header::HeaderName) -> bool) {
        let length = |part: usize| u32::try_from(part).unwrap_or(0).to_ne_bytes();
        for (name, value) in headers.iter().filter(|(name, _)| wanted(name)) {
            let (name, value) = (name.as_str(), value.as_bytes());
            self.text.extend_from_slice(&length(name.len()));
            let start = self.text.len();
            self.text.extend_from_slice(name.as_bytes());
            capitalize(&mut self.text[start..], true);
            self.text.extend_from_slice(&length(value.len()));
            self.text.extend_from_slice(value);
        }
        self.end_part();
    }
    fn end_part(&mut self) {
        if let Some(end) = self.ends.get_mut(self.parts) {
            *end = self.text.len();
            self.parts += 1;
        }
    }
    /// Empty as long as it was not added.
    pub(super) fn part(&self, part: Part) -> &[u8] {
        let part = part as usize;
        let start = part.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |start| *start);
        let end = self.ends.get(part).map_or(0, |end| *end);
        self.text.get(start..end).unwrap_or_default()
    }
    /// The same of one that is text for sure.
    pub(super) fn text(&self, part: Part) -> &str {
        str::from_utf8(self.part(part)).unwrap_or_default()
    }
    pub(super) fn write_fields(&self, part: Part, credentials: bool, into: &mut Object<'_>) {
        let mut rest = self.part(part);
        let mut next = move || {
            let (length, behind) = rest.split_first_chunk()?;
            let (part, behind) = behind.split_at_checked(u32::from_ne_bytes(*length) as usize)?;
            rest = behind;
            Some(part)
        };
        let fields = std::iter::from_fn(move || {
            let name = next()?;
            Some((str::from_utf8(name).ok()?, next()?))
        });
        write_headers(fields, credentials, into);
    }
}
impl Drop for Record {
    fn drop(&mut self) {
        let mut text = mem::take(&mut self.text);
        if text.capacity() > SPARE_SIZE {
            return;
        }
        text.clear();
        // A thread that ends keeps nothing.
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < SPARES {
                spare.push(text);
            }
        });
    }
}
