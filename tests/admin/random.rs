//! Random sequences of changes, made to Caddy and to us: the answers and the configuration that results are the same.
use crate::{Api, caddy};
use serde_json::{Value, json};
use std::env;

/// Parts of a configuration that both take, whatever else is there.
fn value(at: &str) -> Value {
    let level = || ["DEBUG", "INFO", "ERROR"][fastrand::usize(..3)];
    let names = || (0..fastrand::usize(..4)).map(|n| json!(format!("name{n}"))).collect::<Vec<_>>();
    let log = || json!({"level": level(), "include": names(), "writer": {"output": "discard"}});
    let route = || json!({"handle": [{"handler": "static_response", "body": level()}]});
    match at {
        "" => json!({"logging": {"logs": {"a": log(), "b": log()}}, "apps": {"http": {"servers": {}}}}),
        "logging" => json!({"logs": {"a": log(), "default": log()}}),
        "logs" => json!({"a": log()}),
        "log" => log(),
        "level" => json!(level()),
        "names" => json!(names()),
        "name" => json!(level()),
        "server" => json!({"listen": ["127.0.0.1:SITE"], "routes": [route(), route()]}),
        "routes" => json!([route()]),
        "route" => route(),
        // What fits nowhere.
        _ => [json!(null), json!(1.5), json!("x"), json!([]), json!({"x": 1})][fastrand::usize(..5)].clone(),
    }
}
/// A place, and what belongs there.
fn place() -> (String, &'static str) {
    let log = ["a", "b", "default", "c"][fastrand::usize(..4)];
    let at = ["0", "1", "2", "7", "-1", "01", "x", "..."][fastrand::usize(..8)];
    let server = "/config/apps/http/servers/s";
    match fastrand::u8(..14) {
        0 => ("/config/".into(), ""),
        1 => ("/config/logging".into(), "logging"),
        2 => ("/config/logging/logs".into(), "logs"),
        3 | 4 => (format!("/config/logging/logs/{log}"), "log"),
        5 => (format!("/config/logging/logs/{log}/level"), "level"),
        6 => (format!("/config/logging/logs/{log}/include"), "names"),
        7 | 8 => (format!("/config/logging/logs/{log}/include/{at}"), "name"),
        9 => (server.into(), "server"),
        10 => (format!("{server}/routes"), "routes"),
        11 | 12 => (format!("{server}/routes/{at}"), "route"),
        _ => (format!("/config/{log}/nowhere/{at}"), "other"),
    }
}
fn request() -> String {
    let method = ["GET", "POST", "POST", "PUT", "PUT", "PATCH", "DELETE"][fastrand::usize(..7)];
    let (path, what) = place();
    if matches!(method, "GET" | "DELETE") {
        return format!("{method} {path}");
    }
    let body = value(if fastrand::u8(..12) == 0 { "other" } else { what });
    let body = if path.ends_with("...") && fastrand::bool() { json!([body]) } else { body };
    format!("{method} {path} Content-Type: application/json < {body}")
}
/// Whether the answers are the same, but for what is said of a configuration that does not build: Caddy names Go's types.
fn alike(got: &str, wanted: &str) -> bool {
    let builds = |answer: &str| !answer.contains("loading new config: ");
    let status = |answer: &str| answer.lines().next().map(str::to_owned);
    if builds(got) || builds(wanted) { got == wanted } else { status(got) == status(wanted) }
}
#[test]
#[ignore = "needs Caddy: CADDY names it"]
fn random_changes_have_the_same_outcome() {
    let seed = env::var("SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("SEED={seed}");
    fastrand::seed(seed);
    let mut differences = vec![];
    for _ in 0..env::var("SEQUENCES").map_or(10, |count| count.parse().unwrap()) {
        let (ours, mut theirs) = (Api::start(env!("CARGO_BIN_EXE_proxy")), Api::start(&caddy()));
        // Listeners share ports, so that the configurations, and their hashes, are the same.
        theirs.site = ours.site;
        let mut sequence = vec![];
        for _ in 0..30 {
            let request = request();
            let (got, wanted) = (ours.ask(&request), theirs.ask(&request));
            sequence.push(request);
            let (now, then) = (ours.ask("GET /config/"), theirs.ask("GET /config/"));
            if !alike(&got, &wanted) || now != then {
                let sequence = sequence.join("\n");
                differences.push(format!("{sequence}\nexpected:\n{wanted}{then}got:\n{got}{now}"));
                break;
            }
        }
    }
    assert!(differences.is_empty(), "SEED={seed}\n{}", differences.join("\n\n"));
}
