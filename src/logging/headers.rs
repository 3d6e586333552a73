//! Header fields as the logs show them.
use super::Object;
use smallvec::SmallVec;

/// What would give someone away is shown as this, unless credentials are asked for.
const REDACTED: &[u8] = b"REDACTED";

/// Writes fields, named in Go's spelling, as arrays of values; those of one name have to stand together.
pub fn write_headers<'h>(
    fields: impl Iterator<Item = (&'h str, &'h [u8])>,
    credentials: bool,
    into: &mut Object<'_>,
) {
    let mut fields = fields.peekable();
    while let Some((name, first)) = fields.next() {
        let mut values = SmallVec::<[&[u8]; 4]>::from_slice(&[first]);
        while let Some((_, value)) = fields.next_if(|(next, _)| *next == name) {
            values.push(value);
        }
        if !credentials && is_credential(name) {
            values = SmallVec::from_slice(&[REDACTED]);
        }
        into.texts(name, values.into_iter());
    }
}
/// As the Fetch standard has it.
fn is_credential(name: &str) -> bool {
    matches!(name, "Cookie" | "Set-Cookie" | "Authorization" | "Proxy-Authorization")
}
