//! Writes JSON objects piece by piece, compact as zap's JSON encoder or spaced as its console encoder.
use crate::config;
use std::{fmt::Write as _, time::Duration};

/// How a duration is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DurationFormat {
    /// Seconds as a decimal number.
    #[default]
    Seconds,
    /// Milliseconds as a decimal number.
    Millis,
    /// Nanoseconds as an integer.
    Nanos,
    /// As Go prints one: `1.5ms`.
    Text,
}
/// What writes its fields into an open object.
pub trait Fields {
    fn write(&self, into: &mut Object<'_>);
    /// None at all: the console encoder shows nothing then.
    fn is_empty(&self) -> bool {
        false
    }
}
/// No fields.
impl Fields for () {
    fn write(&self, _: &mut Object<'_>) {}
    fn is_empty(&self) -> bool {
        true
    }
}
/// An object that is being written.
pub struct Object<'a> {
    out: &'a mut Vec<u8>,
    spaced: bool,
    durations: DurationFormat,
    empty: bool,
}
impl<'a> Object<'a> {
    pub fn open(out: &'a mut Vec<u8>, spaced: bool, durations: DurationFormat) -> Self {
        out.push(b'{');
        Self { out, spaced, durations, empty: true }
    }
    pub fn close(self) {
        self.out.push(b'}');
    }
    pub fn key(&mut self, key: &str) -> &mut Vec<u8> {
        if !self.empty {
            self.out.extend_from_slice(if self.spaced { b", " } else { b"," });
        }
        self.empty = false;
        text(self.out, key.as_bytes());
        self.out.extend_from_slice(if self.spaced { b": " } else { b":" });
        self.out
    }
    pub fn text(&mut self, key: &str, value: &str) {
        text(self.key(key), value.as_bytes());
    }
    /// Text that may not be UTF-8.
    pub fn bytes(&mut self, key: &str, value: &[u8]) {
        text(self.key(key), value);
    }
    /// The text of something that needs no escaping, such as an address.
    pub fn display(&mut self, key: &str, value: impl std::fmt::Display) {
        display(self.key(key), format_args!("\"{value}\""));
    }
    pub fn integer(&mut self, key: &str, value: i128) {
        display(self.key(key), value);
    }
    pub fn float(&mut self, key: &str, value: f64) {
        float(self.key(key), value);
    }
    pub fn boolean(&mut self, key: &str, value: bool) {
        self.key(key).extend_from_slice(if value { b"true" } else { b"false" });
    }
    pub fn duration(&mut self, key: &str, value: Duration) {
        let format = self.durations;
        let out = self.key(key);
        match format {
            DurationFormat::Seconds => float(out, value.as_secs_f64()),
            DurationFormat::Millis => float(out, value.as_nanos() as f64 / 1e6),
            DurationFormat::Nanos => display(out, value.as_nanos()),
            DurationFormat::Text => text(out, config::Duration::from(value).to_string().as_bytes()),
        }
    }
    /// An array of strings.
    pub fn texts<'v>(&mut self, key: &str, values: impl Iterator<Item = &'v [u8]>) {
        let spaced = self.spaced;
        let out = self.key(key);
        out.push(b'[');
        for (i, value) in values.enumerate() {
            if i > 0 {
                out.extend_from_slice(if spaced { b", " } else { b"," });
            }
            text(out, value);
        }
        out.push(b']');
    }
    /// Anything, as it is.
    pub fn value(&mut self, key: &str, value: &serde_json::Value) {
        let (spaced, out) = (self.spaced, self.key(key));
        json(out, value, spaced);
    }
    /// An object inside this one.
    pub fn object(&mut self, key: &str, fields: impl FnOnce(&mut Object<'_>)) {
        let (spaced, durations) = (self.spaced, self.durations);
        let mut inner = Object::open(self.key(key), spaced, durations);
        fields(&mut inner);
        inner.close();
    }
}
fn json(out: &mut Vec<u8>, value: &serde_json::Value, spaced: bool) {
    match value {
        serde_json::Value::String(value) => text(out, value.as_bytes()),
        serde_json::Value::Array(values) => {
            out.push(b'[');
            for (i, value) in values.iter().enumerate() {
                if i > 0 {
                    out.extend_from_slice(if spaced { b", " } else { b"," });
                }
                json(out, value, spaced);
            }
            out.push(b']');
        }
        serde_json::Value::Object(values) => {
            let mut object = Object::open(out, spaced, DurationFormat::default());
            values.iter().for_each(|(key, value)| object.value(key, value));
            object.close();
        }
        scalar => display(out, scalar),
    }
}
/// A string with its quotes, escaped as zap does; what is not UTF-8 becomes U+FFFD.
pub(super) fn text(out: &mut Vec<u8>, value: &[u8]) {
    out.push(b'"');
    let special = |b: u8| b < 0x20 || b == b'"' || b == b'\\' || b >= 0x80;
    // Without a way out of the loop, so that many bytes are looked at in one instruction.
    if !value.iter().fold(false, |any, &b| any | special(b)) {
        out.extend_from_slice(value);
    } else {
        for chunk in value.utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '"' => out.extend_from_slice(b"\\\""),
                    '\\' => out.extend_from_slice(b"\\\\"),
                    '\n' => out.extend_from_slice(b"\\n"),
                    '\r' => out.extend_from_slice(b"\\r"),
                    '\t' => out.extend_from_slice(b"\\t"),
                    c if c < ' ' => display(out, format_args!("\\u{:04x}", c as u32)),
                    c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                }
            }
            if !chunk.invalid().is_empty() {
                out.extend_from_slice(b"\\ufffd");
            }
        }
    }
    out.push(b'"');
}
pub(super) fn float(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        display(out, value);
    } else {
        // As zap: JSON has no such numbers.
        display(
            out,
            format_args!(
                "\"{}\"",
                if value.is_nan() {
                    "NaN"
                } else if value > 0.0 {
                    "+Inf"
                } else {
                    "-Inf"
                }
            ),
        );
    }
}
pub(super) fn display(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    struct Bytes<'a>(&'a mut Vec<u8>);
    impl std::fmt::Write for Bytes<'_> {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            self.0.extend_from_slice(text.as_bytes());
            Ok(())
        }
    }
    // Writing to memory does not fail.
    write!(Bytes(out), "{value}").ok();
}
#[cfg(test)]
mod tests {
    use super::*;

    fn written(spaced: bool, fields: impl FnOnce(&mut Object<'_>)) -> String {
        let mut out = vec![];
        let mut object = Object::open(&mut out, spaced, DurationFormat::Seconds);
        fields(&mut object);
        object.close();
        String::from_utf8(out).unwrap()
    }
    #[test]
    fn objects_are_compact_or_spaced() {
        let fields = |o: &mut Object<'_>| {
            o.text("a", "x\"\\\n\u{1}é");
            o.object("b", |o| o.texts("c", [&b"1"[..], b"\xff2"].into_iter()));
            o.duration("d", Duration::from_micros(121));
            o.value("e", &serde_json::json!([1, {"f": null}]));
        };
        assert_eq!(
            written(false, fields),
            r#"{"a":"x\"\\\n\u0001é","b":{"c":["1","\ufffd2"]},"d":0.000121,"e":[1,{"f":null}]}"#
        );
        assert_eq!(
            written(true, fields),
            r#"{"a": "x\"\\\n\u0001é", "b": {"c": ["1", "\ufffd2"]}, "d": 0.000121, "e": [1, {"f": null}]}"#
        );
    }
}
