//! Many names at once, and processes that are killed while they order. Takes many minutes: `.ci/full`.
use crate::{
    pebble::Pebble,
    process::{Process, shown, wait_within},
};
use proxy::{
    storage::{FileSystem, Storage},
    tls::Certificate,
};
use serde_json::json;
use std::{env, fs, thread, time::Duration};

/// How many names, and how often the process is killed.
fn number(variable: &str, usual: usize) -> usize {
    env::var(variable).map_or(usual, |text| text.parse().unwrap())
}
#[test]
#[ignore = "takes many minutes; needs pebble, pebble-challtestsrv and openssl on PATH"]
fn all_of_many_names_are_certified_whatever_happens_to_the_process() {
    let (names, kills) = (number("ACME_NAMES", 200), number("ACME_KILLS", 50));
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // Half of the nonces are refused, nothing that was proved is remembered, and proofs take their time.
    let variables =
        [("PEBBLE_WFE_NONCEREJECT", "50"), ("PEBBLE_AUTHZREUSE", "0"), ("PEBBLE_VA_SLEEPTIME", "2")];
    let pebble = Pebble::start_with(folder, &variables);
    let names: Vec<String> = (0..names).map(|i| format!("name{i}.test")).collect();
    let config = json!({
        "admin": {"disabled": true},
        "storage": {"module": "file_system", "root": folder.join("storage")},
        "apps": {
            "http": {"http_port": pebble.http_port, "https_port": pebble.tls_port, "servers": {"srv0": {
                "listen": [format!("127.0.0.1:{}", pebble.tls_port)],
                "routes": [{"match": [{"host": names}], "handle": [{"handler": "static_response"}]}],
            }}},
            "tls": {"automation": {"policies": [{"issuers": [{
                "module": "acme",
                "ca": pebble.directory,
                "trusted_roots_pem_files": [folder.join("ca.pem")],
            }]}]}},
        },
    });
    let file = folder.join("config.json");
    fs::write(&file, config.to_string()).unwrap();
    let run = || Process::proxy(folder, &["run", "--config", &file.display().to_string()], &[]);
    for _ in 0..kills {
        let running = run();
        thread::sleep(Duration::from_millis(fastrand::u64(500..8_000)));
        drop(running);
    }
    let _running = run();
    let storage = FileSystem::new(folder.join("storage"));
    let at = |name: &str, ending: &str| format!("certificates/{0}/{name}/{name}.{ending}", pebble.folder());
    let done = |name: &String| storage.load(&at(name, "json")).is_ok();
    let patience = Duration::from_secs(300 + 3 * names.len() as u64);
    wait_within(patience, "a certificate for every name", || names.iter().all(done));
    for name in &names {
        let read = |ending: &str| storage.load(&at(name, ending)).unwrap();
        let certificate = Certificate::from_pem(&read("crt"), &read("key"), vec![]).unwrap();
        assert_eq!(certificate.names, std::slice::from_ref(name));
        wait_within(Duration::from_secs(60), name, || shown(pebble.tls_port, name).is_some());
    }
}
