use super::*;
use crate::{
    caddyfile::testing::Rows,
    handlers::{respond::RESPOND, testing::Site},
};
use proptest::prelude::*;
use serde_json::{Value, json};

const ROWS: Rows = Rows { directives: &[TOKEN_BUCKET, RESPOND], matchers: &[], modules: &[] };
const BOUNDS: Bounds = Bounds { keys: 1000, bytes: 1 << 20 };

fn rate(tokens: u32, per: Duration, burst: u32) -> Rate {
    Rate { tokens, per, burst }
}
#[test]
fn zones_stay_in_their_order() {
    ROWS.adapt_to(&[
        (
            "token_bucket {\nzone b {\nkey {client_ip}\nrate 60 1m\nburst 10\nmax_keys 5\nmax_memory 1MiB\n}\nzone a {\nrate 100\n}\n}",
            r#"[{"handle":[{"handler":"token_bucket","zones":[{"burst":10,"key":"{http.vars.client_ip}","max_bytes":1048576,"max_keys":5,"name":"b","per":60000000000,"rate":60},{"name":"a","rate":100}]}]}]"#,
        ),
        (
            "token_bucket /api/* {\nzone a {\nrate 1\n}\n}\nrespond hi",
            r#"[{"match":[{"path":["/api/*"]}],"handle":[{"handler":"token_bucket","zones":[{"name":"a","rate":1}]}]},{"handle":[{"body":"hi","handler":"static_response"}]}]"#,
        ),
    ]);
}
#[test]
fn what_is_wrong_is_said_with_its_line() {
    ROWS.fail_with(&[
        ("token_bucket", "token_bucket without a zone, at -:2"),
        ("token_bucket {\nzone a {\n}\n}", "zone 'a' has no rate, at -:4"),
        ("token_bucket {\nzone a {\nrate 0\n}\n}", "'0' is not a whole number, 1 or more, at -:4"),
        ("token_bucket {\nzone a {\nrate 1 x\n}\n}", "'x' is no time in which tokens come, at -:4"),
        ("token_bucket {\nzone a {\nrate 1\nbrust 2\n}\n}", "unrecognized subdirective 'brust', at -:5"),
        ("token_bucket {\nzone a {\nrate 1\n}\nzone a {\nrate 1\n}\n}", "zone 'a' is there already, at -:6"),
        ("token_bucket {\nnope\n}", "unrecognized subdirective 'nope', at -:3"),
    ]);
    for (zone, error) in [
        (json!({"rate": 1}), "it has no name"),
        (json!({"name": "a"}), "rate must be at least one"),
        (json!({"name": "a", "rate": 1, "per": -1}), "the time of the rate must be more than zero"),
    ] {
        let handler = json!({"handler": "token_bucket", "zones": [zone]});
        let built = Site::build(json!({"routes": [{"handle": [handler]}]}));
        assert!(built.unwrap_err().contains(error), "{error}");
    }
}
/// The document's `test_rate_limiter`: capacity 10, one token a second.
#[test]
fn ten_pass_and_the_eleventh_waits_for_a_token() {
    let (zone, start, rate) = (Zone::new("test"), Instant::now(), rate(1, SECOND, 10));
    let take = |millis| zone.take("a", start + Duration::from_millis(millis), &rate, BOUNDS);
    (0..10).for_each(|_| assert_eq!(take(0), Ok(())));
    assert_eq!(take(0), Err(SECOND));
    // The parts of a token count, too.
    assert_eq!(take(400), Err(Duration::from_millis(600)));
    assert_eq!(take(999), Err(Duration::from_millis(1)));
    assert_eq!(take(1000), Ok(()));
    assert_eq!(take(1500), Err(Duration::from_millis(500)));
    // Never above capacity, however long nobody came.
    (0..10).for_each(|_| assert_eq!(take(3_600_000), Ok(())));
    assert_eq!(take(3_600_000), Err(SECOND));
}
#[test]
fn each_key_has_its_bucket_and_full_ones_are_forgotten() {
    let (zone, start, rate) = (Zone::new("test"), Instant::now(), rate(60, Duration::from_secs(60), 2));
    for key in ["a", "b"] {
        (0..2).for_each(|_| assert_eq!(zone.take(key, start, &rate, BOUNDS), Ok(())));
        assert!(zone.take(key, start, &rate, BOUNDS).is_err());
    }
    zone.sweep(&rate, start + SECOND);
    assert_eq!(zone.keys(), 2);
    zone.sweep(&rate, start + 2 * SECOND);
    assert_eq!((zone.keys(), zone.evicted()), (0, 0));
}
#[test]
fn a_flood_of_keys_is_bounded_and_the_emptiest_bucket_stays() {
    let (zone, start, rate) = (Zone::new("test"), Instant::now(), rate(1, SECOND, 1000));
    (0..1000).for_each(|_| assert_eq!(zone.take("busy", start, &rate, BOUNDS), Ok(())));
    for i in 0..20_000 {
        zone.take(&format!("key {i}"), start, &rate, BOUNDS).unwrap();
    }
    assert!(zone.keys() <= BOUNDS.keys + 64, "{}", zone.keys());
    assert!(zone.take("busy", start, &rate, BOUNDS).is_err());
}
proptest! {
    /// In any time no more pass than the bucket holds and than come in it, and nobody waits for longer than he is told.
    #[test]
    fn never_more_than_burst_and_rate(
        tokens in 1_u32..50, burst in 1_u32..20, pauses in prop::collection::vec(0_u64..400, 1..200),
    ) {
        let (zone, start, rate) = (Zone::new("test"), Instant::now(), rate(tokens, SECOND, burst));
        let (mut now, mut passed, mut promised) = (Duration::ZERO, 0_u32, None);
        for pause in pauses {
            now += Duration::from_millis(pause);
            let taken = zone.take("a", start + now, &rate, BOUNDS);
            match taken {
                Ok(()) => { passed += 1; promised = None; }
                Err(wait) => {
                    prop_assert!(promised.is_none_or(|when| now < when), "told to come at {promised:?}, came at {now:?}");
                    promised = Some(now + wait + Duration::from_nanos(2));
                }
            }
            let most = f64::from(burst) + now.as_secs_f64() * f64::from(tokens);
            prop_assert!(f64::from(passed) <= most + 0.01, "{passed} of {most}");
        }
    }
}
#[tokio::test]
async fn a_refusal_tells_when_to_come_again() {
    let zone = |name: &str, rate: u32, per: u64| json!({"name": name, "rate": rate, "per": per});
    let site = Site::build(json!({
        "routes": [{"handle": [
            {"handler": "token_bucket", "zones": [zone("fast", 100, 1_000_000_000), zone("slow", 2, 60_000_000_000)]},
            {"handler": "static_response", "body": "ok"},
        ]}],
        "errors": {"routes": [{"handle": [
            {"handler": "static_response", "body": "{http.rate_limit.exceeded.name}", "status_code": "{http.error.status_code}"},
        ]}]},
    }))
    .unwrap();
    for _ in 0..2 {
        let reply = site.get("/", &[]).await;
        assert_eq!((reply.status.as_u16(), reply.field("x-ratelimit-limit")), (200, String::new()));
    }
    let reply = site.get("/", &[]).await;
    assert_eq!((reply.status.as_u16(), reply.text().as_str()), (429, "slow"));
    let number = |name: &str| reply.field(name).parse::<u64>().unwrap_or_else(|_| panic!("{name}"));
    assert_eq!((number("x-ratelimit-limit"), number("x-ratelimit-remaining")), (2, 0));
    assert_eq!(number("retry-after"), 30);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!((now + 28..=now + 30).contains(&number("x-ratelimit-reset")));
}
#[test]
fn the_document_has_its_limits() {
    let text = include_str!("../../../testdata/config.example.toml");
    let limits: Value = crate::toml::adapt("f", text, &grammar::Memory::default()).unwrap().json;
    let routes = limits["apps"]["http"]["servers"]["https"]["routes"].as_array().unwrap();
    let mut handlers = routes.iter().flat_map(|route| route["handle"].as_array().unwrap());
    let mut fields = handlers.find(|handler| handler["handler"] == "token_bucket").unwrap().clone();
    fields.as_object_mut().unwrap().remove("handler");
    let TokenBucket { zones } = serde_json::from_value(fields).unwrap();
    let shown: Vec<_> = zones.iter().map(|zone| (zone.name.as_str(), zone.rate, zone.burst)).collect();
    assert_eq!(shown, [("per_ip", 60, 10), ("global", 100, 200)]);
}
