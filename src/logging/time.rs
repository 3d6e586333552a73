//! How an entry's time is shown.
use super::json;
use crate::config::Layout;
use chrono::{DateTime, Local, Utc};
use std::time::SystemTime;

/// `time_format` of Caddy's encoders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TimeFormat {
    UnixSecondsFloat,
    UnixMilliFloat,
    UnixNano,
    /// Always in UTC if it is `iso8601`.
    Layout {
        layout: Layout,
        utc_only: bool,
    },
}
impl TimeFormat {
    /// Reads a name of Caddy's, or else a layout of Go's.
    pub(super) fn named(name: &str) -> Self {
        let by = |layout: &str| Self::Layout { layout: Layout::new(layout), utc_only: false };
        match name {
            "unix_seconds_float" => Self::UnixSecondsFloat,
            "unix_milli_float" => Self::UnixMilliFloat,
            "unix_nano" => Self::UnixNano,
            "iso8601" => Self::Layout { layout: Layout::new("2006-01-02T15:04:05.000Z0700"), utc_only: true },
            "rfc3339" => by("2006-01-02T15:04:05Z07:00"),
            "rfc3339_nano" => by("2006-01-02T15:04:05.999999999Z07:00"),
            "wall" => by("2006/01/02 15:04:05"),
            "wall_milli" => by("2006/01/02 15:04:05.000"),
            "wall_nano" => by("2006/01/02 15:04:05.000000000"),
            "common_log" => by("02/Jan/2006:15:04:05 -0700"),
            layout => by(layout),
        }
    }
    /// Writes `time` as a JSON value, or bare for the console.
    pub(super) fn write(&self, out: &mut Vec<u8>, time: SystemTime, local: bool, bare: bool) {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        match self {
            Self::UnixSecondsFloat => json::float(out, since.as_nanos() as f64 / 1e9),
            Self::UnixMilliFloat => json::float(out, since.as_nanos() as f64 / 1e6),
            Self::UnixNano => json::display(out, since.as_nanos()),
            Self::Layout { layout, utc_only } => {
                let shown = if local && !utc_only {
                    layout.format(&DateTime::<Local>::from(time).fixed_offset())
                } else {
                    layout.format(&DateTime::<Utc>::from(time).fixed_offset())
                };
                if bare { out.extend_from_slice(shown.as_bytes()) } else { json::text(out, shown.as_bytes()) }
            }
        }
    }
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
