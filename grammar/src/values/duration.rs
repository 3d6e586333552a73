//! `1h30m`, `1.5s`, and Caddy's `2d`.
use super::{float, quote, quote::quote_ascii};
use nom::{
    IResult, Parser,
    bytes::complete::{take_till, take_while},
    character::complete::char,
    combinator::opt,
    sequence::preceded,
};

/// A duration as Caddy reads it, in nanoseconds: Go's, with `d` for 24 hours.
///
/// # Errors
/// In Go's words, such as `time: invalid duration "x"`.
pub fn duration(text: &str) -> Result<i64, String> {
    if text.len() > 1024 {
        return Err("parsing duration: input string too long".to_owned());
    }
    go_duration(&days_to_hours(text)?)
}
/// Writes each `Nd` as hours, since days can't be told to Go.
fn days_to_hours(text: &str) -> Result<String, String> {
    let mut done = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('d') {
        let (start, number) = before.split_at(number_start(before.as_bytes()));
        if number.is_empty() {
            return Err(no_days(before.as_bytes()));
        }
        done.push_str(&format!("{start}{}h", float(number)? * 24.0));
        rest = after;
    }
    Ok(done + rest)
}
/// Where the number begins that ends the text.
fn number_start(text: &[u8]) -> usize {
    let numeric = |b: &u8| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+');
    text.iter().rposition(|b| !numeric(b)).map_or(0, |last| last + 1)
}
/// Caddy takes for the number what comes last: one byte, and the number before it.
fn no_days(before: &[u8]) -> String {
    let start = before.split_last().map_or(0, |(_, before)| number_start(before));
    format!("strconv.ParseFloat: parsing {}: invalid syntax", quote(before.get(start..).unwrap_or_default()))
}

/// A duration as Go reads it (`time.ParseDuration`), in nanoseconds.
///
/// # Errors
/// In Go's words: `time: invalid duration "x"`, `time: missing unit in duration "1"`,
/// `time: unknown unit "x" in duration "1x"`.
pub fn go_duration(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {}", quote_ascii(text));
    let negative = text.starts_with('-');
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let Ok((after, part)) = part(rest) else { return Err(invalid()) };
        rest = after;
        if part.whole.is_empty() && part.fraction.unwrap_or_default().is_empty() {
            return Err(invalid());
        }
        let whole = nanoseconds_in(part.whole).ok_or_else(invalid)?;
        if part.unit.is_empty() {
            return Err(format!("time: missing unit in duration {}", quote_ascii(text)));
        }
        let unit = unit(part.unit).ok_or_else(|| {
            format!("time: unknown unit {} in duration {}", quote_ascii(part.unit), quote_ascii(text))
        })?;
        let more = whole.checked_mul(unit).filter(|more| *more <= LIMIT).ok_or_else(invalid)?;
        let more = more + fraction_of(unit, part.fraction.unwrap_or_default());
        total = total.checked_add(more).filter(|total| *total <= LIMIT).ok_or_else(invalid)?;
    }
    match i64::try_from(total) {
        Ok(total) => Ok(if negative { -total } else { total }),
        Err(_) if negative => Ok(i64::MIN),
        Err(_) => Err(invalid()),
    }
}
/// The size of the longest one, which is negative.
const LIMIT: u64 = 1 << 63;

/// `1.5h`.
struct Part<'t> {
    whole: &'t str,
    fraction: Option<&'t str>,
    unit: &'t str,
}
fn part(input: &str) -> IResult<&str, Part<'_>> {
    let digits = || take_while(|c: char| c.is_ascii_digit());
    let unit = take_till(|c: char| c == '.' || c.is_ascii_digit());
    (digits(), opt(preceded(char('.'), digits())), unit)
        .map(|(whole, fraction, unit)| Part { whole, fraction, unit })
        .parse(input)
}
fn nanoseconds_in(digits: &str) -> Option<u64> {
    if digits.is_empty() { Some(0) } else { digits.parse().ok().filter(|n| *n <= LIMIT) }
}
fn unit(text: &str) -> Option<u64> {
    Some(match text {
        "ns" => 1,
        // Written with the micro sign or with the Greek letter.
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}
/// Digits behind a point as nanoseconds of a unit. As in Go, those past 64 bits count for nothing.
fn fraction_of(unit: u64, digits: &str) -> u64 {
    let (mut value, mut scale) = (0_u64, 1.0_f64);
    for digit in digits.bytes().map(|b| u64::from(b - b'0')) {
        let more =
            value.checked_mul(10).and_then(|value| value.checked_add(digit)).filter(|more| *more <= LIMIT);
        let Some(more) = more else { break };
        value = more;
        scale *= 10.0;
    }
    (value as f64 * (unit as f64 / scale)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_gos_with_days() {
        for (text, nanoseconds) in [
            ("0", 0),
            ("-0", 0),
            ("1ns", 1),
            ("1.5s", 1_500_000_000),
            ("1h30m", 5_400_000_000_000),
            ("1d12h", 129_600_000_000_000),
            ("-1.5d", -129_600_000_000_000),
            ("1.5µs2μs3us.5h1.h", 5_400_000_006_500),
            ("0.3333333333333333333h", 1_200_000_000_000),
            ("9223372036854775807ns", i64::MAX),
            ("-9223372036854775808ns", i64::MIN),
            ("+2m", 120_000_000_000),
        ] {
            assert_eq!(duration(text), Ok(nanoseconds), "{text}");
        }
    }
    #[test]
    fn errors_are_gos() {
        for (text, error) in [
            ("", r#"time: invalid duration """#),
            ("x", r#"time: invalid duration "x""#),
            ("1.5.5s", r#"time: missing unit in duration "1.5.5s""#),
            ("1", r#"time: missing unit in duration "1""#),
            ("1xé", r#"time: unknown unit "x\xc3\xa9" in duration "1x\xc3\xa9""#),
            ("xd", r#"strconv.ParseFloat: parsing "x": invalid syntax"#),
            ("5h1xd", r#"strconv.ParseFloat: parsing "1x": invalid syntax"#),
            ("dd", r#"strconv.ParseFloat: parsing "": invalid syntax"#),
            ("éd", r#"strconv.ParseFloat: parsing "\xa9": invalid syntax"#),
            ("1d-1h", r#"time: unknown unit "h-" in duration "24h-1h""#),
            ("99999999h", r#"time: invalid duration "99999999h""#),
            ("999999999999d", r#"time: invalid duration "23999999999976h""#),
            ("9223372036854775808ns", r#"time: invalid duration "9223372036854775808ns""#),
            ("..s", r#"time: invalid duration "..s""#),
            ("- 1s", r#"time: invalid duration "- 1s""#),
        ] {
            assert_eq!(duration(text), Err(error.to_owned()), "{text}");
        }
        assert_eq!(go_duration("1d"), Err(r#"time: unknown unit "d" in duration "1d""#.to_owned()));
        assert_eq!(duration(&"1".repeat(1025)), Err("parsing duration: input string too long".to_owned()));
    }
}
