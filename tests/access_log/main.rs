//! The access log and the error log, line by line.
//!
//! `testdata/access_log` holds a configuration, requests, and what Caddy 2.11 logs of them (`expected.txt`): what is
//! different each time (times, ports, ids) replaced, and header fields in the order of their names, since Caddy's has
//! none. `CADDY=/usr/bin/caddy cargo test --test access_log -- --ignored record` writes that file, `… compare` says
//! where Caddy no longer logs so.
mod client;
#[path = "../common/mod.rs"]
mod common;
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../common/server.rs"]
mod server;
use client::Client;
use serde_json::{Map, Value};
use server::{Server, wait_for};
use std::{
    fmt::Write as _,
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/access_log").join(name)
}
fn caddy() -> String {
    std::env::var("CADDY").expect("CADDY names the caddy to ask")
}
/// What `binary` logs, each request above its lines.
fn logged(binary: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let [site, secure] = [common::free_port(), common::free_port()];
    let client = Client::new(folder.path(), site, secure);
    let fill = |text: &str| {
        text.replace("SITE", &site.to_string())
            .replace("SECURE", &secure.to_string())
            .replace("FOLDER", &folder.path().display().to_string())
    };
    let config = fill(&fs::read_to_string(data("Caddyfile")).unwrap());
    let _server = Server::start(binary, &(config, false), site).unwrap();
    wait_for("HTTPS", || TcpStream::connect(("127.0.0.1", secure)).is_ok());
    let log = || {
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap_or_default();
        let whole = read("default.log") + &read("other.log");
        let about = |line: &&str| line.contains("\"http.log.access") || line.contains("\"http.log.error");
        whole.lines().filter(about).map(str::to_owned).collect::<Vec<_>>()
    };
    let (mut out, mut seen) = (String::new(), Vec::<String>::new());
    let expected = "\n".to_owned() + &fs::read_to_string(data("expected.txt")).unwrap_or_default();
    for request in fs::read_to_string(data("requests.txt")).unwrap().lines() {
        if request.starts_with('#') {
            continue;
        }
        client.ask(&fill(request));
        // Lines come a little later than answers. How many is known, unless they are being recorded.
        let known = expected.split("\n--- ").find_map(|part| part.strip_prefix(&format!("{request}\n")));
        let deadline = Instant::now() + Duration::from_millis(if known.is_some() { 3000 } else { 500 });
        let wanted = known.map_or(usize::MAX, |lines| lines.lines().count());
        while log().len() < seen.len().saturating_add(wanted) && Instant::now() < deadline {
            sleep(Duration::from_millis(5));
        }
        let mut lines = log();
        seen.iter()
            .for_each(|old| drop(lines.iter().position(|line| line == old).map(|at| lines.remove(at))));
        seen.extend(lines.iter().cloned());
        writeln!(out, "--- {request}").unwrap();
        let mut shown: Vec<String> = lines.iter().map(|line| shown(line, site, secure)).collect();
        shown.sort();
        shown.iter().for_each(|line| writeln!(out, "{line}").unwrap());
    }
    out
}
/// A line without what is different each time. The order of keys stays, but for header fields'.
fn shown(line: &str, site: u16, secure: u16) -> String {
    let mut entry: Map<String, Value> = serde_json::from_str(line).unwrap();
    let replace = |map: &mut Map<String, Value>, key: &str| {
        if let Some(value) = map.get_mut(key) {
            let kind = match value {
                Value::Number(_) => "number",
                Value::String(_) => "text",
                _ => "other",
            };
            *value = format!("<{kind}>").into();
        }
    };
    for key in ["ts", "duration", "time", "ms", "uuid", "err_id", "err_trace"] {
        replace(&mut entry, key);
    }
    let sorted = |map: &mut Map<String, Value>, key: &str| {
        if let Some(Value::Object(headers)) = map.get_mut(key) {
            replace(headers, "X-Id");
            // It is one value here, and several in HTTP/3.
            headers.shift_remove("Alt-Svc");
            headers.sort_keys();
        }
    };
    sorted(&mut entry, "resp_headers");
    for key in ["resp_headers", "first_error"] {
        if let Some(Value::Object(part)) = entry.get_mut(key) {
            ["X-Id", "err_id", "err_trace"].iter().for_each(|key| {
                if let Some(value) = part.get_mut(*key) {
                    *value = "<id>".into();
                }
            });
        }
    }
    if let Some(Value::Object(request)) = entry.get_mut("request") {
        replace(request, "remote_port");
        sorted(request, "headers");
    }
    if entry["msg"] == "error handling handler error" {
        // It names a line of source code.
        entry["error"] = "<text>".into();
    }
    let text = Value::Object(entry).to_string();
    text.replace(&format!(":{site}"), ":SITE")
        .replace(&format!(":{secure}"), ":SECURE")
        .replace(&format!("\":{site}"), "\":SITE")
        .replace(&site.to_string(), "SITE")
}
fn assert_as_recorded(logged: &str) {
    let expected = fs::read_to_string(data("expected.txt")).unwrap();
    let parts = |text: &str| text.split("--- ").map(str::to_owned).collect::<Vec<_>>();
    let differences: Vec<String> = parts(&expected)
        .iter()
        .zip(parts(logged))
        .filter(|(expected, logged)| *expected != logged)
        .map(|(expected, logged)| format!("expected: {expected}logged:   {logged}"))
        .collect();
    assert!(differences.is_empty(), "{}\n{} differ", differences.join("\n"), differences.len());
    assert_eq!(parts(&expected).len(), parts(logged).len());
}
#[test]
fn each_line_is_caddys() {
    assert_as_recorded(&logged(env!("CARGO_BIN_EXE_proxy")));
}
#[test]
#[ignore = "needs Caddy: CADDY names it"]
fn compare() {
    assert_as_recorded(&logged(&caddy()));
}
#[test]
#[ignore = "needs Caddy: CADDY names it; writes the fixture"]
fn record() {
    let _ = fs::remove_file(data("expected.txt"));
    fs::write(data("expected.txt"), logged(&caddy())).unwrap();
}
