//! Writes JSON objects piece by piece, compact as zap's JSON encoder or spaced as its console encoder.
use super::filter::{FieldFilters, FieldValue};
use crate::config;
use smallvec::SmallVec;
use std::{borrow::Cow, fmt::Write as _, net::IpAddr, time::Duration};

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
    /// What fields go through, the first one first. Mostly there are none.
    filters: SmallVec<[&'a FieldFilters; 1]>,
}
impl<'a> Object<'a> {
    pub fn open(out: &'a mut Vec<u8>, spaced: bool, durations: DurationFormat) -> Self {
        out.push(b'{');
        Self { out, spaced, durations, empty: true, filters: SmallVec::new() }
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
    /// Has `fields` written into this object through `filters`, before those that there are already.
    pub fn filtered(&mut self, filters: &FieldFilters, fields: impl FnOnce(&mut Object<'_>)) {
        let mut inner = Object {
            out: self.out,
            spaced: self.spaced,
            durations: self.durations,
            empty: self.empty,
            filters: std::iter::once(filters).chain(self.filters.iter().copied()).collect(),
        };
        fields(&mut inner);
        self.empty = inner.empty;
    }
    pub fn text(&mut self, key: &str, value: &str) {
        self.bytes(key, value.as_bytes());
    }
    /// Text that may not be UTF-8.
    pub fn bytes(&mut self, key: &str, value: &[u8]) {
        if self.filters.is_empty() {
            return text(self.key(key), value);
        }
        self.through(key, FieldValue::Text(String::from_utf8_lossy(value)), |_, _| {});
    }
    /// The text of something that needs no escaping.
    pub fn display(&mut self, key: &str, value: impl std::fmt::Display) {
        if self.filters.is_empty() {
            return display(self.key(key), format_args!("\"{value}\""));
        }
        self.through(key, FieldValue::Text(value.to_string().into()), |_, _| {});
    }
    pub fn address(&mut self, key: &str, value: IpAddr) {
        let IpAddr::V4(plain) = value else { return self.display(key, value) };
        if !self.filters.is_empty() {
            return self.display(key, value);
        }
        let out = self.key(key);
        let mut before = b'"';
        for part in plain.octets() {
            out.push(before);
            out.extend_from_slice(itoa::Buffer::new().format(part).as_bytes());
            before = b'.';
        }
        out.push(b'"');
    }
    pub fn integer(&mut self, key: &str, value: i64) {
        self.other(key, |out| out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes()));
    }
    pub fn unsigned(&mut self, key: &str, value: u64) {
        self.other(key, |out| out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes()));
    }
    pub fn float(&mut self, key: &str, value: f64) {
        self.other(key, |out| float(out, value));
    }
    pub fn boolean(&mut self, key: &str, value: bool) {
        self.other(key, |out| out.extend_from_slice(if value { b"true" } else { b"false" }));
    }
    pub fn duration(&mut self, key: &str, value: Duration) {
        let format = self.durations;
        self.other(key, |out| match format {
            DurationFormat::Seconds => seconds(out, value),
            DurationFormat::Millis => float(out, value.as_nanos() as f64 / 1e6),
            DurationFormat::Nanos => display(out, value.as_nanos()),
            DurationFormat::Text => text(out, config::Duration::from(value).to_string().as_bytes()),
        });
    }
    /// An array of strings.
    pub fn texts<'v>(&mut self, key: &str, values: impl Iterator<Item = &'v [u8]>) {
        let spaced = self.spaced;
        if self.filters.is_empty() {
            return array(self.key(key), values, spaced);
        }
        let values = values.map(String::from_utf8_lossy).collect();
        self.through(key, FieldValue::Texts(values), |_, _| {});
    }
    /// Anything, as it is.
    pub fn value(&mut self, key: &str, value: &serde_json::Value) {
        if let serde_json::Value::String(value) = value {
            return self.text(key, value);
        }
        let spaced = self.spaced;
        self.other(key, |out| json(out, value, spaced));
    }
    /// An object inside this one.
    pub fn object(&mut self, key: &str, fields: impl FnOnce(&mut Object<'_>)) {
        if self.filters.is_empty() {
            let (spaced, durations) = (self.spaced, self.durations);
            let mut inner = Object::open(self.key(key), spaced, durations);
            fields(&mut inner);
            return inner.close();
        }
        self.through(key, FieldValue::Other, |this, key| {
            let filters = this.filters.iter().filter_map(|filters| filters.below(key)).collect();
            let (spaced, durations) = (this.spaced, this.durations);
            let mut inner = Object { filters, ..Object::open(this.key(key), spaced, durations) };
            fields(&mut inner);
            inner.close();
        });
    }
    /// What cannot be looked at.
    fn other(&mut self, key: &str, write: impl FnOnce(&mut Vec<u8>)) {
        if self.filters.is_empty() {
            return write(self.key(key));
        }
        self.through(key, FieldValue::Other, |this, key| write(this.key(key)));
    }
    /// Writes what filters leave of a field; `other` writes one whose value they have not changed.
    fn through(&mut self, key: &str, mut value: FieldValue<'_>, other: impl FnOnce(&mut Self, &str)) {
        let mut name = Cow::Borrowed(key);
        for filters in self.filters.clone() {
            let filter = filters.below(&name).and_then(FieldFilters::filter);
            if filter.is_some_and(|filter| !filter.filter(&mut name, &mut value)) {
                return;
            }
        }
        let spaced = self.spaced;
        match value {
            FieldValue::Text(value) => text(self.key(&name), value.as_bytes()),
            FieldValue::Texts(values) => {
                array(self.key(&name), values.iter().map(|value| value.as_bytes()), spaced);
            }
            FieldValue::Other => other(self, &name),
        }
    }
}
fn array<'v>(out: &mut Vec<u8>, values: impl Iterator<Item = &'v [u8]>, spaced: bool) {
    out.push(b'[');
    for (i, value) in values.enumerate() {
        if i > 0 {
            out.extend_from_slice(if spaced { b", " } else { b"," });
        }
        text(out, value);
    }
    out.push(b']');
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
        serde_json::Value::Number(number) if number.is_f64() => float(out, number.as_f64().unwrap_or(0.0)),
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
fn seconds(out: &mut Vec<u8>, value: Duration) {
    if value.as_secs() > 0 || value.is_zero() {
        return float(out, value.as_secs_f64());
    }
    // What a float of so few digits is shown as, found without one.
    out.extend_from_slice(b"0.");
    let (mut rest, mut unit) = (value.subsec_nanos(), 100_000_000);
    while rest > 0 {
        out.push(b'0' + (rest / unit) as u8);
        (rest, unit) = (rest % unit, unit / 10);
    }
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
    fn addresses_and_durations_are_as_their_own_display_and_that_of_floats() {
        for address in ["127.0.0.1", "255.10.0.9", "2001:db8::1", "::ffff:1.2.3.4"] {
            let shown = written(false, |o| o.address("a", address.parse().unwrap()));
            assert_eq!(shown, format!("{{\"a\":\"{address}\"}}"));
        }
        for nanos in
            [0, 1, 100, 121_000, 100_000_000, 999_999_999, 1_000_000_000, 1_000_000_001, 61_500_000_000]
        {
            let duration = Duration::from_nanos(nanos);
            let shown = written(false, |o| o.duration("d", duration));
            assert_eq!(shown, format!("{{\"d\":{}}}", duration.as_secs_f64()));
        }
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
