//! The types of CEL, as far as they are known before a request comes.
use std::fmt;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Type {
    Bool,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    Null,
    Timestamp,
    Duration,
    /// What `type()` gives.
    Kind,
    List(Box<Type>),
    Map(Box<Type>, Box<Type>),
    /// Of a placeholder: whatever it is then.
    Any,
    /// Of what comes out of one.
    Dyn,
    /// `req`, which is good for nothing but to be handed on.
    Request,
}
impl Type {
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Any | Self::Dyn)
    }
    /// Whether a value of one may be one of the other.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (a, b) if a.is_open() || b.is_open() => true,
            (Self::List(a), Self::List(b)) => a.agrees(b),
            (Self::Map(a, b), Self::Map(c, d)) => a.agrees(c) && b.agrees(d),
            (a, b) => a == b,
        }
    }
    /// What holds values of both.
    pub(super) fn joined(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (Self::Any, _) | (_, Self::Any) => Self::Any,
            _ => Self::Dyn,
        }
    }
    pub(super) fn is_number(&self) -> bool {
        matches!(self, Self::Int | Self::Uint | Self::Double)
    }
    /// As the result of an expression, where an open one is called otherwise.
    pub(super) fn result_name(&self) -> String {
        match self {
            Self::Any => "google.protobuf.Any".to_owned(),
            other => other.to_string(),
        }
    }
}
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Null => "null",
            Self::Timestamp => "timestamp",
            Self::Duration => "duration",
            Self::Kind => "type",
            Self::List(item) => return write!(f, "list({item})"),
            Self::Map(key, value) => return write!(f, "map({key}, {value})"),
            Self::Any => "any",
            Self::Dyn => "dyn",
            Self::Request => "http.Request",
        })
    }
}

/// What a function of CEL's library gives. `None`: there is no function of that name.
pub(super) fn function(name: &str) -> Option<Type> {
    Some(match name {
        "size" | "int" => Type::Int,
        "uint" => Type::Uint,
        "double" => Type::Double,
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "bool" | "matches" => Type::Bool,
        "timestamp" => Type::Timestamp,
        "duration" => Type::Duration,
        "type" => Type::Kind,
        "dyn" => Type::Dyn,
        _ => return None,
    })
}
/// The same, of a function that is called on a value: `x.size()`.
pub(super) fn method(name: &str) -> Option<Type> {
    Some(match name {
        "contains" | "startsWith" | "endsWith" | "matches" => Type::Bool,
        "size" | "indexOf" | "lastIndexOf" => Type::Int,
        "getDate" | "getDayOfMonth" | "getDayOfWeek" | "getDayOfYear" | "getFullYear" | "getHours"
        | "getMilliseconds" | "getMinutes" | "getMonth" | "getSeconds" => Type::Int,
        "charAt" | "format" | "join" | "lowerAscii" | "replace" | "substring" | "trim" | "upperAscii" => {
            Type::String
        }
        "split" => Type::List(Box::new(Type::String)),
        // Of lists and of strings.
        "reverse" => Type::Dyn,
        "slice" | "flatten" | "sort" | "distinct" | "sortBy" => Type::List(Box::new(Type::Dyn)),
        "first" | "last" => Type::Dyn,
        _ => return None,
    })
}
/// Whether a function, or a method called on `on`, takes such arguments.
pub(super) fn takes(name: &str, on: Option<&Type>, args: &[Type]) -> bool {
    use Type::{Bool, Bytes, Double, Duration, Int, List, Map, String, Timestamp, Uint};
    let is = |given: &Type, one_of: &[Type]| one_of.iter().any(|wanted| given.agrees(wanted));
    let sized = |given: &Type| given.is_open() || matches!(given, String | Bytes | List(_) | Map(..));
    let listed = |given: &Type| given.is_open() || matches!(given, List(_));
    let fits =
        |wanted: &[Type]| args.len() == wanted.len() && args.iter().zip(wanted).all(|(a, b)| a.agrees(b));
    match (on, name, args) {
        (None, "size", [one]) => sized(one),
        (None, "int", [one]) => is(one, &[Int, Uint, Double, String, Timestamp, Duration]),
        (None, "uint" | "double", [one]) => is(one, &[Int, Uint, Double, String]),
        (None, "string", [one]) => is(one, &[Bool, Int, Uint, Double, String, Bytes, Timestamp, Duration]),
        (None, "bytes", [one]) => is(one, &[String, Bytes]),
        (None, "bool", [one]) => is(one, &[Bool, String]),
        (None, "timestamp", [one]) => is(one, &[String, Int, Timestamp]),
        (None, "duration", [one]) => is(one, &[String, Int, Duration]),
        (None, "type" | "dyn", [_]) => true,
        (None, "matches", _) => fits(&[String, String]),
        (None, ..) => false,
        (Some(on), "size", []) => sized(on),
        (Some(on), "join", _) => listed(on) && (fits(&[]) || fits(&[String])),
        (Some(on), "reverse", []) => listed(on) || is(on, &[String]),
        (Some(on), "slice" | "flatten" | "sort" | "distinct" | "sortBy" | "first" | "last", _) => listed(on),
        (Some(on), "getHours" | "getMinutes" | "getSeconds" | "getMilliseconds", []) => {
            is(on, &[Timestamp, Duration])
        }
        (Some(on), name, _) if name.starts_with("get") => {
            is(on, &[Timestamp]) && (fits(&[]) || fits(&[String]))
        }
        (Some(on), name, _) => {
            is(on, &[String])
                && match name {
                    "contains" | "startsWith" | "endsWith" | "matches" => fits(&[String]),
                    "indexOf" | "lastIndexOf" | "split" => fits(&[String]) || fits(&[String, Int]),
                    "charAt" => fits(&[Int]),
                    "format" => args.len() == 1 && listed(&args[0]),
                    "lowerAscii" | "upperAscii" | "trim" => fits(&[]),
                    "replace" => fits(&[String, String]) || fits(&[String, String, Int]),
                    "substring" => fits(&[Int]) || fits(&[Int, Int]),
                    _ => false,
                }
        }
    }
}
/// The same, of one in a namespace: `math.greatest`.
pub(super) fn qualified(namespace: &str, name: &str) -> Option<Type> {
    Some(match (namespace, name) {
        ("math", "isNaN" | "isInf" | "isFinite") => Type::Bool,
        ("math", "bitAnd" | "bitOr" | "bitXor" | "bitNot" | "bitShiftLeft" | "bitShiftRight") => Type::Dyn,
        ("math", "ceil" | "floor" | "round" | "trunc" | "sqrt") => Type::Double,
        ("math", "greatest" | "least" | "abs" | "sign") => Type::Dyn,
        ("strings", "quote") => Type::String,
        ("lists", "range") => Type::List(Box::new(Type::Int)),
        _ => return None,
    })
}
/// The types that an expression may name.
pub(super) fn is_type_name(name: &str) -> bool {
    ["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"].contains(&name)
}
