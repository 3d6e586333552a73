//! Records: what a FastCGI connection is made of (FastCGI specification 1.0, sections 3.3 and 8).
use bytes::{Buf, BufMut, Bytes, BytesMut};
use std::io::{self, ErrorKind};

const VERSION: u8 = 1;
const HEADER: usize = 8;
/// The only request of a connection.
const REQUEST: u16 = 1;
const RESPONDER: u16 = 1;
/// Content that a record holds at the most.
pub(super) const LONGEST: usize = 0xffff;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    BeginRequest = 1,
    EndRequest = 3,
    Params = 4,
    Stdin = 5,
    Stdout = 6,
    Stderr = 7,
}
/// One record that an application has sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Record {
    Stdout(Bytes),
    Stderr(Bytes),
    End,
    /// Another kind, which concerns nobody.
    Other,
}
/// The beginning of a request: who is to answer, and all parameters.
pub(super) fn begin<'a>(params: impl Iterator<Item = (&'a str, &'a [u8])>) -> Bytes {
    let mut out = BytesMut::with_capacity(4096);
    head(&mut out, Kind::BeginRequest, 8);
    out.put_u16(RESPONDER);
    // The connection is closed behind the answer.
    out.put_bytes(0, 6);
    let mut pairs = BytesMut::with_capacity(4096);
    for (name, value) in params {
        length(&mut pairs, name.len());
        length(&mut pairs, value.len());
        pairs.put_slice(name.as_bytes());
        pairs.put_slice(value);
    }
    for part in pairs.chunks(LONGEST) {
        head(&mut out, Kind::Params, part.len());
        out.put_slice(part);
    }
    head(&mut out, Kind::Params, 0);
    out.freeze()
}
/// The header of a record with that much content, which is at the most [`LONGEST`].
pub(super) fn header(kind: Kind, length: usize) -> Bytes {
    let mut out = BytesMut::with_capacity(HEADER);
    head(&mut out, kind, length);
    out.freeze()
}
fn head(out: &mut BytesMut, kind: Kind, length: usize) {
    out.put_u8(VERSION);
    out.put_u8(kind as u8);
    out.put_u16(REQUEST);
    out.put_u16(u16::try_from(length).unwrap_or(u16::MAX));
    // Neither padding nor what is reserved.
    out.put_u16(0);
}
/// Of a name or a value: one byte, or four with the highest bit set.
fn length(out: &mut BytesMut, length: usize) {
    match u8::try_from(length) {
        Ok(short @ ..=0x7f) => out.put_u8(short),
        _ => out.put_u32(u32::try_from(length).unwrap_or(u32::MAX) | 1 << 31),
    }
}
/// Takes the first record out of `buffer`; `None` as long as it is not complete.
///
/// # Errors
/// It is of another protocol.
pub(super) fn take(buffer: &mut BytesMut) -> io::Result<Option<Record>> {
    let Some(header) = buffer.first_chunk::<HEADER>() else { return Ok(None) };
    let [version, kind, _, _, high, low, padding, _] = *header;
    if version != VERSION {
        return Err(io::Error::new(ErrorKind::InvalidData, "fcgi: invalid header version"));
    }
    let length = usize::from(u16::from_be_bytes([high, low]));
    let whole = HEADER + length + usize::from(padding);
    if buffer.len() < whole {
        buffer.reserve(whole - buffer.len());
        return Ok(None);
    }
    let mut record = buffer.split_to(whole).freeze();
    record.advance(HEADER);
    record.truncate(length);
    Ok(Some(match kind {
        kind if kind == Kind::Stdout as u8 => Record::Stdout(record),
        kind if kind == Kind::Stderr as u8 => Record::Stderr(record),
        kind if kind == Kind::EndRequest as u8 => Record::End,
        _ => Record::Other,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_follow_the_beginning() {
        let long = "x".repeat(200);
        let begun = begin([("A", &b"1"[..]), ("LONG", long.as_bytes())].into_iter());
        assert_eq!(&begun[..16], [1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        let params = 2 + 2 + 1 + 4 + 4 + 200;
        assert_eq!(&begun[16..24], [1, 4, 0, 1, 0, params as u8, 0, 0]);
        assert_eq!(&begun[24..28], [1, 1, b'A', b'1']);
        assert_eq!(&begun[28..33], [4, 0x80, 0, 0, 200]);
        assert_eq!(&begun[begun.len() - 8..], [1, 4, 0, 1, 0, 0, 0, 0]);
    }
    #[test]
    fn many_parameters_take_several_records() {
        let huge = vec![b'v'; 100_000];
        let begun = begin([("H", &huge[..])].into_iter());
        assert_eq!(&begun[16..24], [1, 4, 0, 1, 0xff, 0xff, 0, 0]);
        assert_eq!(begun.len(), 16 + 3 * 8 + 1 + 1 + 4 + huge.len());
    }
    #[test]
    fn records_are_taken_one_by_one_without_their_padding() {
        let mut buffer = BytesMut::new();
        buffer.extend_from_slice(&[1, 6, 0, 1, 0, 2, 3, 0, b'h', b'i', 0, 0, 0, 1, 7, 0, 1, 0, 1]);
        assert_eq!(take(&mut buffer).unwrap(), Some(Record::Stdout("hi".into())));
        assert_eq!(take(&mut buffer).unwrap(), None);
        buffer.extend_from_slice(&[0, 0, b'e', 1, 3, 0, 1, 0, 0, 0, 0, 1, 99, 0, 1, 0, 0, 0, 0]);
        assert_eq!(take(&mut buffer).unwrap(), Some(Record::Stderr("e".into())));
        assert_eq!(take(&mut buffer).unwrap(), Some(Record::End));
        assert_eq!(take(&mut buffer).unwrap(), Some(Record::Other));
        assert_eq!(take(&mut buffer).unwrap(), None);
        buffer.extend_from_slice(b"HTTP/1.1");
        assert!(take(&mut buffer).is_err());
    }
}
