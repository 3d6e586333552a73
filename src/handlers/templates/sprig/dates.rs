//! Dates and durations.
use super::{Args, Failure};
use crate::{
    config::parse_go_duration,
    handlers::templates::{
        time::{format, format_in_zone, now, parse, time_of},
        value::{Outcome, Value},
    },
};
use chrono::Local;

pub(super) fn call(name: &str, args: &[Value]) -> Option<Outcome> {
    apply(name, &mut Args(args)).transpose()
}
const DAY: &str = "2006-01-02";

fn apply(name: &str, a: &mut Args<'_>) -> Result<Option<Value>, Failure> {
    let local = |value: &Value| time_of(value).with_timezone(&Local).fixed_offset();
    Ok(Some(match name {
        "now" => Value::Time(now()),
        "date" => {
            let layout = a.text()?;
            format(&local(a.next()?), layout).into()
        }
        "dateInZone" | "date_in_zone" => {
            let (layout, time) = (a.text()?, a.next()?);
            format_in_zone(&time_of(time), a.text()?, layout).into()
        }
        "htmlDate" => format(&local(a.next()?), DAY).into(),
        "htmlDateInZone" => {
            let time = a.next()?;
            format_in_zone(&time_of(time), a.text()?, DAY).into()
        }
        "unixEpoch" => time_of(a.next()?).timestamp().to_string().into(),
        "toDate" => {
            let (layout, text) = (a.text()?, a.text()?);
            Value::Time(parse(layout, text).ok_or_else(|| format!("cannot parse {text:?} as {layout:?}"))?)
        }
        "dateModify" | "date_modify" | "must_date_modify" => {
            let text = a.text()?;
            let nanoseconds = nanoseconds(text)?;
            Value::Time(time_of(a.next()?) + chrono::Duration::nanoseconds(nanoseconds))
        }
        "ago" => {
            let past = now() - time_of(a.next()?);
            Value::Duration(past.num_seconds().saturating_mul(1_000_000_000)).shown().into()
        }
        "duration" => Value::Duration(a.int()?.saturating_mul(1_000_000_000)).shown().into(),
        "durationRound" => match a.next()? {
            Value::Str(text) => rounded(nanoseconds(text)?).into(),
            Value::Time(time) => rounded((now() - *time).num_nanoseconds().unwrap_or(i64::MAX)).into(),
            other => rounded(super::numbers::to_int(other)).into(),
        },
        _ => return Ok(None),
    }))
}
fn nanoseconds(text: &str) -> Result<i64, Failure> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
    let duration = parse_go_duration(text.strip_prefix('+').unwrap_or(text))?;
    let nanoseconds = i64::try_from(duration.std().as_nanos()).unwrap_or(i64::MAX);
    Ok(if negative { -nanoseconds } else { nanoseconds })
}
/// In the largest unit that it fills.
fn rounded(nanoseconds: i64) -> String {
    let seconds = nanoseconds.unsigned_abs() / 1_000_000_000;
    for (unit, name) in
        [(31_536_000, "y"), (2_592_000, "mo"), (86_400, "d"), (3600, "h"), (60, "m"), (1, "s")]
    {
        if seconds > unit || unit == 1 {
            return format!("{}{name}", seconds / unit);
        }
    }
    String::new()
}
