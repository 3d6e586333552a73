//! Text that JSON may also give as a number or a boolean.
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// Caddy's `WeakString`: a status code that may hold placeholders. Goes out as a number if it reads as one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WeakString(pub String);

impl WeakString {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
impl From<&str> for WeakString {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}
impl Serialize for WeakString {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.0.as_str(), self.0.parse::<i64>()) {
            ("true", _) => serializer.serialize_bool(true),
            ("false", _) => serializer.serialize_bool(false),
            (_, Ok(number)) => serializer.serialize_i64(number),
            (text, Err(_)) => serializer.serialize_str(text),
        }
    }
}
impl<'de> Deserialize<'de> for WeakString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Value::deserialize(deserializer)? {
            Value::String(text) => text,
            Value::Null => String::new(),
            other => other.to_string(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn numbers_and_booleans_stay_what_they_are() {
        for json in ["404", "true", "\"{http.vars.status}\"", "\"\""] {
            let weak: WeakString = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&weak).unwrap(), json);
        }
        assert_eq!(serde_json::to_string(&WeakString("0404".into())).unwrap(), "404");
        assert_eq!(serde_json::from_str::<WeakString>("404").unwrap(), "404".into());
    }
}
