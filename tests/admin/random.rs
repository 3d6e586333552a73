//! Random sequences of changes, made to Caddy and to us: the answers and the configuration that results are the same.
use crate::{Api, caddy};
use serde_json::{Value, json};
use std::{
    env,
    sync::atomic::{AtomicU64, Ordering::SeqCst},
    thread,
};

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
/// What is different after some of the changes that follow from `seed`, with all of them.
fn difference(seed: u64) -> Option<String> {
    fastrand::seed(seed);
    let (ours, mut theirs) = (Api::start(env!("CARGO_BIN_EXE_proxy")), Api::start(&caddy()));
    // Listeners share ports, so that the configurations, and their hashes, are the same.
    theirs.site = ours.site;
    let mut sequence = vec![];
    for _ in 0..30 {
        let request = request();
        let got = ours.try_to_ask(&request).unwrap_or_else(|| panic!("no answer to {request}"));
        let wanted = theirs.try_to_ask(&request);
        sequence.push(request);
        let (now, then) = (ours.ask("GET /config/"), theirs.ask("GET /config/"));
        match wanted {
            Some(wanted) if !alike(&got, &wanted) || now != then => {
                let sequence = sequence.join("\n");
                return Some(format!("SEED={seed}\n{sequence}\nexpected:\n{wanted}{then}got:\n{got}{now}"));
            }
            // It may have lost the request, or the answer only; or panicked at a `null`.
            None if now != then || sequence.last().is_some_and(|last| last.ends_with(" null")) => {
                return None;
            }
            _ => {}
        }
    }
    None
}
#[test]
#[ignore = "needs Caddy: CADDY names it"]
fn random_changes_have_the_same_outcome() {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let first = number("SEED").unwrap_or_else(|| fastrand::u64(..u64::MAX / 2));
    let seeds = first..first + number("SEQUENCES").unwrap_or(10);
    println!("SEED={first}");
    let next = AtomicU64::new(seeds.start);
    let differences = thread::scope(|scope| {
        // Both wait more than they work.
        let workers = [(); 4].map(|()| {
            scope.spawn(|| {
                let seed = std::iter::repeat_with(|| next.fetch_add(1, SeqCst));
                seed.take_while(|seed| seeds.contains(seed)).filter_map(difference).collect::<Vec<_>>()
            })
        });
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
}
