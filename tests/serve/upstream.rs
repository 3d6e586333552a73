//! The upstream of every case: says what it was asked, streams, switches protocols.
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

pub(crate) struct Upstream {
    port: u16,
    gate: Arc<Gate>,
}
/// What `/held` waits for.
#[derive(Default)]
struct Gate {
    waiting: AtomicUsize,
    open: Mutex<bool>,
    opened: Condvar,
}
impl Upstream {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let gate = Arc::<Gate>::default();
        let shared = gate.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // Clients that break off are part of the game.
                let gate = shared.clone();
                thread::spawn(move || serve(stream, &gate).ok());
            }
        });
        Self { port, gate }
    }
    /// How many requests of `/held` wait.
    pub(crate) fn held(&self) -> usize {
        self.gate.waiting.load(Ordering::SeqCst)
    }
    /// Lets those go, and all that follow.
    pub(crate) fn release(&self) {
        *self.gate.open.lock().unwrap() = true;
        self.gate.opened.notify_all();
    }
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}
struct Asked {
    method: String,
    uri: String,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
}
impl Asked {
    fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}
fn read(from: &mut impl BufRead) -> std::io::Result<Option<Asked>> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ').map(str::to_owned);
    let (method, uri) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut asked = Asked { method, uri, fields: vec![], body: vec![] };
    loop {
        let mut line = String::new();
        from.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        asked.fields.push((name.into(), value.trim().into()));
    }
    if asked.field("Transfer-Encoding") == Some("chunked") {
        loop {
            let mut size = String::new();
            from.read_line(&mut size)?;
            let size = usize::from_str_radix(size.trim_end(), 16).unwrap_or(0);
            let mut chunk = vec![0; size + 2];
            from.read_exact(&mut chunk)?;
            asked.body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                break;
            }
        }
    } else if let Some(length) = asked.field("Content-Length").and_then(|length| length.parse().ok()) {
        asked.body = vec![0; length];
        from.read_exact(&mut asked.body)?;
    }
    Ok(Some(asked))
}
fn serve(stream: TcpStream, gate: &Gate) -> std::io::Result<()> {
    let mut to = To { stream: stream.try_clone()?, head_only: false };
    let mut from = BufReader::new(stream);
    while let Some(asked) = read(&mut from)? {
        to.head_only = asked.method == "HEAD";
        let path = asked.uri.split('?').next().unwrap_or_default();
        let plain = "Content-Type: text/plain\r\n";
        match path {
            "/big" => answer(
                &mut to,
                200,
                &(plain.to_owned() + "Cache-Control: max-age=1\r\n"),
                &b"0123456789".repeat(400),
            )?,
            "/stream" => chunked(&mut to, &[&[b'a'; 10], &[b'b'; 10], &[b'c'; 2000]])?,
            "/bigstream" => chunked(&mut to, &[&[b'a'; 2000], &[b'b'; 10]])?,
            "/held" => {
                gate.waiting.fetch_add(1, Ordering::SeqCst);
                drop(gate.opened.wait_while(gate.open.lock().unwrap(), |open| !*open).unwrap());
                answer(&mut to, 200, plain, b"held")?;
            }
            "/untyped" => answer(&mut to, 200, "", b"<html>no type")?,
            "/ws" => {
                to.write_all(b"HTTP/1.1 101 X\r\nServer: upstream\r\nX-Up: up\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")?;
                let mut chunk = [0; 1024];
                while let read @ 1.. = from.read(&mut chunk)? {
                    to.write_all(&chunk[..read].to_ascii_uppercase())?;
                }
                return Ok(());
            }
            _ => match path.strip_prefix("/status/").and_then(|code| code.get(..3)?.parse().ok()) {
                Some(code) => answer(&mut to, code, plain, format!("upstream {code}").as_bytes())?,
                None => answer(&mut to, 200, plain, said(&asked).as_bytes())?,
            },
        }
    }
    Ok(())
}
fn said(asked: &Asked) -> String {
    let start = String::from_utf8_lossy(&asked.body[..asked.body.len().min(40)]).into_owned();
    if asked.uri.starts_with("/headers") {
        // Repeated ones stay as they came.
        let mut fields: Vec<_> = asked.fields.iter().collect();
        fields.sort_by_key(|(name, _)| name);
        let lines: String = fields.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        return format!("{} {}\n{lines}", asked.method, asked.uri);
    }
    let x = asked.field("X").unwrap_or_default();
    format!("{} {} x={x} body={}:{start}", asked.method, asked.uri, asked.body.len())
}
/// The client.
struct To {
    stream: TcpStream,
    /// It has asked for no body.
    head_only: bool,
}
impl To {
    fn write_all(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes)
    }
}
fn answer(to: &mut To, status: u16, fields: &str, body: &[u8]) -> std::io::Result<()> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\nServer: upstream\r\nX-Up: up\r\n{fields}Content-Length: {length}\r\n\r\n"
    );
    // What does not belong to the response would be taken for the beginning of the next one, or not, as time will have it.
    let body = if to.head_only || matches!(status, 204 | 304) { &[] } else { body };
    to.write_all(&[head.as_bytes(), body].concat())
}
fn chunked(to: &mut To, chunks: &[&[u8]]) -> std::io::Result<()> {
    to.write_all(b"HTTP/1.1 200 X\r\nServer: upstream\r\nX-Up: up\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n")?;
    if to.head_only {
        return Ok(());
    }
    for chunk in chunks {
        to.write_all(&[format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat())?;
        thread::sleep(Duration::from_millis(30));
    }
    to.write_all(b"0\r\n\r\n")
}
