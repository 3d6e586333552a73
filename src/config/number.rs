//! Numbers as Go reads them.
use grammar::values;

/// Go's `strconv.Atoi`: a whole number of 64 bits with an optional sign.
///
/// # Errors
/// In Go's words, such as `strconv.Atoi: parsing "x": invalid syntax`.
pub fn parse_int(text: &str) -> Result<i64, String> {
    values::integer(text)
}
/// Go's `strconv.ParseInt`, which differs by its name alone.
///
/// # Errors
/// In Go's words.
pub fn parse_int64(text: &str) -> Result<i64, String> {
    parse_int(text).map_err(|why| why.replacen("Atoi", "ParseInt", 1))
}
/// Go's `strconv.ParseInt` of 32 bits.
///
/// # Errors
/// In Go's words.
pub fn parse_int32(text: &str) -> Result<i32, String> {
    let quoted = || values::quote(text.as_bytes());
    let wide = parse_int64(text)?;
    wide.try_into().map_err(|_| format!("strconv.ParseInt: parsing {}: value out of range", quoted()))
}
/// Go's `strconv.ParseUint` of 16 bits.
///
/// # Errors
/// In Go's words.
pub fn parse_uint16(text: &str) -> Result<u16, String> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let why = if digits { "value out of range" } else { "invalid syntax" };
    let wrong = || format!("strconv.ParseUint: parsing {}: {why}", values::quote(text.as_bytes()));
    text.parse().ok().filter(|_| digits).ok_or_else(wrong)
}
/// Go's `strconv.ParseFloat`.
///
/// # Errors
/// In Go's words.
pub fn parse_float(text: &str) -> Result<f64, String> {
    values::float(text)
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
    fn what_is_quoted_is_quoted_as_in_go() {
        assert_eq!(parse_int64("\\"), Err(r#"strconv.ParseInt: parsing "\\": invalid syntax"#.into()));
        assert_eq!(parse_uint16("+1"), Err(r#"strconv.ParseUint: parsing "+1": invalid syntax"#.into()));
        assert_eq!(
            parse_uint16("65536"),
            Err(r#"strconv.ParseUint: parsing "65536": value out of range"#.into())
        );
    }
    #[test]
    fn fractions_are_read_in_all_their_forms() {
        assert_eq!([parse_float("0.5"), parse_float("1e-1"), parse_float(".5")], [Ok(0.5), Ok(0.1), Ok(0.5)]);
        assert_eq!(parse_float("x"), Err("strconv.ParseFloat: parsing \"x\": invalid syntax".into()));
    }
}
