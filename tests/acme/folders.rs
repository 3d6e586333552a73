//! A config.toml against pebble: certificates by http-01, in the document's layout.
use crate::{
    Pebble, Process,
    common::free_port,
    process::{Log, curl, shown, wait_until},
};
use serde_json::{Value, json};
use std::{
    fs::{self, File},
    path::Path,
    process::Command,
};

const HOST: &str = "toml.test";

/// Its log is on standard output.
fn run(folder: &Path, file: &str) -> Process {
    let log = File::options().create(true).append(true).open(folder.join("proxy.log")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_proxy"));
    command.args(["run", "--config", file]).env_remove("XDG_DATA_HOME").env_remove("XDG_CONFIG_HOME");
    command.env("HOME", folder).env("SSL_CERT_FILE", folder.join("ca.pem"));
    command.env("CADDY_ADMIN", format!("127.0.0.1:{}", free_port())).stdout(log);
    Process(command.spawn().unwrap())
}
#[test]
#[ignore = "needs pebble and pebble-challtestsrv on PATH"]
fn a_config_toml_obtains_keeps_and_renews_in_folders_named_for_hosts() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let _log = Log(folder.join("proxy.log"));
    let pebble = Pebble::start(folder);
    let certs = folder.join("certs");
    let text = format!(
        "[server]\nhttp_port = {}\nhttps_port = {}\nbind_addr = \"127.0.0.1\"\n\
         [tls]\nacme_email = \"someone@example.com\"\nacme_directory = \"{}\"\ncert_storage = \"{}\"\n\
         [[routes]]\nhost = \"{HOST}\"\nbackends = [\"http://127.0.0.1:9\"]\n",
        pebble.http_port,
        pebble.tls_port,
        pebble.directory,
        certs.display()
    );
    let file = folder.join("config.toml").display().to_string();
    fs::write(&file, text).unwrap();
    let read = |name: &str| fs::read_to_string(certs.join(HOST).join(name)).unwrap_or_default();
    let running = run(folder, &file);
    wait_until("a certificate", || read("meta.json").contains("sans"));
    let (cert, key) = (read("cert.pem"), read("key.pem"));
    let count = |pem: &str| pem.matches("-----BEGIN CERTIFICATE-----").count();
    assert!(count(&cert) == 1 && count(&read("chain.pem")) >= 1 && key.contains("PRIVATE KEY"));
    let users = certs.join("acme").join(pebble.folder()).join("users/someone@example.com");
    assert!(users.join("someone.key").exists(), "the account lies beside them");
    let root = pebble.root(folder);
    wait_until("it is served", || curl(&root, HOST, pebble.tls_port).as_deref() == Some("502"));
    drop(running);

    let running = run(folder, &file);
    wait_until("it is served again", || curl(&root, HOST, pebble.tls_port).is_some());
    assert_eq!(shown(pebble.tls_port, HOST).unwrap().trim(), cert.trim(), "without another order");
    assert_eq!(read("cert.pem"), cert);
    drop(running);

    // The same configuration, but everything is due for renewal at once.
    let adapted =
        Command::new(env!("CARGO_BIN_EXE_proxy")).args(["adapt", "--config", &file]).output().unwrap();
    let mut config: Value = serde_json::from_slice(&adapted.stdout).unwrap();
    config["apps"]["tls"]["automation"]["policies"][0]["renewal_window_ratio"] = json!(1.0);
    let due = folder.join("due.json").display().to_string();
    fs::write(&due, config.to_string()).unwrap();
    let _running = run(folder, &due);
    wait_until("it is renewed", || !read("cert.pem").is_empty() && read("cert.pem") != cert);
    wait_until("the new one is served", || {
        shown(pebble.tls_port, HOST).is_some_and(|shown| shown.trim() == read("cert.pem").trim())
    });
    assert_ne!(read("key.pem"), key);
}
