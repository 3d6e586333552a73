//! Reloads, stops, timeouts: what happens to connections when something happens to the server.
use crate::{
    common::free_port,
    ours,
    server::{Server, wait_for},
    upstream::Upstream,
};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::net::UnixStream,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    thread,
    time::{Duration, Instant},
};

/// A configuration of one server that says `text`, and passes `/up/…` on.
fn config(listen: &[String], text: &str, upstream: &Upstream, more: &Value) -> String {
    let routes = json!([
        {"match": [{"path": ["/held", "/ws", "/stream"]}], "handle": [{
            "handler": "reverse_proxy", "upstreams": [{"dial": upstream.address()}]}]},
        {"handle": [{"handler": "static_response", "body": text}]},
    ]);
    let mut server = json!({"listen": listen, "routes": routes});
    let mut app = json!({});
    for (key, value) in more.as_object().unwrap() {
        match key.strip_prefix("app.") {
            Some(key) => app[key] = value.clone(),
            None => server[key] = value.clone(),
        }
    }
    app["servers"] = json!({"srv0": server});
    json!({"admin": {"disabled": true}, "apps": {"http": app}}).to_string()
}
fn at(port: u16) -> Vec<String> {
    vec![format!("127.0.0.1:{port}")]
}
fn start(config: String, port: u16) -> Server {
    Server::start(&ours(), &(config, true), port).unwrap()
}

/// A client that keeps its connection.
pub(crate) struct Client(BufReader<TcpStream>);
impl Client {
    pub(crate) fn new(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self(BufReader::new(stream))
    }
    pub(crate) fn send(&mut self, path: &str) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n");
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
    }
    /// Head and body; `None` if the connection has ended.
    pub(crate) fn receive(&mut self) -> Option<(String, String)> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.0.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        self.0.read_exact(&mut body).ok()?;
        Some((head, String::from_utf8(body).unwrap()))
    }
    pub(crate) fn get(&mut self, path: &str) -> String {
        self.send(path);
        self.receive().expect("an answer").1
    }
    /// Waits for the end of the connection.
    fn ends(&mut self) -> bool {
        matches!(self.0.read(&mut [0]), Ok(0) | Err(_))
    }
}

#[test]
fn reloads_under_load_fail_no_request_and_close_no_connection() {
    let (port, upstream) = (free_port(), Upstream::start());
    let text = |round: usize| config(&at(port), &round.to_string(), &upstream, &json!({}));
    let server = start(text(0), port);
    let (over, done, latest) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                // One connection from beginning to end.
                let mut client = Client::new(port);
                while !over.load(SeqCst) {
                    let oldest = latest.load(SeqCst);
                    let seen: usize = client.get("/").parse().unwrap();
                    assert!(seen >= oldest, "configuration {seen} after {oldest} was in force");
                    done.fetch_add(1, SeqCst);
                }
            });
        }
        let mut watch = Client::new(port);
        for round in 1..=10 {
            server.reload(&text(round));
            wait_for("the new configuration", || watch.get("/") == round.to_string());
            // Every worker has it when the reload is done; a new connection may be any worker's.
            wait_for("it on all workers", || (0..8).all(|_| Client::new(port).get("/") == round.to_string()));
            latest.store(round, SeqCst);
        }
        over.store(true, SeqCst);
    });
    assert!(done.load(SeqCst) > 100, "{} requests", done.load(SeqCst));
    assert_eq!(server.stop(), 0);
}
#[test]
fn a_configuration_that_does_not_build_or_bind_changes_nothing() {
    let (port, upstream) = (free_port(), Upstream::start());
    let server = start(config(&at(port), "first", &upstream, &json!({})), port);
    let mut client = Client::new(port);
    server.reload(
        r#"{"admin": {"disabled": true}, "apps": {"http": {"servers": {"srv0": {"routes": [{"handle": [{"handler": "nonsense"}]}]}}}}}"#,
    );
    wait_for("the error", || server.log().contains("nonsense"));
    assert_eq!(client.get("/"), "first");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap();
    server.reload(&config(&[at(port)[0].clone(), taken.to_string()], "second", &upstream, &json!({})));
    let why = format!("listening on {taken}: listen tcp {taken}: bind: address already in use");
    wait_for("the error", || server.log().contains(&why));
    assert_eq!(client.get("/"), "first");
    assert_eq!(server.stop(), 0);
}
#[test]
fn a_listener_that_goes_is_drained() {
    let (before, after, upstream) = (free_port(), free_port(), Upstream::start());
    let server = start(config(&at(before), "before", &upstream, &json!({})), before);
    let (mut busy, mut idle) = (Client::new(before), Client::new(before));
    assert_eq!(idle.get("/"), "before");
    busy.send("/held");
    wait_for("the request upstream", || upstream.held() == 1);
    server.reload(&config(&at(after), "after", &upstream, &json!({})));
    wait_for("the new listener", || TcpStream::connect(("127.0.0.1", after)).is_ok());
    assert_eq!(Client::new(after).get("/"), "after");
    assert!(idle.ends());
    wait_for("the end of the old listener", || TcpStream::connect(("127.0.0.1", before)).is_err());
    upstream.release();
    let (head, body) = busy.receive().unwrap();
    assert_eq!(body, "held");
    assert!(head.contains("Connection: close"), "{head}");
    assert!(busy.ends());
    assert_eq!(server.stop(), 0);
}
#[test]
fn tunnels_outlive_reloads() {
    let (port, upstream) = (free_port(), Upstream::start());
    let server = start(config(&at(port), "first", &upstream, &json!({})), port);
    let mut tunnel = TcpStream::connect(("127.0.0.1", port)).unwrap();
    tunnel
        .write_all(b"GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        .unwrap();
    let mut echo = |text: &str, length: usize| {
        tunnel.write_all(text.as_bytes()).unwrap();
        let mut answer = vec![0; length];
        tunnel.read_exact(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    };
    let head = echo("", 12);
    assert_eq!(head, "HTTP/1.1 101");
    let mut client = Client::new(port);
    server.reload(&config(&at(port), "second", &upstream, &json!({})));
    wait_for("the reload", || client.get("/") == "second");
    let mut rest = String::new();
    while !rest.ends_with("HELLO") {
        rest += &echo(if rest.is_empty() { "hello" } else { "" }, 1);
    }
    // Nobody waits for a tunnel to end.
    assert_eq!(server.stop(), 0);
}
#[test]
fn a_stop_waits_for_requests_and_for_nothing_else() {
    let (port, upstream) = (free_port(), Upstream::start());
    let server = start(config(&at(port), "idle", &upstream, &json!({})), port);
    let (mut busy, mut idle, mut silent) = (Client::new(port), Client::new(port), Client::new(port));
    assert_eq!(idle.get("/"), "idle");
    busy.send("/held");
    wait_for("the request upstream", || upstream.held() == 1);
    server.signal("TERM");
    assert!(idle.ends() && silent.ends());
    upstream.release();
    assert_eq!(busy.receive().unwrap().1, "held");
    assert_eq!(server.stop(), 0);
}
#[test]
fn a_stop_ends_after_the_grace_period() {
    let (port, upstream) = (free_port(), Upstream::start());
    let server = start(config(&at(port), "", &upstream, &json!({"app.grace_period": "200ms"})), port);
    let mut busy = Client::new(port);
    busy.send("/held");
    wait_for("the request upstream", || upstream.held() == 1);
    let begun = Instant::now();
    assert_eq!(server.stop(), 0);
    assert!(begun.elapsed() >= Duration::from_millis(200));
    assert!(busy.receive().is_none());
}
#[test]
fn heads_that_do_not_come_and_connections_without_use_time_out() {
    let (port, upstream) = (free_port(), Upstream::start());
    let timeouts = json!({"read_header_timeout": "1s", "idle_timeout": "2s"});
    let server = start(config(&at(port), "hi", &upstream, &timeouts), port);
    let (mut idle, mut slow, mut silent) = (Client::new(port), Client::new(port), Client::new(port));
    assert_eq!(idle.get("/"), "hi");
    slow.0.get_mut().write_all(b"GET / HT").unwrap();
    let begun = Instant::now();
    assert!(slow.ends() && silent.ends());
    let heads = begun.elapsed();
    assert!(heads >= Duration::from_millis(500) && heads < Duration::from_millis(1900), "{heads:?}");
    assert!(idle.ends());
    assert!(begun.elapsed() >= Duration::from_millis(1500));
    assert_eq!(server.stop(), 0);
}
#[test]
fn idle_connections_are_taken_apart_and_go_on() {
    let (port, upstream) = (free_port(), Upstream::start());
    let server = start(config(&at(port), "hi", &upstream, &json!({})), port);
    let mut client = Client::new(port);
    for _ in 0..2 {
        assert_eq!(client.get("/"), "hi");
        // Longer than it takes to be taken apart; nothing else shows it.
        thread::sleep(Duration::from_millis(1700));
    }
    assert_eq!(client.get("/"), "hi");
    assert_eq!(server.stop(), 0);
}
#[test]
fn a_client_that_goes_takes_its_request_with_it() {
    let (port, upstream) = (free_port(), Upstream::start());
    let server = start(config(&at(port), "", &upstream, &json!({"logs": {}})), port);
    let mut client = Client::new(port);
    client.send("/held");
    wait_for("the request upstream", || upstream.held() == 1);
    drop(client);
    wait_for("the log entry", || server.log().contains("\"status\":499"));
    assert_eq!(server.stop(), 0);
}
#[test]
fn unix_sockets_are_served_and_removed() {
    let (port, upstream, folder) = (free_port(), Upstream::start(), tempfile::tempdir().unwrap());
    let path = folder.path().join("a.sock");
    let listen = [at(port)[0].clone(), format!("unix/{}", path.display())];
    let server = start(config(&listen, "unix", &upstream, &json!({})), port);
    // The port, which `start` waits for, is bound a moment earlier.
    wait_for("the socket", || UnixStream::connect(&path).is_ok());
    let mut stream = UnixStream::connect(&path).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("unix"), "{answer}");
    assert_eq!(server.stop(), 0);
    assert!(!path.exists());
}
#[test]
fn an_early_answer_reaches_a_client_that_still_sends() {
    let (port, upstream) = (free_port(), Upstream::start());
    let server = start(config(&at(port), "early", &upstream, &json!({})), port);
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3000000\r\n\r\n").unwrap();
    // More than any buffer takes; nobody reads it.
    let sent = stream.write_all(&vec![b'x'; 3_000_000]);
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(sent.is_ok() && answer.ends_with("early"), "{sent:?} {answer}");
    assert_eq!(server.stop(), 0);
}
