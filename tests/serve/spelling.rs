//! The names of header fields over HTTP/1, wherever they stand: as Go spells them.
use crate::{common::free_port, ours, server::Server};
use serde_json::json;
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

/// Answers one request with `answer`; gives its address.
fn upstream(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let mut head = vec![];
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        stream.write_all(answer.as_bytes()).unwrap();
    });
    address
}
/// All that comes back for what is sent at once.
fn answers(upstream: &str, sent: &str) -> String {
    let port = free_port();
    let routes = json!([
        {"match": [{"path": ["/up"]}], "handle": [{"handler": "reverse_proxy", "upstreams": [{"dial": upstream}]}]},
        {"handle": [{"handler": "static_response", "headers": {"x-a-b": ["c-d: e"]}, "body": "x-y: z"}]},
    ]);
    let server = json!({"listen": [format!("127.0.0.1:{port}")], "routes": routes});
    let config = json!({"admin": {"disabled": true}, "apps": {"http": {"servers": {"s": server}}}});
    let _server = Server::start(&ours(), &(config.to_string(), true), port).unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(sent.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
#[test]
fn names_in_trailers_are_spelt_as_in_heads() {
    let upstream = upstream(
        "HTTP/1.1 200 OK\r\nx-b-c: d-e\r\ntrailer: x-sum-up\r\ntransfer-encoding: chunked\r\n\r\n6\r\nx-y: z\r\n0\r\nx-sum-up: a-b\r\n\r\n",
    );
    let answer =
        answers(&upstream, "GET /up HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nConnection: close\r\n\r\n");
    assert!(answer.contains("\r\nX-B-C: d-e\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n6\r\nx-y: z\r\n0\r\nX-Sum-Up: a-b\r\n\r\n"), "{answer}");
}
#[test]
fn names_are_spelt_in_every_answer_to_requests_that_come_at_once() {
    let one = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    let sent = format!("{}GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", one.repeat(50));
    let answer = answers("127.0.0.1:1", &sent);
    assert_eq!(answer.matches("\r\nX-A-B: c-d: e\r\n").count(), 51, "{answer}");
    assert_eq!(answer.matches("\r\n\r\nx-y: z").count(), 51, "{answer}");
}
