//! Header field names as Go spells them (`CanonicalMIMEHeaderKey`): `x-frame-options` is `X-Frame-Options`. Logs show them
//! so, and so they leave over HTTP/1.

/// Appends the canonical spelling of `name`, which is the name of a header field: tokens only.
pub fn write_canonical(name: &str, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(name.as_bytes());
    make_canonical(&mut out[start..]);
}
/// The same as a text of its own.
pub fn canonical(name: &str) -> String {
    let mut out = Vec::with_capacity(name.len());
    write_canonical(name, &mut out);
    String::from_utf8(out).unwrap_or_default()
}
/// Spells a name so, in place.
fn make_canonical(name: &mut [u8]) {
    let mut upper = true;
    for byte in name {
        *byte = if upper { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() };
        upper = *byte == b'-';
    }
}
/// The same for a name in lower case, as the crate `http` has them all, or the rest of one: cheaper. `first`: its first
/// letter is to be a capital.
pub fn capitalize(name: &mut [u8], first: bool) {
    if let Some(letter) = name.first_mut().filter(|_| first) {
        letter.make_ascii_uppercase();
    }
    for at in 1..name.len() {
        if name[at - 1] == b'-' {
            name[at].make_ascii_uppercase();
        }
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn names_are_spelt_as_go_spells_them() {
        for (name, canonical) in [
            ("x-frame-options", "X-Frame-Options"),
            ("etag", "Etag"),
            ("WWW-AUTHENTICATE", "Www-Authenticate"),
            ("a_b.c", "A_b.c"),
            ("-x--y", "-X--Y"),
            ("2x-2y", "2x-2y"),
        ] {
            let mut out = b"> ".to_vec();
            write_canonical(name, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), format!("> {canonical}"));
            let mut lower = name.to_ascii_lowercase().into_bytes();
            capitalize(&mut lower, true);
            assert_eq!(String::from_utf8(lower).unwrap(), canonical);
        }
    }
}
