//! `rate_limit` from a Caddyfile to JSON, and from JSON to answers.
use proxy::{
    http::{Body, Connection, Exchange, answer, build},
    state::State,
    table,
};
use serde_json::{Value, json};
use std::sync::Arc;

struct Nothing;
impl grammar::Source for Nothing {
    fn read(&self, _: &str) -> std::io::Result<String> {
        Err(std::io::ErrorKind::NotFound.into())
    }
    fn glob(&self, _: &str, _: &str) -> std::io::Result<Vec<String>> {
        Ok(vec![])
    }
    fn env(&self, _: &str) -> Option<String> {
        None
    }
}
fn adapted(directive: &str) -> Result<Value, String> {
    let text = format!(":80 {{\n\troute {{\n{directive}\n\t}}\n}}\n");
    let adapted = proxy::caddyfile::adapt("Caddyfile", &text, &Nothing, &table::SYNTAX);
    let adapted = adapted.map_err(|errors| errors[0].to_string())?;
    let routes = &adapted.json["apps"]["http"]["servers"]["srv0"]["routes"];
    Ok(routes[0]["handle"][0]["routes"][0]["handle"][0].clone())
}
#[test]
fn every_option_has_its_json() {
    let json = adapted(
        "rate_limit {\nzone a {\nmatch {\nmethod GET\n}\nmatch {\npath /x\n}\nkey {remote_host}\nwindow 1d\nevents 7\n\
         ipv4_prefix 24\nipv6_prefix 64\nmax_keys 9\nmax_memory 1MiB\n}\nlog_key\ndisable_metrics\njitter 0.2\nsweep_interval 30s\n}",
    );
    assert_eq!(
        json.unwrap(),
        json!({
            "handler": "rate_limit", "log_key": true, "disable_metrics": true, "jitter": 0.2,
            "sweep_interval": 30_000_000_000_u64,
            "rate_limits": {"a": {
                "match": [{"method": ["GET"]}, {"path": ["/x"]}], "key": "{http.request.remote.host}",
                "window": 86_400_000_000_000_u64, "max_events": 7, "ipv4_prefix": 24, "ipv6_prefix": 64,
                "max_keys": 9, "max_bytes": 1_048_576,
            }},
        })
    );
}
#[test]
fn errors_have_the_plugins_words() {
    for (directive, error) in [
        ("rate_limit x {\n}", "wrong argument count or unexpected line ending after 'x'"),
        (
            "rate_limit {\nzone a {\nwindow 1m\n}\n}",
            "a rate limit zone requires both a window and maximum events",
        ),
        (
            "rate_limit {\nzone a {\nevents 1\nevents 2\nwindow 1m\n}\n}",
            "zone max events already specified: 1",
        ),
        ("rate_limit {\nzone a {\nwindow 1m\nwindow 2m\n}\n}", "zone window already specified: 60000000000"),
        (
            "rate_limit {\nzone a {\nwindow soon\n}\n}",
            "invalid window duration 'soon': time: invalid duration \"soon\"",
        ),
        (
            "rate_limit {\nzone a {\nevents many\n}\n}",
            "invalid max events integer 'many': strconv.Atoi: parsing \"many\": invalid syntax",
        ),
        ("rate_limit {\nzone a {\nnope\n}\n}", "unrecognized subdirective 'nope'"),
        ("rate_limit {\nlog_key yes\n}", "wrong argument count or unexpected line ending after 'yes'"),
    ] {
        let found = adapted(directive).unwrap_err();
        assert!(found.contains(error), "{directive}: {found}");
    }
}
/// Status, `Retry-After` and the placeholder, for each of some requests with these header fields.
async fn ask(handler: Value, requests: &[&[(&str, &str)]]) -> Vec<(u16, Option<String>)> {
    let routes = json!({"routes": [
        {"handle": [handler]}, {"handle": [{"handler": "static_response", "body": "hello"}]},
    ]});
    let server = serde_json::from_value(routes).unwrap();
    let server =
        build(server, &table::MODULES, Arc::new(State::default())).map_err(|e| e.to_string()).unwrap().server;
    let mut answers = vec![];
    for fields in requests {
        let mut request = http::Request::get("/").header("host", "localhost");
        for (name, value) in *fields {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        let mut x = Exchange::new(head, Body::Empty, Arc::new(Connection::default()));
        let status = answer(&server, &mut x).await.response.status.as_u16();
        answers.push((status, x.headers.get("retry-after").map(|wait| wait.to_str().unwrap().to_owned())));
    }
    answers
}
fn zone(key: &str, events: u32) -> Value {
    json!({"handler": "rate_limit", "rate_limits": {"z": {"key": key, "max_events": events, "window": "1m"}}})
}
#[tokio::test]
async fn keys_come_from_placeholders() {
    let (ok, refused) = ((200, None), (429, Some("60".to_owned())));
    let handler = zone("{http.request.header.X-Forwarded-For}", 1);
    let one: &[(&str, &str)] = &[("x-forwarded-for", "1.2.3.4")];
    let two: &[(&str, &str)] = &[("x-forwarded-for", "1.2.3.4"), ("x-forwarded-for", "5.6.7.8")];
    let answers = ask(handler, &[one, one, two, two, &[], &[]]).await;
    assert_eq!(
        answers,
        [&ok, &refused, &ok, &refused, &ok, &refused].map(Clone::clone),
        "missing is a key too"
    );
    let handler = zone("{http.request.header.Authorization}", 1);
    let answers =
        ask(handler, &[&[("authorization", "a")], &[("authorization", "b")], &[("authorization", "a")]])
            .await;
    assert_eq!(answers, [ok.clone(), ok.clone(), refused.clone()]);
    let answers = ask(zone("{http.auth.user.id}", 1), &[&[], &[]]).await;
    assert_eq!(answers, [ok.clone(), refused.clone()], "nobody is logged in: one key for all");
    let answers = ask(zone("", 0), &[&[]]).await;
    assert_eq!(answers, [refused], "JSON allows no events at all");
}
#[tokio::test]
async fn zones_are_for_what_they_match_and_count_each_on_its_own() {
    let handler = json!({"handler": "rate_limit", "rate_limits": {
        "tight": {"match": [{"header": {"X-A": ["1"]}}], "key": "", "max_events": 1, "window": "1m"},
        "wide": {"key": "", "max_events": 3, "window": "1m"},
    }});
    let a: &[(&str, &str)] = &[("x-a", "1")];
    let statuses: Vec<u16> = ask(handler, &[a, a, &[], &[]]).await.iter().map(|answer| answer.0).collect();
    assert_eq!(statuses, [200, 429, 200, 429], "the wide zone is asked first, and keeps what it counted");
}
#[test]
fn what_cannot_be_is_refused_when_it_is_built() {
    let error = |handler: Value| {
        let server = serde_json::from_value(json!({"routes": [{"handle": [handler]}]})).unwrap();
        build(server, &table::MODULES, Arc::new(State::default())).err().unwrap().to_string()
    };
    let zone = |change: fn(&mut Value)| {
        let mut zone = json!({"max_events": 1, "window": "1m"});
        change(&mut zone);
        json!({"handler": "rate_limit", "rate_limits": {"z": zone}})
    };
    for (handler, expected) in [
        (zone(|z| z["window"] = json!(0)), "setting up rate limit z: window must be greater than zero"),
        (zone(|z| z["max_events"] = json!(-1)), "setting up rate limit z: max_events must be at least zero"),
        (
            zone(|z| z["ipv4_prefix"] = json!(33)),
            "setting up rate limit z: ipv4_prefix must be between 0 and 32",
        ),
        (
            zone(|z| z["ipv6_prefix"] = json!(129)),
            "setting up rate limit z: ipv6_prefix must be between 0 and 128",
        ),
        (json!({"handler": "rate_limit", "jitter": -0.1}), "jitter must be at least zero"),
        (json!({"handler": "rate_limit", "distributed": {}}), "not supported yet"),
    ] {
        let found = error(handler);
        assert!(found.contains(expected), "{found}");
    }
}
