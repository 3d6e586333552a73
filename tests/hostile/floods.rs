//! Floods of HTTP/2: much work for few bytes. Each is ended by the server with a GOAWAY, and costs no memory worth the
//! name.
use crate::{
    common,
    h2::{DATA, GET, HEADERS, PREFACE, block, frame},
    start,
};
use std::{
    fs,
    io::{self, BufReader, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

const FRAMES: u32 = 20_000;
/// Growth of memory that a flood may cause, in KiB.
const MOST: u64 = 10 << 10;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const PROTOCOL_ERROR: u32 = 1;
const ENHANCE_YOUR_CALM: u32 = 11;

/// What `pid` holds in memory, in KiB.
fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}
/// What has become of a connection.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// The code of a GOAWAY.
    Goaway(u32),
    /// It is closed without one.
    Closed,
    /// It goes on.
    Open,
}
/// A frame's kind, its flags and what it carries.
fn next(answers: &mut impl Read) -> io::Result<(u8, u8, Vec<u8>)> {
    let mut head = [0; 9];
    answers.read_exact(&mut head)?;
    let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
    answers.read_exact(&mut payload)?;
    Ok((head[3], head[4], payload))
}
/// What the server says, to the end.
fn end(answers: &mut impl Read) -> End {
    let mut end = End::Closed;
    loop {
        match next(answers) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return End::Open,
            Err(_) => return end,
            Ok((GOAWAY, _, payload)) => {
                end = End::Goaway(u32::from_be_bytes(payload[4..8].try_into().unwrap()));
            }
            Ok(_) => {}
        }
    }
}
/// A connection that has begun, and what is said on it.
fn connect(site: u16) -> (TcpStream, BufReader<TcpStream>) {
    let mut stream = TcpStream::connect(("127.0.0.1", site)).unwrap();
    let answers = stream.try_clone().unwrap();
    answers.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream.write_all(&[PREFACE, &frame(4, 0, 0, &[])].concat()).unwrap();
    (stream, BufReader::new(answers))
}
/// Sends all of it, while what the server says is read.
fn flood(site: u16, frames: impl Iterator<Item = Vec<u8>>) -> End {
    let (mut stream, mut answers) = connect(site);
    let reader = thread::spawn(move || end(&mut answers));
    let mut sent = Ok(());
    for frame in frames {
        sent = sent.and_then(|()| stream.write_all(&frame));
        if sent.is_err() {
            break;
        }
    }
    reader.join().unwrap()
}
fn headers(stream: u32, flags: u8, more: &[(&[u8], &[u8])]) -> Vec<u8> {
    let fields: Vec<(&[u8], &[u8])> = GET.iter().chain(more).copied().collect();
    frame(HEADERS, flags, stream, &block(&fields))
}
fn streams(count: u32) -> impl Iterator<Item = u32> {
    (0..count).map(|number| number * 2 + 1)
}
type Frames = Box<dyn Iterator<Item = Vec<u8>>>;

/// Each with the code that it is to end with.
fn floods() -> Vec<(&'static str, u32, Frames)> {
    let reset = |id| frame(3, 0, id, &[0, 0, 0, 8]);
    vec![
        (
            "rapid resets",
            ENHANCE_YOUR_CALM,
            Box::new(streams(FRAMES).map(move |id| [headers(id, 5, &[]), reset(id)].concat())),
        ),
        (
            "resets of uploads",
            ENHANCE_YOUR_CALM,
            Box::new(streams(FRAMES).map(move |id| [headers(id, 4, &[]), reset(id)].concat())),
        ),
        (
            "resets that are provoked",
            PROTOCOL_ERROR,
            Box::new(streams(FRAMES).map(|id| [headers(id, 5, &[]), frame(8, 0, id, &[0; 4])].concat())),
        ),
        (
            "data behind the end",
            PROTOCOL_ERROR,
            Box::new(streams(FRAMES).map(|id| [headers(id, 5, &[]), frame(DATA, 0, id, b"x")].concat())),
        ),
        (
            "continuations",
            ENHANCE_YOUR_CALM,
            Box::new(
                std::iter::once(headers(1, 1, &[]))
                    .chain((0..FRAMES).map(|_| frame(9, 0, 1, &block(&[(b"x", b"y")])))),
            ),
        ),
        (
            "empty continuations",
            ENHANCE_YOUR_CALM,
            Box::new(std::iter::once(headers(1, 1, &[])).chain((0..FRAMES).map(|_| frame(9, 0, 1, &[])))),
        ),
        (
            "empty data",
            ENHANCE_YOUR_CALM,
            Box::new(std::iter::once(headers(1, 4, &[])).chain((0..FRAMES).map(|_| frame(DATA, 0, 1, &[])))),
        ),
        (
            "a bomb of references",
            ENHANCE_YOUR_CALM,
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
        ("pings", ENHANCE_YOUR_CALM, Box::new((0..FRAMES).map(|_| frame(6, 0, 0, &[0; 8])))),
        ("settings", ENHANCE_YOUR_CALM, Box::new((0..FRAMES).map(|_| frame(4, 0, 0, &[])))),
        (
            "priorities",
            ENHANCE_YOUR_CALM,
            Box::new(streams(FRAMES).map(|id| frame(2, 0, id, &[0, 0, 0, 0, 1]))),
        ),
        ("windows", ENHANCE_YOUR_CALM, Box::new((0..FRAMES).map(|_| frame(8, 0, 0, &[0, 0, 0, 1])))),
        ("frames of no kind", ENHANCE_YOUR_CALM, Box::new((0..FRAMES).map(|_| frame(99, 0, 0, b"x")))),
        ("headers that end nowhere", PROTOCOL_ERROR, Box::new(streams(2).map(|id| headers(id, 1, &[])))),
    ]
}
#[test]
fn each_flood_ends_in_a_goaway_and_memory_stays() {
    let site = common::free_port();
    let server = start(site, "respond hello");
    // What the first connections have it make for good.
    let _ = flood(site, streams(2).map(|id| headers(id, 5, &[])));
    let mut complaints = vec![];
    for (name, code, frames) in floods() {
        let before = resident(server.pid());
        let end = flood(site, frames);
        let grown = resident(server.pid()).saturating_sub(before);
        if end != End::Goaway(code) || grown > MOST {
            complaints.push(format!("{name}: {end:?}, {grown} KiB more"));
        }
        probe(site, name);
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    server.stop();
}
#[test]
fn busy_connections_are_no_floods() {
    let site = common::free_port();
    let server = start(site, "respond hello");
    let (mut stream, mut answers) = connect(site);
    // As a client does that measures the bandwidth and acknowledges every piece; it asks for no more at a time than it
    // has been told that it may.
    for asked in streams(2000).collect::<Vec<_>>().chunks(100) {
        for &id in asked {
            let windows = [frame(8, 0, 0, &[0, 0, 0, 5]), frame(6, 0, 0, &[0; 8])].concat();
            stream.write_all(&[headers(id, 5, &[]), windows].concat()).unwrap();
        }
        let mut waiting = asked.len();
        while waiting > 0 {
            let (kind, flags, payload) = next(&mut answers).unwrap();
            assert_ne!(kind, GOAWAY, "{payload:?}");
            waiting -= usize::from(kind == DATA && flags & END_STREAM != 0);
        }
    }
    stream.write_all(&frame(GOAWAY, 0, 0, &[0; 8])).unwrap();
    let end = end(&mut answers);
    assert!(matches!(end, End::Closed | End::Goaway(0)), "{end:?}");
    server.stop();
}
/// Others are served meanwhile.
fn probe(site: u16, after: &str) {
    let begun = Instant::now();
    let answer =
        crate::ask(site, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").expect("an answer");
    assert!(answer.ends_with(b"hello") && begun.elapsed() < Duration::from_secs(2), "{after}");
}
