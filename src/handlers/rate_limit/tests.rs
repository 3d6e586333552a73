//! The limiter against a plain model of the plugin's, and its bounds.
use super::{
    network, retry_after,
    zone::{Limit, Zone},
};
use proptest::prelude::*;
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

const MINUTE: Duration = Duration::from_secs(60);

fn limit(events: u32, window: Duration) -> Limit {
    Limit { events, window, max_keys: 1_000_000, max_bytes: 1 << 30 }
}
fn zone(limits: &[Limit]) -> Zone {
    let zone = Zone::new("test");
    limits.iter().for_each(|limit| zone.remember(limit, MINUTE, Instant::now()));
    zone
}
/// caddy-ratelimit's ring buffer: `events` times, of which the oldest is looked at and replaced.
struct Model {
    ring: Vec<Option<Duration>>,
    cursor: usize,
}
impl Model {
    fn check(&mut self, now: Duration, window: Duration) -> Result<(), Duration> {
        match self.ring[self.cursor] {
            Some(oldest) if now - oldest <= window => Err(oldest + window - now),
            _ => {
                self.ring[self.cursor] = Some(now);
                self.cursor = (self.cursor + 1) % self.ring.len();
                Ok(())
            }
        }
    }
}
proptest! {
    /// The same verdicts as the plugin's, for any sequence of keys, pauses and sweeps, and the same waiting times.
    #[test]
    fn counts_as_the_plugin_does(
        events in 1_u32..8,
        window in 1_u64..200,
        steps in prop::collection::vec((0_u8..3, 0_u64..60, prop::bool::weighted(0.05)), 1..300),
    ) {
        let window = Duration::from_millis(10 * window);
        let limit = limit(events, window);
        let (zone, start) = (zone(&[limit]), Instant::now());
        let mut models = HashMap::new();
        let mut now = Duration::from_secs(1);
        for (key, pause, sweep) in steps {
            // Off the multiples of ten milliseconds, so that no verdict hangs on the length of a tick.
            now += Duration::from_millis(10 * pause + 1);
            if sweep {
                zone.sweep(start + now);
            }
            let model = models.entry(key).or_insert_with(|| Model { ring: vec![None; events as usize], cursor: 0 });
            let (ours, theirs) = (zone.check(&key.to_string(), start + now, &limit), model.check(now, window));
            match (ours, theirs) {
                (Ok(()), Ok(())) => {}
                (Err(ours), Err(theirs)) => prop_assert!(ours.abs_diff(theirs) < Duration::from_micros(10)),
                (ours, theirs) => prop_assert!(
                    theirs.is_err_and(|wait| wait < Duration::from_micros(10)), "{ours:?}, but the plugin {theirs:?}"
                ),
            }
        }
    }
}
#[test]
fn five_pass_and_the_sixth_waits_for_the_first_to_leave_the_window() {
    let (limit, start) = (limit(5, MINUTE), Instant::now());
    let zone = zone(&[limit]);
    for second in 0..5 {
        assert_eq!(zone.check("a", start + Duration::from_secs(second), &limit), Ok(()));
    }
    let wait = zone.check("a", start + Duration::from_secs(10), &limit).unwrap_err();
    assert_eq!(wait.as_secs_f64().round(), 50.0);
    assert_eq!(zone.check("b", start + Duration::from_secs(10), &limit), Ok(()));
    assert!(zone.check("a", start + Duration::from_secs(60), &limit).is_err());
    assert_eq!(zone.check("a", start + Duration::from_millis(60_001), &limit), Ok(()));
    assert!(zone.check("a", start + Duration::from_millis(60_002), &limit).is_err());
}
#[test]
fn a_thread_that_took_the_time_a_little_earlier_sees_the_later_event() {
    let (limit, start) = (limit(1, MINUTE), Instant::now());
    let zone = zone(&[limit]);
    assert_eq!(zone.check("a", start + MINUTE, &limit), Ok(()));
    assert!(zone.check("a", start + MINUTE - Duration::from_millis(1), &limit).is_err());
}
#[test]
fn no_events_at_all_refuses_all() {
    let limit = limit(0, MINUTE);
    assert_eq!(zone(&[limit]).check("a", Instant::now(), &limit), Err(MINUTE));
}
#[test]
fn handlers_that_share_a_zone_share_its_events_but_each_has_its_own_limit() {
    let (tight, wide) = (limit(2, Duration::from_secs(1)), limit(4, MINUTE));
    let (zone, start) = (zone(&[tight, wide]), Instant::now());
    let at = |millis| start + Duration::from_millis(millis);
    assert_eq!(zone.check("a", at(0), &tight), Ok(()));
    assert_eq!(zone.check("a", at(1), &tight), Ok(()));
    assert!(zone.check("a", at(2), &tight).is_err());
    assert_eq!(zone.check("a", at(2000), &tight), Ok(()));
    assert_eq!(zone.check("a", at(2001), &wide), Ok(()));
    assert!(zone.check("a", at(2002), &wide).is_err());
}
#[test]
fn a_longer_window_after_a_reload_keeps_what_was_counted() {
    let (short, long) = (limit(2, MINUTE), limit(3, 400 * 24 * 60 * MINUTE));
    let (zone, start) = (zone(&[short]), Instant::now());
    assert_eq!(zone.check("a", start + MINUTE, &short), Ok(()));
    assert_eq!(zone.check("a", start + MINUTE, &short), Ok(()));
    zone.remember(&long, MINUTE, start + MINUTE);
    assert_eq!(zone.check("a", start + 2 * MINUTE, &long), Ok(()));
    let wait = zone.check("a", start + 3 * MINUTE, &long).unwrap_err();
    assert!(wait <= long.window && wait > long.window - 10 * MINUTE, "{wait:?}");
}
#[test]
fn a_sweep_forgets_who_has_been_quiet_and_no_one_else() {
    let (limit, start) = (limit(5, MINUTE), Instant::now());
    let zone = zone(&[limit]);
    for i in 0..10_000 {
        zone.check(&format!("quiet {i}"), start, &limit).unwrap();
    }
    zone.check("busy", start + MINUTE, &limit).unwrap();
    zone.sweep(start + MINUTE + Duration::from_secs(1));
    assert_eq!(zone.keys(), 1);
    for _ in 0..4 {
        zone.check("busy", start + MINUTE, &limit).unwrap();
    }
    assert!(zone.check("busy", start + MINUTE, &limit).is_err());
    zone.sweep(start + 3 * MINUTE);
    assert_eq!((zone.keys(), zone.bytes()), (0, 0));
}
#[test]
fn a_flood_of_new_keys_stays_within_the_bounds_and_pushes_out_the_quiet() {
    let bounded = Limit { max_keys: 10_000, ..limit(5, MINUTE) };
    let (zone, start) = (zone(&[bounded]), Instant::now());
    for i in 0_u64..50_000 {
        let now = start + Duration::from_millis(i / 10);
        zone.check(&format!("2001:db8::{i:x}"), now, &bounded).unwrap();
        assert!(zone.keys() <= bounded.max_keys + 1);
        // A client that comes back all the time keeps its place, so it is held to its limit throughout.
        let busy = zone.check("busy", now, &bounded);
        assert_eq!(busy.is_ok(), i < 5, "{i}");
    }
    assert!(zone.evicted() > 39_000);
    let small = Limit { max_bytes: 100_000, ..bounded };
    for i in 0..10_000 {
        zone.check(&format!("other {i}"), start + MINUTE, &small).ok();
    }
    assert!(zone.bytes() < 110_000, "{}", zone.bytes());
}
#[test]
fn waits_are_rounded_as_the_plugin_rounds_them() {
    for (wait, shown) in
        [(1e-9, "1"), (0.3, "1"), (1.0, "2"), (1.5, "2"), (2.0, "2"), (3.0, "4"), (4.2, "5"), (59.999, "60")]
    {
        assert_eq!(retry_after(wait), shown, "{wait}");
    }
}
#[test]
fn addresses_are_grouped_by_their_network() {
    for (key, v4, v6, shown) in [
        ("1.2.3.4", 24, 64, "1.2.3.0/24"),
        ("2001:db8:1:2:3::4", 24, 64, "2001:db8:1:2::/64"),
        ("::ffff:1.2.3.4", 24, 64, "1.2.3.0/24"),
        ("1.2.3.4", 0, 64, "1.2.3.4"),
        ("somebody", 24, 64, "somebody"),
    ] {
        assert_eq!(network(key.into(), v4, v6), shown);
    }
}
