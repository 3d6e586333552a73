//! What a placeholder or a variable stands for: typed, as in Caddy, where it is any Go value.
use std::{
    borrow::Cow,
    time::{Duration, SystemTime},
};

/// As text it reads as Go prints it; CEL, `log_append` and `vars` see the type.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value<'a> {
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Cow<'a, str>),
    List(Vec<String>),
    Time(SystemTime),
    Duration(Duration),
}
impl<'a> Value<'a> {
    /// Go's string form of it.
    pub fn into_text(self) -> Cow<'a, str> {
        match self {
            Self::Null => "".into(),
            Self::Bool(true) => "true".into(),
            Self::Bool(false) => "false".into(),
            Self::Int(number) => itoa::Buffer::new().format(number).to_owned().into(),
            Self::Float(number) => number.to_string().into(),
            Self::Text(text) => text,
            Self::List(items) => format!("[{}]", items.join(" ")).into(),
            Self::Time(time) => local(time).format("%Y-%m-%d %H:%M:%S%.f %z %Z").to_string().into(),
            Self::Duration(time) => crate::config::Duration::from(time).to_string().into(),
        }
    }
    pub fn to_text(&self) -> Cow<'_, str> {
        self.lend().into_text()
    }
    /// The same value, without a copy of its text.
    pub fn lend(&self) -> Value<'_> {
        match self {
            Self::Text(text) => Value::Text(text.as_ref().into()),
            other => other.clone().into_owned(),
        }
    }
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(v) => Value::Bool(v),
            Self::Int(v) => Value::Int(v),
            Self::Float(v) => Value::Float(v),
            Self::Text(v) => Value::Text(Cow::Owned(v.into_owned())),
            Self::List(v) => Value::List(v),
            Self::Time(v) => Value::Time(v),
            Self::Duration(v) => Value::Duration(v),
        }
    }
}
impl From<serde_json::Value> for Value<'static> {
    /// A scalar as Go has it, where every number of JSON is a `float64`; what has parts as its JSON text.
    fn from(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(v) => Self::Bool(v),
            serde_json::Value::Number(v) => {
                v.as_f64().map_or_else(|| Self::Text(v.to_string().into()), Self::Float)
            }
            serde_json::Value::String(v) => Self::Text(v.into()),
            serde_json::Value::Array(items) if items.iter().all(serde_json::Value::is_string) => {
                let text = |item: &serde_json::Value| item.as_str().unwrap_or_default().to_owned();
                Self::List(items.iter().map(text).collect())
            }
            other => Self::Text(other.to_string().into()),
        }
    }
}
impl From<Value<'_>> for serde_json::Value {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(v) => v.into(),
            Value::Int(v) => v.into(),
            // Go writes a whole number without a fraction.
            Value::Float(v) if v.fract() == 0.0 && v.abs() < 1e15 => (v as i64).into(),
            Value::Float(v) => v.into(),
            Value::List(v) => v.into(),
            Value::Duration(v) => v.as_secs_f64().into(),
            text @ (Value::Text(_) | Value::Time(_)) => text.into_text().into_owned().into(),
        }
    }
}
impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text.into())
    }
}
impl<'a> From<Cow<'a, str>> for Value<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self::Text(text)
    }
}
impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}
impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}
impl From<u16> for Value<'_> {
    fn from(value: u16) -> Self {
        Self::Int(value.into())
    }
}
impl From<u32> for Value<'_> {
    fn from(value: u32) -> Self {
        Self::Int(value.into())
    }
}
impl From<f64> for Value<'_> {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}
impl From<Duration> for Value<'_> {
    fn from(value: Duration) -> Self {
        Self::Duration(value)
    }
}
impl From<Vec<String>> for Value<'_> {
    fn from(value: Vec<String>) -> Self {
        Self::List(value)
    }
}
/// With the zone of this machine, as Go's `time.Now()`.
pub(super) fn local(time: SystemTime) -> chrono::DateTime<chrono::Local> {
    time.into()
}
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn values_read_as_go_prints_them() {
        let cases: [(Value, &str); 8] = [
            (Value::Null, ""),
            (true.into(), "true"),
            (Value::Int(-7), "-7"),
            (1.5.into(), "1.5"),
            (1e21.into(), "1000000000000000000000"),
            ("text".into(), "text"),
            (vec!["a".to_owned(), "b".to_owned()].into(), "[a b]"),
            (Duration::from_millis(1500).into(), "1.5s"),
        ];
        for (value, text) in cases {
            assert_eq!(value.to_text(), text, "{value:?}");
        }
    }
}
