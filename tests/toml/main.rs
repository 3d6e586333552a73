//! The first specification's config.toml, unchanged, in front of four upstreams: what its sections promise, row by row.
//!
//! It names its upstreams `mail-rs:8080`, `web-ui:3000`, `chat-rs:8081` and `dav-rs:8082`, listens on 80, 443 and 9090,
//! and keeps certificates in `/etc/proxy/certs`. Where a test may, it adds the names to `/etc/hosts` and takes the ports;
//! where it may not, it says so. Tests that are about one section only have a file of their own, on free ports.
#[path = "../common/client.rs"]
mod client;
#[path = "../common/mod.rs"]
mod common;
mod document;
mod limits;
mod process;
mod routes;
use process::{Proxy, proxy};
use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    thread,
};

const DOCUMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/config.example.toml");

#[test]
fn the_documents_file_is_valid_and_adapts_to_json_that_runs_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let validated = proxy(&["validate", "--config", DOCUMENTS]);
    assert!(validated.status.success(), "{}", String::from_utf8_lossy(&validated.stderr));
    let adapted = proxy(&["adapt", "--config", DOCUMENTS]);
    assert!(adapted.status.success());
    let json = folder.path().join("proxy.json");
    fs::write(&json, &adapted.stdout).unwrap();
    let validated = proxy(&["validate", "--config", json.to_str().unwrap()]);
    assert!(validated.status.success(), "{}", String::from_utf8_lossy(&validated.stderr));
    let named = proxy(&["adapt", "--config", DOCUMENTS, "--adapter", "toml"]);
    assert_eq!(named.stdout, adapted.stdout);
}
/// `testdata/toml/broken.txt`: a file, a line of `----------`, what is said of it.
#[test]
fn every_broken_file_is_refused_with_file_line_and_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let cases = include_str!("../../testdata/toml/broken.txt").split("==========\n");
    let (mut all, mut wrong) = (0, vec![]);
    for case in cases {
        all += 1;
        let (text, expected) = case.split_once("----------\n").unwrap();
        fs::write(&file, text).unwrap();
        let refused = proxy(&["validate", "--config", file.to_str().unwrap()]);
        let said = String::from_utf8_lossy(&refused.stderr).replace(file.to_str().unwrap(), "config.toml");
        // The log is JSON, so quotes in messages are escaped.
        let said = said.replace("\\\"", "\"");
        let missing = expected.lines().find(|line| !said.contains(line));
        let placed = said.contains(", at config.toml:");
        if refused.status.code() != Some(1) || !placed || missing.is_some() {
            wrong.push(format!("{text}\n  wants {expected}\n  gets {:?} {said}", refused.status.code()));
        }
    }
    assert!(wrong.is_empty(), "{} of {all} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(all >= 30, "{all} files");
}
#[test]
fn a_config_without_a_command_is_run_and_reloads_by_every_way() {
    let upstream = process::Upstream::start();
    let body = |path: &str| {
        format!(
            "[[routes]]\nhost = \"localhost\"\npath_prefix = \"{path}\"\nbackends = [\"http://{}\"]\n",
            upstream.address
        )
    };
    let proxy = Proxy::start(&body("/one"));
    let statuses = || ["/one", "/two", "/three"].map(|path| client::get(proxy.http, path).status);
    assert_eq!(statuses(), [200, 404, 404]);
    proxy.write(&body("/two"));
    proxy.signal("USR1");
    proxy.wait_until(|| statuses() == [404, 200, 404]);
    proxy.write(&body("/three"));
    let reloaded = process::proxy(&["reload", "--config", &proxy.file(), "--address", &proxy.admin()]);
    assert!(reloaded.status.success(), "{}", String::from_utf8_lossy(&reloaded.stderr));
    proxy.wait_until(|| statuses() == [404, 404, 200]);
    let text = proxy.whole(&body("/one"));
    let loaded = client::post(&proxy.admin(), "/load", "text/toml", &text);
    assert_eq!(loaded.status, 200, "{}", loaded.body);
    proxy.wait_until(|| statuses() == [200, 404, 404]);
    let refused = client::post(&proxy.admin(), "/load", "text/toml", "routes = 1");
    assert!(refused.status == 400 && refused.body.contains("config.toml:1"), "{}", refused.body);
    assert_eq!(statuses(), [200, 404, 404]);
}
#[test]
fn a_config_that_changes_under_load_loses_nothing() {
    let upstream = process::Upstream::start();
    let text = |burst: u32| {
        format!(
            "[ratelimit]\nrequests_per_second = 100000\nburst = {burst}\n[security]\n[logging]\naccess_log = false\n\
             [[routes]]\nhost = \"localhost\"\nbackends = [\"http://{}\"]\n",
            upstream.address
        )
    };
    let proxy = Proxy::start(&text(100_000));
    let (stop, port) = (AtomicBool::new(false), proxy.http);
    let asked = thread::scope(|scope| {
        let ask = || {
            let mut asked = 0;
            while !stop.load(SeqCst) {
                assert_eq!(client::get(port, "/").status, 200);
                asked += 1;
            }
            asked
        };
        let clients = [scope.spawn(ask), scope.spawn(ask)];
        for reload in 1..=5 {
            proxy.write(&text(100_000 + reload));
            proxy.signal("USR1");
            let done = || proxy.said().matches("successfully reloaded").count() == reload as usize;
            proxy.wait_until(done);
        }
        stop.store(true, SeqCst);
        clients.map(|client| client.join().unwrap())
    });
    assert!(asked.iter().all(|asked: &u32| *asked > 0), "{asked:?}");
}
