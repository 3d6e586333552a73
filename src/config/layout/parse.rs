//! Reads what a layout has written.
use super::{Chunk, Layout, Offset};
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// What has been read so far. Go takes the year 0 where there is none.
struct Read {
    year: i32,
    month: Option<u32>,
    day: Option<u32>,
    year_day: Option<u32>,
    hour: u32,
    minute: u32,
    second: u32,
    nanosecond: u32,
    /// Whether the hour is one of the afternoon.
    afternoon: Option<bool>,
    offset: Option<i32>,
}
impl Layout {
    /// The time that `text` says; where it says no zone, it is one of `zone`. `None`: it is not of this layout.
    pub fn parse(&self, text: &str, zone: &impl TimeZone) -> Option<DateTime<FixedOffset>> {
        let mut read = Read {
            year: 0,
            month: None,
            day: None,
            year_day: None,
            hour: 0,
            minute: 0,
            second: 0,
            nanosecond: 0,
            afternoon: None,
            offset: None,
        };
        let mut rest = text;
        for (at, chunk) in self.0.iter().enumerate() {
            rest = read.chunk(chunk, self.0.get(at + 1), rest)?;
        }
        if rest.is_empty() { read.time(zone) } else { None }
    }
}
impl Read {
    fn chunk<'a>(&mut self, chunk: &Chunk, next: Option<&Chunk>, text: &'a str) -> Option<&'a str> {
        let mut rest = text;
        match chunk {
            Chunk::Text(expected) => rest = skip(text, expected)?,
            Chunk::LongMonth => self.month = Some(name(&mut rest, &MONTHS, usize::MAX)? + 1),
            Chunk::Month => self.month = Some(name(&mut rest, &MONTHS, 3)? + 1),
            Chunk::NumMonth | Chunk::ZeroMonth => {
                self.month = Some(number(&mut rest, 2, matches!(chunk, Chunk::ZeroMonth))?);
            }
            Chunk::LongWeekday => _ = name(&mut rest, &DAYS, usize::MAX)?,
            Chunk::Weekday => _ = name(&mut rest, &DAYS, 3)?,
            Chunk::Day | Chunk::UnderDay | Chunk::ZeroDay => {
                if *chunk == Chunk::UnderDay {
                    rest = rest.strip_prefix(' ').unwrap_or(rest);
                }
                self.day = Some(number(&mut rest, 2, *chunk == Chunk::ZeroDay)?);
            }
            Chunk::UnderYearDay | Chunk::ZeroYearDay => {
                let trimmed = rest.trim_start_matches(' ');
                let spaces = (rest.len() - trimmed.len()).min(2);
                rest = &rest[spaces..];
                self.year_day = Some(number(&mut rest, 3 - spaces, true)?);
            }
            Chunk::Hour => self.hour = number(&mut rest, 2, false).filter(|hour| *hour < 24)?,
            Chunk::Hour12 | Chunk::ZeroHour12 => {
                let exact = *chunk == Chunk::ZeroHour12;
                self.hour = number(&mut rest, 2, exact).filter(|hour| *hour <= 12)?;
            }
            Chunk::Minute | Chunk::ZeroMinute => {
                self.minute = number(&mut rest, 2, *chunk == Chunk::ZeroMinute).filter(|m| *m < 60)?;
            }
            Chunk::Second | Chunk::ZeroSecond => {
                self.second = number(&mut rest, 2, *chunk == Chunk::ZeroSecond).filter(|s| *s < 60)?;
                // A fraction may follow although the layout says none.
                let is_next = matches!(next, Some(Chunk::Fraction { .. }));
                if !is_next
                    && rest.starts_with(['.', ','])
                    && rest[1..].starts_with(|c: char| c.is_ascii_digit())
                {
                    self.fraction(&mut rest)?;
                }
            }
            Chunk::LongYear => self.year = i32::try_from(number(&mut rest, 4, true)?).ok()?,
            Chunk::Year => {
                let year = i32::try_from(number(&mut rest, 2, true)?).ok()?;
                self.year = year + if year >= 69 { 1900 } else { 2000 };
            }
            Chunk::Pm | Chunk::LowerPm => {
                let pair = if *chunk == Chunk::Pm { ["AM", "PM"] } else { ["am", "pm"] };
                let found = pair.iter().position(|half| rest.starts_with(half))?;
                rest = &rest[2..];
                self.afternoon = Some(found == 1);
            }
            Chunk::ZoneName => {
                let length = rest.bytes().take_while(u8::is_ascii_uppercase).count();
                if !(3..=5).contains(&length) {
                    return None;
                }
                rest = &rest[length..];
                // Of a name that the machine does not know, Go makes a zone without an offset.
                self.offset.get_or_insert(0);
            }
            Chunk::Offset(form, z) => self.offset = Some(offset(&mut rest, *form, *z)?),
            Chunk::Fraction { digits, trims, .. } => {
                let present = rest.starts_with(['.', ',']);
                let count = rest.get(1..).unwrap_or_default().bytes().take_while(u8::is_ascii_digit).count();
                match trims {
                    true if present && count > 0 => self.fraction(&mut rest)?,
                    true => {}
                    false if present && count == *digits => self.fraction(&mut rest)?,
                    false => return None,
                }
            }
        }
        Some(rest)
    }
    /// A point or comma and digits.
    fn fraction(&mut self, rest: &mut &str) -> Option<()> {
        let digits = rest.get(1..)?;
        let count = digits.bytes().take_while(u8::is_ascii_digit).count();
        let shown = digits.get(..count.min(9))?;
        self.nanosecond = format!("{shown:0<9}").parse().ok()?;
        *rest = &digits[count..];
        Some(())
    }
    fn time(self, zone: &impl TimeZone) -> Option<DateTime<FixedOffset>> {
        let hour = match (self.afternoon, self.hour) {
            (Some(true), hour @ ..12) => hour + 12,
            (Some(false), 12) => 0,
            (_, hour) => hour,
        };
        let date = match self.year_day {
            Some(day) if self.month.is_none() && self.day.is_none() => NaiveDate::from_yo_opt(self.year, day),
            _ => NaiveDate::from_ymd_opt(self.year, self.month.unwrap_or(1), self.day.unwrap_or(1)),
        };
        let time = NaiveTime::from_hms_nano_opt(hour, self.minute, self.second, self.nanosecond)?;
        let naive = NaiveDateTime::new(date?, time);
        match self.offset {
            Some(offset) => FixedOffset::east_opt(offset)?.from_local_datetime(&naive).single(),
            None => zone.from_local_datetime(&naive).earliest().map(|time| time.fixed_offset()),
        }
    }
}
/// Several spaces count as one.
fn skip<'a>(mut text: &'a str, mut expected: &str) -> Option<&'a str> {
    while let Some(first) = expected.chars().next() {
        if first == ' ' {
            if !text.is_empty() && !text.starts_with(' ') {
                return None;
            }
            (text, expected) = (text.trim_start_matches(' '), expected.trim_start_matches(' '));
            continue;
        }
        (text, expected) = (text.strip_prefix(first)?, &expected[first.len_utf8()..]);
    }
    Some(text)
}
/// The place of one of `names`, of which so many letters are written, in any case.
fn name(rest: &mut &str, names: &[&str], letters: usize) -> Option<u32> {
    let written = |name: &&str| {
        let name = name.get(..letters).unwrap_or(name);
        rest.get(..name.len()).filter(|start| start.eq_ignore_ascii_case(name)).map(str::len)
    };
    let (at, length) = names.iter().enumerate().find_map(|(at, name)| Some((at, written(name)?)))?;
    *rest = &rest[length..];
    u32::try_from(at).ok()
}
/// Up to so many digits, or exactly so many.
fn number(rest: &mut &str, most: usize, exact: bool) -> Option<u32> {
    let count = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if count == 0 || exact && count < most {
        return None;
    }
    let (digits, behind) = rest.split_at(count);
    *rest = behind;
    digits.parse().ok()
}
fn offset(rest: &mut &str, form: Offset, z: bool) -> Option<i32> {
    if z && rest.starts_with('Z') {
        *rest = &rest[1..];
        return Some(0);
    }
    let sign = match rest.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    *rest = &rest[1..];
    let mut part = |wanted: bool, first: bool| {
        if !wanted {
            return Some(0);
        }
        if form.colons && !first {
            *rest = rest.strip_prefix(':')?;
        }
        i32::try_from(number(rest, 2, true)?).ok()
    };
    let (hours, minutes, seconds) =
        (part(true, true)?, part(form.minutes, false)?, part(form.seconds, false)?);
    (hours <= 24 && minutes < 60 && seconds < 60).then_some(sign * (hours * 3600 + minutes * 60 + seconds))
}
