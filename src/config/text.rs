//! JSON as text, the way Go writes it: `adapt` and the admin API print it so.
use serde::Serialize;
use serde_json::{
    Serializer,
    ser::{CompactFormatter, Formatter, PrettyFormatter},
};
use std::io::{self, Write};

/// On one line, without a line end.
pub fn compact(value: &impl Serialize) -> String {
    write(value, GoText(CompactFormatter))
}
/// Indented by tabs, without a line end.
pub fn pretty(value: &impl Serialize) -> String {
    write(value, GoText(PrettyFormatter::with_indent(b"\t")))
}
/// What cannot be written as JSON (a map whose keys are no texts) is a mistake of the caller's and gives nothing.
fn write(value: &impl Serialize, formatter: impl Formatter) -> String {
    let mut out = vec![];
    let written = value.serialize(&mut Serializer::with_formatter(&mut out, formatter));
    if written.is_err() {
        out.clear();
    }
    String::from_utf8(out).unwrap_or_default()
}

/// Another formatter, with Go's habit of escaping what HTML or JavaScript would misread.
struct GoText<F>(F);
impl<F: Formatter> Formatter for GoText<F> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = misread(rest) {
            let (before, after) = rest.split_at(at);
            writer.write_all(before.as_bytes())?;
            let mut chars = after.chars();
            if let Some(c) = chars.next() {
                write!(writer, "\\u{:04x}", u32::from(c))?;
            }
            rest = chars.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        // Go leaves out an empty fraction, and writes exponents only of very small and very large numbers.
        let size = value.abs();
        if value != 0.0 && !(1e-6..1e21).contains(&size) {
            let text = format!("{value:e}");
            return writer.write_all(if size < 1.0 { text } else { text.replace('e', "e+") }.as_bytes());
        }
        write!(writer, "{value}")
    }
    fn begin_array<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.0.begin_array(w)
    }
    fn end_array<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.0.end_array(w)
    }
    fn begin_array_value<W: ?Sized + Write>(&mut self, w: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(w, first)
    }
    fn end_array_value<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.0.end_array_value(w)
    }
    fn begin_object<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.0.begin_object(w)
    }
    fn end_object<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.0.end_object(w)
    }
    fn begin_object_key<W: ?Sized + Write>(&mut self, w: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(w, first)
    }
    fn begin_object_value<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.0.begin_object_value(w)
    }
    fn end_object_value<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.0.end_object_value(w)
    }
}

/// Where the first character stands that HTML or JavaScript would misread.
fn misread(text: &str) -> Option<usize> {
    /// With this byte U+2028 and U+2029 begin, among others.
    const LINE_ENDS: u8 = 0xe2;
    let may_be = text.bytes().position(|byte| matches!(byte, b'<' | b'>' | b'&' | LINE_ENDS))?;
    let found = text.get(may_be..)?.find(['<', '>', '&', '\u{2028}', '\u{2029}'])?;
    Some(may_be + found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    #[test]
    fn what_html_would_misread_is_escaped() {
        assert_eq!(compact(&json!("<a>&\u{2028}é\u{1}\t")), r#""\u003ca\u003e\u0026\u2028é\u0001\t""#);
    }
    #[test]
    fn fractions_are_written_as_go_writes_them() {
        let numbers = json!([1.0, 0.5, 1e-6, 1e-7, 1e20, 1e21, 1.5e22, -0.25]);
        assert_eq!(compact(&numbers), "[1,0.5,0.000001,1e-7,100000000000000000000,1e+21,1.5e+22,-0.25]");
    }
    #[test]
    fn pretty_indents_by_tabs() {
        assert_eq!(pretty(&json!({"a": [1], "b": {}})), "{\n\t\"a\": [\n\t\t1\n\t],\n\t\"b\": {}\n}");
    }
}
