//! What words stand for.
use crate::config::{parse_float, parse_int};
use grammar::Token;
use serde_json::Value;

/// What `private_ranges` stands for.
pub const PRIVATE_RANGES: [&str; 6] =
    ["192.168.0.0/16", "172.16.0.0/12", "10.0.0.0/8", "127.0.0.1/8", "fd00::/8", "::1"];

/// Caddy's `ScalarVal`: an unquoted word that reads as a number or a truth value is one; all else is text.
pub fn scalar(token: &Token) -> Value {
    let text = token.text.as_str();
    if token.quoted() {
        return text.into();
    }
    if let Ok(whole) = parse_int(text) {
        return whole.into();
    }
    if let Ok(number) = parse_float(text) {
        return float(number, text);
    }
    match text {
        "t" | "T" | "true" | "TRUE" | "True" => true.into(),
        "f" | "F" | "false" | "FALSE" | "False" => false.into(),
        _ => text.into(),
    }
}
/// As Go prints it: without a fraction if it has none. What JSON cannot say (`inf`, `nan`) stays text.
fn float(number: f64, text: &str) -> Value {
    const EXACT: f64 = 9e15;
    if number.fract() == 0.0 && number.abs() < EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and small")]
        return (number as i64).into();
    }
    serde_json::Number::from_f64(number).map_or_else(|| text.into(), Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use grammar::{Quote, Span};
    use serde_json::json;

    fn of(text: &str, quote: Quote) -> Value {
        let span = Span { file: "-".into(), line: 1, column: 1, length: 1, imports: [].into() };
        scalar(&Token { text: text.into(), quote, span })
    }
    #[test]
    fn unquoted_words_are_what_they_look_like() {
        for (text, value) in [
            ("1", json!(1)),
            ("-1.5", json!(-1.5)),
            ("1.0", json!(1)),
            ("1e3", json!(1000)),
            ("true", json!(true)),
            ("F", json!(false)),
            ("inf", json!("inf")),
            ("yes", json!("yes")),
            ("", json!("")),
        ] {
            assert_eq!(of(text, Quote::None), value, "{text}");
        }
    }
    #[test]
    fn quoted_words_are_text() {
        assert_eq!(of("1", Quote::Double), json!("1"));
        assert_eq!(of("true", Quote::Backtick), json!("true"));
    }
}
