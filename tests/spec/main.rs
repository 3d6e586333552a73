//! The specification's Caddyfile, unchanged, in front of an upstream: what its sections promise.
//!
//! It names its upstream `syncobsidian:8000`. The test adds that name to `/etc/hosts` where it may; where it may not, it
//! says so and only adapts the file.
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../common/client.rs"]
mod client;
#[path = "../common/mod.rs"]
mod common;
mod process;
use client::{get, send};
use process::{Proxy, Upstream};
use std::{
    fs::{self, OpenOptions},
    io::Write,
    net::{IpAddr, Ipv4Addr, ToSocketAddrs},
    sync::LazyLock,
};

const SPEC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/spec/Caddyfile");
/// An address of this machine's own, so that port 8000 is free whatever else runs here.
const UPSTREAM: Ipv4Addr = Ipv4Addr::new(127, 83, 121, 110);

/// The upstream of all tests, or `None` where its name cannot be made known.
static NAMED: LazyLock<Option<Upstream>> = LazyLock::new(|| {
    let known = || {
        let mut found = ("syncobsidian", 8000).to_socket_addrs().ok()?;
        found.any(|address| address.ip() == IpAddr::V4(UPSTREAM)).then_some(())
    };
    if known().is_none() {
        let hosts = OpenOptions::new().append(true).open("/etc/hosts");
        hosts.and_then(|mut hosts| writeln!(hosts, "{UPSTREAM} syncobsidian")).ok();
    }
    known().and_then(|()| Upstream::start((UPSTREAM, 8000).into()).ok())
});

/// Runs `test` with the file's text, unless the upstream's name cannot be had.
fn with_upstream(test: impl FnOnce(&Upstream)) {
    match &*NAMED {
        Some(upstream) => test(upstream),
        None => eprintln!(
            "NOT RUN: /etc/hosts cannot be given the name syncobsidian ({UPSTREAM}), or it is taken"
        ),
    }
}
/// The specification's file with a part of its section 8 put in, as a user would.
fn with(extra: &str) -> String {
    let text = fs::read_to_string(SPEC).unwrap();
    let at = text.find("    # ===========================================\n    # REVERSE PROXY").unwrap();
    format!("{}{extra}\n{}", &text[..at], &text[at..])
}
#[test]
fn login_lets_five_through_and_refuses_the_next_five() {
    with_upstream(|upstream| {
        let proxy = Proxy::run_file(SPEC);
        let before = upstream.seen("/auth/login");
        let statuses: Vec<u16> = (0..10).map(|_| get(proxy.port, "/auth/login").status).collect();
        assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429, 429, 429, 429]);
        assert_eq!(upstream.seen("/auth/login") - before, 5);
        let refused = get(proxy.port, "/auth/login");
        let wait: u64 = refused.header("Retry-After").unwrap().parse().unwrap();
        assert!((50..=60).contains(&wait), "{wait}");
        assert!(refused.body.is_empty(), "as the plugin has it");
    });
}
#[test]
fn health_lets_twenty_through_and_all_others_count_together() {
    with_upstream(|_| {
        let proxy = Proxy::run_file(SPEC);
        let health: Vec<u16> = (0..25).map(|_| get(proxy.port, "/health").status).collect();
        assert_eq!(health, [[200; 20].as_slice(), &[429; 5]].concat());
        let login: Vec<u16> = (0..5).map(|_| get(proxy.port, "/auth/login").status).collect();
        assert_eq!(login, [401; 5]);
        // What the named zones let through counts in `api` too: 120 - 20 - 5 are left.
        let others: Vec<u16> = (0..100).map(|i| get(proxy.port, &format!("/notes/{i}")).status).collect();
        assert_eq!(others, [[200; 95].as_slice(), &[429; 5]].concat());
    });
}
#[test]
fn every_response_has_the_security_headers_also_a_refusal() {
    with_upstream(|_| {
        let proxy = Proxy::run_file(SPEC);
        for i in 0..6 {
            let response = get(proxy.port, "/auth/login");
            assert_eq!(response.status, if i < 5 { 401 } else { 429 });
            for (name, value) in [
                ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
                ("X-Content-Type-Options", "nosniff"),
                ("X-Frame-Options", "DENY"),
            ] {
                // Byte for byte, the name's capitals too.
                assert!(response.head.contains(&format!("\r\n{name}: {value}\r\n")), "{}", response.head);
            }
        }
    });
}
#[test]
fn the_log_is_on_stdout_in_console_format() {
    with_upstream(|_| {
        let proxy = Proxy::run_file(SPEC);
        get(proxy.port, "/notes?x=1");
        let line = proxy.stdout_line("handled request");
        let parts: Vec<&str> = line.split('\t').collect();
        let [time, level, logger, message, fields] = parts[..] else { panic!("{line}") };
        assert!(time.starts_with("20") && time.len() == "2026/11/24 08:00:00.000".len(), "{line}");
        assert_eq!(
            (level, logger, message),
            ("\u{1b}[34mINFO\u{1b}[0m", "http.log.access.log0", "handled request")
        );
        let fields: serde_json::Value = serde_json::from_str(fields).unwrap();
        assert_eq!(fields["request"]["uri"], "/notes?x=1");
        assert_eq!(fields["status"], 200);
    });
}
#[test]
fn a_refusal_is_logged_with_its_zone() {
    with_upstream(|_| {
        let proxy = Proxy::run_file(SPEC);
        (0..6).for_each(|_| drop(get(proxy.port, "/auth/login")));
        let line = proxy.stderr_line("rate limit exceeded");
        assert!(line.contains("http.handlers.rate_limit") && line.contains("login"), "{line}");
    });
}
#[test]
fn the_customised_429_of_section_8_1() {
    with_upstream(|_| {
        let proxy = Proxy::run_text(&with(
            "    handle_errors {\n        @ratelimited expression {err.status_code} == 429\n        respond @ratelimited \"Too many login attempts. Retry in 60 seconds.\" 429\n    }\n",
        ));
        (0..5).for_each(|_| assert_eq!(get(proxy.port, "/auth/login").status, 401));
        let refused = get(proxy.port, "/auth/login");
        assert_eq!((refused.status, &*refused.body), (429, "Too many login attempts. Retry in 60 seconds."));
        assert!(refused.header("Retry-After").is_some());
        assert_eq!(refused.header("X-Frame-Options"), Some("DENY"));
    });
}
#[test]
fn the_exempted_addresses_of_section_8_2() {
    with_upstream(|_| {
        // The document's ranges, and one of which a test can come.
        let text = with(
            "    @monitoring {\n        remote_ip 10.0.0.0/8 192.168.0.0/16 127.9.0.0/16\n    }\n    route @monitoring {\n        reverse_proxy syncobsidian:8000\n    }\n",
        );
        // `rate_limit` stands before `route` in the order of directives, unless it is moved behind it.
        let text = text.replace("order rate_limit before reverse_proxy", "order rate_limit after route");
        let proxy = Proxy::run_text(&text);
        let monitoring = Ipv4Addr::new(127, 9, 0, 1);
        (0..30)
            .for_each(|_| assert_eq!(send(monitoring, proxy.port, "localhost", "/health", "").status, 200));
        let others: Vec<u16> = (0..22).map(|_| get(proxy.port, "/health").status).collect();
        assert_eq!(others, [[200; 20].as_slice(), &[429; 2]].concat());
    });
}
#[test]
fn it_is_valid_and_adapts_to_caddys_json() {
    let validated = process::proxy(&["validate", "--config", SPEC, "--adapter", "caddyfile"]);
    assert!(validated.status.success(), "{}", String::from_utf8_lossy(&validated.stderr));
    assert!(String::from_utf8_lossy(&validated.stdout).contains("Valid configuration"));
    let adapted = process::proxy(&["adapt", "--config", SPEC, "--adapter", "caddyfile"]);
    let ours: serde_json::Value = serde_json::from_slice(&adapted.stdout).unwrap();
    let caddys = fs::read_to_string(SPEC.to_owned() + ".json").unwrap();
    assert_eq!(ours, serde_json::from_str::<serde_json::Value>(&caddys).unwrap());
}
