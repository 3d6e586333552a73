//! `admin.config.load`: configurations that come over HTTP.
use crate::{
    common::free_port,
    lifecycle::Client,
    ours,
    server::{Server, wait_for},
};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// Answers every request with what it was given last: status line and fields, and a body. Keeps the requests' heads.
struct Source {
    port: u16,
    answer: Arc<Mutex<(String, String)>>,
    asked: Arc<Mutex<Vec<String>>>,
}
impl Source {
    fn start(head: &str, body: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer = Arc::new(Mutex::new((head.to_owned(), body.to_owned())));
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let source = Self { port, answer: answer.clone(), asked: asked.clone() };
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut stream = BufReader::new(stream);
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).is_ok_and(|read| read > 0) {}
                asked.lock().unwrap().push(head);
                let (head, body) = answer.lock().unwrap().clone();
                let length = body.len();
                let answer =
                    format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
                // Who has gone by then hears nothing.
                let _ = stream.get_mut().write_all(answer.as_bytes());
            }
        });
        source
    }
    fn answers(&self, head: &str, body: &str) {
        *self.answer.lock().unwrap() = (head.into(), body.into());
    }
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}
fn site(port: u16, text: &str) -> Value {
    let routes = json!([{"handle": [{"handler": "static_response", "body": text}]}]);
    json!({"http": {"servers": {"srv0": {"listen": [format!("127.0.0.1:{port}")], "routes": routes}}}})
}
fn first(source: &Source, port: u16, more: &Value, delay: Option<&str>) -> (String, bool) {
    let mut load = json!({"module": "http", "url": format!("http://127.0.0.1:{}/next", source.port)});
    load.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let mut config = json!({"load": load});
    if let Some(delay) = delay {
        config["load_delay"] = delay.into();
    }
    (json!({"admin": {"disabled": true, "config": config}, "apps": site(port, "first")}).to_string(), true)
}
fn serves(port: u16, text: &str) {
    wait_for(text, || TcpStream::connect(("127.0.0.1", port)).is_ok() && Client::new(port).get("/") == text);
}
#[test]
fn the_next_configuration_is_got_as_it_is_asked_for() {
    let port = free_port();
    let text = format!("{{\n\tadmin off\n}}\nhttp://:{port} {{\n\tbind 127.0.0.1\n\trespond next\n}}\n");
    let source = Source::start("200 OK\r\nContent-Type: text/caddyfile", &text);
    let more = json!({"method": "POST", "header": {"X-Who": ["{env.HOME}"], "X-Twice": ["a", "b"]}});
    let server = Server::start(&ours(), &first(&source, port, &more, None), port).unwrap();
    serves(port, "next");
    let asked = source.asked().join("").to_ascii_lowercase();
    let home = server.file().parent().unwrap().display().to_string().to_ascii_lowercase();
    for part in ["post /next http/1.1\r\n", &format!("x-who: {home}\r\n"), "x-twice: a\r\n", "x-twice: b\r\n"]
    {
        assert!(asked.contains(part), "{part:?} in {asked}");
    }
    wait_for("word of it", || server.log().contains("successfully applied dynamically-loaded config"));
    assert_eq!(server.stop(), 0);
}
#[test]
fn who_cannot_get_it_does_not_start() {
    let (port, source) = (free_port(), Source::start("404 Not Found", ""));
    let why = Server::start(&ours(), &first(&source, port, &json!({}), None), port).err().unwrap();
    let wanted = "loading dynamic config from *caddyconfig.HTTPLoader: server responded with HTTP 404";
    assert!(why.contains(wanted), "{why}");
}
#[test]
fn with_a_delay_it_is_asked_for_until_one_comes() {
    let (port, source) = (free_port(), Source::start("404 Not Found", ""));
    let initial = first(&source, port, &json!({}), Some("50ms"));
    let server = Server::start(&ours(), &initial, port).unwrap();
    wait_for("a failure", || server.log().contains("failed loading dynamic config; will retry"));
    source.answers("200 OK", &initial.0);
    wait_for("the same", || server.log().contains("dynamically-loaded config was unchanged; will retry"));
    assert_eq!(Client::new(port).get("/"), "first");
    // The next one asks for nothing more.
    let next = json!({"admin": {"disabled": true}, "apps": site(port, "second")});
    source.answers("200 OK", &next.to_string());
    serves(port, "second");
    let asked = source.asked().len();
    source.answers("200 OK", &json!({"admin": {"disabled": true}, "apps": site(port, "third")}).to_string());
    server.reload(&json!({"admin": {"disabled": true}, "apps": site(port, "fourth")}).to_string());
    serves(port, "fourth");
    assert_eq!(source.asked().len(), asked);
    assert_eq!(server.stop(), 0);
}
#[test]
fn a_reload_ends_the_asking() {
    let (port, source) = (free_port(), Source::start("404 Not Found", ""));
    let server = Server::start(&ours(), &first(&source, port, &json!({}), Some("20ms")), port).unwrap();
    wait_for("the asking", || source.asked().len() > 2);
    server.reload(&json!({"admin": {"disabled": true}, "apps": site(port, "second")}).to_string());
    serves(port, "second");
    wait_for("its end", || server.log().contains("stopping dynamic config loading"));
    assert_eq!(server.stop(), 0);
}
