//! Certificates from a real ACME server (pebble), over every challenge.
#[path = "../common/mod.rs"]
mod common;
mod folders;
mod many;
mod ovh;
mod pebble;
mod process;
mod swap;
mod zone;
use common::free_port;
use ovh::Ovh;
use pebble::Pebble;
use process::{Log, Process, curl, shown, wait_until};
use proxy::storage::{FileSystem, Storage};
use serde_json::json;
use std::{fs, path::Path};
use zone::Zone;

/// A configuration that serves `names`, each proved by the challenge that is not disabled.
fn config(pebble: &Pebble, folder: &Path, names: &[(&str, &str)]) -> String {
    let policies: Vec<_> = names
        .iter()
        .map(|(name, disabled)| {
            json!({"subjects": [name], "issuers": [{
                "module": "acme",
                "ca": pebble.directory,
                "email": "someone@example.com",
                "trusted_roots_pem_files": [folder.join("ca.pem")],
                "challenges": {*disabled: {"disabled": true}},
            }]})
        })
        .collect();
    let hosts: Vec<_> = names.iter().map(|(name, _)| name).collect();
    json!({
        "admin": {"disabled": true},
        "storage": {"module": "file_system", "root": folder.join("storage")},
        "apps": {
            "http": {"http_port": pebble.http_port, "https_port": pebble.tls_port, "servers": {"srv0": {
                "listen": [format!("127.0.0.1:{}", pebble.tls_port)],
                "routes": [{"match": [{"host": hosts}], "handle": [{"handler": "static_response", "body": "hello"}]}],
            }}},
            "tls": {"automation": {"policies": policies}},
        },
    })
    .to_string()
}
fn run(folder: &Path, config: &str) -> Process {
    let file = folder.join("config.json");
    fs::write(&file, config).unwrap();
    Process::proxy(folder, &["run", "--config", &file.display().to_string()], &[])
}
#[test]
#[ignore = "needs pebble and pebble-challtestsrv on PATH"]
fn names_are_certified_by_both_challenges_and_kept_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let pebble = Pebble::start(folder);
    let config = config(&pebble, folder, &[("http01.test", "tls-alpn"), ("alpn01.test", "http")]);
    let storage = FileSystem::new(folder.join("storage"));
    let issuer = pebble.folder();
    let at = |name: &str, ending: &str| format!("certificates/{issuer}/{name}/{name}.{ending}");
    let running = run(folder, &config);
    for name in ["http01.test", "alpn01.test"] {
        wait_until(&format!("a certificate for {name}"), || storage.load(&at(name, "json")).is_ok());
        let chain = proxy::tls::certificates_from_pem(&storage.load(&at(name, "crt")).unwrap()).unwrap();
        assert!(chain.len() >= 2, "with its intermediate");
        let data: serde_json::Value =
            serde_json::from_slice(&storage.load(&at(name, "json")).unwrap()).unwrap();
        assert_eq!((&data["sans"], &data["issuer_data"]["ca"]), (&json!([name]), &json!(pebble.directory)));
    }
    let users = storage.list(&format!("acme/{issuer}/users/someone@example.com")).unwrap();
    assert_eq!(users, ["someone.json", "someone.key"]);
    let serial = |name: &str| {
        proxy::tls::Certificate::from_pem(
            &storage.load(&at(name, "crt")).unwrap(),
            &storage.load(&at(name, "key")).unwrap(),
            vec![],
        )
        .unwrap()
        .not_before
    };
    let before = serial("http01.test");
    drop(running);
    // What lies in the storage is served without asking the authority again.
    drop(pebble);
    let _running = run(folder, &config);
    let port: u16 = serde_json::from_str::<serde_json::Value>(&config).unwrap()["apps"]["http"]["https_port"]
        .as_u64()
        .unwrap() as u16;
    wait_until("a handshake", || shown(port, "http01.test").is_some());
    assert_eq!(serial("http01.test"), before);
}

/// They share their ports, so that either may be asked to prove what the other has ordered.
#[test]
#[ignore = "needs pebble, pebble-challtestsrv and openssl on PATH"]
fn two_instances_on_one_storage_order_once() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let pebble = Pebble::start(folder);
    let names = ["one.test", "two.test", "three.test", "four.test"];
    let disabled = ["tls-alpn", "http", "tls-alpn", "http"];
    let sites: Vec<_> = names.into_iter().zip(disabled).collect();
    let file = folder.join("config.json");
    fs::write(&file, config(&pebble, folder, &sites)).unwrap();
    let instance = |name: &str| {
        let log = Log(folder.join(name));
        let file_of_log = fs::File::create(&log.0).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_proxy"));
        command.args(["run", "--config"]).arg(&file).env_remove("XDG_DATA_HOME").env("HOME", folder);
        command.stdout(file_of_log.try_clone().unwrap()).stderr(file_of_log);
        (Process(command.spawn().unwrap()), log)
    };
    let instances = [instance("first"), instance("second")];
    let storage = FileSystem::new(folder.join("storage"));
    let at = |name: &str, ending: &str| format!("certificates/{}/{name}/{name}.{ending}", pebble.folder());
    for name in names {
        wait_until(&format!("a certificate for {name}"), || storage.load(&at(name, "json")).is_ok());
        let stored = String::from_utf8(storage.load(&at(name, "crt")).unwrap()).unwrap();
        // Often enough that both are asked.
        for _ in 0..10 {
            wait_until("it is served", || {
                shown(pebble.tls_port, name).is_some_and(|leaf| stored.contains(leaf.trim()))
            });
        }
    }
    let said: String = instances.iter().map(|(_, log)| fs::read_to_string(&log.0).unwrap()).collect();
    assert_eq!(said.matches("certificate obtained successfully").count(), names.len(), "{said}");
    let left = storage.list(&format!("acme/{}/challenge_tokens", pebble.folder())).unwrap();
    assert!(left.is_empty(), "{left:?}");
}
/// The customer's Caddyfile, which differs by the authority, the ports and the resolver of this test alone.
#[test]
#[ignore = "needs pebble and curl on PATH"]
fn the_specification_is_certified_over_dns_at_ovh() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let zone = Zone::start();
    let ovh = Ovh::start(zone.clone());
    let pebble = Pebble::asking(folder, &zone.address, &[("PEBBLE_VA_NOSLEEP", "1")]);
    let (http_port, https_port) = (free_port(), free_port());
    let options = format!(
        "{{\n\tadmin off\n\thttp_port {http_port}\n\thttps_port {https_port}\n\tacme_ca {}\n\tacme_ca_root {}\n\ttls_resolvers {}\n",
        pebble.directory,
        folder.join("ca.pem").display(),
        zone.address,
    );
    let specified = fs::read_to_string("testdata/spec/Caddyfile").unwrap();
    let caddyfile = folder.join("Caddyfile");
    fs::write(&caddyfile, specified.replacen('{', &options, 1)).unwrap();
    let roots = folder.join("ovh-root.pem");
    fs::write(&roots, &ovh.root).unwrap();
    let log = Log(folder.join("log"));
    let [application, secret, consumer] = ovh::KEYS;
    let endpoint = format!("https://{}/1.0", ovh::HOST);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_proxy"));
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(&caddyfile).env("HOME", folder).envs([
        ("DOMAIN", "vault.example.org"),
        ("OVH_ENDPOINT", &endpoint),
        ("OVH_APPLICATION_KEY", application),
        ("OVH_APPLICATION_SECRET", secret),
        ("OVH_CONSUMER_KEY", consumer),
        ("HTTPS_PROXY", &ovh.proxy),
        ("SSL_CERT_FILE", &roots.display().to_string()),
    ]);
    let file = fs::File::create(&log.0).unwrap();
    command.stdout(file.try_clone().unwrap()).stderr(file);
    let _running = Process(command.spawn().unwrap());
    let root = pebble.root(folder);
    wait_until("a certificate that clients accept", || {
        curl(&root, "vault.example.org", https_port).is_some()
    });
    // There is no upstream here.
    assert_eq!(curl(&root, "vault.example.org", https_port).as_deref(), Some("502"));
    let record = "DELETE /1.0/domain/zone/example.org/record/1 200".to_owned();
    wait_until("the record is gone", || ovh.log.lock().unwrap().contains(&record));
    assert!(ovh.log.lock().unwrap().iter().all(|line| line.ends_with(" 200")), "{:?}", ovh.log);
    let logged = fs::read_to_string(&log.0).unwrap();
    assert!(logged.contains("certificate obtained successfully"), "{logged}");
    for key in ovh::KEYS {
        assert!(!logged.contains(key), "{key} is in the log:\n{logged}");
    }
}
