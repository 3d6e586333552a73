//! Times, as Go's layouts write them.
use super::value::{Outcome, Value};
use crate::config::Layout;
use chrono::{DateTime, Datelike, FixedOffset, Local, Timelike, Utc};
use chrono_tz::{OffsetName, Tz};

pub(super) const RFC1123Z: &str = "Mon, 02 Jan 2006 15:04:05 -0700";

pub(in crate::handlers) fn format(time: &DateTime<FixedOffset>, layout: &str) -> String {
    Layout::new(layout).format(time)
}
/// In our own zone, where the text says none.
pub(super) fn parse(layout: &str, text: &str) -> Option<DateTime<FixedOffset>> {
    Layout::new(layout).parse(text, &Local)
}
/// Go's zero: the beginning of the year 1.
pub(super) fn zero() -> DateTime<FixedOffset> {
    DateTime::from_timestamp(-62_135_596_800, 0).unwrap_or_default().fixed_offset()
}
pub(super) fn now() -> DateTime<FixedOffset> {
    Local::now().fixed_offset()
}
/// A time, or seconds since 1970, as sprig takes them; now, if it is neither.
pub(super) fn time_of(value: &Value) -> DateTime<FixedOffset> {
    match value {
        Value::Time(time) => *time,
        Value::Int(seconds) => DateTime::from_timestamp(*seconds, 0)
            .map_or_else(now, |time| time.with_timezone(&Local).fixed_offset()),
        _ => now(),
    }
}
/// In a zone by its name, also `Local`; in UTC, if there is no such zone.
pub(super) fn format_in_zone(time: &DateTime<FixedOffset>, zone: &str, layout: &str) -> String {
    let layout = Layout::new(layout);
    match zone.parse::<Tz>() {
        _ if zone == "Local" => layout.format(&time.with_timezone(&Local).fixed_offset()),
        Ok(zone) => {
            let time = time.with_timezone(&zone);
            let name = time.offset().abbreviation().filter(|name| !name.starts_with(['+', '-']));
            layout.format_in(&time.fixed_offset(), name)
        }
        Err(_) => layout.format(&time.with_timezone(&Utc).fixed_offset()),
    }
}
pub(super) fn method(time: &DateTime<FixedOffset>, name: &str, args: &[Value]) -> Option<Outcome> {
    let int = |number: i64| Ok(Value::Int(number));
    Some(match (name, args) {
        ("Format", [Value::Str(layout)]) => Ok(format(time, layout).into()),
        ("Year", []) => int(time.year().into()),
        ("Month", []) => Ok(time.format("%B").to_string().into()),
        ("Day", []) => int(time.day().into()),
        ("Hour", []) => int(time.hour().into()),
        ("Minute", []) => int(time.minute().into()),
        ("Second", []) => int(time.second().into()),
        ("Nanosecond", []) => int(time.nanosecond().into()),
        ("YearDay", []) => int(time.ordinal().into()),
        ("Weekday", []) => Ok(time.format("%A").to_string().into()),
        ("Unix", []) => int(time.timestamp()),
        ("UnixMilli", []) => int(time.timestamp_millis()),
        ("UnixNano", []) => int(time.timestamp_nanos_opt().unwrap_or_default()),
        ("UTC", []) => Ok(Value::Time(time.with_timezone(&Utc).fixed_offset())),
        ("Local", []) => Ok(Value::Time(time.with_timezone(&Local).fixed_offset())),
        ("IsZero", []) => Ok((*time == zero()).into()),
        ("String", []) => Ok(Value::Time(*time).shown().into()),
        ("Before", [Value::Time(other)]) => Ok((time < other).into()),
        ("After", [Value::Time(other)]) => Ok((time > other).into()),
        ("Equal", [Value::Time(other)]) => Ok((time == other).into()),
        ("Sub", [Value::Time(other)]) => {
            Ok(Value::Duration((*time - *other).num_nanoseconds().unwrap_or(i64::MAX)))
        }
        ("Add", [Value::Duration(by)]) => Ok(Value::Time(*time + chrono::Duration::nanoseconds(*by))),
        ("AddDate", [Value::Int(years), Value::Int(months), Value::Int(days)]) => {
            let months = years.saturating_mul(12).saturating_add(*months);
            let by = chrono::Months::new(u32::try_from(months.unsigned_abs()).unwrap_or(u32::MAX));
            let moved = if months < 0 { time.checked_sub_months(by) } else { time.checked_add_months(by) };
            let days = chrono::Duration::try_days(*days).unwrap_or_default();
            moved
                .and_then(|moved| moved.checked_add_signed(days))
                .map(Value::Time)
                .ok_or_else(|| "out of range".into())
        }
        _ => return None,
    })
}
pub(super) fn duration_method(nanoseconds: i64, name: &str) -> Option<Outcome> {
    let parts = |unit: f64| Ok(Value::Float(nanoseconds as f64 / unit));
    Some(match name {
        "Seconds" => parts(1e9),
        "Minutes" => parts(60e9),
        "Hours" => parts(3600e9),
        "Milliseconds" => Ok(Value::Int(nanoseconds / 1_000_000)),
        "String" => Ok(super::value::duration(nanoseconds).into()),
        _ => return None,
    })
}
/// Of go-humanize: `3 days ago`, `2 hours from now`.
pub(super) fn relative(time: &DateTime<FixedOffset>) -> String {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    const WEEK: i64 = 7 * DAY;
    const MONTH: i64 = 30 * DAY;
    const YEAR: i64 = 12 * MONTH;
    let seconds = (now() - *time).num_seconds();
    let label = if seconds < 0 { "from now" } else { "ago" };
    let of = seconds.abs();
    let several = |unit: i64, name: &str| format!("{} {name} {label}", of / unit);
    match of {
        0 => "now".into(),
        1 => format!("1 second {label}"),
        2..MINUTE => several(1, "seconds"),
        MINUTE..120 => format!("1 minute {label}"),
        120..HOUR => several(MINUTE, "minutes"),
        HOUR..7200 => format!("1 hour {label}"),
        7200..DAY => several(HOUR, "hours"),
        DAY..172_800 => format!("1 day {label}"),
        172_800..WEEK => several(DAY, "days"),
        WEEK..1_209_600 => format!("1 week {label}"),
        1_209_600..MONTH => several(WEEK, "weeks"),
        MONTH..5_184_000 => format!("1 month {label}"),
        5_184_000..YEAR => several(MONTH, "months"),
        YEAR..46_656_000 => format!("1 year {label}"),
        46_656_000..62_208_000 => format!("2 years {label}"),
        62_208_000..1_150_848_000 => several(YEAR, "years"),
        _ => format!("a long while {label}"),
    }
}
