//! Go's `strconv`.
use super::quote;
use std::num::IntErrorKind;

fn refused(function: &str, text: &str, why: &str) -> String {
    format!("strconv.{function}: parsing {}: {why}", quote(text.as_bytes()))
}
const SYNTAX: &str = "invalid syntax";
const RANGE: &str = "value out of range";

/// Go's `strconv.Atoi`.
///
/// # Errors
/// `strconv.Atoi: parsing "x": invalid syntax`, or `value out of range`.
pub fn integer(text: &str) -> Result<i64, String> {
    text.parse().map_err(|error: std::num::ParseIntError| {
        let range = matches!(error.kind(), IntErrorKind::PosOverflow | IntErrorKind::NegOverflow);
        // Rust stops at the first digit too many, whatever stands behind it.
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text).bytes().all(|b| b.is_ascii_digit());
        refused("Atoi", text, if range && digits { RANGE } else { SYNTAX })
    })
}
/// Go's `strconv.ParseBool`.
///
/// # Errors
/// `strconv.ParseBool: parsing "x": invalid syntax`.
pub fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(refused("ParseBool", text, SYNTAX)),
    }
}
/// Go's `strconv.ParseFloat` with 64 bits: decimal or hexadecimal, underscores between digits, `inf` and `nan`.
///
/// # Errors
/// `strconv.ParseFloat: parsing "x": invalid syntax`, or `value out of range`.
pub fn float(text: &str) -> Result<f64, String> {
    let plain = text.replace('_', "");
    let unsigned = plain.strip_prefix(['+', '-']).unwrap_or(&plain);
    let parsed = if plain.len() < text.len() && !separates_digits(text) {
        None
    } else if let Some(digits) = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X")) {
        hexadecimal(digits).map(|value| if plain.starts_with('-') { -value } else { value })
    } else {
        plain.parse().ok().filter(|value: &f64| !value.is_nan() || unsigned.len() == plain.len())
    };
    match parsed {
        Some(value)
            if value.is_infinite() && unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') =>
        {
            Err(refused("ParseFloat", text, RANGE))
        }
        Some(value) => Ok(value),
        None => Err(refused("ParseFloat", text, SYNTAX)),
    }
}
/// Whether each underscore stands between digits, the base's prefix counting as one.
fn separates_digits(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (hexadecimal, digits) = match unsigned.get(..2) {
        Some("0x" | "0X") => (true, unsigned.get(1..).unwrap_or_default().replacen(['x', 'X'], "0", 1)),
        _ => (false, unsigned.to_owned()),
    };
    let is_digit = |b: Option<&u8>| {
        b.is_some_and(|b| if hexadecimal { b.is_ascii_hexdigit() } else { b.is_ascii_digit() })
    };
    let bytes = digits.as_bytes();
    (0..bytes.len()).filter(|at| bytes[*at] == b'_').all(|at| {
        is_digit(at.checked_sub(1).and_then(|before| bytes.get(before))) && is_digit(bytes.get(at + 1))
    })
}
/// `1.8p-3`, what stands behind `0x`: an exponent is a must.
fn hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let digits = [whole, fraction].concat();
    let value = digits.chars().try_fold(0.0, |value, c| Some(value * 16.0 + f64::from(c.to_digit(16)?)))?;
    let shift =
        exponent.parse::<i32>().ok()?.checked_sub(i32::try_from(fraction.len()).ok()?.checked_mul(4)?)?;
    Some(value * f64::from(shift).exp2())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_gos() {
        assert_eq!(integer("+5"), Ok(5));
        assert_eq!(integer("-0"), Ok(0));
        assert_eq!(integer("x\"\u{1}"), Err(r#"strconv.Atoi: parsing "x\"\x01": invalid syntax"#.into()));
        assert_eq!(integer(""), Err(r#"strconv.Atoi: parsing "": invalid syntax"#.into()));
        assert_eq!(
            integer("9223372036854775808"),
            Err(r#"strconv.Atoi: parsing "9223372036854775808": value out of range"#.into())
        );
        assert!(integer("99999999999999999999x").unwrap_err().ends_with("invalid syntax"));
    }
    #[test]
    fn floats_are_gos() {
        assert_eq!(float(".5"), Ok(0.5));
        assert_eq!(float("1."), Ok(1.0));
        assert_eq!(float("-0x1.8p1"), Ok(-3.0));
        assert_eq!(float("0x_1p4"), Ok(16.0));
        assert_eq!(float("1_0.0_5"), Ok(10.05));
        assert_eq!(float("-Inf"), Ok(f64::NEG_INFINITY));
        assert!(float("NaN").is_ok_and(f64::is_nan));
        for wrong in ["", ".", "1__0", "_1", "1_", "1_.0", "0x1", "+nan", "1e", "e5", "0xp1", "١"] {
            let told = format!("strconv.ParseFloat: parsing {}: invalid syntax", quote(wrong.as_bytes()));
            assert_eq!(float(wrong), Err(told));
        }
        assert_eq!(float("1e400"), Err(r#"strconv.ParseFloat: parsing "1e400": value out of range"#.into()));
    }
    #[test]
    fn booleans_are_gos() {
        assert_eq!(boolean("True"), Ok(true));
        assert_eq!(boolean("0"), Ok(false));
        assert_eq!(boolean("yes"), Err(r#"strconv.ParseBool: parsing "yes": invalid syntax"#.into()));
    }
}
