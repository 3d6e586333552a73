//! When a file is rolled for its age alone.
use super::FileConfig;
use chrono::{Days, Local, NaiveDateTime, NaiveTime, Utc};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct Schedule {
    local_time: bool,
    interval: Option<Duration>,
    /// Of a day.
    marks: Vec<NaiveTime>,
    /// When the last roll was, or the first line; on the clock of the marks.
    since: Option<(Instant, NaiveDateTime)>,
}
impl Schedule {
    /// Times that are none are said to standard error and left out, as Caddy does.
    pub(super) fn new(config: &FileConfig) -> Self {
        let time = |hour: i64, minute: i64| {
            NaiveTime::from_hms_opt(u32::try_from(hour).ok()?, u32::try_from(minute).ok()?, 0)
        };
        let mut marks = vec![];
        for minute in &config.roll_minutes {
            match time(0, *minute) {
                Some(_) => marks.extend((0..24).filter_map(|hour| time(hour, *minute))),
                None => eprintln!("log {}: invalid minute: {minute}", config.filename),
            }
        }
        for text in &config.roll_at {
            let parts = text.split_once(':').and_then(|(h, m)| time(h.parse().ok()?, m.parse().ok()?));
            match parts {
                Some(mark) => marks.push(mark),
                None => eprintln!("log {}: invalid time: {text}", config.filename),
            }
        }
        Self { local_time: config.roll_local_time, interval: config.roll_interval.some(), marks, since: None }
    }
    /// Whether it is time. The first time it is asked it begins to count.
    pub(super) fn is_due(&mut self) -> bool {
        if self.interval.is_none() && self.marks.is_empty() {
            return false;
        }
        let now = (Instant::now(), self.now());
        let (last, clock) = *self.since.get_or_insert(now);
        self.interval.is_some_and(|interval| now.0.duration_since(last) >= interval)
            || self.last_mark(now.1).is_some_and(|mark| mark > clock)
    }
    /// Whether it is one of the times of a day: those are kept even if nobody writes.
    pub(super) fn is_marked(&mut self) -> bool {
        self.since.is_some() && self.interval.is_none() && self.is_due()
    }
    /// It was rolled.
    pub(super) fn restart(&mut self) {
        self.since = Some((Instant::now(), self.now()));
    }
    fn now(&self) -> NaiveDateTime {
        if self.local_time { Local::now().naive_local() } else { Utc::now().naive_utc() }
    }
    fn last_mark(&self, now: NaiveDateTime) -> Option<NaiveDateTime> {
        let marks = self.marks.iter().filter_map(|mark| {
            let today = now.date().and_time(*mark);
            if today <= now { Some(today) } else { today.checked_sub_days(Days::new(1)) }
        });
        marks.max()
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_times_of_a_day() {
        let config = FileConfig {
            roll_minutes: vec![30, 99],
            roll_at: vec!["12:05".into(), "24:00".into(), "x".into()],
            ..FileConfig::default()
        };
        let schedule = Schedule::new(&config);
        assert_eq!(schedule.marks.len(), 25);
        let at = |text: &str| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap();
        for (now, mark) in [
            ("2026-11-22 12:10:00", "2026-11-22 12:05:00"),
            ("2026-11-22 12:04:59", "2026-11-22 11:30:00"),
            ("2026-11-22 00:10:00", "2026-11-21 23:30:00"),
        ] {
            assert_eq!(schedule.last_mark(at(now)), Some(at(mark)), "{now}");
        }
    }
    #[test]
    fn an_interval_begins_with_the_first_line() {
        let interval = crate::config::Duration::from(Duration::from_nanos(1));
        let mut schedule = Schedule::new(&FileConfig { roll_interval: interval, ..FileConfig::default() });
        assert!(!schedule.is_due());
        std::hint::spin_loop();
        assert!(schedule.is_due());
        let hour = crate::config::Duration::from(Duration::from_secs(3600));
        let mut schedule = Schedule::new(&FileConfig { roll_interval: hour, ..FileConfig::default() });
        assert!(!schedule.is_due() && !schedule.is_due());
    }
}
