//! Sizes in bytes, as go-humanize reads them.

/// `10`, `10B`, `5kB`, `5 MiB`, `1,000`, `1.5g`: decimal unless the unit says binary.
///
/// # Errors
/// In the words of the library that Caddy uses.
pub fn parse_size(text: &str) -> Result<u64, String> {
    grammar::values::size(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn units_are_decimal_unless_they_say_binary() {
        for (text, bytes) in [
            ("10", 10),
            ("10B", 10),
            ("5kB", 5_000),
            ("5KiB", 5_120),
            ("5 mib", 5 << 20),
            ("1.5g", 1_500_000_000),
            ("1,000", 1_000),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
    }
    #[test]
    fn errors_are_the_library_s() {
        assert_eq!(parse_size("x"), Err("strconv.ParseFloat: parsing \"\": invalid syntax".into()));
        assert_eq!(parse_size("1x"), Err("unhandled size name: x".into()));
        assert_eq!(parse_size("100EB"), Err("too large: 100EB".into()));
    }
}
