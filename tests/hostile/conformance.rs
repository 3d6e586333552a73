//! The conformance of HTTP/2 as h2spec sees it.
//!
//! `go install github.com/summerwind/h2spec/cmd/h2spec@latest`, then `cargo test --test hostile h2spec -- --ignored`.
use crate::{
    common,
    server::{Server, wait_for},
};
use std::process::Command;

/// Runs all of it, strictly.
fn h2spec(config: &str, host: &str, more: &[&str]) {
    let site = common::free_port();
    let config = config.replace("SITE", &site.to_string());
    let server = Server::start(env!("CARGO_BIN_EXE_proxy"), &(config, false), site).unwrap();
    // The local authority gives a certificate once the server runs.
    if more.contains(&"--tls") {
        wait_for("the certificate", || server.log().contains("certificate obtained successfully"));
    }
    let port = site.to_string();
    let output = Command::new("h2spec")
        .args(["--strict", "--timeout", "5", "--host", host, "--port", &port])
        .args(more)
        .output()
        .expect("h2spec");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains(" 0 failed"), "{said}{}", server.log());
    let tests = said.lines().find_map(|line| line.split_once(" tests, ")?.0.trim().parse::<usize>().ok());
    assert!(tests.is_some_and(|tests| tests >= 146), "{said}");
    server.stop();
}
// The whole request is read before it is answered: what is wrong with its end is to be seen.
#[test]
#[ignore = "needs h2spec"]
fn h2spec_finds_nothing_over_tls() {
    // It names no server in its handshakes.
    let config = "{\n\tadmin off\n\tdefault_sni localhost\n\tskip_install_trust\n\tauto_https disable_redirects\n\thttps_port SITE\n}\nhttps://localhost:SITE {\n\ttls internal\n\trespond \"some bytes of a body {http.request.body}\"\n}\n";
    h2spec(config, "localhost", &["--tls", "--insecure"]);
}
#[test]
#[ignore = "needs h2spec"]
fn h2spec_finds_nothing_in_the_clear() {
    // Over a port that speaks HTTP/1 too, what is no HTTP/2 is answered in HTTP/1.
    let config = "{\n\tadmin off\n\tservers {\n\t\tprotocols h2c\n\t}\n}\nhttp://:SITE {\n\trespond \"some bytes of a body {http.request.body}\"\n}\n";
    h2spec(config, "127.0.0.1", &[]);
}
