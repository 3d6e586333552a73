//! Numbers.
use super::{Args, Failure};
use crate::handlers::templates::value::{Outcome, Value};

pub(super) fn call(name: &str, args: &[Value]) -> Option<Outcome> {
    apply(name, &mut Args(args)).transpose()
}
/// Items that a function may make.
const MOST: i64 = 1_000_000;

fn apply(name: &str, a: &mut Args<'_>) -> Result<Option<Value>, Failure> {
    let ints = |values: &[Value]| values.iter().map(to_int).collect::<Vec<_>>();
    let floats = |values: &[Value]| values.iter().map(to_float).collect::<Vec<_>>();
    Ok(Some(match name {
        "add" => ints(a.rest()).into_iter().fold(0, i64::wrapping_add).into(),
        "add1" => a.int()?.wrapping_add(1).into(),
        "sub" => a.int()?.wrapping_sub(a.int()?).into(),
        "mul" => ints(a.rest()).into_iter().fold(1, i64::wrapping_mul).into(),
        "div" => a.int()?.checked_div(a.int()?).ok_or("runtime error: integer divide by zero")?.into(),
        "mod" => a.int()?.checked_rem(a.int()?).ok_or("runtime error: integer divide by zero")?.into(),
        "max" | "biggest" => ints(a.rest()).into_iter().max().unwrap_or(0).into(),
        "min" => ints(a.rest()).into_iter().min().unwrap_or(0).into(),
        "addf" => decimal(floats(a.rest()).into_iter().sum()).into(),
        "add1f" => (to_float(a.next()?) + 1.0).into(),
        "mulf" => decimal(floats(a.rest()).into_iter().product()).into(),
        "subf" => decimal(fold(&floats(a.rest()), |x, y| x - y)).into(),
        "divf" => {
            let numbers = floats(a.rest());
            if numbers.iter().skip(1).any(|number| *number == 0.0) {
                return Err("decimal division by 0".into());
            }
            fold(&numbers, |x, y| x / y).into()
        }
        "maxf" => floats(a.rest()).into_iter().fold(f64::NEG_INFINITY, f64::max).into(),
        "minf" => floats(a.rest()).into_iter().fold(f64::INFINITY, f64::min).into(),
        "floor" => to_float(a.next()?).floor().into(),
        "ceil" => to_float(a.next()?).ceil().into(),
        "round" => {
            let number = to_float(a.next()?);
            let scale = 10f64.powi(i32::try_from(a.int()?).unwrap_or(0));
            let limit = a.0.first().map_or(0.5, to_float);
            let scaled = number * scale;
            let up = scaled.fract() >= limit;
            (if up { scaled.ceil() } else { scaled.floor() } / scale).into()
        }
        "int" | "int64" => a.int()?.into(),
        "float64" => to_float(a.next()?).into(),
        "atoi" => a.text()?.parse::<i64>().unwrap_or(0).into(),
        "toDecimal" => i64::from_str_radix(&a.next()?.shown(), 8).unwrap_or(0).into(),
        "randInt" => {
            let (from, to) = (a.int()?, a.int()?);
            if from >= to {
                return Err("randInt: the range is empty".into());
            }
            fastrand::i64(from..to).into()
        }
        "until" => {
            let end = a.int()?;
            steps(0, end, end.signum())?
        }
        "untilStep" => steps(a.int()?, a.int()?, a.int()?)?,
        "seq" => {
            let numbers = ints(a.rest());
            let (from, to, by) = match numbers[..] {
                [to] => (1, to, if to < 1 { -1 } else { 1 }),
                [from, to] => (from, to, if to < from { -1 } else { 1 }),
                [from, by, to] => (from, to, by),
                _ => return Ok(Some("".into())),
            };
            let Value::List(items) = steps(from, to.saturating_add(by.signum()), by)? else {
                return Ok(None);
            };
            items.iter().map(Value::shown).collect::<Vec<_>>().join(" ").into()
        }
        _ => return Ok(None),
    }))
}
/// Sprig reckons with decimal numbers: 0.1 and 0.2 make 0.3.
fn decimal(number: f64) -> f64 {
    format!("{number:.14e}").parse().unwrap_or(number)
}
fn fold(numbers: &[f64], with: impl Fn(f64, f64) -> f64) -> f64 {
    numbers.iter().copied().reduce(with).unwrap_or(0.0)
}
/// From one number towards another, which is not reached.
fn steps(from: i64, to: i64, by: i64) -> Result<Value, Failure> {
    let (mut items, mut at) = (vec![], from);
    while by > 0 && at < to || by < 0 && at > to {
        if items.len() as i64 >= MOST {
            return Err("the list is too long".into());
        }
        items.push(Value::Int(at));
        at = at.saturating_add(by);
    }
    Ok(Value::list(items))
}
pub(super) fn to_int(value: &Value) -> i64 {
    match value {
        Value::Int(v) | Value::Duration(v) => *v,
        Value::Float(v) => *v as i64,
        Value::Bool(v) => i64::from(*v),
        Value::Str(v) => v.parse().unwrap_or_else(|_| v.parse::<f64>().unwrap_or(0.0) as i64),
        _ => 0,
    }
}
pub(super) fn to_float(value: &Value) -> f64 {
    match value {
        Value::Float(v) => *v,
        Value::Str(v) => v.parse().unwrap_or(0.0),
        other => to_int(other) as f64,
    }
}
