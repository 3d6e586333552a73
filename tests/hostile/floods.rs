//! Floods of HTTP/2: much work for few bytes. Each is ended by the server, or costs it nothing worth the name.
use crate::{
    common,
    h2::{DATA, GET, HEADERS, PREFACE, block, frame},
    start,
};
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

const FRAMES: u32 = 20_000;
/// Growth of memory that a flood may cause, in KiB.
const MOST: u64 = 24 << 10;

/// What `pid` holds in memory, in KiB.
fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}
/// Sends all of it, while what the server says is read and thrown away. Whether the server has ended the connection.
fn flood(site: u16, frames: impl Iterator<Item = Vec<u8>>) -> bool {
    let mut stream = TcpStream::connect(("127.0.0.1", site)).unwrap();
    let mut answers = stream.try_clone().unwrap();
    answers.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let reader = thread::spawn(move || {
        let mut chunk = [0; 1 << 16];
        loop {
            match answers.read(&mut chunk) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() == std::io::ErrorKind::ConnectionReset,
            }
        }
    });
    let begun = [PREFACE, &frame(4, 0, 0, &[])].concat();
    let mut sent = stream.write_all(&begun);
    for frame in frames {
        sent = sent.and_then(|()| stream.write_all(&frame));
        if sent.is_err() {
            break;
        }
    }
    reader.join().unwrap() || sent.is_err()
}
fn headers(stream: u32, flags: u8, more: &[(&[u8], &[u8])]) -> Vec<u8> {
    let fields: Vec<(&[u8], &[u8])> = GET.iter().chain(more).copied().collect();
    frame(HEADERS, flags, stream, &block(&fields))
}
fn streams(count: u32) -> impl Iterator<Item = u32> {
    (0..count).map(|number| number * 2 + 1)
}
type Frames = Box<dyn Iterator<Item = Vec<u8>>>;

#[test]
fn floods_end_and_memory_stays() {
    let site = common::free_port();
    let server = start(site, "respond hello");
    let floods: Vec<(&str, Frames)> = vec![
        (
            "rapid resets",
            Box::new(
                streams(FRAMES).map(|id| [headers(id, 5, &[]), frame(3, 0, id, &[0, 0, 0, 8])].concat()),
            ),
        ),
        (
            "resets that are provoked",
            Box::new(streams(FRAMES).map(|id| [headers(id, 5, &[]), frame(8, 0, id, &[0; 4])].concat())),
        ),
        (
            "data behind the end",
            Box::new(streams(FRAMES).map(|id| [headers(id, 5, &[]), frame(DATA, 0, id, b"x")].concat())),
        ),
        (
            "continuations",
            Box::new(
                std::iter::once(headers(1, 1, &[]))
                    .chain((0..FRAMES).map(|_| frame(9, 0, 1, &block(&[(b"x", b"y")])))),
            ),
        ),
        (
            "empty continuations",
            Box::new(std::iter::once(headers(1, 1, &[])).chain((0..FRAMES).map(|_| frame(9, 0, 1, &[])))),
        ),
        (
            "empty data",
            Box::new(std::iter::once(headers(1, 4, &[])).chain((0..FRAMES).map(|_| frame(DATA, 0, 1, &[])))),
        ),
        (
            "a bomb of references",
            Box::new(streams(200).map(|id| {
                let large = [b'x'; 3000];
                // Into the table, and from there as often as a frame holds.
                let mut bomb = vec![0x40, 1, b'a'];
                bomb.extend([127, 0x80 | (2873 % 128) as u8, (2873 / 128) as u8]);
                bomb.extend(large);
                bomb.extend([0xbe; 4000]);
                frame(HEADERS, 5, id, &[block(&GET), bomb].concat())
            })),
        ),
    ];
    for (name, frames) in floods {
        let before = resident(server.id());
        assert!(flood(site, frames), "{name}: goes on for ever");
        let grown = resident(server.id()).saturating_sub(before);
        assert!(grown < MOST, "{name}: {grown} KiB more");
        probe(site, name);
    }
    // These cost no more than their bytes: they are answered, and nothing is kept.
    let cheap: Vec<(&str, Frames)> = vec![
        ("pings", Box::new((0..FRAMES).map(|_| frame(6, 0, 0, &[0; 8])))),
        ("settings", Box::new((0..FRAMES).map(|_| frame(4, 0, 0, &[])))),
        ("priorities", Box::new(streams(FRAMES).map(|id| frame(2, 0, id, &[0, 0, 0, 0, 1])))),
        ("windows", Box::new((0..FRAMES).map(|_| frame(8, 0, 0, &[0, 0, 0, 1])))),
    ];
    for (name, frames) in cheap {
        let before = resident(server.id());
        flood(site, frames);
        let grown = resident(server.id()).saturating_sub(before);
        assert!(grown < MOST, "{name}: {grown} KiB more");
        probe(site, name);
    }
    server.stop();
}
/// Others are served meanwhile.
fn probe(site: u16, after: &str) {
    let begun = Instant::now();
    let answer =
        crate::ask(site, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").expect("an answer");
    assert!(answer.ends_with(b"hello") && begun.elapsed() < Duration::from_secs(2), "{after}");
}
