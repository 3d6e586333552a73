//! How an entry's time is shown.
use super::json;
use chrono::{DateTime, Local, Utc};
use std::time::SystemTime;

/// `time_format` of Caddy's encoders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TimeFormat {
    UnixSecondsFloat,
    UnixMilliFloat,
    UnixNano,
    /// A `strftime` pattern; always in UTC if it is `iso8601`.
    Pattern {
        pattern: String,
        utc_only: bool,
    },
}
impl TimeFormat {
    /// Reads a name of Caddy's, or else a layout of Go's.
    pub(super) fn named(name: &str) -> Self {
        let pattern = |layout: &str| Self::Pattern { pattern: go_layout(layout), utc_only: false };
        match name {
            "unix_seconds_float" => Self::UnixSecondsFloat,
            "unix_milli_float" => Self::UnixMilliFloat,
            "unix_nano" => Self::UnixNano,
            "iso8601" => Self::Pattern { pattern: go_layout("2006-01-02T15:04:05.000Z0700"), utc_only: true },
            "rfc3339" => pattern("2006-01-02T15:04:05Z07:00"),
            "rfc3339_nano" => pattern("2006-01-02T15:04:05.999999999Z07:00"),
            "wall" => pattern("2006/01/02 15:04:05"),
            "wall_milli" => pattern("2006/01/02 15:04:05.000"),
            "wall_nano" => pattern("2006/01/02 15:04:05.000000000"),
            "common_log" => pattern("02/Jan/2006:15:04:05 -0700"),
            layout => pattern(layout),
        }
    }
    /// Writes `time` as a JSON value, or bare for the console.
    pub(super) fn write(&self, out: &mut Vec<u8>, time: SystemTime, local: bool, bare: bool) {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        match self {
            Self::UnixSecondsFloat => json::float(out, since.as_nanos() as f64 / 1e9),
            Self::UnixMilliFloat => json::float(out, since.as_nanos() as f64 / 1e6),
            Self::UnixNano => json::display(out, since.as_nanos()),
            Self::Pattern { pattern, utc_only } => {
                let shown = if local && !utc_only {
                    DateTime::<Local>::from(time).format(pattern).to_string()
                } else {
                    // Go writes `Z` where the offset is none and the layout allows it.
                    let pattern = pattern.replace("Z%:z", "Z").replace("Z%z", "Z");
                    DateTime::<Utc>::from(time).format(&pattern).to_string()
                };
                let shown = shown.replace("Z+", "+").replace("Z-", "-");
                if bare { out.extend_from_slice(shown.as_bytes()) } else { json::text(out, shown.as_bytes()) }
            }
        }
    }
}
/// A layout of Go's (`2006-01-02 15:04:05`) as a `strftime` pattern.
pub(super) fn go_layout(layout: &str) -> String {
    // The longest first where one begins another.
    const PARTS: &[(&str, &str)] = &[
        ("January", "%B"),
        ("Jan", "%b"),
        ("Monday", "%A"),
        ("Mon", "%a"),
        ("MST", "%Z"),
        ("2006", "%Y"),
        ("Z07:00", "Z%:z"),
        ("Z0700", "Z%z"),
        ("-07:00", "%:z"),
        ("-0700", "%z"),
        ("002", "%j"),
        ("01", "%m"),
        ("02", "%d"),
        ("03", "%I"),
        ("04", "%M"),
        ("05", "%S"),
        ("06", "%y"),
        ("15", "%H"),
        ("PM", "%p"),
        ("pm", "%P"),
        ("_2", "%e"),
        ("1", "%-m"),
        ("2", "%-d"),
        ("3", "%-I"),
        ("4", "%-M"),
        ("5", "%-S"),
    ];
    let (mut out, mut rest) = (String::new(), layout);
    while let Some(c) = rest.chars().next() {
        if let Some((part, to)) = PARTS.iter().find(|(part, _)| rest.starts_with(part)) {
            out.push_str(to);
            rest = &rest[part.len()..];
            continue;
        }
        let after = &rest[c.len_utf8()..];
        let digits = |digit: char| after.len() - after.trim_start_matches(digit).len();
        match (c, digits('0'), digits('9')) {
            // Fractions of a second, of a fixed number of digits.
            ('.' | ',', zeros @ (3 | 6 | 9), _) => {
                out.push_str(&if c == '.' { format!("%.{zeros}f") } else { format!(",%{zeros}f") });
                rest = &after[zeros..];
            }
            ('.' | ',', _, nines @ 1..) => {
                out.push_str("%.f");
                rest = &after[nines..];
            }
            _ => {
                out.push_str(if c == '%' { "%%" } else { &rest[..c.len_utf8()] });
                rest = after;
            }
        }
    }
    out
}
#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn formats_are_caddys() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_nanos(1_795_305_589_351_530_300);
        for (name, shown) in [
            ("unix_seconds_float", "1795305589.3515303"),
            ("unix_milli_float", "1795305589351.5303"),
            ("unix_nano", "1795305589351530300"),
            ("iso8601", "\"2026-11-21T23:59:49.351Z\""),
            ("rfc3339", "\"2026-11-21T23:59:49Z\""),
            ("wall", "\"2026/11/21 23:59:49\""),
            ("wall_milli", "\"2026/11/21 23:59:49.351\""),
            ("common_log", "\"21/Nov/2026:23:59:49 +0000\""),
            ("2 January", "\"21 November\""),
            ("Mon, 02 Jan 2006 15:04:05 MST", "\"Sat, 21 Nov 2026 23:59:49 UTC\""),
        ] {
            let mut out = vec![];
            TimeFormat::named(name).write(&mut out, time, false, false);
            assert_eq!(String::from_utf8(out).unwrap(), shown, "{name}");
        }
    }
}
