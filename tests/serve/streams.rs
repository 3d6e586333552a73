//! What is large or never ends, through a site that compresses: at once, and in little memory.
use crate::{common::free_port, ours, server::Server, upstream::Upstream};
use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::mpsc,
    thread,
    time::Duration,
};

/// Growth that is allowed, in KiB.
const MOST: u64 = 32 << 10;

fn serve(site: u16, body: &str) -> Server {
    let config = format!("{{\n\tadmin off\n}}\nhttp://:{site} {{\n\tencode\n{body}\n}}\n");
    Server::start(&ours(), &(config, false), site).unwrap()
}
/// What a process holds in memory, in KiB; its most so far, if `most` says so.
fn memory(server: &Server, most: bool) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let name = if most { "VmHWM:" } else { "VmRSS:" };
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
fn connect(site: u16, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", site)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream
}
/// Bytes of a whole answer.
fn download(site: u16, path: &str, fields: &str) -> u64 {
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\n");
    let mut stream = connect(site, &request);
    let (mut chunk, mut total) = (vec![0; 1 << 18], 0);
    while let read @ 1.. = stream.read(&mut chunk).unwrap() {
        total += read as u64;
    }
    total
}
fn sparse(folder: &Path, name: &str, size: u64) {
    File::create(folder.join(name)).unwrap().set_len(size).unwrap();
}
#[test]
fn large_files_need_little_memory() {
    let (folder, site) = (tempfile::tempdir().unwrap(), free_port());
    sparse(folder.path(), "plain.bin", 2 << 30);
    sparse(folder.path(), "packed.txt", 64 << 20);
    let server = serve(site, &format!("root {}\nfile_server", folder.path().display()));
    download(site, "/missing", "");
    let before = memory(&server, false);
    assert!(download(site, "/plain.bin", "Accept-Encoding: gzip\r\n") > 2 << 30);
    assert!(download(site, "/packed.txt", "Accept-Encoding: gzip\r\n") < 8 << 20, "zeros are packed well");
    let grown = memory(&server, true).saturating_sub(before);
    assert!(grown < MOST, "{grown} KiB more");
    server.stop();
}
/// Speaks when it is told to.
fn events() -> (String, mpsc::Sender<&'static str>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (say, said) = mpsc::channel::<&str>();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut from = BufReader::new(stream.try_clone().unwrap());
        let mut line = String::new();
        while from.read_line(&mut line).unwrap() > 2 {
            line.clear();
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n").unwrap();
        for event in said {
            // The client may have gone.
            let _ = write!(stream, "data: {event}\n\n");
        }
    });
    (address, say)
}
#[test]
fn events_arrive_at_once_through_encode() {
    for accepts in ["", "Accept-Encoding: gzip\r\n"] {
        let ((upstream, say), site) = (events(), free_port());
        let server = serve(site, &format!("reverse_proxy {upstream}"));
        let mut stream = connect(site, &format!("GET / HTTP/1.1\r\nHost: a\r\n{accepts}\r\n"));
        let mut head = vec![];
        for event in ["one", "two", "three"] {
            say.send(event).unwrap();
            // Each is seen before the next is said: read until something new is there, as text or packed.
            let mut chunk = [0; 4096];
            let (seen, wanted) = (head.len(), format!("data: {event}"));
            loop {
                let read = stream.read(&mut chunk).unwrap();
                assert!(read > 0, "the stream has ended");
                head.extend_from_slice(&chunk[..read]);
                if shown(&head).contains(&wanted) {
                    break;
                }
            }
            assert!(head.len() > seen);
        }
        drop(say);
        server.stop();
    }
}
/// The body, as far as it has come; unpacked, if it is packed.
fn shown(answer: &[u8]) -> String {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return String::new() };
    let (head, mut rest) = (String::from_utf8_lossy(&answer[..end]).to_lowercase(), &answer[end + 4..]);
    let mut body = vec![];
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let Ok(size) = usize::from_str_radix(&String::from_utf8_lossy(&rest[..end]), 16) else { break };
        let Some(chunk) = rest.get(end + 2..end + 2 + size) else { break };
        body.extend_from_slice(chunk);
        rest = rest.get(end + 4 + size..).unwrap_or_default();
    }
    if !head.contains("content-encoding: gzip") {
        return String::from_utf8_lossy(&body).into_owned();
    }
    let mut decoder = flate2::write::GzDecoder::new(vec![]);
    // There is more to come, which is no failure.
    let _ = decoder.write_all(&body).and_then(|()| decoder.flush());
    String::from_utf8_lossy(decoder.get_ref()).into_owned()
}
#[test]
fn upgraded_connections_pass_through_encode_in_little_memory() {
    let (upstream, site) = (Upstream::start(), free_port());
    let server = serve(site, &format!("reverse_proxy {}", upstream.address()));
    let request = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nAccept-Encoding: gzip\r\n\r\n";
    let mut stream = connect(site, request);
    let mut from = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    assert!(from.read_line(&mut line).unwrap() > 0 && line.contains(" 101 "), "{line}");
    while from.read_line(&mut line).unwrap() > 2 {}
    let before = memory(&server, false);
    let writer = thread::spawn(move || {
        for _ in 0..1024 {
            stream.write_all(&[b'a'; 64 << 10]).unwrap();
        }
        stream
    });
    let mut chunk = vec![0; 64 << 10];
    for _ in 0..1024 {
        from.read_exact(&mut chunk).unwrap();
        assert!(chunk.iter().all(|byte| *byte == b'A'));
    }
    drop(writer.join().unwrap());
    let grown = memory(&server, true).saturating_sub(before);
    assert!(grown < MOST, "{grown} KiB more");
    server.stop();
}
#[test]
fn ten_thousand_files_are_listed_and_odd_names_are_text() {
    let (folder, site) = (tempfile::tempdir().unwrap(), free_port());
    for number in 0..10_000 {
        File::create(folder.path().join(format!("file {number:05}.txt"))).unwrap();
    }
    for odd in [
        "<script>alert(1)</script>",
        "\"quotes\" 'n more",
        "new\nline",
        "\u{202e}gnp.exe",
        "javascript:alert(1)",
    ] {
        // There are ten thousand all the same.
        let name = odd.replace('/', "_");
        fs::rename(folder.path().join(format!("file {:05}.txt", name.len())), folder.path().join(name))
            .unwrap();
    }
    let server = serve(site, &format!("root {}\nfile_server browse", folder.path().display()));
    let page = |accept: &str| {
        let mut page = String::new();
        let request = format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAccept: {accept}\r\n\r\n");
        connect(site, &request).read_to_string(&mut page).unwrap();
        page
    };
    let html = page("text/html");
    assert!(html.contains("file 09999.txt") && html.contains("file%2009999.txt"));
    assert!(!html.contains("<script>alert") && html.contains("&lt;script&gt;alert"));
    assert!(!html.contains("href=\"javascript:"));
    let json = page("application/json");
    assert_eq!(json.matches("\"is_dir\":false").count(), 10_000);
    server.stop();
}
