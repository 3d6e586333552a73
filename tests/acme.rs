//! Certificates from a real ACME server (pebble), over both challenges that need no DNS.
mod common;
use common::free_port;
use proxy::storage::{FileSystem, Storage};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::json;
use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Killed when dropped.
struct Process(Child);
impl Process {
    fn start(command: &mut Command) -> Self {
        Self(command.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().expect("it is installed"))
    }
}
impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
/// An ACME server whose validations come to our ports, and the certificate that it is to be trusted by.
struct Pebble {
    directory: String,
    http_port: u16,
    tls_port: u16,
    _dns: Process,
    _pebble: Process,
}
impl Pebble {
    fn start(folder: &Path) -> Self {
        let [api, management, dns, dns_management, http_port, tls_port] =
            std::array::from_fn(|_| free_port());
        let ca_key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = params.self_signed(&ca_key).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".into(), "127.0.0.1".into()]).unwrap();
        let issuer = Issuer::from_ca_cert_der(ca.der(), &ca_key).unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        write("ca.pem", &ca.pem());
        let config = json!({"pebble": {
            "listenAddress": format!("127.0.0.1:{api}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": write("cert.pem", &certificate.pem()),
            "privateKey": write("key.pem", &key.serialize_pem()),
            "httpPort": http_port,
            "tlsPort": tls_port,
        }});
        let config = write("pebble.json", &config.to_string());
        let dns_server = format!("127.0.0.1:{dns}");
        let dns = Process::start(Command::new("pebble-challtestsrv").args([
            "-http01",
            "",
            "-https01",
            "",
            "-tlsalpn01",
            "",
            "-doh",
            "",
            "-dnsserver",
            &dns_server,
            "-management",
            &format!("127.0.0.1:{dns_management}"),
            "-defaultIPv6",
            "",
            "-defaultIPv4",
            "127.0.0.1",
        ]));
        let pebble = Process::start(
            Command::new("pebble")
                .args(["-config", &config, "-dnsserver", &dns_server, "-strict"])
                .env("PEBBLE_VA_NOSLEEP", "1")
                .env("PEBBLE_WFE_NONCEREJECT", "20"),
        );
        wait_until("pebble listens", || std::net::TcpStream::connect(("127.0.0.1", api)).is_ok());
        Self {
            directory: format!("https://localhost:{api}/dir"),
            http_port,
            tls_port,
            _dns: dns,
            _pebble: pebble,
        }
    }
    /// A configuration that serves `names`, each proved by the challenge that is not disabled.
    fn config(&self, folder: &Path, names: &[(&str, &str)]) -> String {
        let policies: Vec<_> = names
            .iter()
            .map(|(name, disabled)| {
                json!({"subjects": [name], "issuers": [{
                    "module": "acme",
                    "ca": self.directory,
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
                "http": {"http_port": self.http_port, "https_port": self.tls_port, "servers": {"srv0": {
                    "listen": [format!("127.0.0.1:{}", self.tls_port)],
                    "routes": [{"match": [{"host": hosts}], "handle": [{"handler": "static_response", "body": "hello"}]}],
                }}},
                "tls": {"automation": {"policies": policies}},
            },
        })
        .to_string()
    }
}
fn run(folder: &Path, config: &str) -> Process {
    let file = folder.join("config.json");
    fs::write(&file, config).unwrap();
    Process::start(
        Command::new(env!("CARGO_BIN_EXE_proxy")).arg("run").arg("--config").arg(file).env("HOME", folder),
    )
}
fn wait_until(what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}
#[test]
#[ignore = "needs pebble and pebble-challtestsrv on PATH"]
fn names_are_certified_by_both_challenges_and_kept_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let pebble = Pebble::start(folder);
    let config = pebble.config(folder, &[("http01.test", "tls-alpn"), ("alpn01.test", "http")]);
    let storage = FileSystem::new(folder.join("storage"));
    let issuer = pebble.directory.strip_prefix("https://").unwrap().replace([':', '/'], "-");
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
    wait_until("a handshake", || handshake(port, "http01.test").is_some());
    assert_eq!(serial("http01.test"), before);
}
/// The certificate that a client is shown, whoever signed it.
fn handshake(port: u16, name: &str) -> Option<Vec<u8>> {
    let output = Command::new("openssl")
        .args(["s_client", "-connect", &format!("127.0.0.1:{port}"), "-servername", name])
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.contains("-----BEGIN CERTIFICATE-----").then(|| text.into_bytes())
}
