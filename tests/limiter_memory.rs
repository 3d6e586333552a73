//! What a zone takes, measured from outside: alone in its process, with the allocator of the product.
use proxy::handlers::rate_limit::zone::{Limit, Zone};
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_million_keys_of_a_5_a_minute_zone_fit_in_200_megabytes() {
    let limit = Limit { events: 5, window: MINUTE, max_keys: 1_000_000, max_bytes: 1 << 30 };
    let (zone, start) = (Zone::new("test"), Instant::now());
    zone.remember(&limit, MINUTE, start);
    for round in 0..5 {
        for i in 0..1_000_000_u32 {
            let [a, b, c, d] = i.to_be_bytes();
            let key = format!("{}.{b}.{c}.{d}", a + 100);
            zone.check(&key, start + Duration::from_secs(round), &limit).unwrap();
        }
    }
    assert_eq!(zone.keys(), 1_000_000);
    let resident = resident_bytes();
    println!("{resident} bytes resident, {} by the zone's own count", zone.bytes());
    assert!(resident < 200_000_000, "{resident}");
}
fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<usize>().unwrap() * 1024
}
