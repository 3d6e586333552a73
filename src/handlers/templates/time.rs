//! Times, as Go's layouts write them.
use super::value::{Failure, Outcome, Value};
use chrono::{DateTime, Datelike, FixedOffset, Local, Timelike, Utc};

pub(super) const RFC1123Z: &str = "Mon, 02 Jan 2006 15:04:05 -0700";

/// What a layout's parts stand for, the longest first where one begins like another.
const PARTS: &[(&str, &str)] = &[
    ("January", "%B"),
    ("Jan", "%b"),
    ("Monday", "%A"),
    ("Mon", "%a"),
    ("MST", "%Z"),
    ("2006", "%Y"),
    ("-07:00:00", "%::z"),
    ("-070000", "%z00"),
    ("-07:00", "%:z"),
    ("-0700", "%z"),
    ("-07", "%:::z"),
    ("Z07:00", "%:z"),
    ("Z0700", "%z"),
    ("002", "%j"),
    ("01", "%m"),
    ("02", "%d"),
    ("03", "%I"),
    ("04", "%M"),
    ("05", "%S"),
    ("06", "%y"),
    ("15", "%H"),
    ("_2", "%e"),
    ("PM", "%p"),
    ("pm", "%P"),
    ("1", "%-m"),
    ("2", "%-d"),
    ("3", "%-I"),
    ("4", "%-M"),
    ("5", "%-S"),
];
/// Go's layout as that of `chrono`.
fn layout(go: &str) -> String {
    let (mut out, mut rest) = (String::new(), go);
    'next: while let Some(first) = rest.chars().next() {
        for (part, ours) in PARTS {
            if let Some(behind) = rest.strip_prefix(part) {
                // `Jan` begins no longer word, and a lone digit is no part of a number that is none.
                out.push_str(ours);
                rest = behind;
                continue 'next;
            }
        }
        if let Some(fraction) = rest.strip_prefix(['.', ',']) {
            let digits = fraction.len() - fraction.trim_start_matches('0').len();
            let nines = fraction.len() - fraction.trim_start_matches('9').len();
            let count = digits.max(nines);
            if count > 0 && !fraction[count..].starts_with(|c: char| c.is_ascii_digit()) {
                out.push_str(
                    if nines > 0 { "%.f".into() } else { format!("%.{count}f") }
                        .replace("%.1f", "%.3f")
                        .as_str(),
                );
                rest = &fraction[count..];
                continue;
            }
        }
        if first == '%' {
            out.push('%');
        }
        out.push(first);
        rest = &rest[first.len_utf8()..];
    }
    out
}
pub(super) fn format(time: &DateTime<FixedOffset>, go: &str) -> String {
    use std::fmt::Write;
    let is_utc = time.offset().local_minus_utc() == 0;
    let go = if is_utc {
        go.replace("Z07:00", "Z").replace("Z0700", "Z").replace("MST", "UTC")
    } else {
        go.into()
    };
    // `UTC` and `Z` hold no part of a layout.
    let mut out = String::new();
    // A layout that `chrono` does not know writes nothing.
    let _ = write!(out, "{}", time.format(&layout(&go)));
    out
}
pub(super) fn parse(go: &str, text: &str) -> Option<DateTime<FixedOffset>> {
    let layout = layout(go);
    DateTime::parse_from_str(text, &layout).ok().or_else(|| {
        let naive = chrono::NaiveDateTime::parse_from_str(text, &layout).ok();
        let naive = naive.or_else(|| {
            chrono::NaiveDate::parse_from_str(text, &layout).ok().and_then(|day| day.and_hms_opt(0, 0, 0))
        });
        naive.map(|naive| naive.and_utc().fixed_offset())
    })
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
/// In `UTC`, `Local`, or at an offset such as `+02:00`. Names of other zones have no data here.
pub(super) fn in_zone(time: &DateTime<FixedOffset>, zone: &str) -> Result<DateTime<FixedOffset>, Failure> {
    match zone {
        "" | "UTC" => Ok(time.with_timezone(&Utc).fixed_offset()),
        "Local" => Ok(time.with_timezone(&Local).fixed_offset()),
        other => match other.parse::<FixedOffset>() {
            Ok(offset) => Ok(time.with_timezone(&offset)),
            Err(_) => Err(format!("time zones by name are not supported: {other}").into()),
        },
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
        ("IsZero", []) => Ok(false.into()),
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

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn layouts_are_those_of_go() {
        let time = DateTime::parse_from_rfc3339("2024-03-05T07:08:09.123+02:00").unwrap();
        for (go, expected) in [
            (RFC1123Z, "Tue, 05 Mar 2024 07:08:09 +0200"),
            ("2006-01-02T15:04:05Z07:00", "2024-03-05T07:08:09+02:00"),
            ("Monday, January 2, 2006 at 3:04 PM", "Tuesday, March 5, 2024 at 7:08 AM"),
            ("06/1/_2 15.04.05.000", "24/3/ 5 07.08.09.123"),
            ("100%", "300%"),
        ] {
            assert_eq!(format(&time, go), expected, "{go}");
        }
        assert_eq!(format(&time.with_timezone(&Utc).fixed_offset(), "15:04 MST Z07:00"), "05:08 UTC Z");
        assert_eq!(parse("2006-01-02", "2024-03-05").map(|time| time.timestamp()), Some(1_709_596_800));
    }
}
