//! Bodies in chunks (RFC 9112, section 7.1).
use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Of a chunk's line with its extensions, and of all trailers together, in bytes.
const LONGEST_LINE: usize = 4 << 10;
const LONGEST_TRAILERS: usize = 64 << 10;

/// Takes chunks apart, wherever the reads were cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunks {
    at: At,
    /// Of the line or the trailers that are being read.
    length: usize,
    trailers: Vec<u8>,
}
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    /// In a chunk's size, of so many digits.
    #[default]
    Size0,
    Size(u64),
    Extension(u64),
    /// Behind the line's carriage return.
    LineEnd(u64),
    Data(u64),
    DataCr,
    DataLf,
    Trailers,
    End,
}
/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    Data(Bytes),
    /// The body has ended; with trailers, if it has any.
    End(Option<HeaderMap>),
    /// More has to be read.
    Nothing,
}
impl Chunks {
    pub fn has_ended(&self) -> bool {
        self.at == At::End
    }
    /// Takes what can be had from the beginning of `buffer`.
    ///
    /// # Errors
    /// It is not what chunks look like.
    pub fn take(&mut self, buffer: &mut Bytes) -> Result<Found, &'static str> {
        while let Some(&byte) = buffer.first() {
            match self.at {
                At::Data(left) => return Ok(Found::Data(self.data(buffer, left))),
                At::End => return Ok(Found::End(None)),
                At::Trailers => return self.trailers(buffer),
                _ => {}
            }
            buffer.advance(1);
            self.length += 1;
            if self.length > LONGEST_LINE {
                return Err("chunk line too long");
            }
            self.at = match (self.at, byte) {
                (At::Size0, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => At::Size(hex(byte)),
                (At::Size(size), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') if size >> 59 == 0 => {
                    At::Size(size << 4 | hex(byte))
                }
                (At::Size(size) | At::Extension(size), b'\r') => At::LineEnd(size),
                (At::Size(size), b';' | b' ' | b'\t') => At::Extension(size),
                (At::Extension(size), b'\t' | b' '..=b'~' | 0x80..) => At::Extension(size),
                (At::LineEnd(0), b'\n') => At::Trailers,
                (At::LineEnd(size), b'\n') => At::Data(size),
                (At::DataCr, b'\r') => At::DataLf,
                (At::DataLf, b'\n') => At::Size0,
                _ => return Err("malformed chunk"),
            };
            if matches!(self.at, At::Data(_) | At::Size0 | At::Trailers) {
                self.length = 0;
            }
        }
        Ok(if self.has_ended() { Found::End(None) } else { Found::Nothing })
    }
    fn data(&mut self, buffer: &mut Bytes, left: u64) -> Bytes {
        let now = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let left = left - now as u64;
        self.at = if left == 0 { At::DataCr } else { At::Data(left) };
        buffer.split_to(now)
    }
    fn trailers(&mut self, buffer: &mut Bytes) -> Result<Found, &'static str> {
        // Most often there are none.
        if self.trailers.is_empty() && buffer.starts_with(b"\r\n") {
            buffer.advance(2);
            self.at = At::End;
            return Ok(Found::End(None));
        }
        while let Some(&byte) = buffer.first() {
            buffer.advance(1);
            self.trailers.push(byte);
            if self.trailers.ends_with(b"\r\n\r\n") || self.trailers == b"\r\n" {
                self.at = At::End;
                return Ok(Found::End(fields(&std::mem::take(&mut self.trailers))?));
            }
            if self.trailers.len() > LONGEST_TRAILERS {
                return Err("trailers too long");
            }
        }
        Ok(Found::Nothing)
    }
}
fn hex(byte: u8) -> u64 {
    u64::from(match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        _ => byte.wrapping_sub(b'A').wrapping_add(10),
    })
}
fn fields(text: &[u8]) -> Result<Option<HeaderMap>, &'static str> {
    let mut parsed = [httparse::EMPTY_HEADER; 64];
    let Ok(httparse::Status::Complete((_, parsed))) = httparse::parse_headers(text, &mut parsed) else {
        return Err("malformed trailers");
    };
    let mut trailers = HeaderMap::new();
    for field in parsed {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| "malformed trailers")?;
        trailers.append(name, HeaderValue::from_bytes(field.value).map_err(|_| "malformed trailers")?);
    }
    Ok((!trailers.is_empty()).then_some(trailers))
}
#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The data and the trailers of a body that comes in parts.
    fn read(parts: &[&[u8]]) -> Result<(Vec<u8>, Option<HeaderMap>, bool), &'static str> {
        let (mut chunks, mut data, mut trailers) = (Chunks::default(), vec![], None);
        for part in parts {
            let mut buffer = Bytes::copy_from_slice(part);
            loop {
                match chunks.take(&mut buffer)? {
                    Found::Data(more) => data.extend_from_slice(&more),
                    Found::End(found) => {
                        trailers = trailers.or(found);
                        break;
                    }
                    Found::Nothing => break,
                }
            }
        }
        Ok((data, trailers, chunks.has_ended()))
    }
    #[test]
    fn chunks_are_joined() {
        for text in [
            "5\r\nhello\r\n0\r\n\r\n",
            "2\r\nhe\r\n003\r\nllo\r\n0\r\n\r\n",
            "5;a=b;c=\"d\"\r\nhello\r\n0;x\r\n\r\n",
            "5 \r\nhello\r\n00\r\n\r\n",
        ] {
            assert_eq!(read(&[text.as_bytes()]), Ok((b"hello".to_vec(), None, true)), "{text:?}");
        }
    }
    #[test]
    fn trailers_follow() {
        let (data, trailers, ended) = read(&[b"1\r\nx\r\n0\r\nA: 1\r\nB: 2\r\n\r\n"]).unwrap();
        let trailers = trailers.unwrap();
        assert_eq!(
            (&data[..], &trailers["a"], &trailers["b"], ended),
            (&b"x"[..], &"1".parse::<HeaderValue>().unwrap(), &"2".parse::<HeaderValue>().unwrap(), true)
        );
    }
    #[test]
    fn what_is_malformed_is_refused() {
        for text in [
            "x\r\n",
            "\r\n",
            "-1\r\n",
            "0x5\r\nhello\r\n",
            "5\nhello\r\n",
            "5\rhello",
            "5\r\nhelloX\r\n",
            "5\r\nhello\n0\r\n",
            "5\r\nhello\r\n\r\n",
            "ffffffffffffffffff\r\n",
            "5;\x01\r\nhello",
            ";\r\n",
            " 5\r\nhello\r\n",
            "0\r\nA b: c\r\n\r\n",
        ] {
            assert!(read(&[text.as_bytes()]).is_err(), "{text:?}");
        }
        let long = format!("5;{}\r\n", "x".repeat(5000));
        assert_eq!(read(&[long.as_bytes()]), Err("chunk line too long"));
        let long = format!("0\r\nA: {}", "x".repeat(70_000));
        assert_eq!(read(&[long.as_bytes()]), Err("trailers too long"));
    }
    #[test]
    fn what_is_cut_has_not_ended() {
        for text in ["5\r\nhel", "5\r\nhello\r\n", "5\r\nhello\r\n0\r\n", "5\r\nhello\r\n0\r\n\r"] {
            assert!(!read(&[text.as_bytes()]).unwrap().2, "{text:?}");
        }
    }
    proptest! {
        /// Wherever the bytes are cut, they say the same.
        #[test]
        fn cuts_do_not_matter(text in "[0-5]{0,2}\r\n[a-z;\r\n]{0,8}|(([1-9])\r\n[a-z]{1,9}\r\n){0,3}0\r\n(A: b\r\n)?\r\n", at in 0_usize..40) {
            let bytes = text.as_bytes();
            let at = at.min(bytes.len());
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            let whole = read(&[bytes]);
            // An error may come later when the bytes do, but it comes.
            prop_assert_eq!(&read(&[&bytes[..at], &bytes[at..]]), &whole);
            prop_assert_eq!(&read(&single), &whole);
        }
        #[test]
        fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&[&bytes]);
        }
    }
}
