//! Names of header fields as Go spells them.

/// Go's `CanonicalMIMEHeaderKey`: `x-frame-options` is `X-Frame-Options`. What is no header name stays as it is.
pub fn canonical_header(name: &str) -> String {
    let mut canonical = name.to_owned();
    if !name.is_empty() && name.bytes().all(is_token) {
        let mut upper = true;
        // A token is ASCII, so that changing the case of a byte keeps the text valid.
        canonical = name
            .chars()
            .map(|c| {
                let c = if upper { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
                upper = c == '-';
                c
            })
            .collect();
    }
    canonical
}
/// Whether a byte may stand in a token (RFC 9110, section 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::canonical_header;
    #[test]
    fn words_of_a_name_start_in_upper_case() {
        for (name, canonical) in [
            ("x-frame-options", "X-Frame-Options"),
            ("ETAG", "Etag"),
            ("www-AUTHENTICATE", "Www-Authenticate"),
            ("x_y-z", "X_y-Z"),
            ("X-*", "X-*"),
            ("", ""),
        ] {
            assert_eq!(canonical_header(name), canonical);
        }
    }
    #[test]
    fn what_is_no_name_stays() {
        for name in ["x y", "{http.vars.name}-x", "x:", "é"] {
            assert_eq!(canonical_header(name), name);
        }
    }
}
