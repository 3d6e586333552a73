//! Clients that stall: each is cut, whatever it was about, also those that upload, for whom real Caddy waits for ever.
use crate::{
    common,
    h2::{DATA, GET, HEADERS, PREFACE, block, frame},
    server::Server,
};
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

/// Longer than any deadline of the configuration, in which whoever is not cut is told from who is.
const PATIENCE: Duration = Duration::from_secs(15);
const END_HEADERS: u8 = 4;
const END_STREAM: u8 = 1;
const RST_STREAM: u8 = 3;

/// Reads uploads to their end and answers 200; answers a GET with bytes without an end.
fn upstream() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || serve(stream));
        }
    });
    port
}
fn serve(mut stream: TcpStream) -> std::io::Result<()> {
    let (mut seen, mut chunk) = (vec![], vec![0; 1 << 16]);
    while !seen.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(&mut chunk)?;
        if read == 0 {
            return Ok(());
        }
        seen.extend_from_slice(&chunk[..read]);
    }
    if seen.starts_with(b"GET") {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n")?;
        loop {
            stream.write_all(&chunk)?;
        }
    }
    while stream.read(&mut chunk)? > 0 {}
    Ok(())
}
fn start(site: u16) -> Server {
    let upstream = upstream();
    let config = format!(
        "{{\n\tadmin off\n\tservers {{\n\t\ttimeouts {{\n\t\t\tread_body_idle 1s\n\t\t\twrite_idle 1s\n\t\t}}\n\t}}\n}}\n\
         http://:{site} {{\n\ttimeouts /slow* {{\n\t\tread_timeout 1s 100\n\t\twrite_timeout 1s 100000000\n\t}}\n\
         \ttimeouts /patient* {{\n\t\tread_timeout 1h\n\t\twrite_timeout 1h\n\t}}\n\treverse_proxy 127.0.0.1:{upstream}\n}}\n"
    );
    Server::start(env!("CARGO_BIN_EXE_proxy"), &(config, false), site).unwrap()
}
fn connect(site: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", site)).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    stream
}
/// Writes `drip` again and again, until the connection is cut; `None` if that does not happen.
fn upload(site: u16, head: &str, drip: &[u8]) -> Option<Duration> {
    let mut stream = connect(site);
    stream.write_all(head.as_bytes()).unwrap();
    let (begun, mut answer) = (Instant::now(), [0; 1024]);
    while begun.elapsed() < PATIENCE {
        if stream.write_all(drip).is_err() {
            return Some(begun.elapsed());
        }
        match stream.read(&mut answer) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Ok(1..) => {}
            _ => return Some(begun.elapsed()),
        }
    }
    None
}
#[test]
fn uploads_that_stall_are_cut() {
    let site = common::free_port();
    let server = start(site);
    let head =
        |path: &str| format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nhello");
    assert!(upload(site, &head("/"), b"").is_some(), "one that stops");
    assert!(upload(site, &head("/slow"), b"").is_some(), "one that stops, on a route of its own");
    assert!(upload(site, &head("/slow"), b"x").is_some(), "one below the least rate");
    server.stop();
}
#[test]
fn uploads_that_go_on_are_not_cut() {
    let site = common::free_port();
    let server = start(site);
    let head =
        |path: &str| format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nhello");
    thread::scope(|scope| {
        let calls = [("/", &b"x"[..]), ("/patient", b""), ("/slow", &[b'x'; 400])]
            .map(|(path, drip)| (path, scope.spawn(move || upload(site, &head(path), drip))));
        for (path, call) in calls {
            assert_eq!(call.join().unwrap(), None, "{path}");
        }
    });
    server.stop();
}
#[test]
fn downloads_that_stall_are_cut() {
    let site = common::free_port();
    let server = start(site);
    for (path, rest, is_cut) in [
        ("/", 0, true),
        ("/slow", 0, true),
        // Below the least rate: 400 kB a second. What the kernel buffers counts as taken.
        ("/slow", 80_000, true),
        ("/patient", 0, false),
    ] {
        let mut stream = connect(site);
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).unwrap();
        let mut chunk = vec![0; 80_000];
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(6) {
            thread::sleep(Duration::from_millis(200));
            if rest > 0 && stream.read(&mut chunk).is_err() {
                break;
            }
        }
        // What was sent before is still there to be read.
        let mut after = 0;
        let cut = loop {
            match stream.read(&mut chunk) {
                Ok(0) => break true,
                Ok(read) => after += read,
                Err(error) => break error.kind() != std::io::ErrorKind::WouldBlock,
            }
            if after > 64 << 20 {
                break false;
            }
        };
        assert_eq!(cut, is_cut, "{path} {rest}");
    }
    server.stop();
}
/// Waits for the reset of stream 1 while stream 3, and so the connection, goes on; `None` if it does not come.
fn reset(site: u16, first: &[u8], keep: &[u8]) -> Option<u32> {
    let mut stream = connect(site);
    stream.write_all(&[PREFACE, first].concat()).unwrap();
    let mut frames = vec![];
    let begun = Instant::now();
    let mut chunk = vec![0; 1 << 16];
    while begun.elapsed() < PATIENCE {
        stream.write_all(keep).unwrap();
        match stream.read(&mut chunk) {
            Ok(0) => panic!("the connection is closed"),
            Ok(read) => frames.extend_from_slice(&chunk[..read]),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
        }
        while frames.len() >= 9 {
            let length = u32::from_be_bytes([0, frames[0], frames[1], frames[2]]) as usize;
            if frames.len() < 9 + length {
                break;
            }
            let frame: Vec<u8> = frames.drain(..9 + length).collect();
            if frame[3] == RST_STREAM && frame[8] == 1 {
                return Some(u32::from_be_bytes(frame[9..13].try_into().unwrap()));
            }
        }
    }
    None
}
fn post(stream: u32) -> Vec<u8> {
    let mut fields = GET;
    fields[0].1 = b"POST";
    frame(HEADERS, END_HEADERS, stream, &block(&fields))
}
#[test]
fn a_stream_that_stalls_is_reset_and_no_other() {
    let site = common::free_port();
    let server = start(site);
    // Stream 3 goes on, a byte at a time.
    let keep = frame(DATA, 0, 3, b"x");
    let settings = |window: u32| {
        let value = [&[0, 4][..], &window.to_be_bytes()].concat();
        frame(4, 0, 0, &value)
    };
    let upload = [settings(65_535), post(1), frame(DATA, 0, 1, b"hello"), post(3)].concat();
    assert_eq!(reset(site, &upload, &keep), Some(8), "an upload");
    let get = frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&GET));
    for window in [0, 1000] {
        let download = [settings(window), get.clone(), post(3)].concat();
        assert_eq!(reset(site, &download, &keep), Some(8), "a download with a window of {window}");
    }
    server.stop();
}
