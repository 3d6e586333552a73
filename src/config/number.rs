//! Numbers as Go reads them.

/// Go's `strconv.Atoi`: a whole number of 64 bits with an optional sign.
///
/// # Errors
/// In Go's words, such as `strconv.Atoi: parsing "x": invalid syntax`.
pub fn parse_int(text: &str) -> Result<i64, String> {
    whole("Atoi", text)
}
/// Go's `strconv.ParseInt`, which differs by its name alone.
///
/// # Errors
/// In Go's words.
pub fn parse_int64(text: &str) -> Result<i64, String> {
    whole("ParseInt", text)
}
/// Go's `strconv.ParseInt` of 32 bits.
///
/// # Errors
/// In Go's words.
pub fn parse_int32(text: &str) -> Result<i32, String> {
    let wide = whole("ParseInt", text)?;
    wide.try_into().map_err(|_| complaint("ParseInt", text, "value out of range"))
}
/// Go's `strconv.ParseFloat`.
///
/// # Errors
/// In Go's words.
pub fn parse_float(text: &str) -> Result<f64, String> {
    // Rust reads "infinity" and "1." and all the rest alike.
    text.parse().map_err(|_| complaint("ParseFloat", text, "invalid syntax"))
}
fn whole(function: &str, text: &str) -> Result<i64, String> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(complaint(function, text, "invalid syntax"));
    }
    text.parse().map_err(|_| complaint(function, text, "value out of range"))
}
fn complaint(function: &str, text: &str, why: &str) -> String {
    format!("strconv.{function}: parsing \"{text}\": {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_have_a_sign_or_none_and_nothing_else() {
        assert_eq!([parse_int("5"), parse_int("+5"), parse_int("-5")], [Ok(5), Ok(5), Ok(-5)]);
        for wrong in ["", "-", "x", "5 ", "1_0", "1.0", "0x1"] {
            let message = format!("strconv.Atoi: parsing \"{wrong}\": invalid syntax");
            assert_eq!(parse_int(wrong), Err(message));
        }
    }
    #[test]
    fn numbers_that_are_too_large_are_out_of_range() {
        let message = "strconv.Atoi: parsing \"9999999999999999999\": value out of range";
        assert_eq!(parse_int("9999999999999999999"), Err(message.into()));
        let message = "strconv.ParseInt: parsing \"2147483648\": value out of range";
        assert_eq!(parse_int32("2147483648"), Err(message.into()));
        assert_eq!(parse_int64("2147483648"), Ok(2_147_483_648));
    }
    #[test]
    fn fractions_are_read_in_all_their_forms() {
        assert_eq!([parse_float("0.5"), parse_float("1e-1"), parse_float(".5")], [Ok(0.5), Ok(0.1), Ok(0.5)]);
        assert_eq!(parse_float("x"), Err("strconv.ParseFloat: parsing \"x\": invalid syntax".into()));
    }
}
