//! `/metrics`: names, labels and values are Caddy's.
//!
//! `testdata/metrics/expected.txt` holds what Caddy 2.11 shows after the requests below, without what is different each
//! time. `CADDY=/usr/bin/caddy cargo test --test metrics -- --ignored record` writes it, `… compare` asks Caddy again.
mod common;
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "common/server.rs"]
mod server;
use server::Server;
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/metrics").join(name)
}
/// A server that counts.
struct Counting {
    site: u16,
    admin: u16,
    _server: Server,
}
impl Counting {
    fn start(binary: &str) -> Self {
        let [site, admin] = [common::free_port(), common::free_port()];
        let config = fs::read_to_string(data("Caddyfile")).unwrap();
        let config = config.replace("SITE", &site.to_string()).replace("ADMIN", &admin.to_string());
        let server = Server::start(binary, &(config, false), site).unwrap();
        common::wait_for("the API", || TcpStream::connect(("127.0.0.1", admin)).is_ok());
        Self { site, admin, _server: server }
    }
    /// The head of the answer, and its body.
    fn ask(&self, port: u16, request: &str) -> (String, String) {
        let (line, fields) = request.split_once(" | ").unwrap_or((request, ""));
        let host =
            if fields.contains("Host:") { String::new() } else { format!("Host: localhost:{port}\r\n") };
        let fields = if fields.is_empty() {
            String::new()
        } else {
            fields.replace("PORT", &port.to_string()) + "\r\n"
        };
        let request = format!("{line} HTTP/1.0\r\n{host}{fields}\r\n");
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer.split_once("\r\n\r\n").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap_or_default()
    }
    /// Asks a few things, and then for Caddy's own families.
    fn counted(&self) -> String {
        for request in [
            "GET /",
            "GET /?query",
            "POST / | Content-Length: 0",
            "BREW /",
            "HEAD /",
            "GET /error",
            "GET /up",
            "GET /abort",
            "GET / | Host: other.test:PORT",
            "GET / | Host: x.test",
            "GET / | Host: unknown",
        ] {
            self.ask(self.site, request);
        }
        for request in ["GET /config", "GET /nope", "PUT /load", "GET /config/apps/none/x", "BREW /config/"] {
            self.ask(self.admin, request);
        }
        let text = self.ask(self.admin, "GET /metrics").1;
        let own = |line: &&str| line.contains("caddy_");
        let shown = text.lines().filter(own).map(|line| shown(line, self.site));
        shown.collect::<Vec<_>>().join("\n") + "\n"
    }
}
/// A line without what is different each time.
fn shown(line: &str, site: u16) -> String {
    let line = line.replace(&site.to_string(), "SITE");
    let timed = line.contains("_duration_seconds_") && !line.contains("_count");
    match line.rsplit_once(' ') {
        Some((sample, _)) if !line.starts_with('#') && (timed || line.contains("timestamp")) => {
            format!("{sample} <number>")
        }
        _ => line,
    }
}
fn caddy() -> String {
    std::env::var("CADDY").expect("CADDY names the caddy to ask")
}
fn assert_as_recorded(counted: &str) {
    let expected = fs::read_to_string(data("expected.txt")).unwrap();
    let missing: Vec<_> = expected.lines().filter(|line| !counted.lines().any(|l| l == *line)).collect();
    let added: Vec<_> = counted.lines().filter(|line| !expected.lines().any(|l| l == *line)).collect();
    assert!(missing.is_empty() && added.is_empty(), "missing: {missing:#?}\nadded: {added:#?}");
    assert_eq!(counted, expected, "another order");
}
#[test]
fn what_is_counted_is_caddys() {
    assert_as_recorded(&Counting::start(env!("CARGO_BIN_EXE_proxy")).counted());
}
#[test]
fn the_handler_shows_the_same_in_the_form_that_is_asked_for() {
    let server = Counting::start(env!("CARGO_BIN_EXE_proxy"));
    let accept = " | Accept: application/openmetrics-text; version=1.0.0";
    for (path, content_type, end) in [
        ("GET /metrics", "text/plain; version=0.0.4; charset=utf-8; escaping=underscores", "\n"),
        (
            &format!("GET /metrics{accept}"),
            "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
            "# EOF\n",
        ),
        (
            &format!("GET /old{accept}"),
            "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
            "\n",
        ),
    ] {
        let (head, body) = server.ask(server.site, path);
        assert!(head.contains(&format!("Content-Type: {content_type}")), "{path}: {head}");
        assert!(body.contains("caddy_http_requests_in_flight{") && body.ends_with(end), "{path}: {body}");
        assert!(body.contains("process_resident_memory_bytes "), "{body}");
    }
}
#[test]
#[ignore = "needs promtool"]
fn promtool_finds_nothing_to_complain_of() {
    let server = Counting::start(env!("CARGO_BIN_EXE_proxy"));
    server.counted();
    let text = server.ask(server.admin, "GET /metrics").1;
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
#[test]
#[ignore = "needs Caddy: CADDY names it"]
fn compare() {
    assert_as_recorded(&Counting::start(&caddy()).counted());
}
#[test]
#[ignore = "needs Caddy: CADDY names it; writes the fixture"]
fn record() {
    fs::write(data("expected.txt"), Counting::start(&caddy()).counted()).unwrap();
}
