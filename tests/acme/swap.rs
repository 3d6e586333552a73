//! Swapping the program over one folder: what Caddy has obtained is served and renewed by ours, and the other way round.
//! `CADDY` names the real one.
use crate::{
    common::free_port,
    pebble::Pebble,
    process::{Log, Process, shown, wait_until},
};
use proxy::storage::{FileSystem, Storage};
use serde_json::{Value, json};
use std::{env, fs, path::Path, process::Command};

struct Site<'a> {
    folder: &'a Path,
    name: &'a str,
    http_port: u16,
    https_port: u16,
    issuer: Value,
    /// Of its certificates in the storage.
    issuer_folder: String,
}
impl Site<'_> {
    fn config(&self, ratio: f64) -> String {
        json!({
            "admin": {"disabled": true},
            "storage": {"module": "file_system", "root": self.folder.join("storage")},
            "logging": {"logs": {"default": {"level": "INFO"}}},
            "apps": {
                "http": {"http_port": self.http_port, "https_port": self.https_port, "servers": {"srv0": {
                    "listen": [format!("127.0.0.1:{}", self.https_port)],
                    "protocols": ["h1", "h2"],
                    "routes": [{"match": [{"host": [self.name]}], "handle": [{"handler": "static_response", "body": "hello"}]}],
                }}},
                // The machine's own trust is not to be touched.
                "pki": {"certificate_authorities": {"local": {"install_trust": false}}},
                "tls": {"automation": {"policies": [{"subjects": [self.name], "issuers": [self.issuer], "renewal_window_ratio": ratio}]}},
            },
        })
        .to_string()
    }
    /// Runs a program on it, with a log of its own.
    fn run(&self, program: &str, ratio: f64) -> (Process, Log) {
        let log = Log(self.folder.join(format!("log-{}", free_port())));
        let config = self.folder.join("config.json");
        fs::write(&config, self.config(ratio)).unwrap();
        let file = fs::File::create(&log.0).unwrap();
        let mut command = Command::new(program);
        command.args(["run", "--config"]).arg(config).env_remove("XDG_DATA_HOME").env("HOME", self.folder);
        command.stdout(file.try_clone().unwrap()).stderr(file);
        (Process(command.spawn().unwrap()), log)
    }
    fn stored(&self, ending: &str) -> String {
        let key = format!("certificates/{0}/{1}/{1}.{ending}", self.issuer_folder, self.name);
        let stored = FileSystem::new(self.folder.join("storage")).load(&key).unwrap_or_default();
        String::from_utf8(stored).unwrap()
    }
    /// Waits until the certificate that is shown is the one that is stored.
    fn serves_what_is_stored(&self) {
        wait_until("the stored certificate is served", || {
            shown(self.https_port, self.name).is_some_and(|leaf| self.stored("crt").contains(leaf.trim()))
        });
    }
    /// Serves what is there, and asks nobody for more.
    fn takes_over(&self, program: &str) {
        let before = self.stored("crt");
        let (_running, log) = self.run(program, 0.33);
        self.serves_what_is_stored();
        assert_eq!(self.stored("crt"), before);
        let said = fs::read_to_string(&log.0).unwrap();
        assert!(!said.contains("obtaining certificate") && !said.contains("renewing certificate"), "{said}");
    }
}
const PROXY: &str = env!("CARGO_BIN_EXE_proxy");
/// At such a ratio every certificate is due after a second.
const AT_ONCE: f64 = 0.999_999_9;

#[test]
#[ignore = "needs pebble and pebble-challtestsrv on PATH, and Caddy, its path in the variable CADDY"]
fn each_takes_over_where_the_other_left_off() {
    let caddy = env::var("CADDY").expect("CADDY names the binary");
    let folder = tempfile::tempdir().unwrap();
    let pebble = Pebble::start(folder.path());
    let site = Site {
        folder: folder.path(),
        name: "swapped.test",
        http_port: pebble.http_port,
        https_port: pebble.tls_port,
        issuer: json!({
            "module": "acme", "ca": pebble.directory, "email": "someone@example.com",
            "trusted_roots_pem_files": [folder.path().join("ca.pem")],
        }),
        issuer_folder: pebble.folder(),
    };
    {
        let (_running, _log) = site.run(&caddy, 0.33);
        wait_until("Caddy obtains", || !site.stored("json").is_empty());
        site.serves_what_is_stored();
    }
    site.takes_over(PROXY);
    let account = |data: &str| -> Value {
        serde_json::from_str::<Value>(data).unwrap()["issuer_data"]["account"].take()
    };
    let (first, by) = (site.stored("crt"), account(&site.stored("json")));
    assert!(by.is_string(), "{by}");
    {
        let (_running, log) = site.run(PROXY, AT_ONCE);
        wait_until("it is renewed", || site.stored("crt") != first && account(&site.stored("json")) == by);
        site.serves_what_is_stored();
        let said = fs::read_to_string(&log.0).unwrap();
        assert!(said.contains("certificate renewed successfully"), "{said}");
        assert!(!said.contains("new ACME account registered"), "{said}");
    }
    let data: Value = serde_json::from_str(&site.stored("json")).unwrap();
    let info = &data["issuer_data"]["renewal_info"];
    assert!(info["_uniqueIdentifier"].is_string() && info["_selectedTime"].is_string(), "{data}");
    // Whoever needs the authority now is lost.
    drop(pebble);
    site.takes_over(&caddy);
    site.takes_over(PROXY);
}
#[test]
#[ignore = "needs Caddy, its path in the variable CADDY"]
fn the_local_authority_stays_the_same() {
    let caddy = env::var("CADDY").expect("CADDY names the binary");
    let folder = tempfile::tempdir().unwrap();
    let site = Site {
        folder: folder.path(),
        name: "swapped.localhost",
        http_port: free_port(),
        https_port: free_port(),
        issuer: json!({"module": "internal"}),
        issuer_folder: "local".into(),
    };
    let root = || fs::read_to_string(folder.path().join("storage/pki/authorities/local/root.crt"));
    {
        let (_running, _log) = site.run(&caddy, 0.33);
        wait_until("Caddy issues", || !site.stored("json").is_empty());
    }
    let before = root().unwrap();
    site.takes_over(PROXY);
    let first = site.stored("crt");
    {
        let (_running, _log) = site.run(PROXY, AT_ONCE);
        wait_until("it is renewed", || site.stored("crt") != first);
        site.serves_what_is_stored();
    }
    site.takes_over(&caddy);
    assert_eq!(root().unwrap(), before);
}
