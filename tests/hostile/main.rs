//! What clients send that mean no good, or do not know better: over real sockets, with an upstream that judges every
//! byte which reaches it.
mod advisories;
#[path = "../common/mod.rs"]
mod common;
mod conformance;
mod floods;
mod h2;
mod lint;
mod payloads;
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../common/server.rs"]
mod server;
mod stalls;
mod upstream;
use server::Server;
use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use upstream::Upstream;

/// What a server may take to end a connection that leads nowhere: its own deadlines are a second.
const PATIENCE: Duration = Duration::from_secs(12);
const THREADS: usize = 16;

fn start(site: u16, body: &str) -> Server {
    let config = format!(
        "{{\n\tadmin off\n\tservers {{\n\t\ttimeouts {{\n\t\t\tread_header 1s\n\t\t\tread_body_idle 1s\n\t\t\tidle 1s\n\t\t}}\n\t}}\n}}\nhttp://:{site} {{\n{body}\n}}\n"
    );
    Server::start(env!("CARGO_BIN_EXE_proxy"), &(config, false), site).unwrap()
}
/// Sends bytes and reads to the end; `None` if that does not come in time.
fn ask(site: u16, bytes: &[u8]) -> Option<Vec<u8>> {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(("127.0.0.1", site)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // It may be refused while it is still sent.
    let _ = stream.write_all(bytes);
    let (mut answer, mut chunk) = (vec![], [0; 4096]);
    while let Ok(read @ 1..) = stream.read(&mut chunk) {
        answer.extend_from_slice(&chunk[..read]);
    }
    (begun.elapsed() < PATIENCE).then_some(answer)
}
/// The status codes of all answers in what was read.
fn statuses(answer: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(answer);
    let heads = text.split("HTTP/1.").skip(1);
    heads.filter_map(|head| head.get(2..5)?.parse().ok()).collect()
}
/// Does `work` with each item, several at once; gives what it complains of.
fn all<T: Sync>(items: &[T], work: impl Fn(&T) -> Option<String> + Sync) -> Vec<String> {
    let (next, complaints) = (AtomicUsize::new(0), Mutex::new(vec![]));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    complaints.lock().unwrap().extend(work(item));
                }
            });
        }
    });
    complaints.into_inner().unwrap()
}
#[test]
fn nothing_dirty_reaches_upstreams_over_http_1() {
    let (upstream, site) = (Upstream::start(), common::free_port());
    let server = start(site, &format!("reverse_proxy {}", upstream.address()));
    let payloads = payloads::all();
    assert!(payloads.len() >= 400, "{}", payloads.len());
    let mut complaints = all(&payloads, |(name, bytes)| {
        let Some(answer) = ask(site, bytes) else { return Some(format!("{name}: the connection hangs")) };
        let statuses = statuses(&answer);
        let blamed = statuses.iter().find(|status| matches!(status, 500 | 502..=504));
        blamed.map(|status| format!("{name}: {status} for {:?}", String::from_utf8_lossy(bytes)))
    });
    complaints.extend(upstream.complaints());
    assert!(complaints.is_empty(), "{}\n{} of {}", complaints.join("\n"), complaints.len(), payloads.len());
    assert!(upstream.seen() > 50, "some are harmless");
    server.stop();
}
#[test]
fn nothing_dirty_reaches_upstreams_over_http_2() {
    let (upstream, site) = (Upstream::start(), common::free_port());
    let server = start(site, &format!("reverse_proxy {}", upstream.address()));
    let requests = h2::requests();
    assert!(requests.len() >= 100, "{}", requests.len());
    let mut complaints = all(&requests, |(name, frames)| {
        let answer = h2::ask(site, frames, PATIENCE);
        match answer {
            h2::Answer::Hangs => Some(format!("{name}: the stream hangs")),
            h2::Answer::Status(status @ (500 | 502..=504)) => Some(format!("{name}: {status}")),
            _ => None,
        }
    });
    complaints.extend(upstream.complaints());
    assert!(complaints.is_empty(), "{}\n{} of {}", complaints.join("\n"), complaints.len(), requests.len());
    assert!(upstream.seen() > 10, "some are harmless");
    server.stop();
}
#[test]
fn bytes_behind_an_upgrade_wait_for_the_upstream_s_word() {
    // The upstream answers 200 to it: what follows is another request, and clean.
    let (upstream, site) = (Upstream::start(), common::free_port());
    let server = start(site, &format!("reverse_proxy {}", upstream.address()));
    for upgrade in ["websocket", "h2c", "x"] {
        let bytes = format!(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: {upgrade}\r\nSec-WebSocket-Key: x\r\n\r\nGET /behind HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        );
        let answer = ask(site, bytes.as_bytes()).expect("an end");
        assert_eq!(statuses(&answer), [200, 200], "{upgrade}");
    }
    let complaints = upstream.complaints();
    assert!(complaints.is_empty(), "{complaints:?}");
    server.stop();
}
#[test]
fn a_body_that_nobody_reads_is_no_request() {
    let site = common::free_port();
    let server = start(site, "respond /early 403\nrespond \"reached {path}\"");
    for head in ["Content-Length: 44", "Expect: 100-continue\r\nContent-Length: 44"] {
        let bytes = format!(
            "POST /early HTTP/1.1\r\nHost: a\r\n{head}\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\nX-A: 1234\r\n\r\nGET /second HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        );
        let answer = String::from_utf8_lossy(&ask(site, bytes.as_bytes()).expect("an end")).into_owned();
        assert!(!answer.contains("smuggled"), "{answer}");
    }
    server.stop();
}
#[test]
fn every_stalled_client_is_cut() {
    let (upstream, site) = (Upstream::start(), common::free_port());
    let server = start(site, &format!("reverse_proxy {}", upstream.address()));
    let stalls: [(&str, &[u8]); 7] = [
        ("nothing", b""),
        ("half a request line", b"GET / HT"),
        ("half a head", b"GET / HTTP/1.1\r\nHost: a\r\nX-A: "),
        ("half a body", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello"),
        ("half a chunk", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe"),
        ("half a preface", b"PRI * HTTP/2.0\r\n\r\nS"),
        ("no settings", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ];
    let complaints =
        all(&stalls, |(name, bytes)| ask(site, bytes).is_none().then(|| format!("{name}: is not cut")));
    assert!(complaints.is_empty(), "{complaints:?}");
    server.stop();
}
#[test]
fn no_spelling_of_a_path_leaves_the_root() {
    let (folder, site) = (tempfile::tempdir().unwrap(), common::free_port());
    let root = folder.path().join("root");
    std::fs::create_dir_all(root.join("dir")).unwrap();
    std::fs::write(root.join("dir/file.txt"), "inside").unwrap();
    std::fs::write(folder.path().join("secret.txt"), "SECRET").unwrap();
    let server = start(site, &format!("root {}\nfile_server browse", root.display()));
    let paths = payloads::traversals();
    assert!(paths.len() >= 200, "{}", paths.len());
    let complaints = all(&paths, |path| {
        let bytes = [b"GET ", &path[..], b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"].concat();
        let answer = String::from_utf8_lossy(&ask(site, &bytes)?).into_owned();
        let leaves =
            answer.contains("SECRET") || answer.contains("root:x:") || answer.contains("secret.txt\"");
        let blamed = statuses(answer.as_bytes()).iter().any(|status| *status >= 500);
        (leaves || blamed).then(|| format!("{:?}: {answer}", String::from_utf8_lossy(path)))
    });
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    let inside =
        ask(site, b"GET /dir/%2e%2e/dir/file.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    assert!(String::from_utf8_lossy(&inside).ends_with("inside"));
    server.stop();
}
#[test]
fn a_head_that_is_too_long_gets_431() {
    let site = common::free_port();
    let server = start(site, "respond ok");
    for (bytes, fields) in [(30_000, 1), (25, 2000)] {
        let field = format!("X-A: {}\r\n", "x".repeat(bytes)).repeat(fields);
        let answer =
            ask(site, format!("GET / HTTP/1.1\r\nHost: a\r\n{field}Connection: close\r\n\r\n").as_bytes());
        assert_eq!(statuses(&answer.expect("an end")), [431]);
    }
    server.stop();
}
