//! Connections to upstreams by way of another proxy, and the PROXY protocol both ways, against peers with a script.
mod common;
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "common/server.rs"]
mod server;
use server::Server;
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

fn start(sites: &str, port: u16) -> Server {
    Server::start(env!("CARGO_BIN_EXE_proxy"), &(format!("{{\n\tadmin off\n}}\n{sites}\n"), false), port)
        .unwrap()
}
fn by_way_of(site: u16, proxy: &str, upstream: &str) -> Server {
    let transport = format!("transport http {{\n\t\tnetwork_proxy url {proxy}\n\t}}");
    start(&format!("http://:{site} {{\n\treverse_proxy {upstream} {{\n\t{transport}\n\t}}\n}}"), site)
}
/// What a site answers to a GET, after `first` on the same connection.
fn get(site: u16, first: &[u8]) -> String {
    let mut client = TcpStream::connect(("127.0.0.1", site)).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    // In one piece: who refuses the first part may reset the connection before there is a second.
    let request = [first, b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"].concat();
    client.write_all(&request).unwrap();
    let mut answer = vec![];
    // A reset is an answer too.
    let _ = client.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}
/// A peer that, of each connection, hears so many bytes and says what is behind them, step by step. Gives its port, and
/// what it has heard, with what came until the end of a head or of the connection.
fn peer(script: &'static [(usize, &'static [u8])]) -> (u16, Receiver<Vec<u8>>) {
    let (tell, told) = channel();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut heard = vec![];
            for (length, says) in script {
                let from = heard.len();
                heard.resize(from + length, 0);
                if stream.read_exact(&mut heard[from..]).is_err() || stream.write_all(says).is_err() {
                    break;
                }
            }
            let mut byte = [0];
            while !heard.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
                heard.push(byte[0]);
            }
            // The test may have what it wants.
            let _ = stream.write_all(OK);
            let _ = tell.send(heard);
        }
    });
    (port, told)
}
fn said(told: &Receiver<Vec<u8>>) -> Vec<u8> {
    told.recv_timeout(Duration::from_secs(10)).unwrap()
}
#[test]
fn socks_with_a_password_and_a_name_for_the_other_side_to_look_up() {
    // The user's name and password, and the upstream's name and port, in their turn.
    let (proxy, told) = peer(&[(4, &[5, 2]), (13, &[1, 0]), (14, &[5, 0, 0, 1, 127, 0, 0, 1, 0, 9])]);
    let site = common::free_port();
    let _server = by_way_of(site, &format!("socks5://user:secret@127.0.0.1:{proxy}"), "up.test:8080");
    assert!(get(site, b"").ends_with("ok"));
    let heard = said(&told);
    let ask = b"\x05\x02\x00\x02\x01\x04user\x06secret\x05\x01\x00\x03\x07up.test\x1f\x90GET /x HTTP/1.1\r\n";
    assert!(heard.starts_with(ask), "{}", heard.escape_ascii());
}
#[test]
fn socks_that_refuses_is_a_bad_gateway() {
    let (proxy, told) = peer(&[(3, &[5, 0]), (10, &[5, 5, 0, 1, 0, 0, 0, 0, 0, 0])]);
    let site = common::free_port();
    let _server = by_way_of(site, &format!("socks5://127.0.0.1:{proxy}"), "192.0.2.9:80");
    assert!(get(site, b"").starts_with("HTTP/1.1 502 "));
    assert_eq!(said(&told), b"\x05\x01\x00\x05\x01\x00\x01\xc0\x00\x02\x09\x00\x50");
}
#[test]
fn a_proxy_of_http_gets_the_request_itself() {
    let (proxy, told) = peer(&[]);
    let site = common::free_port();
    let _server = by_way_of(site, &format!("http://user:secret@127.0.0.1:{proxy}"), "up.test:8080");
    assert!(get(site, b"").ends_with("ok"));
    let heard = String::from_utf8(said(&told)).unwrap();
    // The client's Host, as Go has it.
    assert!(heard.starts_with("GET http://a/x HTTP/1.1\r\n"), "{heard}");
    assert!(heard.contains("\r\nProxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n"), "{heard}");
}
#[test]
fn for_tls_a_proxy_of_http_is_asked_to_connect() {
    let (proxy, told) = peer(&[]);
    let site = common::free_port();
    let _server = by_way_of(site, &format!("http://user:secret@127.0.0.1:{proxy}"), "https://up.test:8443");
    // What it says, 200, is yes; but then it ends.
    assert!(get(site, b"").starts_with("HTTP/1.1 502 "));
    let heard = String::from_utf8(said(&told)).unwrap();
    assert!(heard.starts_with("CONNECT up.test:8443 HTTP/1.1\r\nHost: up.test:8443\r\n"), "{heard}");
    assert!(heard.contains("\r\nProxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n"), "{heard}");
}
/// A site with `proxy_protocol` on its listener that says who the client is, and one that speaks it towards the first.
fn teller(options: &str) -> (u16, u16, Server) {
    let (front, teller) = (common::free_port(), common::free_port());
    let sites = format!(
        "{{
	admin off
	servers :{teller} {{
		listener_wrappers {{
			proxy_protocol {{
				{options}
			}}
		}}
	}}
}}
http://:{teller} {{
	respond \"{{remote_host}}\"
}}
http://:{front} {{
	reverse_proxy 127.0.0.1:{teller} {{
		transport http {{
			proxy_protocol v2
		}}
	}}
}}
"
    );
    let server = Server::start(env!("CARGO_BIN_EXE_proxy"), &(sites, false), front).unwrap();
    (front, teller, server)
}
#[test]
fn the_second_version_of_the_proxy_protocol_is_written_and_read() {
    let (front, teller, _server) = teller("allow 127.0.0.0/8");
    assert!(get(front, b"").ends_with("\r\n\r\n127.0.0.1"));
    let signature = b"\r\n\r\n\0\r\nQUIT\n";
    let v4 = [&signature[..], b"\x21\x11\x00\x0c", &[192, 0, 2, 7, 192, 0, 2, 8, 0, 1, 0, 2]].concat();
    assert!(get(teller, &v4).ends_with("\r\n\r\n192.0.2.7"));
    let v6 = [&signature[..], b"\x21\x21\x00\x24", &[0x20; 32], &[0, 1, 0, 2]].concat();
    assert!(get(teller, &v6).ends_with("\r\n\r\n2020:2020:2020:2020:2020:2020:2020:2020"));
    // LOCAL: a health check of the proxy before us.
    let local = [&signature[..], b"\x20\x00\x00\x00"].concat();
    assert!(get(teller, &local).ends_with("\r\n\r\n127.0.0.1"));
    assert!(get(teller, b"PROXY TCP4 192.0.2.9 192.0.2.8 1 2\r\n").ends_with("\r\n\r\n192.0.2.9"));
    let broken = [&signature[..], b"\x21\x11\x00\x04", &[1, 2, 3, 4]].concat();
    assert_eq!(get(teller, &broken), "", "too short for its addresses");
}
#[test]
fn what_upstreams_hear_of_the_second_version() {
    let (upstream, told) = peer(&[(28, b"")]);
    let site = common::free_port();
    let transport = "transport http {\n\t\tproxy_protocol v2\n\t}";
    let body = format!("reverse_proxy 127.0.0.1:{upstream} {{\n\t{transport}\n\t}}");
    let _server = start(&format!("http://:{site} {{\n\t{body}\n}}"), site);
    assert!(get(site, b"").ends_with("ok"));
    let heard = said(&told);
    let begins = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\x7f\x00\x00\x01";
    assert!(heard.starts_with(begins), "{}", heard.escape_ascii());
    assert!(heard[28..].starts_with(b"GET /x HTTP/1.1\r\n"), "{}", heard.escape_ascii());
}
