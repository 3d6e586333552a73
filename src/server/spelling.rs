//! Names of header fields in responses of HTTP/1, in Go's spelling: `X-Frame-Options`.
//!
//! Hyper can do it, at three times the cost: it is the largest part of what a small answer costs there.

use crate::net::capitalize;

/// What the next byte that is written belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Place {
    /// No head: nothing is to be spelt.
    #[default]
    Body,
    /// The status line.
    Status,
    /// The beginning of a field, or of the empty line that ends the head.
    Field { first: bool },
    /// A field's name; whether its next letter is a capital.
    Name { capital: bool },
    /// A field's value.
    Value,
    /// The empty line, behind its carriage return.
    End { first: bool },
}
/// Spells what stands in `bytes`, the first of which belongs to `place`; gives the place of the one behind the last.
pub(super) fn spell(mut place: Place, bytes: &mut [u8]) -> Place {
    let mut rest = bytes;
    while !rest.is_empty() && place != Place::Body {
        let length;
        (place, length) = match place {
            Place::Body => (place, rest.len()),
            Place::Status | Place::Value => match memchr::memchr(b'\n', rest) {
                Some(at) => (Place::Field { first: place == Place::Status }, at + 1),
                None => (place, rest.len()),
            },
            Place::Field { first } if rest[0] == b'\r' => (Place::End { first }, 1),
            Place::Field { .. } => (Place::Name { capital: true }, 0),
            Place::Name { capital } => name(capital, rest),
            // A head without any field is an interim one, `100 Continue`: the final one follows.
            Place::End { first } => (if first { Place::Status } else { Place::Body }, 1),
        };
        rest = &mut rest[length..];
    }
    place
}
fn name(capital: bool, bytes: &mut [u8]) -> (Place, usize) {
    let colon = memchr::memchr(b':', bytes);
    let length = colon.unwrap_or(bytes.len());
    let name = &mut bytes[..length];
    capitalize(name, capital);
    match colon {
        Some(at) => (Place::Value, at + 1),
        None => (Place::Name { capital: name.last().map_or(capital, |last| *last == b'-') }, name.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADS: &str = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 a-b: c\r\nx-frame-options: a-b: c\r\netag: \"x\"\r\n-x--y:\r\n\r\nbody-x: y\r\n\r\n";
    const SPELT: &str = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 a-b: c\r\nX-Frame-Options: a-b: c\r\nEtag: \"x\"\r\n-X--Y:\r\n\r\nbody-x: y\r\n\r\n";

    #[test]
    fn names_are_spelt_and_nothing_else() {
        let mut bytes = HEADS.as_bytes().to_vec();
        assert_eq!(spell(Place::Status, &mut bytes), Place::Body);
        assert_eq!(String::from_utf8(bytes).unwrap(), SPELT);
        let mut bytes = HEADS.as_bytes().to_vec();
        assert_eq!(spell(Place::Body, &mut bytes), Place::Body);
        assert_eq!(bytes, HEADS.as_bytes());
    }
    #[test]
    fn it_does_not_matter_where_writes_are_cut() {
        for at in 0..HEADS.len() {
            let mut bytes = HEADS.as_bytes().to_vec();
            let (first, second) = bytes.split_at_mut(at);
            let place = spell(Place::Status, first);
            // As after a write that took less than it was given.
            assert_eq!(spell(Place::Status, first), place, "{at}");
            spell(place, second);
            assert_eq!(String::from_utf8(bytes).unwrap(), SPELT, "{at}");
        }
    }
}
