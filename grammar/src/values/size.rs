//! `10MB`, `1.5 GiB`.
use super::float;
use nom::{IResult, Parser, bytes::complete::take_while, combinator::rest};

/// A size in bytes, as go-humanize's `ParseBytes` reads it: decimal and binary units, in any case, commas ignored.
///
/// # Errors
/// In Go's words: `unhandled size name: x`, `too large: 100EB`, or those of `strconv.ParseFloat`.
pub fn size(text: &str) -> Result<u64, String> {
    let Ok((_, (number, unit))) = number_and_unit(text) else {
        return Err(format!("unhandled size name: {text}"));
    };
    let number = float(&number.replace(',', ""))?;
    let unit = unit.trim().to_lowercase();
    let factor = factor(&unit).ok_or_else(|| format!("unhandled size name: {unit}"))?;
    let bytes = number * factor as f64;
    if bytes >= u64::MAX as f64 {
        return Err(format!("too large: {text}"));
    }
    Ok(bytes as u64)
}
fn number_and_unit(input: &str) -> IResult<&str, (&str, &str)> {
    (take_while(|c: char| c.is_ascii_digit() || c == '.' || c == ','), rest).parse(input)
}
fn factor(unit: &str) -> Option<u64> {
    if matches!(unit, "" | "b") {
        return Some(1);
    }
    let unit = unit.strip_suffix('b').unwrap_or(unit);
    let (prefix, base) = match unit.strip_suffix('i') {
        Some(prefix) => (prefix, 1024_u64),
        None => (unit, 1000),
    };
    let power = ["k", "m", "g", "t", "p", "e"].iter().position(|known| *known == prefix)?;
    base.checked_pow(u32::try_from(power).ok()? + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_go_humanizes() {
        for (text, bytes) in [
            ("10", 10),
            ("10B", 10),
            ("5kB", 5_000),
            ("5K", 5_000),
            ("5KiB", 5_120),
            ("5ki", 5_120),
            ("1,0.5kb", 10_500),
            ("1.5", 1),
            ("1. KiB ", 1_024),
            ("2 gib", 2_147_483_648),
            ("10EiB", 11_529_215_046_068_469_760),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
    }
    #[test]
    fn errors_are_go_humanizes() {
        for (text, error) in [
            ("x", r#"strconv.ParseFloat: parsing "": invalid syntax"#),
            ("1xyz", "unhandled size name: xyz"),
            ("1 kI B", "unhandled size name: ki b"),
            ("1i", "unhandled size name: i"),
            ("1bb", "unhandled size name: bb"),
            ("100EB", "too large: 100EB"),
            ("1.2.3K", r#"strconv.ParseFloat: parsing "1.2.3": invalid syntax"#),
        ] {
            assert_eq!(size(text), Err(error.to_owned()), "{text}");
        }
    }
}
