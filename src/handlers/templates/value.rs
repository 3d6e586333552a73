//! What templates compute with: Go's values, as far as templates can tell them apart.
use crate::config::Layout;
use chrono::{DateTime, FixedOffset};
use std::{cell::RefCell, cmp::Ordering, collections::BTreeMap, fmt, rc::Rc};

/// Why a template fails. A text, or a failure that has a status of its own.
#[derive(Debug)]
pub(in crate::handlers) enum Failure {
    Text(String),
    /// `httpError`.
    Status(u16),
    /// It cannot go on before this is there.
    Needs(Need),
}
/// What has to be waited for while a template is executed.
#[derive(Debug)]
pub(in crate::handlers) enum Need {
    /// `httpInclude` of this URI.
    Included(String),
    /// `{http.request.body}`.
    Body,
}
impl<T: Into<String>> From<T> for Failure {
    fn from(text: T) -> Self {
        Self::Text(text.into())
    }
}
pub(in crate::handlers) type Outcome = Result<Value, Failure>;
pub(super) type Map = BTreeMap<String, Value>;

#[derive(Clone, Debug, Default)]
pub(in crate::handlers) enum Value {
    /// Also what is not there: Go's `<no value>`.
    #[default]
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Rc<str>),
    /// Go's slices share what they hold, but none of the functions changes that.
    List(Rc<Vec<Value>>),
    /// Functions (`set`, `unset`) change it for all who hold it.
    Map(Rc<RefCell<Map>>),
    Time(DateTime<FixedOffset>),
    /// In nanoseconds.
    Duration(i64),
    Object(Rc<dyn Object>),
}
/// What has fields and methods of its own.
pub(in crate::handlers) trait Object: fmt::Debug {
    /// `None`: there is no such field or method.
    fn get(&self, name: &str, args: &[Value]) -> Option<Outcome>;
    /// What it prints as.
    fn text(&self) -> String {
        String::new()
    }
}
impl Value {
    pub(in crate::handlers) fn list(items: impl IntoIterator<Item = Value>) -> Self {
        Self::List(Rc::new(items.into_iter().collect()))
    }
    pub(in crate::handlers) fn map(items: impl IntoIterator<Item = (String, Value)>) -> Self {
        Self::Map(Rc::new(RefCell::new(items.into_iter().collect())))
    }
    /// Go's name for its type.
    pub(in crate::handlers) fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Str(_) => "string",
            Self::List(_) => "[]interface {}",
            Self::Map(_) => "map[string]interface {}",
            Self::Time(_) => "time.Time",
            Self::Duration(_) => "time.Duration",
            Self::Object(_) => "object",
        }
    }
    /// Go's kind of it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "invalid",
            Self::List(_) => "slice",
            Self::Map(_) => "map",
            Self::Time(_) | Self::Object(_) => "struct",
            Self::Duration(_) => "int64",
            other => other.type_name(),
        }
    }
    /// What `if` makes of it.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(v) => *v,
            Self::Int(v) | Self::Duration(v) => *v != 0,
            Self::Float(v) => *v != 0.0,
            Self::Str(v) => !v.is_empty(),
            Self::List(v) => !v.is_empty(),
            Self::Map(v) => !v.borrow().is_empty(),
            Self::Time(_) | Self::Object(_) => true,
        }
    }
    pub(super) fn len(&self) -> Option<usize> {
        match self {
            Self::Str(v) => Some(v.len()),
            Self::List(v) => Some(v.len()),
            Self::Map(v) => Some(v.borrow().len()),
            _ => None,
        }
    }
    /// As text within a list or a map, and of `%v`.
    pub(in crate::handlers) fn shown(&self) -> String {
        match self {
            Self::Nil => "<nil>".into(),
            Self::Bool(v) => v.to_string(),
            Self::Int(v) => v.to_string(),
            Self::Float(v) => float(*v),
            Self::Str(v) => v.to_string(),
            Self::List(v) => {
                format!("[{}]", v.iter().map(Self::shown).collect::<Vec<_>>().join(" "))
            }
            Self::Map(v) => {
                let pairs = v
                    .borrow()
                    .iter()
                    .map(|(key, value)| format!("{key}:{}", value.shown()))
                    .collect::<Vec<_>>();
                format!("map[{}]", pairs.join(" "))
            }
            Self::Time(v) => Layout::new("2006-01-02 15:04:05.999999999 -0700 MST").format(v),
            Self::Duration(v) => duration(*v),
            Self::Object(v) => v.text(),
        }
    }
    /// As what an action writes.
    pub(super) fn printed(&self) -> String {
        if matches!(self, Self::Nil) { "<no value>".into() } else { self.shown() }
    }
    pub(super) fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(v) | Self::Duration(v) => Some(*v),
            _ => None,
        }
    }
    /// Go's `==` of two values of one type.
    ///
    /// # Errors
    /// They are of different types, or of one that is not compared.
    pub(super) fn equals(&self, other: &Self) -> Result<bool, Failure> {
        Ok(match (self, other) {
            (Self::Nil, Self::Nil) => true,
            (Self::Nil, _) | (_, Self::Nil) => false,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b,
            (Self::Str(a), Self::Str(b)) => a == b,
            (Self::Time(a), Self::Time(b)) => a == b,
            (Self::List(_) | Self::Map(_), _) => return Err("uncomparable type".into()),
            (a, b) => match (a.as_int(), b.as_int()) {
                (Some(a), Some(b)) => a == b,
                _ => return Err("incompatible types for comparison".into()),
            },
        })
    }
    /// # Errors
    /// They have no order.
    pub(super) fn order(&self, other: &Self) -> Result<Ordering, Failure> {
        let order = match (self, other) {
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b),
            (Self::Str(a), Self::Str(b)) => Some(a.cmp(b)),
            (a, b) => a.as_int().zip(b.as_int()).map(|(a, b)| a.cmp(&b)),
        };
        order.ok_or_else(|| "incompatible types for comparison".into())
    }
    /// Whether all that is in them is the same: `deepEqual`, `has`, `uniq`.
    pub(super) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(a), Self::List(b)) => {
                a.len() == b.len() && a.iter().zip(&**b).all(|(a, b)| a.same(b))
            }
            (Self::Map(a), Self::Map(b)) => {
                let (a, b) = (a.borrow(), b.borrow());
                a.len() == b.len() && a.iter().zip(&*b).all(|((k, a), (l, b))| k == l && a.same(b))
            }
            (a, b) => a.equals(b).unwrap_or(false),
        }
    }
}
impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.into())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text.into())
    }
}
impl From<bool> for Value {
    fn from(v: bool) -> Self {
        Self::Bool(v)
    }
}
impl From<i64> for Value {
    fn from(v: i64) -> Self {
        Self::Int(v)
    }
}
impl From<f64> for Value {
    fn from(v: f64) -> Self {
        Self::Float(v)
    }
}
impl From<serde_json::Value> for Value {
    /// As Go's `encoding/json` decodes it: all numbers are `float64`.
    fn from(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Nil,
            serde_json::Value::Bool(v) => v.into(),
            serde_json::Value::Number(v) => v.as_f64().unwrap_or_default().into(),
            serde_json::Value::String(v) => v.into(),
            serde_json::Value::Array(v) => Self::list(v.into_iter().map(Self::from)),
            serde_json::Value::Object(v) => Self::map(v.into_iter().map(|(key, value)| (key, value.into()))),
        }
    }
}
impl From<&Value> for serde_json::Value {
    fn from(value: &Value) -> Self {
        match value {
            Value::Nil => Self::Null,
            Value::Bool(v) => (*v).into(),
            Value::Int(v) | Value::Duration(v) => (*v).into(),
            // Go writes a whole number without a fraction.
            Value::Float(v) if v.fract() == 0.0 && v.abs() < 1e15 => (*v as i64).into(),
            Value::Float(v) => (*v).into(),
            Value::Str(v) => (&**v).into(),
            Value::List(v) => v.iter().map(Self::from).collect(),
            Value::Map(v) => v.borrow().iter().map(|(key, value)| (key.clone(), Self::from(value))).collect(),
            Value::Time(v) => v.to_rfc3339().into(),
            Value::Object(v) => v.text().into(),
        }
    }
}
/// Go's `%v`: the shortest; with an exponent if there are more than six digits before the point.
pub(super) fn float(v: f64) -> String {
    if v.is_nan() {
        return "NaN".into();
    }
    if v.is_infinite() {
        return if v > 0.0 { "+Inf" } else { "-Inf" }.into();
    }
    let exponent = if v == 0.0 { 0 } else { v.abs().log10().floor() as i32 };
    if (-4..6).contains(&exponent) {
        return v.to_string();
    }
    let text = format!("{v:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    format!("{digits}e{sign}{exponent:0>2}")
}
/// Go's form of a duration in nanoseconds.
pub(super) fn duration(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let time = std::time::Duration::from_nanos(nanoseconds.unsigned_abs());
    format!("{sign}{}", crate::config::Duration::from(time))
}
