//! Times as Go's layouts write and read them: `2006-01-02T15:04:05Z07:00`. The layout is the time it shows.
mod parse;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Datelike, FixedOffset, Timelike};
use std::fmt::Write;

/// A layout, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout(Vec<Chunk>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Chunk {
    Text(String),
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    Pm,
    LowerPm,
    ZoneName,
    /// How an offset is written, and whether `Z` stands for none.
    Offset(Offset, bool),
    /// A point or comma and so many digits; without zeros at the end, where they may be left out.
    Fraction {
        separator: char,
        digits: usize,
        trims: bool,
    },
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Offset {
    colons: bool,
    minutes: bool,
    seconds: bool,
}
const HOURS: Offset = Offset { colons: false, minutes: false, seconds: false };
const MINUTES: Offset = Offset { minutes: true, ..HOURS };
const SECONDS: Offset = Offset { seconds: true, ..MINUTES };
const COLON_MINUTES: Offset = Offset { colons: true, ..MINUTES };
const COLON_SECONDS: Offset = Offset { colons: true, ..SECONDS };

/// The longest first where one begins like another.
const PARTS: &[(&str, Chunk)] = &[
    ("January", Chunk::LongMonth),
    ("Jan", Chunk::Month),
    ("Monday", Chunk::LongWeekday),
    ("Mon", Chunk::Weekday),
    ("MST", Chunk::ZoneName),
    ("002", Chunk::ZeroYearDay),
    ("01", Chunk::ZeroMonth),
    ("02", Chunk::ZeroDay),
    ("03", Chunk::ZeroHour12),
    ("04", Chunk::ZeroMinute),
    ("05", Chunk::ZeroSecond),
    ("06", Chunk::Year),
    ("15", Chunk::Hour),
    ("1", Chunk::NumMonth),
    ("2006", Chunk::LongYear),
    ("2", Chunk::Day),
    ("__2", Chunk::UnderYearDay),
    ("_2", Chunk::UnderDay),
    ("3", Chunk::Hour12),
    ("4", Chunk::Minute),
    ("5", Chunk::Second),
    ("PM", Chunk::Pm),
    ("pm", Chunk::LowerPm),
    ("-070000", Chunk::Offset(SECONDS, false)),
    ("-07:00:00", Chunk::Offset(COLON_SECONDS, false)),
    ("-0700", Chunk::Offset(MINUTES, false)),
    ("-07:00", Chunk::Offset(COLON_MINUTES, false)),
    ("-07", Chunk::Offset(HOURS, false)),
    ("Z070000", Chunk::Offset(SECONDS, true)),
    ("Z07:00:00", Chunk::Offset(COLON_SECONDS, true)),
    ("Z0700", Chunk::Offset(MINUTES, true)),
    ("Z07:00", Chunk::Offset(COLON_MINUTES, true)),
    ("Z07", Chunk::Offset(HOURS, true)),
];
impl Layout {
    /// Every text is a layout.
    pub fn new(layout: &str) -> Self {
        let (mut chunks, mut text, mut rest) = (vec![], String::new(), layout);
        while let Some(first) = rest.chars().next() {
            let Some((chunk, length)) = chunk(rest) else {
                text.push(first);
                rest = &rest[first.len_utf8()..];
                continue;
            };
            if !text.is_empty() {
                chunks.push(Chunk::Text(std::mem::take(&mut text)));
            }
            chunks.push(chunk);
            rest = &rest[length..];
        }
        if !text.is_empty() {
            chunks.push(Chunk::Text(text));
        }
        Self(chunks)
    }
    pub fn format(&self, time: &DateTime<FixedOffset>) -> String {
        self.format_in(time, None)
    }
    /// The same, of a time whose zone has a name: `CET`.
    pub fn format_in(&self, time: &DateTime<FixedOffset>, zone: Option<&str>) -> String {
        let mut out = String::new();
        for chunk in &self.0 {
            match (chunk, zone) {
                (Chunk::ZoneName, Some(name)) => out.push_str(name),
                // Writing to a string cannot fail.
                _ => _ = write(&mut out, chunk, time),
            }
        }
        out
    }
}
/// What a layout begins with, and how long that is.
fn chunk(layout: &str) -> Option<(Chunk, usize)> {
    // The underscore is text here.
    if layout.starts_with("_2006") {
        return None;
    }
    let found = PARTS.iter().find(|(part, _)| layout.starts_with(part));
    if let Some((part, chunk)) = found {
        let is_short = matches!(chunk, Chunk::Month | Chunk::Weekday);
        // `Janitor` and `Monk` are words.
        let goes_on = layout[part.len()..].starts_with(|c: char| c.is_ascii_lowercase());
        return (!(is_short && goes_on)).then(|| (chunk.clone(), part.len()));
    }
    let separator = layout.chars().next().filter(|c| matches!(c, '.' | ','))?;
    let after = &layout[1..];
    let digit = after.chars().next().filter(|c| matches!(c, '0' | '9'))?;
    let digits = after.len() - after.trim_start_matches(digit).len();
    let goes_on = after[digits..].starts_with(|c: char| c.is_ascii_digit());
    (!goes_on).then_some((Chunk::Fraction { separator, digits, trims: digit == '9' }, digits + 1))
}
fn write(out: &mut String, chunk: &Chunk, time: &DateTime<FixedOffset>) -> std::fmt::Result {
    let hour12 = time.hour12().1;
    match chunk {
        Chunk::Text(text) => out.write_str(text),
        Chunk::LongMonth => write!(out, "{}", time.format("%B")),
        Chunk::Month => write!(out, "{}", time.format("%b")),
        Chunk::NumMonth => write!(out, "{}", time.month()),
        Chunk::ZeroMonth => write!(out, "{:02}", time.month()),
        Chunk::LongWeekday => write!(out, "{}", time.format("%A")),
        Chunk::Weekday => write!(out, "{}", time.format("%a")),
        Chunk::Day => write!(out, "{}", time.day()),
        Chunk::UnderDay => write!(out, "{:2}", time.day()),
        Chunk::ZeroDay => write!(out, "{:02}", time.day()),
        Chunk::UnderYearDay => write!(out, "{:3}", time.ordinal()),
        Chunk::ZeroYearDay => write!(out, "{:03}", time.ordinal()),
        Chunk::Hour => write!(out, "{:02}", time.hour()),
        Chunk::Hour12 => write!(out, "{hour12}"),
        Chunk::ZeroHour12 => write!(out, "{hour12:02}"),
        Chunk::Minute => write!(out, "{}", time.minute()),
        Chunk::ZeroMinute => write!(out, "{:02}", time.minute()),
        Chunk::Second => write!(out, "{}", time.second()),
        Chunk::ZeroSecond => write!(out, "{:02}", time.second()),
        Chunk::LongYear => write!(out, "{:04}", time.year()),
        Chunk::Year => write!(out, "{:02}", time.year().rem_euclid(100)),
        Chunk::Pm => out.write_str(if time.hour12().0 { "PM" } else { "AM" }),
        Chunk::LowerPm => out.write_str(if time.hour12().0 { "pm" } else { "am" }),
        // A zone that has no name: Go writes the offset then.
        Chunk::ZoneName if time.offset().local_minus_utc() == 0 => out.write_str("UTC"),
        Chunk::ZoneName => offset(out, MINUTES, time.offset().local_minus_utc()),
        Chunk::Offset(_, true) if time.offset().local_minus_utc() == 0 => out.write_str("Z"),
        Chunk::Offset(form, _) => offset(out, *form, time.offset().local_minus_utc()),
        Chunk::Fraction { separator, digits, trims } => {
            let nanoseconds = format!("{:09}", time.nanosecond() % 1_000_000_000);
            let shown = nanoseconds.get(..*digits).unwrap_or(&nanoseconds);
            let shown = if *trims { shown.trim_end_matches('0') } else { shown };
            if shown.is_empty() { Ok(()) } else { write!(out, "{separator}{shown}") }
        }
    }
}
fn offset(out: &mut String, form: Offset, seconds: i32) -> std::fmt::Result {
    let (sign, seconds) = (if seconds < 0 { '-' } else { '+' }, seconds.abs());
    let colon = if form.colons { ":" } else { "" };
    write!(out, "{sign}{:02}", seconds / 3600)?;
    if form.minutes {
        write!(out, "{colon}{:02}", seconds / 60 % 60)?;
    }
    if form.seconds {
        write!(out, "{colon}{:02}", seconds % 60)?;
    }
    Ok(())
}
