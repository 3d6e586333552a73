//! Reloads under load, of all kinds of connections at once; and one that asks for client certificates.
use crate::{
    client::ask,
    common::free_port,
    killed::load,
    lifecycle::Client,
    ours,
    server::{Server, wait_for},
    upstream::Upstream,
};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned, pki_types::CertificateDer,
};
use serde_json::json;
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

fn config(port: u16, admin: u16, text: &str, upstream: &Upstream) -> String {
    let proxy = json!({"handler": "reverse_proxy", "upstreams": [{"dial": upstream.address()}]});
    let limit = json!({"handler": "rate_limit", "rate_limits": {"z": {"key": "all", "window": "1h", "max_events": 3}}});
    let routes = json!([
        {"match": [{"path": ["/ws", "/up"]}], "handle": [proxy]},
        {"match": [{"path": ["/limited"]}], "handle": [limit]},
        {"handle": [{"handler": "static_response", "body": text}]},
    ]);
    let listen = format!("127.0.0.1:{port}");
    let server = json!({"listen": [listen], "protocols": ["h1", "h2c"], "routes": routes});
    json!({
        "admin": {"listen": format!("127.0.0.1:{admin}")},
        "apps": {"http": {"servers": {"srv0": server}}},
    })
    .to_string()
}
/// What goes on while the server is reloaded.
#[derive(Default)]
struct Load {
    over: AtomicBool,
    requests: AtomicUsize,
    echoes: AtomicUsize,
}
impl Load {
    /// One connection of HTTP/1.1 from beginning to end.
    fn http_1(&self, port: u16, path: &str) {
        let mut client = Client::new(port);
        while !self.over.load(SeqCst) {
            client.send(path);
            let (head, _) = client.receive().expect("the connection stays");
            assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
            self.requests.fetch_add(1, SeqCst);
        }
    }
    /// One connection of HTTP/2, some streams at a time.
    #[tokio::main(flavor = "current_thread")]
    async fn http_2(&self, port: u16) {
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let (sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        let connection = tokio::spawn(connection);
        while !self.over.load(SeqCst) {
            let ask = |path: &str| {
                let uri = format!("http://localhost{path}");
                let request = http::Request::get(uri).body(Empty::<Bytes>::new()).unwrap();
                let mut sender = sender.clone();
                async move {
                    let response = sender.send_request(request).await.expect("the connection stays");
                    assert_eq!(response.status(), 200);
                    response.into_body().collect().await.unwrap();
                }
            };
            tokio::join!(ask("/"), ask("/up"), ask("/"), ask("/up"));
            self.requests.fetch_add(4, SeqCst);
        }
        drop(sender);
        connection.await.unwrap().unwrap();
    }
    /// WebSockets that stay open all the time, and are used one after another.
    fn tunnels(&self, port: u16, count: usize) {
        let mut all: Vec<TcpStream> = (0..count).map(|_| tunnel(port)).collect();
        while !self.over.load(SeqCst) {
            for tunnel in &mut all {
                echo(tunnel);
                self.echoes.fetch_add(1, SeqCst);
            }
        }
        all.iter_mut().for_each(echo);
    }
}
fn tunnel(port: u16) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let request = b"GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    stream.write_all(request).unwrap();
    let mut head = vec![];
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "));
    stream
}
fn echo(tunnel: &mut TcpStream) {
    tunnel.write_all(b"hello").unwrap();
    let mut answer = [0; 5];
    tunnel.read_exact(&mut answer).expect("the WebSocket stays open");
    assert_eq!(&answer, b"HELLO");
}
/// Reloads again and again, by signal and by command, each time with a valid and an invalid configuration.
fn reload_under_load(length: Duration, pause: Duration, tunnels: usize) {
    let (port, admin, upstream) = (free_port(), free_port(), Upstream::start());
    let text = |round: usize| config(port, admin, &round.to_string(), &upstream);
    let server = Server::start(&ours(), &(text(0), true), port).unwrap();
    let limited = || {
        let mut client = Client::new(port);
        client.send("/limited");
        client.receive().unwrap().0.starts_with("HTTP/1.1 429 ")
    };
    let before = (0..4).map(|_| limited()).collect::<Vec<_>>();
    assert_eq!(before, [false, false, false, true]);
    let load = Load::default();
    let (mut round, mut memory) = (0, vec![]);
    thread::scope(|scope| {
        for path in ["/", "/", "/up", "/up"] {
            scope.spawn(|| load.http_1(port, path));
        }
        scope.spawn(|| load.http_2(port));
        scope.spawn(|| load.tunnels(port, tunnels));
        let over = Over(&load.over);
        let (begun, mut watch) = (Instant::now(), Client::new(port));
        while begun.elapsed() < length {
            round += 1;
            if round % 2 == 0 {
                server.reload(&text(round));
            } else {
                fs::write(server.file(), text(round)).unwrap();
                let reload =
                    Command::new(ours()).args(["reload", "--config"]).arg(server.file()).output().unwrap();
                assert!(reload.status.success(), "{}", String::from_utf8_lossy(&reload.stderr));
            }
            wait_for("the new configuration", || watch.get("/") == round.to_string());
            memory.push(server.memory());
            thread::sleep(pause);
            let failures = || server.log().matches("failed to reload config from file").count();
            let failed = failures();
            server.reload(&text(round).replace("static_response", "nonsense"));
            wait_for("the refusal", || failures() > failed);
            assert_eq!(watch.get("/"), round.to_string());
            assert!(limited(), "the limiter has forgotten");
            thread::sleep(pause);
        }
        drop(over);
    });
    let (requests, echoes) = (load.requests.load(SeqCst), load.echoes.load(SeqCst));
    println!(
        "{round} valid and {round} invalid configurations, {requests} requests, {echoes} echoes over {tunnels} \
         WebSockets: none failed; memory after the first reload {} KiB, after the last {} KiB, at most {} KiB",
        memory[0],
        memory[memory.len() - 1],
        memory.iter().max().unwrap(),
    );
    assert!(requests > 100 && echoes >= tunnels);
    assert_eq!(server.stop(), 0);
}
/// Ends the load also when an assertion fails, since a scope waits for its threads.
struct Over<'a>(&'a AtomicBool);
impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}
#[test]
fn reloads_spare_requests_tunnels_and_limits() {
    reload_under_load(Duration::from_secs(5), Duration::from_millis(100), 20);
}
#[test]
#[ignore = "takes a minute"]
fn reloads_for_a_minute() {
    reload_under_load(Duration::from_mins(1), Duration::from_millis(500), 500);
}
#[test]
fn reloads_that_come_at_once_are_put_in_a_row() {
    let (port, admin, upstream) = (free_port(), free_port(), Upstream::start());
    let server = Server::start(&ours(), &(config(port, admin, "0", &upstream), true), port).unwrap();
    thread::scope(|scope| {
        let loads = [(); 12].map(|()| fastrand::u32(..).to_string());
        let upstream = &upstream;
        let loads = loads.map(|text| scope.spawn(move || load(admin, &config(port, admin, &text, upstream))));
        loads.into_iter().for_each(|load| assert_eq!(load.join().unwrap(), Some(true)));
    });
    wait_for("the end of all", || server.log().matches("load complete").count() == 12);
    let served = Client::new(port).get("/");
    assert!((0..8).all(|_| Client::new(port).get("/") == served), "every worker has the last one");
    let in_force = ask(admin, "GET /config/apps/http/servers/srv0/routes/2/handle/0/body");
    assert!(in_force.contains(&format!("\"{served}\"")), "{served} is served, in force is {in_force}");
    assert_eq!(server.stop(), 0);
}

/// A certificate for localhost, its key and who signed it, as PEM files in `folder`.
fn certificates(folder: &std::path::Path) -> CertificateDer<'static> {
    let ca_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = params.self_signed(&ca_key).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".into()]).unwrap();
    let certificate = params.signed_by(&key, &Issuer::from_ca_cert_der(ca.der(), &ca_key).unwrap()).unwrap();
    for (name, text) in
        [("ca.pem", ca.pem()), ("cert.pem", certificate.pem()), ("key.pem", key.serialize_pem())]
    {
        fs::write(folder.join(name), text).unwrap();
    }
    ca.der().clone()
}
fn tls(ca: &CertificateDer<'static>, protocol: &[u8]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(ca.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    Arc::new(config)
}
/// A connection without a client certificate.
struct Anonymous(StreamOwned<ClientConnection, TcpStream>);
impl Anonymous {
    fn new(ca: &CertificateDer<'static>, port: u16) -> Self {
        Self::with(&tls(ca, b"http/1.1"), port)
    }
    /// Takes up a session of an earlier connection with the same `config`, if the server lets it.
    fn with(config: &Arc<ClientConfig>, port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let session = ClientConnection::new(config.clone(), "localhost".try_into().unwrap()).unwrap();
        Self(StreamOwned::new(session, stream))
    }
    fn is_resumed(&self) -> bool {
        self.0.conn.handshake_kind() == Some(HandshakeKind::Resumed)
    }
    /// What comes back, if the site was reached.
    fn reaches(&mut self) -> bool {
        let request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let mut answer = [0; 4096];
        let sent = self.0.write_all(request).and_then(|()| self.0.read(&mut answer));
        sent.is_ok_and(|read| String::from_utf8_lossy(&answer[..read]).starts_with("HTTP/1.1 200"))
    }
}
#[test]
fn a_reload_that_asks_for_client_certificates_spares_no_old_connection() {
    let (folder, port, admin) = (tempfile::tempdir().unwrap(), free_port(), free_port());
    let ca = certificates(folder.path());
    let at = folder.path().display();
    let site = |auth: &str| {
        format!(
            "{{\n\tadmin 127.0.0.1:{admin}\n\tauto_https disable_redirects\n}}\nhttps://localhost:{port} {{\n\
             \ttls {at}/cert.pem {at}/key.pem {auth}\n\trespond inside\n}}\n"
        )
    };
    let server = Server::start(&ours(), &(site(""), false), port).unwrap();
    let mut old: Vec<Anonymous> = (0..4).map(|_| Anonymous::new(&ca, port)).collect();
    assert!(old.iter_mut().all(Anonymous::reaches));
    let known = tls(&ca, b"http/1.1");
    assert!(Anonymous::with(&known, port).reaches());
    let mut resumed = Anonymous::with(&known, port);
    assert!(resumed.reaches() && resumed.is_resumed());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut streams = runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let connector = tokio_rustls::TlsConnector::from(tls(&ca, b"h2"));
        let stream = connector.connect("localhost".try_into().unwrap(), stream).await.unwrap();
        let (sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        sender
    });
    let mut over_http_2 = || {
        let request = http::Request::get("https://localhost/").body(Empty::<Bytes>::new()).unwrap();
        runtime.block_on(async {
            streams.send_request(request).await.is_ok_and(|answer| answer.status() == 200)
        })
    };
    assert!(over_http_2());
    server.reload(&site(&format!("{{\n\t\tclient_auth {{\n\t\t\ttrust_pool file {at}/ca.pem\n\t\t}}\n\t}}")));
    wait_for("the reload", || server.log().contains("successfully reloaded config from file"));
    assert!(!Anonymous::new(&ca, port).reaches(), "a new connection without a certificate");
    let mut resumed = Anonymous::with(&known, port);
    assert!(!resumed.reaches(), "a session from before, taken up: {}", resumed.is_resumed());
    assert_eq!(old.iter_mut().filter_map(|old| old.reaches().then_some(())).count(), 0, "old connections");
    assert!(!over_http_2(), "an old connection of HTTP/2");
    assert_eq!(server.stop(), 0);
}
