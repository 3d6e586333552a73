//! An ACME server whose validations come to our ports.
use crate::{
    common::free_port,
    process::{Process, wait_until},
};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::json;
use std::{fs, net::TcpStream, path::Path, process::Command};

/// What PEBBLE_* variables say unless a test says otherwise.
const USUAL: &[(&str, &str)] = &[("PEBBLE_VA_NOSLEEP", "1"), ("PEBBLE_WFE_NONCEREJECT", "20")];

pub(crate) struct Pebble {
    pub(crate) directory: String,
    /// Where validations over HTTP and TLS come.
    pub(crate) http_port: u16,
    pub(crate) tls_port: u16,
    management: u16,
    _dns: Option<Process>,
    _pebble: Process,
}
/// An authority of the tests' own: its root, and a certificate and key for `names` that it has signed.
pub(crate) struct Signed {
    pub(crate) root: String,
    pub(crate) certificate: String,
    pub(crate) key: String,
}
pub(crate) fn signed(names: &[&str]) -> Signed {
    let ca_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // Whose subject is its issuer's passes for self-signed.
    params.distinguished_name.push(DnType::CommonName, "an authority of the tests");
    let ca = params.self_signed(&ca_key).unwrap();
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let issuer = Issuer::from_ca_cert_der(ca.der(), &ca_key).unwrap();
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    Signed { root: ca.pem(), certificate: certificate.pem(), key: key.serialize_pem() }
}
impl Pebble {
    /// With a DNS server that says 127.0.0.1 to everything.
    pub(crate) fn start(folder: &Path) -> Self {
        Self::start_with(folder, USUAL)
    }
    /// With `PEBBLE_*` variables.
    pub(crate) fn start_with(folder: &Path, variables: &[(&str, &str)]) -> Self {
        let [dns, dns_management] = std::array::from_fn(|_| free_port());
        let server = format!("127.0.0.1:{dns}");
        let running = Process::start(Command::new("pebble-challtestsrv").args([
            "-http01",
            "",
            "-https01",
            "",
            "-tlsalpn01",
            "",
            "-doh",
            "",
            "-dnsserver",
            &server,
            "-management",
            &format!("127.0.0.1:{dns_management}"),
            "-defaultIPv6",
            "",
            "-defaultIPv4",
            "127.0.0.1",
        ]));
        Self { _dns: Some(running), ..Self::asking(folder, &server, variables) }
    }
    /// With another DNS server and `PEBBLE_*` variables. `ca.pem` in the folder is what its API is trusted by.
    pub(crate) fn asking(folder: &Path, dns: &str, variables: &[(&str, &str)]) -> Self {
        let [api, management, http_port, tls_port] = std::array::from_fn(|_| free_port());
        let signed = signed(&["localhost", "127.0.0.1"]);
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        write("ca.pem", &signed.root);
        let config = json!({"pebble": {
            "listenAddress": format!("127.0.0.1:{api}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": write("cert.pem", &signed.certificate),
            "privateKey": write("key.pem", &signed.key),
            "httpPort": http_port,
            "tlsPort": tls_port,
            "profiles": {"default": {"description": "usual", "validityPeriod": 7_776_000}},
        }});
        let config = write("pebble.json", &config.to_string());
        let mut command = Command::new("pebble");
        command.args(["-config", &config, "-dnsserver", dns, "-strict"]).envs(variables.iter().copied());
        let pebble = Process::start(&mut command);
        wait_until("pebble listens", || TcpStream::connect(("127.0.0.1", api)).is_ok());
        Self {
            directory: format!("https://localhost:{api}/dir"),
            http_port,
            tls_port,
            management,
            _dns: None,
            _pebble: pebble,
        }
    }
    /// The folder of its certificates and accounts in the storage.
    pub(crate) fn folder(&self) -> String {
        self.directory.strip_prefix("https://").unwrap().replace([':', '/'], "-")
    }
    /// The root of what it issues, for clients, as a file.
    pub(crate) fn root(&self, folder: &Path) -> String {
        let root = folder.join("pebble-root.pem").display().to_string();
        let url = format!("https://localhost:{}/roots/0", self.management);
        wait_until("pebble shows its root", || {
            let mut command = Command::new("curl");
            command.args(["-sf", "--noproxy", "*", "--cacert"]).arg(folder.join("ca.pem"));
            command.args(["-o", &root, &url]).status().unwrap().success()
        });
        root
    }
}
