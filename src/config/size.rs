//! Sizes in bytes, as go-humanize reads them.

/// `10`, `10B`, `5kB`, `5 MiB`, `1,000`, `1.5g`: decimal unless the unit says binary.
///
/// # Errors
/// In the words of the library that Caddy uses.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let plain = number.replace(',', "");
    let number: f64 =
        plain.parse().map_err(|_| format!("strconv.ParseFloat: parsing \"{plain}\": invalid syntax"))?;
    let unit = unit.trim().to_lowercase();
    let scale: f64 = match unit.as_str() {
        "" | "b" => 1.0,
        "kib" | "ki" => 1024.0,
        "mib" | "mi" => 1024f64.powi(2),
        "gib" | "gi" => 1024f64.powi(3),
        "tib" | "ti" => 1024f64.powi(4),
        "pib" | "pi" => 1024f64.powi(5),
        "eib" | "ei" => 1024f64.powi(6),
        "kb" | "k" => 1e3,
        "mb" | "m" => 1e6,
        "gb" | "g" => 1e9,
        "tb" | "t" => 1e12,
        "pb" | "p" => 1e15,
        "eb" | "e" => 1e18,
        _ => return Err(format!("unhandled size name: {unit}")),
    };
    let bytes = number * scale;
    if bytes >= 18_446_744_073_709_551_615.0 {
        return Err(format!("too large: {text}"));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Ok(bytes as u64)
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
