//! What single words may say: numbers, durations, sizes. Read as Go's libraries read them, which Caddy uses, and refused
//! in their words; errors are messages without a place, for [`Token::error`].
mod duration;
mod number;
mod quote;
mod size;
pub use duration::{duration, go_duration};
pub use number::{boolean, float, integer};
pub use quote::quote;
pub use size::size;

use crate::ast::Token;

/// The scalar that a word stands for: Caddy's `ScalarVal`.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    Integer(i64),
    /// Go's JSON writes a whole one without a fraction, and cannot write one that is no number or infinite.
    Float(f64),
    Boolean(bool),
    Text(String),
}
impl Scalar {
    /// What is quoted is text; else the first that fits of an integer, a float, a boolean (of which `1` and `0` have
    /// become integers by then) and text.
    pub fn of(token: &Token) -> Self {
        let text = token.text.as_str();
        if token.quoted() {
            return Self::Text(text.to_owned());
        }
        integer(text)
            .map(Self::Integer)
            .or_else(|_| float(text).map(Self::Float))
            .or_else(|_| boolean(text).map(Self::Boolean))
            .unwrap_or_else(|_| Self::Text(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Memory, parse};

    /// The words of a line as scalars.
    fn scalars(line: &str) -> Vec<Scalar> {
        let file = parse("Caddyfile", &format!("site {{\nvars {line}\n}}"), &Memory::default()).unwrap();
        file.sites[0].lines[0].args().iter().map(Scalar::of).collect()
    }
    #[test]
    fn a_scalar_is_the_first_kind_that_fits() {
        use Scalar::{Boolean, Float, Integer, Text};
        let line = r#"1 -1 +5 1.0 1e30 0x1p4 1_000 t FALSE yes "1" `true` 99999999999999999999 1e400"#;
        let text = |text: &str| Text(text.to_owned());
        assert_eq!(
            scalars(line),
            [
                Integer(1),
                Integer(-1),
                Integer(5),
                Float(1.0),
                Float(1e30),
                Float(16.0),
                Float(1000.0),
                Boolean(true),
                Boolean(false),
                text("yes"),
                text("1"),
                text("true"),
                Float(1e20),
                text("1e400"),
            ]
        );
    }
}
