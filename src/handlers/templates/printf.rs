//! Go's `fmt`, as far as templates use it.
use super::value::{Value, float};

/// With spaces between two that are both no texts.
pub(super) fn print(args: &[Value]) -> String {
    let mut out = String::new();
    for (at, arg) in args.iter().enumerate() {
        let is_text = |value: &Value| matches!(value, Value::Str(_));
        if at > 0 && !is_text(arg) && !is_text(&args[at - 1]) {
            out.push(' ');
        }
        out.push_str(&arg.shown());
    }
    out
}
/// With spaces between all, and a line feed.
pub(super) fn println(args: &[Value]) -> String {
    args.iter().map(Value::shown).collect::<Vec<_>>().join(" ") + "\n"
}
/// Between `%` and the verb.
#[derive(Default)]
struct Directive {
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}
/// Of a width or a precision: far beyond what anyone means.
const WIDEST: usize = 10_000;

pub(super) fn printf(format: &str, args: &[Value]) -> String {
    let (mut out, mut args, mut chars) = (String::new(), args.iter(), format.chars().peekable());
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut directive = Directive::default();
        while let Some(flag) = chars.next_if(|c| "-+# 0".contains(*c)) {
            match flag {
                '-' => directive.minus = true,
                '+' => directive.plus = true,
                '#' => directive.sharp = true,
                ' ' => directive.space = true,
                _ => directive.zero = true,
            }
        }
        let mut number = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>| {
            if chars.next_if_eq(&'*').is_some() {
                return args.next().and_then(Value::as_int).and_then(|n| usize::try_from(n).ok());
            }
            let mut digits = String::new();
            while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            digits.parse().ok()
        };
        directive.width = number(&mut chars).map(|width| width.min(WIDEST));
        if chars.next_if_eq(&'.').is_some() {
            directive.precision = Some(number(&mut chars).unwrap_or(0).min(WIDEST));
        }
        match chars.next() {
            None => out.push_str("%!(NOVERB)"),
            Some('%') => out.push('%'),
            Some(verb) => match args.next() {
                None => out.push_str(&format!("%!{verb}(MISSING)")),
                Some(arg) => out.push_str(&directive.apply(verb, arg)),
            },
        }
    }
    let extra: Vec<String> = args.map(|arg| format!("{}={}", arg.type_name(), arg.shown())).collect();
    if !extra.is_empty() {
        out.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
    out
}
impl Directive {
    fn apply(&self, verb: char, arg: &Value) -> String {
        let wrong = || format!("%!{verb}({}={})", arg.type_name(), arg.shown());
        let text = match (verb, arg) {
            ('v', Value::Float(_)) if self.precision.is_some() => return self.apply('g', arg),
            ('v', Value::Int(_)) => return self.apply('d', arg),
            ('v', Value::Str(text)) if self.sharp => quote(text),
            ('v', value) => value.shown(),
            ('T', value) => value.type_name().into(),
            ('t', Value::Bool(v)) => v.to_string(),
            ('d', Value::Int(v) | Value::Duration(v)) => {
                return self.number(*v < 0, &v.unsigned_abs().to_string());
            }
            ('b', Value::Int(v)) => return self.number(*v < 0, &format!("{:b}", v.unsigned_abs())),
            ('o', Value::Int(v)) => return self.number(*v < 0, &format!("{:o}", v.unsigned_abs())),
            ('x' | 'X', Value::Int(v)) => {
                let digits = format!("{}{:x}", if self.sharp { "0x" } else { "" }, v.unsigned_abs());
                return self.number(*v < 0, &if verb == 'X' { digits.to_uppercase() } else { digits });
            }
            ('c', Value::Int(v)) => {
                u32::try_from(*v).ok().and_then(char::from_u32).unwrap_or('\u{fffd}').into()
            }
            ('q', Value::Int(v)) => {
                format!("'{}'", u32::try_from(*v).ok().and_then(char::from_u32).unwrap_or('\u{fffd}'))
            }
            ('U', Value::Int(v)) => format!("U+{v:04X}"),
            ('f' | 'F', Value::Float(v)) => {
                return self
                    .number(v.is_sign_negative(), &format!("{:.*}", self.precision.unwrap_or(6), v.abs()));
            }
            ('e' | 'E', Value::Float(v)) => {
                let digits = exponent(v.abs(), self.precision.unwrap_or(6));
                return self.number(*v < 0.0, &if verb == 'E' { digits.to_uppercase() } else { digits });
            }
            ('g' | 'G', Value::Float(v)) => {
                let digits = match self.precision {
                    None => float(v.abs()),
                    Some(precision) => significant(v.abs(), precision.max(1)),
                };
                return self.number(*v < 0.0, &digits);
            }
            ('s', Value::Str(text)) => self.cut(text),
            ('q', Value::Str(text)) => quote(&self.cut(text)),
            ('x', Value::Str(text)) => text.bytes().map(|byte| format!("{byte:02x}")).collect(),
            ('X', Value::Str(text)) => text.bytes().map(|byte| format!("{byte:02X}")).collect(),
            ('s' | 'd' | 'q' | 'f' | 'x', Value::List(items)) => {
                let items = items.iter().map(|item| self.apply(verb, item)).collect::<Vec<_>>();
                return format!("[{}]", items.join(" "));
            }
            ('s', value @ (Value::Time(_) | Value::Duration(_) | Value::Object(_) | Value::Map(_))) => {
                value.shown()
            }
            (verb, Value::Nil) => format!("%!{verb}(<nil>)"),
            (
                's' | 'd' | 't' | 'f' | 'g' | 'e' | 'q' | 'x' | 'X' | 'c' | 'b' | 'o' | 'U' | 'E' | 'G' | 'F',
                _,
            ) => wrong(),
            _ => wrong(),
        };
        self.pad(&text)
    }
    fn cut(&self, text: &str) -> String {
        text.chars().take(self.precision.unwrap_or(usize::MAX)).collect()
    }
    fn number(&self, negative: bool, digits: &str) -> String {
        let sign = match negative {
            true => "-",
            false if self.plus => "+",
            false if self.space => " ",
            false => "",
        };
        let width = self.width.unwrap_or(0).saturating_sub(sign.len());
        if self.zero && !self.minus {
            return format!("{sign}{digits:0>width$}");
        }
        self.pad(&format!("{sign}{digits}"))
    }
    fn pad(&self, text: &str) -> String {
        let width = self.width.unwrap_or(0);
        if self.minus { format!("{text:<width$}") } else { format!("{text:>width$}") }
    }
}
fn exponent(v: f64, precision: usize) -> String {
    let text = format!("{v:.precision$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    format!("{digits}e{sign}{exponent:0>2}")
}
fn significant(v: f64, precision: usize) -> String {
    let whole = if v == 0.0 { 0 } else { v.log10().floor() as i32 };
    if whole < -4 || whole >= i32::try_from(precision).unwrap_or(i32::MAX) {
        let text = exponent(v, precision - 1);
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "+00"));
        let digits =
            if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
        return format!("{digits}e{exponent}");
    }
    let decimals = usize::try_from(i32::try_from(precision).unwrap_or(i32::MAX) - 1 - whole).unwrap_or(0);
    let text = format!("{v:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
}
/// Go's `%q`.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\x0b' => out.push_str("\\v"),
            '\0'..='\x1f' | '\x7f' => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_are_those_of_go() {
        let of = |format: &str, args: &[Value]| printf(format, args);
        for (format, args, expected) in [
            (
                "%d|%5d|%-5d|%05d|%+d",
                vec![7.into(), 7.into(), 7.into(), (-7).into(), 7.into()],
                "7|    7|7    |-0007|+7",
            ),
            ("%s %q %x", vec!["a\"b".into(), "a\"b".into(), "hi".into()], "a\"b \"a\\\"b\" 6869"),
            (
                "%.2f|%8.3f|%e|%g",
                vec![1.005.into(), 3.5.into(), 1234.5.into(), 1e21.into()],
                "1.00|   3.500|1.234500e+03|1e+21",
            ),
            (
                "%v %v %v",
                vec![Value::Nil, true.into(), Value::list([1.into(), "x".into()])],
                "<nil> true [1 x]",
            ),
            ("%s", vec![1.into()], "%!s(int=1)"),
            ("%d", vec![], "%!d(MISSING)"),
            ("x", vec![1.into()], "x%!(EXTRA int=1)"),
            ("100%%", vec![], "100%"),
            ("%5.1s|%-4s|", vec!["abc".into(), "é".into()], "    a|é   |"),
            ("%*d", vec![4.into(), 2.into()], "   2"),
            (
                "%x %X %o %b %c %U",
                vec![255.into(), 255.into(), 8.into(), 5.into(), 65.into(), 65.into()],
                "ff FF 10 101 A U+0041",
            ),
        ] {
            assert_eq!(of(format, &args), expected, "{format}");
        }
    }
    #[test]
    fn prints_have_go_s_spaces() {
        assert_eq!(
            print(&[1.into(), 2.into(), "a".into(), "b".into(), 3.into()]),
            "1 2a b3".replace("a b", "ab")
        );
        assert_eq!(println(&["a".into(), 1.into()]), "a 1\n");
    }
}
