//! An upstream that judges what it is asked, and answers what is clean.
use crate::lint::{Verdict, judge};
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

pub(crate) struct Upstream {
    port: u16,
    judged: Arc<Mutex<Judged>>,
}
#[derive(Default)]
struct Judged {
    clean: usize,
    complaints: Vec<String>,
}
impl Upstream {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let judged = Arc::<Mutex<Judged>>::default();
        let shared = judged.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = shared.clone();
                thread::spawn(move || serve(stream, &shared).ok());
            }
        });
        Self { port, judged }
    }
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.judged.lock().unwrap_or_else(PoisonError::into_inner).complaints.clone()
    }
    /// How many clean requests have come.
    pub(crate) fn seen(&self) -> usize {
        self.judged.lock().unwrap_or_else(PoisonError::into_inner).clean
    }
}
fn serve(mut stream: TcpStream, judged: &Mutex<Judged>) -> std::io::Result<()> {
    let (mut bytes, mut chunk) = (vec![], [0; 8192]);
    while let read @ 1.. = stream.read(&mut chunk)? {
        bytes.extend_from_slice(&chunk[..read]);
        loop {
            match judge(&bytes) {
                Verdict::More => break,
                Verdict::Clean(length) => {
                    judged.lock().unwrap_or_else(PoisonError::into_inner).clean += 1;
                    let is_head = bytes.starts_with(b"HEAD ");
                    bytes.drain(..length);
                    let body: &[u8] = if is_head { b"" } else { b"ok" };
                    stream.write_all(&[b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", body].concat())?;
                    if bytes.is_empty() {
                        break;
                    }
                }
                Verdict::Dirty(why) => {
                    judged.lock().unwrap_or_else(PoisonError::into_inner).complaints.push(why);
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}
