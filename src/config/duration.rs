//! Lengths of time.
use grammar::values;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, time};

/// In JSON nanoseconds, or a text such as `1h30m` or `2d`. Never longer than an `i64` of nanoseconds (292 years); may be
/// negative where Caddy gives that a meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub i64);
impl Duration {
    pub const ZERO: Self = Self(0);
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds * 1_000_000_000)
    }
    pub const fn is_zero(&self) -> bool {
        self.0 == 0
    }
    /// As the standard library has it; a negative one is none at all.
    pub fn std(self) -> time::Duration {
        time::Duration::from_nanos(self.0.max(0).unsigned_abs())
    }
    /// `None` for zero, which in Caddy's JSON means: not set.
    pub fn some(self) -> Option<time::Duration> {
        (self.0 != 0).then(|| self.std())
    }
}
impl From<time::Duration> for Duration {
    fn from(duration: time::Duration) -> Self {
        Self(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
    }
}
/// As Go's `time.Duration.String`: `0s`, `1.5µs`, `2m3.5s`, `1h0m0s`.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.unsigned_abs();
        if self.0 < 0 {
            f.write_str("-")?;
        }
        // The seconds or the part of one, in `unit` nanoseconds of `digits` decimal places.
        let decimal = |f: &mut fmt::Formatter<'_>, nanos: u64, digits: usize, name: &str| {
            let unit = 10_u64.pow(digits as u32);
            let fraction = format!(".{:0digits$}", nanos % unit);
            write!(f, "{}{}{name}", nanos / unit, fraction.trim_end_matches('0').trim_end_matches('.'))
        };
        match nanos {
            0 => f.write_str("0s"),
            1..1_000 => write!(f, "{nanos}ns"),
            1_000..1_000_000 => decimal(f, nanos, 3, "µs"),
            1_000_000..1_000_000_000 => decimal(f, nanos, 6, "ms"),
            _ => {
                let minutes = nanos / 60_000_000_000;
                match (minutes / 60, minutes % 60) {
                    (0, 0) => {}
                    (0, minutes) => write!(f, "{minutes}m")?,
                    (hours, minutes) => write!(f, "{hours}h{minutes}m")?,
                }
                decimal(f, nanos % 60_000_000_000, 9, "s")
            }
        }
    }
}
impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}
impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Duration;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration: nanoseconds or a text such as \"1m30s\"")
            }
            fn visit_i64<E: de::Error>(self, nanoseconds: i64) -> Result<Duration, E> {
                Ok(Duration(nanoseconds))
            }
            fn visit_u64<E: de::Error>(self, nanoseconds: u64) -> Result<Duration, E> {
                i64::try_from(nanoseconds).map(Duration).map_err(|_| E::custom("duration too long"))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
                parse_duration(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// Caddy's durations: Go's, and `d` for 24 hours.
///
/// # Errors
/// In Go's words, such as `time: invalid duration "x"`.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    values::duration(text).map(Duration)
}
/// Go's `time.ParseDuration`: `ns`, `us`, `µs`, `ms`, `s`, `m`, `h`, with sign and fractions.
///
/// # Errors
/// In Go's words.
pub fn parse_go_duration(text: &str) -> Result<Duration, String> {
    values::go_duration(text).map(Duration)
}

#[cfg(test)]
mod tests {
    use super::*;
    fn ns(text: &str) -> Result<i64, String> {
        parse_duration(text).map(|d| d.0)
    }
    #[test]
    fn durations_are_go_s_and_days() {
        assert_eq!(ns("1h2m3.5s"), Ok(3_723_500_000_000));
        assert_eq!(ns("1.5ms"), Ok(1_500_000));
        assert_eq!(ns("-1us"), Ok(-1_000));
        assert_eq!(ns("0"), Ok(0));
        assert_eq!(ns("1d12h"), Ok(36 * 3_600_000_000_000));
        assert_eq!(ns("0.5d"), Ok(12 * 3_600_000_000_000));
        assert_eq!(ns("+.5s"), Ok(500_000_000));
    }
    #[test]
    fn errors_are_go_s() {
        assert_eq!(ns("x"), Err("time: invalid duration \"x\"".into()));
        assert_eq!(ns("5"), Err("time: missing unit in duration \"5\"".into()));
        assert_eq!(ns("5y"), Err("time: unknown unit \"y\" in duration \"5y\"".into()));
        assert_eq!(ns(""), Err("time: invalid duration \"\"".into()));
        assert_eq!(ns("d"), Err("strconv.ParseFloat: parsing \"\": invalid syntax".into()));
        assert_eq!(ns("9999999999h"), Err("time: invalid duration \"9999999999h\"".into()));
        assert_eq!(parse_go_duration("1d"), Err("time: unknown unit \"d\" in duration \"1d\"".into()));
    }
    #[test]
    fn json_takes_both_forms_and_gives_nanoseconds() {
        let read: Vec<Duration> = serde_json::from_str(r#"[5000000000, "5s"]"#).unwrap();
        assert_eq!(read, [Duration::from_secs(5); 2]);
        assert_eq!(serde_json::to_string(&read[0]).unwrap(), "5000000000");
    }
    #[test]
    fn durations_read_as_in_go() {
        for (nanos, text) in [
            (0, "0s"),
            (1, "1ns"),
            (1_500, "1.5µs"),
            (121_856, "121.856µs"),
            (2_000_000, "2ms"),
            (1_000_000_000, "1s"),
            (61_500_000_000, "1m1.5s"),
            (3_600_000_000_000, "1h0m0s"),
            (-1_500_000_000, "-1.5s"),
        ] {
            assert_eq!(Duration(nanos).to_string(), text);
        }
    }
}
