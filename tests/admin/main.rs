//! The admin API beside Caddy's.
//!
//! `testdata/admin/*.txt` holds sequences of requests to a process that begins without a configuration, and what Caddy
//! 2.11 answers, in the form of `testdata/serve`. `CADDY=/usr/bin/caddy cargo test --test admin -- --ignored record`
//! writes the answers; `… compare` says where Caddy no longer answers so; `… random` makes random changes to both.
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../serve/client.rs"]
mod client;
#[path = "../common/mod.rs"]
mod common;
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../serve/fixture.rs"]
mod fixture;
mod random;
use common::free_port;
use fixture::{Case, Fixture};
use std::{
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A process without a configuration; killed when dropped.
struct Api {
    process: Child,
    port: u16,
    /// For sites of configurations.
    site: u16,
    _folder: TempDir,
}
impl Api {
    fn start(binary: &str) -> Self {
        let (port, site, folder) = (free_port(), free_port(), tempfile::tempdir().unwrap());
        let process = Command::new(binary)
            .arg("run")
            .current_dir(folder.path())
            .env_clear()
            .env("HOME", folder.path())
            .env("CADDY_ADMIN", format!("localhost:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let api = Self { process, port, site, _folder: folder };
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "it does not listen");
            sleep(Duration::from_millis(5));
        }
        api
    }
    /// The answer, with the words of the fixture for what is different each time.
    fn ask(&self, request: &str) -> String {
        loop {
            if let Some(answer) = self.try_to_ask(request) {
                return answer;
            }
        }
    }
    /// As [`Self::ask`]; `None` if there is no answer: Caddy changes sockets with each configuration, and loses what waits
    /// at the old one.
    fn try_to_ask(&self, request: &str) -> Option<String> {
        let (port, site) = (self.port.to_string(), self.site.to_string());
        let request = request.replace("ADMIN", &port).replace("SITE", &site);
        let answer = client::ask_within(Duration::from_secs(20), self.port, &request);
        if answer == "< (nothing)\n" {
            return None;
        }
        let with_ports = answer.contains(&site) || answer.contains(&port);
        let answer = answer.replace(&port, "ADMIN").replace(&site, "SITE");
        let lines =
            answer.lines().map(|line| if with_ports { without_hash(line) } else { line.into() } + "\n");
        Some(lines.collect())
    }
}
impl Drop for Api {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
/// The hash of what holds a port is another each time.
fn without_hash(line: &str) -> String {
    match line.rsplit_once(' ') {
        Some((before, _)) if line.starts_with("< Etag: ") => format!("{before} HASH\""),
        _ => line.into(),
    }
}
fn fixtures() -> Vec<Fixture> {
    Fixture::all(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/admin")))
}
fn answers(case: &Case, binary: &str) -> Vec<String> {
    let api = Api::start(binary);
    case.requests.iter().map(|request| api.ask(&request.text)).collect()
}
fn caddy() -> String {
    std::env::var("CADDY").expect("CADDY names the caddy to ask")
}
/// What `binary` answers otherwise than it is written; how many answers there are.
fn differences(binary: &str) -> (Vec<String>, usize) {
    let (mut found, mut count) = (vec![], 0);
    let fixtures = fixtures();
    for case in fixtures.iter().flat_map(|fixture| &fixture.cases).filter(|case| !case.differs_on_purpose()) {
        for (request, got) in case.requests.iter().zip(answers(case, binary)) {
            count += 1;
            if got != request.answer {
                let (name, text, expected) = (&case.name, &request.text, &request.answer);
                found.push(format!("=== {name}\n--- {text}\nexpected:\n{expected}got:\n{got}"));
            }
        }
    }
    (found, count)
}
#[test]
fn the_api_answers_as_caddys_does() {
    let (found, count) = differences(env!("CARGO_BIN_EXE_proxy"));
    assert!(found.is_empty(), "{}\n{} of {count} answers differ", found.join("\n"), found.len());
    assert!(count >= 80, "only {count} requests");
}
#[test]
#[ignore = "needs Caddy: CADDY names it"]
fn compare() {
    let (found, count) = differences(&caddy());
    assert!(found.is_empty(), "{}\n{} of {count} answers differ", found.join("\n"), found.len());
}
#[test]
#[ignore = "needs Caddy: CADDY names it; writes the fixtures"]
fn record() {
    for mut fixture in fixtures() {
        for case in &mut fixture.cases {
            let answers = answers(case, &caddy());
            case.requests.iter_mut().zip(answers).for_each(|(request, answer)| request.answer = answer);
        }
        fixture.write();
    }
}
