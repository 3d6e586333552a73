//! What a limiter check costs at a million live keys that come in random order, beside dashmap's own cost of finding
//! one. A check is told the time. In a server no check overlaps with the next one, as they do in a loop on a machine
//! that looks ahead: so each is also measured after a reading of the clock, which waits for what is under way.
use criterion::{Criterion, criterion_group, criterion_main};
use dashmap::DashMap;
use proxy::handlers::rate_limit::zone::{Limit, Zone};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const KEYS: u32 = 1_000_000;

fn limiter(c: &mut Criterion) {
    let address = |i: u32| i.wrapping_mul(2_654_435_761).to_be_bytes().map(|b| b.to_string()).join(".");
    let keys: Vec<String> = (0..KEYS).map(address).collect();
    let window = Duration::from_secs(60);
    let limit = Limit { events: 5, window, max_keys: 2 * keys.len(), max_bytes: 1 << 30 };
    let zone = Zone::new("bench");
    zone.remember(&limit, window, Instant::now());
    let map: DashMap<&str, u64, foldhash::quality::RandomState> = DashMap::default();
    for key in &keys {
        zone.check(key, Instant::now(), &limit).ok();
        map.insert(key, 0);
    }
    println!("{} keys take {} bytes each by the zone's own count", zone.keys(), zone.bytes() / zone.keys());
    // Texts of their own, one behind another as they are asked for: a server has just read them.
    let mut asked: Vec<&String> = keys.iter().collect();
    fastrand::Rng::with_seed(1).shuffle(&mut asked);
    let asked: Vec<String> = asked.into_iter().cloned().collect();
    let mut next = asked.iter().cycle();
    let mut next = || black_box(next.next().unwrap_or(&asked[0]).as_str());
    let now = Instant::now();
    c.bench_function("zone check, 1M keys", |b| b.iter(|| zone.check(next(), now, &limit)));
    c.bench_function("dashmap get, 1M keys", |b| b.iter(|| map.get(next()).map(|found| *found)));
    c.bench_function("clock and zone check, 1M keys", |b| {
        b.iter(|| zone.check(next(), Instant::now(), &limit))
    });
    c.bench_function("clock and dashmap get, 1M keys", |b| {
        b.iter(|| (Instant::now(), map.get(next()).map(|found| *found)))
    });
    c.bench_function("reading the clock", |b| b.iter(Instant::now));
}
criterion_group!(benches, limiter);
criterion_main!(benches);
