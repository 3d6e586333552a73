//! What lasts longer than a request: WebSockets of HTTP/1.1 and HTTP/2 clients, and connections to upstreams.
mod common;
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "common/server.rs"]
mod server;
use bytes::Bytes;
use http_body_util::Empty;
use hyper::{Method, Request, StatusCode, client::conn::http2, ext::Protocol};
use hyper_util::rt::{TokioExecutor, TokioIo};
use server::Server;
use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn start(site: u16, body: &str) -> Server {
    let config = format!("{{\n\tadmin off\n}}\nhttp://:{site} {{\n{body}\n}}\n");
    Server::start(env!("CARGO_BIN_EXE_proxy"), &(config, false), site).unwrap()
}
fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = vec![];
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    Some(String::from_utf8(head).unwrap())
}
/// Says yes to every upgrade, and echoes; keeps the heads that it has heard.
fn echo() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, heard) = (listener.local_addr().unwrap().port(), Arc::<Mutex<Vec<String>>>::default());
    let keeps = heard.clone();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let keeps = keeps.clone();
            thread::spawn(move || {
                let Some(head) = head(&mut stream) else { return };
                keeps.lock().unwrap().push(head);
                let yes = b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n";
                stream.write_all(yes).unwrap();
                let mut chunk = [0; 1024];
                while let Ok(read @ 1..) = stream.read(&mut chunk) {
                    if stream.write_all(&chunk[..read]).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (port, heard)
}
#[tokio::test]
async fn a_websocket_over_http2_is_one_over_http1_for_the_upstream() {
    let (port, heard) = echo();
    let site = common::free_port();
    let server = start(site, &format!("reverse_proxy 127.0.0.1:{port}"));
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", site)).await.unwrap();
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    // The server's settings say that it can be done.
    let plain = Request::get(format!("http://127.0.0.1:{site}/none")).body(Empty::<Bytes>::new()).unwrap();
    let _ = sender.send_request(plain).await;
    let request = Request::builder()
        .method(Method::CONNECT)
        .uri(format!("http://127.0.0.1:{site}/chat?x=1"))
        .extension(Protocol::from_static("websocket"))
        .header("sec-websocket-version", "13")
        .body(Empty::new())
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut socket = TokioIo::new(hyper::upgrade::on(response).await.unwrap());
    socket.write_all(b"hello").await.unwrap();
    let mut answer = [0; 5];
    socket.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"hello");
    let heard = heard.lock().unwrap().last().unwrap().clone();
    assert!(heard.starts_with("GET /chat?x=1 HTTP/1.1\r\n"), "{heard}");
    for field in [
        "Connection: Upgrade\r\n",
        "Upgrade: websocket\r\n",
        "Sec-WebSocket-Version: 13\r\n",
        "Sec-WebSocket-Key: ",
    ] {
        assert!(heard.contains(field), "{field} in {heard}");
    }
    drop(server);
}
#[test]
fn a_websocket_ends_when_its_time_is_over() {
    let (port, _) = echo();
    let site = common::free_port();
    let _server = start(site, &format!("reverse_proxy 127.0.0.1:{port} {{\n\tstream_timeout 400ms\n}}"));
    let mut client = TcpStream::connect(("127.0.0.1", site)).unwrap();
    let ask = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n";
    client.write_all(ask.as_bytes()).unwrap();
    let began = Instant::now();
    assert!(head(&mut client).unwrap().starts_with("HTTP/1.1 101 "));
    client.write_all(b"hello").unwrap();
    let mut answer = [0; 5];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(client.read(&mut answer).unwrap_or(0), 0, "it is closed");
    assert!(began.elapsed() >= Duration::from_millis(300), "{:?}", began.elapsed());
}
/// Serves one connection at a time, to its end, and answers whatever it hears. Counts the connections.
fn single_threaded() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, count) = (listener.local_addr().unwrap().port(), Arc::<AtomicUsize>::default());
    let counts = count.clone();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            counts.fetch_add(1, Ordering::SeqCst);
            while head(&mut stream).is_some() {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
            }
            let _ = stream.shutdown(Shutdown::Both);
        }
    });
    (port, count)
}
#[test]
fn nobody_waits_for_another_workers_idle_connection() {
    let (port, connections) = single_threaded();
    let site = common::free_port();
    let _server = start(site, &format!("reverse_proxy 127.0.0.1:{port}"));
    for at in 0..100 {
        let mut client = TcpStream::connect(("127.0.0.1", site)).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("ok"), "{at}: {answer}");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1, "all went over one connection");
}
#[test]
fn connections_to_an_upstream_are_limited_over_all_workers() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (open, most) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let (opens, mosts) = (open.clone(), most.clone());
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let (open, most) = (opens.clone(), mosts.clone());
            most.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::spawn(move || {
                while head(&mut stream).is_some() {
                    thread::sleep(Duration::from_millis(20));
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
                }
                open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    let site = common::free_port();
    let transport = "transport http {\n\t\tmax_conns_per_host 2\n\t}";
    let _server = start(site, &format!("reverse_proxy 127.0.0.1:{port} {{\n\t{transport}\n}}"));
    let clients = (0..20).map(|_| {
        thread::spawn(move || {
            let mut client = TcpStream::connect(("127.0.0.1", site)).unwrap();
            client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
            let mut answer = String::new();
            client.read_to_string(&mut answer).unwrap();
            answer.ends_with("ok")
        })
    });
    let clients: Vec<_> = clients.collect();
    assert!(clients.into_iter().all(|client| client.join().unwrap()), "all are served");
    assert_eq!(most.load(Ordering::SeqCst), 2);
}
#[test]
fn the_proxy_protocol_tells_of_the_client_once_a_connection() {
    let (heard, hears) = std::sync::mpsc::channel();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let heard = heard.clone();
            thread::spawn(move || {
                while let Some(head) = head(&mut stream) {
                    heard.send(head).unwrap();
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
                }
            });
        }
    });
    let site = common::free_port();
    let config = format!(
        "{{\n\tadmin off\n\tservers {{\n\t\ttrusted_proxies static private_ranges\n\t}}\n}}\nhttp://:{site} {{
	reverse_proxy 127.0.0.1:{port} {{
		transport http {{
			proxy_protocol v1
		}}
	}}\n}}\n"
    );
    let _server = Server::start(env!("CARGO_BIN_EXE_proxy"), &(config, false), site).unwrap();
    let mut client = TcpStream::connect(("127.0.0.1", site)).unwrap();
    for (forwarded, begins) in [
        ("192.0.2.7", "PROXY TCP4 192.0.2.7 0.0.0.0 0 0\r\nGET / "),
        ("192.0.2.7", "GET / "),
        ("2001:db8::9", "PROXY TCP6 2001:db8::9 :: 0 0\r\nGET / "),
        ("192.0.2.7", "GET / "),
    ] {
        let ask = format!("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {forwarded}\r\n\r\n");
        client.write_all(ask.as_bytes()).unwrap();
        let heard = hears.recv_timeout(Duration::from_secs(10)).unwrap();
        assert!(heard.starts_with(begins), "{forwarded}: {heard}");
        assert!(head(&mut client).unwrap().starts_with("HTTP/1.1 200 "));
        client.read_exact(&mut [0; 2]).unwrap();
    }
}
