//! Whole servers over real sockets.
//!
//! `testdata/serve/*.txt` holds configurations, requests, and what Caddy 2.11 answers to them:
//!
//! ```text
//! === name of the case            (a reason in parentheses before it: differs on purpose, not compared)
//! respond "hi"                    the body of a site, or a whole Caddyfile that says SITE, or a server as JSON
//! --- GET /a X-Name: value < body
//! < HTTP/1.1 200 OK
//! < Content-Length: 2
//! <
//! < hi
//! --- "GET / HTTP/1.1\r\n\r\n"    bytes, as they are
//! ```
//!
//! A first line `needs MODULE` is for what a standard Caddy lacks: one without that module is not asked.
//!
//! TREE is a folder with files whose times do not change (`tree.rs`), UPSTREAM a server that says what it was asked.
//!
//! `CADDY=/usr/bin/caddy cargo test --test serve -- --ignored record` writes what Caddy answers into these files, and
//! `… --ignored compare` says where it no longer answers so.
mod activation;
mod client;
#[path = "../common/mod.rs"]
mod common;
mod fixture;
mod killed;
mod lifecycle;
mod loaded;
mod php;
mod reload;
#[path = "../common/server.rs"]
mod server;
mod spelling;
mod streams;
mod tree;
mod upstream;
use fixture::{Case, Fixture};
use server::Server;
use std::{
    path::PathBuf,
    process::Command,
    sync::{
        LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};
use upstream::Upstream;

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/serve"))
}
fn ours() -> String {
    env!("CARGO_BIN_EXE_proxy").to_owned()
}
fn caddy() -> String {
    std::env::var("CADDY").expect("CADDY names the caddy to ask")
}
/// The answers of `binary` to the requests of `case`, as they stand in a fixture.
fn answers(case: &Case, binary: &str, upstream: &Upstream) -> Result<Vec<String>, String> {
    static TREE: LazyLock<tempfile::TempDir> = LazyLock::new(tree::build);
    let site = common::free_port();
    let tree = TREE.path().display().to_string();
    let fill = |text: &str| {
        text.replace("UPSTREAM", &upstream.address())
            .replace("UPPORT", upstream.address().rsplit(':').next().unwrap_or_default())
            .replace("FILES", &folder().join("files").display().to_string())
            .replace("TREE", &tree)
            .replace("SITE", &site.to_string())
    };
    let server = Server::start(binary, &case.caddyfile(&fill), site)?;
    let asked = case.requests.iter().map(|request| {
        let answer = client::ask(site, &fill(&request.text));
        answer
            .replace(&upstream.address(), "UPSTREAM")
            .replace(&format!(":{site}"), ":SITE")
            .replace(&tree, "TREE")
    });
    let answers = asked.collect();
    server.stop();
    Ok(answers)
}
/// The fixtures that `binary` has all modules for.
fn fixtures(binary: &str) -> Vec<Fixture> {
    let listed = Command::new(binary).arg("list-modules").output().unwrap();
    let modules = String::from_utf8_lossy(&listed.stdout).into_owned();
    let has = |module: &str| modules.lines().any(|line| line == module);
    let mut fixtures = Fixture::all(&folder());
    fixtures.retain(|fixture| fixture.needs().is_none_or(has));
    fixtures
}
/// Asks `binary` all cases, those of `ONLY` if that is set; gives the differences.
fn differences(binary: &str) -> Vec<String> {
    let upstream = Upstream::start();
    let only = std::env::var("ONLY").unwrap_or_default();
    let fixtures = fixtures(binary);
    let cases: Vec<&Case> = fixtures
        .iter()
        .flat_map(|fixture| &fixture.cases)
        .filter(|case| case.name.contains(&only) && (!only.is_empty() || !case.differs_on_purpose()))
        .collect();
    let (next, found) = (AtomicUsize::new(0), Mutex::new(vec![]));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let answers = match answers(case, binary, &upstream) {
                        Ok(answers) => answers,
                        Err(log) => {
                            found.lock().unwrap().push(format!("=== {}\ndoes not start: {log}", case.name));
                            continue;
                        }
                    };
                    for (request, answer) in case.requests.iter().zip(answers) {
                        if answer != request.answer {
                            let difference = format!(
                                "=== {}\n--- {}\nexpected:\n{}got:\n{answer}",
                                case.name, request.text, request.answer
                            );
                            found.lock().unwrap().push(difference);
                        }
                    }
                }
            });
        }
    });
    found.into_inner().unwrap()
}
#[test]
fn every_case_is_answered_as_caddy_does() {
    let found = differences(&ours());
    assert!(found.is_empty(), "{}\n{} answers differ", found.join("\n"), found.len());
}
#[test]
#[ignore = "needs Caddy: CADDY names it"]
fn compare() {
    let found = differences(&caddy());
    assert!(found.is_empty(), "{}\n{} answers differ", found.join("\n"), found.len());
}
#[test]
#[ignore = "needs Caddy: CADDY names it; writes the fixtures"]
fn record() {
    let upstream = Upstream::start();
    let only = std::env::var("ONLY").unwrap_or_default();
    for mut fixture in fixtures(&caddy()) {
        if !fixture.cases.iter().any(|case| case.name.contains(&only)) {
            continue;
        }
        for case in &mut fixture.cases {
            let answers = answers(case, &caddy(), &upstream).unwrap();
            for (request, answer) in case.requests.iter_mut().zip(answers) {
                request.answer = answer;
            }
        }
        fixture.write();
    }
}
