//! An upstream that does on each connection what its script says.
use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::Duration,
};

/// One thing that it does. Behind the last one it closes the connection.
#[derive(Clone, Copy)]
pub(crate) enum Does {
    /// Reads the head of a request.
    Hears,
    /// Reads so many bytes more.
    HearsBytes(usize),
    Says(&'static str),
    /// Says it byte by byte.
    Drips(&'static str),
    /// Says a field that is so long.
    SaysLongField(usize),
    /// Reads until the other side closes.
    Waits,
}
/// Listens, and takes a connection for each script. Gives its port, and tells of each connection that it has closed.
pub(crate) fn start(scripts: &[&[Does]]) -> (u16, Receiver<()>) {
    let (closed, closes) = channel();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let scripts: Vec<Vec<Does>> = scripts.iter().map(|script| script.to_vec()).collect();
    thread::spawn(move || {
        for script in scripts {
            let Ok((stream, _)) = listener.accept() else { return };
            let closed = closed.clone();
            thread::spawn(move || play(stream, &script, &closed));
        }
    });
    (port, closes)
}
/// Ends early if the other side does: what became of that is the client's to tell.
fn play(mut stream: TcpStream, script: &[Does], closed: &Sender<()>) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    stream.set_nodelay(true).ok()?;
    let mut byte = [0];
    for does in script {
        match *does {
            Does::Hears => {
                let mut head = vec![];
                while !head.ends_with(b"\r\n\r\n") {
                    stream.read_exact(&mut byte).ok()?;
                    head.push(byte[0]);
                }
            }
            Does::HearsBytes(count) => stream.read_exact(&mut vec![0; count]).ok()?,
            Does::Says(text) => stream.write_all(text.as_bytes()).ok()?,
            Does::Drips(text) => text.bytes().try_for_each(|byte| stream.write_all(&[byte])).ok()?,
            Does::SaysLongField(length) => {
                stream.write_all(format!("X-Long: {}\r\n", "x".repeat(length)).as_bytes()).ok()?;
            }
            Does::Waits => while matches!(stream.read(&mut byte), Ok(1..)) {},
        }
    }
    stream.shutdown(Shutdown::Write).ok()?;
    // Nobody listens where the test does not care.
    let _ = closed.send(());
    // A close with unread bytes would be a reset, and could overtake what was said.
    while matches!(stream.read(&mut byte), Ok(1..)) {}
    Some(())
}
