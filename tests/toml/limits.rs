//! The document's section 3 (rate limiting).
use crate::{
    client::{get, send},
    process::{Proxy, Upstream},
};
use std::{
    net::Ipv4Addr,
    time::{SystemTime, UNIX_EPOCH},
};

fn proxy(upstream: &Upstream, limits: &str) -> Proxy {
    let route = format!("[[routes]]\nhost = \"localhost\"\nbackends = [\"http://{}\"]\n", upstream.address);
    Proxy::start(&format!("[ratelimit]\n{limits}\n{route}"))
}
#[test]
fn section_3_a_client_has_its_bucket_and_a_429_says_all_of_it() {
    let upstream = Upstream::start();
    let proxy = proxy(&upstream, "per_ip_requests_per_minute = 60\nper_ip_burst = 10");
    let statuses: Vec<u16> = (0..11).map(|_| get(proxy.http, "/").status).collect();
    assert_eq!(statuses, [[200; 10].as_slice(), &[429]].concat());
    assert_eq!(upstream.requests(), 10);
    let refused = get(proxy.http, "/");
    assert_eq!(refused.body, r#"{"error": "Rate limit exceeded"}"#);
    assert_eq!(refused.header("Content-Type"), Some("application/json"));
    assert_eq!((refused.number("Retry-After"), refused.number("X-RateLimit-Limit")), (1, 60));
    assert_eq!(refused.number("X-RateLimit-Remaining"), 0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!((now..=now + 2).contains(&refused.number("X-RateLimit-Reset")), "{}", refused.head);
    // Another client has a bucket of its own.
    let other = Ipv4Addr::new(127, 0, 0, 2);
    assert_eq!(send(other, proxy.http, "localhost", "/", "").status, 200);
    // A token comes every second, parts of it included.
    proxy.wait_until(|| get(proxy.http, "/").status == 200);
}
#[test]
fn section_3_all_share_the_global_bucket_but_the_whitelist() {
    let upstream = Upstream::start();
    let proxy = proxy(
        &upstream,
        "requests_per_second = 1\nburst = 20\nwhitelist = [\"127.0.0.7\", \"127.9.0.0/16\"]",
    );
    let from = |a, b| send(Ipv4Addr::new(127, a, 0, b), proxy.http, "localhost", "/", "").status;
    let refused = (0..30).filter(|client| from(1, *client + 1) == 429).count();
    assert!((5..=10).contains(&refused), "{refused}");
    for _ in 0..30 {
        assert_eq!((from(0, 7), from(9, 1)), (200, 200));
    }
}
