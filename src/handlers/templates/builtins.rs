//! The functions that Go's templates have themselves.
use super::{
    printf,
    value::{Failure, Outcome, Value},
};
use crate::http::uri::encode_query;
use std::cmp::Ordering;

/// `None`: there is none of that name. (`and` and `or` are the executor's, as they look only at what they must.)
pub(super) fn call(name: &str, args: &[Value]) -> Option<Outcome> {
    Some(match name {
        "not" => one(args).map(|value| (!value.is_true()).into()),
        "eq" => equal(args),
        "ne" => two(args).and_then(|(a, b)| a.equals(b)).map(|equal| (!equal).into()),
        "lt" => compare(args, |order| order == Ordering::Less),
        "le" => compare(args, |order| order != Ordering::Greater),
        "gt" => compare(args, |order| order == Ordering::Greater),
        "ge" => compare(args, |order| order != Ordering::Less),
        "len" => one(args).and_then(|value| match value.len() {
            Some(length) => Ok(Value::Int(length as i64)),
            None => Err(format!("len of type {}", value.type_name()).into()),
        }),
        "index" => index(args),
        "slice" => slice(args),
        "print" => Ok(printf::print(args).into()),
        "println" => Ok(printf::println(args).into()),
        "printf" => match args {
            [Value::Str(format), args @ ..] => Ok(printf::printf(format, args).into()),
            _ => Err("wrong type for value; expected string".into()),
        },
        "html" => Ok(escape_html(&printf::print(args)).into()),
        "js" => Ok(escape_js(&printf::print(args)).into()),
        "urlquery" => Ok(encode_query(&printf::print(args)).into_owned().into()),
        "call" => Err("there is nothing to call".into()),
        _ => return None,
    })
}
fn wrong(args: &[Value], wanted: usize) -> Failure {
    format!("wrong number of args: want {wanted} got {}", args.len()).into()
}
pub(super) fn one(args: &[Value]) -> Result<&Value, Failure> {
    if let [one] = args { Ok(one) } else { Err(wrong(args, 1)) }
}
pub(super) fn two(args: &[Value]) -> Result<(&Value, &Value), Failure> {
    if let [a, b] = args { Ok((a, b)) } else { Err(wrong(args, 2)) }
}
fn equal(args: &[Value]) -> Outcome {
    let [first, others @ ..] = args else { return Err("missing argument for comparison".into()) };
    if others.is_empty() {
        return Err("missing argument for comparison".into());
    }
    for other in others {
        if first.equals(other)? {
            return Ok(true.into());
        }
    }
    Ok(false.into())
}
fn compare(args: &[Value], holds: impl Fn(Ordering) -> bool) -> Outcome {
    let (a, b) = two(args)?;
    Ok(holds(a.order(b)?).into())
}
fn index(args: &[Value]) -> Outcome {
    let [first, keys @ ..] = args else { return Err(wrong(args, 1)) };
    let mut value = first.clone();
    for key in keys {
        value = match (&value, key) {
            (Value::List(items), Value::Int(at)) => {
                let item = usize::try_from(*at).ok().and_then(|at| items.get(at));
                item.cloned().ok_or_else(|| format!("index out of range: {at}"))?
            }
            (Value::Str(text), Value::Int(at)) => {
                let byte = usize::try_from(*at).ok().and_then(|at| text.as_bytes().get(at));
                Value::Int(i64::from(*byte.ok_or_else(|| format!("index out of range: {at}"))?))
            }
            (Value::Map(map), Value::Str(key)) => map.borrow().get(&**key).cloned().unwrap_or_default(),
            (Value::Nil, _) => return Err("index of untyped nil".into()),
            (Value::Object(object), Value::Str(key)) => {
                match object.get("Values", std::slice::from_ref(&Value::Str(key.clone()))) {
                    Some(found) => found?,
                    None => return Err("can't index item of type object".into()),
                }
            }
            (value, key) => {
                return Err(format!("cannot index {} with {}", value.type_name(), key.type_name()).into());
            }
        };
    }
    Ok(value)
}
/// Sprig's, which comes before Go's own and takes no texts.
fn slice(args: &[Value]) -> Outcome {
    let [value, bounds @ ..] = args else { return Err(wrong(args, 1)) };
    let length = value.len().unwrap_or(0);
    let bound = |at: usize, default: usize| match bounds.get(at) {
        None => Ok(default),
        Some(Value::Int(bound)) => usize::try_from(*bound)
            .ok()
            .filter(|bound| *bound <= length)
            .ok_or_else(|| format!("index out of range: {bound}")),
        Some(other) => Err(format!("cannot index slice/array with type {}", other.type_name())),
    };
    let (start, end) = (bound(0, 0)?, bound(1, length)?);
    if bounds.len() > 2 || start > end {
        return Err(format!("invalid slice index: {start} > {end}").into());
    }
    match value {
        Value::List(items) => Ok(Value::list(items[start..end].iter().cloned())),
        other => Err(format!("list should be type of slice or array but {}", other.type_name()).into()),
    }
}
pub(super) fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '\0' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
fn escape_js(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            '<' | '>' | '&' | '=' | '\0'..='\x1f' => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}
