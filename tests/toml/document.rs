//! The document's file itself, unchanged.
use crate::{
    DOCUMENTS,
    client::{Response, connect, get_with, read},
    process::{Proxy, Upstream},
};
use rcgen::{CertificateParams, KeyPair};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use serde_json::Value;
use std::{
    fs::{self, OpenOptions},
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr, TcpListener, ToSocketAddrs},
    path::Path,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, atomic::Ordering::SeqCst},
};

/// Its upstreams, each at an address of this machine's own, so that its port is free whatever else runs here.
const UPSTREAMS: [(&str, u16, u8); 4] =
    [("mail-rs", 8080, 1), ("web-ui", 3000, 2), ("chat-rs", 8081, 3), ("dav-rs", 8082, 4)];
const CERTIFICATES: &str = "/etc/proxy/certs";
const HOSTS: [&str; 4] = ["mail.example.com", "app.example.com", "chat.example.com", "dav.example.com"];

fn address(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 112, 114, last)
}
/// They stay, as their ports do; who changes one's status changes it back.
static RUNNING: LazyLock<Vec<Upstream>> = LazyLock::new(|| {
    UPSTREAMS.iter().map(|(name, port, last)| Upstream::at((address(*last), *port).into(), name)).collect()
});
/// The document's proxy with all that it needs; its tests take turns, since they have its ports.
struct World {
    proxy: Proxy,
    upstreams: &'static [Upstream],
    roots: RootCertStore,
    _turn: MutexGuard<'static, ()>,
}
impl World {
    /// `None`, and a word about it, where names, ports or the folder cannot be had.
    fn new() -> Option<Self> {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |(name, port, last): &(&str, u16, u8)| {
            let found = (*name, *port).to_socket_addrs();
            found.is_ok_and(|mut found| found.any(|at| at.ip() == IpAddr::V4(address(*last))))
        };
        for row in UPSTREAMS.iter().filter(|row| !known(row)) {
            let hosts = OpenOptions::new().append(true).open("/etc/hosts");
            hosts.and_then(|mut hosts| writeln!(hosts, "{} {}", address(row.2), row.0)).ok();
        }
        let free = [80, 443, 9090].iter().all(|port| TcpListener::bind(("0.0.0.0", *port)).is_ok());
        let mut roots = RootCertStore::empty();
        let ready = UPSTREAMS.iter().all(known) && free && put_certificates(&mut roots).is_ok();
        if !ready {
            eprintln!("NOT RUN: needs names in /etc/hosts, ports 80, 443 and 9090, and {CERTIFICATES}");
            return None;
        }
        Some(Self { upstreams: &RUNNING, proxy: Proxy::documents(DOCUMENTS), roots, _turn: turn })
    }
    fn https(&self, host: &str, path: &str) -> Response {
        self.https_from(Ipv4Addr::LOCALHOST, host, path)
    }
    fn https_from(&self, source: Ipv4Addr, host: &str, path: &str) -> Response {
        let config = ClientConfig::builder().with_root_certificates(self.roots.clone()).with_no_client_auth();
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let socket = connect(source, 443);
        let mut stream = StreamOwned::new(connection, socket);
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nUser-Agent: test\r\n\r\n"
        )
        .unwrap();
        let mut bytes = vec![];
        // Not everyone says goodbye.
        stream.read_to_end(&mut bytes).ok();
        read(&String::from_utf8_lossy(&bytes))
    }
}
impl Drop for World {
    fn drop(&mut self) {
        for host in HOSTS {
            fs::remove_dir_all(Path::new(CERTIFICATES).join(host)).ok();
        }
    }
}
/// One pair a host, as somebody would put them there.
fn put_certificates(roots: &mut RootCertStore) -> std::io::Result<()> {
    for host in HOSTS {
        let folder = Path::new(CERTIFICATES).join(host);
        fs::create_dir_all(&folder)?;
        fs::remove_file(folder.join("meta.json")).ok();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![host.to_owned()]).unwrap().self_signed(&key).unwrap();
        fs::write(folder.join("key.pem"), key.serialize_pem())?;
        fs::write(folder.join("cert.pem"), certificate.pem())?;
        fs::remove_file(folder.join("chain.pem")).ok();
        roots.add(CertificateDer::from_pem_slice(certificate.pem().as_bytes()).unwrap()).unwrap();
    }
    Ok(())
}
#[test]
fn section_7_the_whole_file_serves_every_host_over_https() {
    let Some(world) = World::new() else { return };
    for (host, path, status, backend) in [
        ("mail.example.com", "/inbox", 200, "mail-rs"),
        ("app.example.com", "/api/messages", 200, "web-ui"),
        ("app.example.com", "/", 404, "404 Not Found"),
        ("chat.example.com", "/", 200, "chat-rs"),
        ("dav.example.com", "/", 200, "dav-rs"),
    ] {
        let response = world.https(host, path);
        assert!(
            response.status == status && response.body.starts_with(backend),
            "{host}{path}: {response:?}"
        );
        assert_eq!(response.all("X-Frame-Options"), ["DENY"]);
        assert_eq!(response.all("Strict-Transport-Security"), ["max-age=31536000; includeSubDomains"]);
    }
    // 127.0.0.1 is whitelisted, so that none of these is refused.
    (0..30).for_each(|_| assert_eq!(world.https("dav.example.com", "/").status, 200));
    assert!(world.upstreams[3].requests() > 30);
}
#[test]
fn section_2_plain_http_is_sent_on_but_for_what_authorities_ask() {
    let Some(_world) = World::new() else { return };
    let redirect = get_with(80, "mail.example.com", "/a?b=c", "");
    assert_eq!((redirect.status, redirect.header("Location")), (308, Some("https://mail.example.com/a?b=c")));
    assert_eq!(redirect.all("X-Content-Type-Options"), ["nosniff"]);
    let challenge = get_with(80, "mail.example.com", "/.well-known/acme-challenge/nobodys", "");
    assert_eq!(challenge.status, 404);
}
#[test]
fn logging_has_exactly_the_documents_keys() {
    let Some(world) = World::new() else { return };
    let response = world.https("mail.example.com", "/api/messages?x=1");
    let id = response.header("X-Request-Id").unwrap();
    let line: Value = serde_json::from_str(&world.proxy.line(id)).unwrap();
    let keys: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "timestamp",
            "method",
            "path",
            "host",
            "status",
            "duration_ms",
            "client_ip",
            "user_agent",
            "backend",
            "request_id"
        ]
    );
    for (key, value) in [
        ("method", "GET"),
        ("path", "/api/messages"),
        ("host", "mail.example.com"),
        ("client_ip", "127.0.0.1"),
        ("user_agent", "test"),
        ("backend", "http://mail-rs:8080"),
        ("request_id", id),
    ] {
        assert_eq!(line[key], value, "{key}");
    }
    assert_eq!(line["status"], 200);
    let time = line["timestamp"].as_str().unwrap();
    assert!(time.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(time).is_ok(), "{time}");
    // A backend that hangs up.
    world.upstreams[0].status.store(0, SeqCst);
    let failed = world.https("mail.example.com", "/lost");
    world.upstreams[0].status.store(200, SeqCst);
    assert_eq!(failed.status, 502);
    let line: Value = serde_json::from_str(&world.proxy.line("\"level\":\"ERROR\"")).unwrap();
    let keys: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["timestamp", "level", "message", "backend", "error", "request_id"]);
    assert_eq!(line["message"], "Backend connection failed");
    assert_eq!(line["backend"], "http://mail-rs:8080");
    assert_eq!(line["request_id"], failed.header("X-Request-Id").unwrap());
}
#[test]
fn section_3_and_metrics_a_client_is_limited_and_all_seven_families_are_there() {
    let Some(world) = World::new() else { return };
    let client = Ipv4Addr::new(127, 0, 0, 5);
    let ask = |_| world.https_from(client, "app.example.com", "/api/secret-path");
    let statuses: Vec<u16> = (0..14).map(ask).map(|response| response.status).collect();
    // Ten tokens, and one more each second that this takes.
    assert!(statuses[..10].iter().all(|status| *status == 200), "{statuses:?}");
    let refused = statuses.iter().filter(|status| **status == 429).count();
    assert!(refused >= 1, "{statuses:?}");
    let text = get_with(9090, "localhost", "/metrics", "").body;
    let value = |series: &str| {
        let line =
            text.lines().find(|line| line.starts_with(series)).unwrap_or_else(|| panic!("{series}\n{text}"));
        line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()
    };
    let passed = (statuses.len() - refused) as f64;
    let route = r#"route="app.example.com/api""#;
    assert_eq!(value(&format!("proxy_requests_total{{method=\"GET\",{route},status=\"200\"}}")), passed);
    assert_eq!(value(r#"proxy_requests_total{method="GET",route="",status="429"}"#), refused as f64);
    assert_eq!(value(&format!("proxy_request_duration_seconds_count{{method=\"GET\",{route}}}")), passed);
    assert_eq!(value(r#"proxy_ratelimit_rejected_total{reason="per_ip"}"#), refused as f64);
    assert_eq!(value(r#"proxy_ratelimit_rejected_total{reason="global"}"#), 0.0);
    assert_eq!(value(r#"proxy_backend_requests_total{backend="web-ui:3000",status="200"}"#), passed);
    assert_eq!(value(r#"proxy_backend_response_time_seconds_count{backend="web-ui:3000"}"#), passed);
    assert_eq!(value(r#"proxy_backend_up{backend="web-ui:3000"}"#), 1.0);
    assert!(value(r#"proxy_tls_certificate_expiry_seconds{domain="mail.example.com"}"#) > 1e6);
    assert!(!text.contains("secret-path"), "a path that a client has made up");
    assert_eq!(get_with(9090, "localhost", "/", "").status, 404);
}
