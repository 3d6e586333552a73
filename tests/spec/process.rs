//! The program under test, and an upstream for it.
use crate::common::free_port;
use std::{
    collections::HashMap,
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(20);

/// Runs one command to its end, with an empty environment but for what finds the home.
pub(crate) fn proxy(args: &[&str]) -> Output {
    let home = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_proxy"))
        .args(args)
        .env_clear()
        .env("HOME", home.path())
        .output()
        .unwrap()
}
/// A running proxy; killed when dropped.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    child: Child,
    stdout: Lines,
    stderr: Lines,
    _home: tempfile::TempDir,
}
impl Proxy {
    /// On the file as it is.
    pub(crate) fn run_file(file: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let port = free_port();
        let mut child = Command::new(env!("CARGO_BIN_EXE_proxy"))
            .args(["run", "--config", file, "--adapter", "caddyfile"])
            .env_clear()
            .env("HOME", home.path())
            .env("DOMAIN", format!("http://localhost:{port}"))
            .env("CADDY_ADMIN", format!("localhost:{}", free_port()))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = Lines::of(child.stdout.take().unwrap());
        let stderr = Lines::of(child.stderr.take().unwrap());
        let proxy = Self { port, child, stdout, stderr, _home: home };
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "it does not listen: {}", proxy.stderr.all());
            thread::sleep(Duration::from_millis(10));
        }
        proxy
    }
    pub(crate) fn run_text(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("Caddyfile");
        std::fs::write(&file, text).unwrap();
        Self::run_file(file.to_str().unwrap())
    }
    /// The first line on standard output that has `part`.
    pub(crate) fn stdout_line(&self, part: &str) -> String {
        self.stdout.find(part)
    }
    pub(crate) fn stderr_line(&self, part: &str) -> String {
        self.stderr.find(part)
    }
}
impl Drop for Proxy {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
/// The lines of a stream, as they come.
struct Lines {
    seen: Mutex<Vec<String>>,
    coming: Mutex<mpsc::Receiver<String>>,
}
impl Lines {
    fn of(stream: impl io::Read + Send + 'static) -> Self {
        let (send, coming) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Self { seen: Mutex::default(), coming: Mutex::new(coming) }
    }
    fn find(&self, part: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = self.seen.lock().unwrap().iter().find(|line| line.contains(part)) {
                return found.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.coming.lock().unwrap().recv_timeout(left) {
                Ok(line) => self.seen.lock().unwrap().push(line),
                Err(_) => panic!("no line with {part:?} in:\n{}", self.all()),
            }
        }
    }
    fn all(&self) -> String {
        let mut seen = self.seen.lock().unwrap();
        seen.extend(self.coming.lock().unwrap().try_iter());
        seen.join("\n")
    }
}
/// Answers 401 to `/auth/login` and 200 to the rest, and counts what it was asked for.
pub(crate) struct Upstream {
    seen: Arc<Mutex<HashMap<String, usize>>>,
}
impl Upstream {
    pub(crate) fn start(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let seen = Arc::<Mutex<HashMap<String, usize>>>::default();
        let counted = seen.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let counted = counted.clone();
                thread::spawn(move || serve(stream, &counted));
            }
        });
        Ok(Self { seen })
    }
    /// How often a path has been asked for.
    pub(crate) fn seen(&self, path: &str) -> usize {
        self.seen.lock().unwrap().get(path).copied().unwrap_or(0)
    }
}
fn serve(stream: TcpStream, seen: &Mutex<HashMap<String, usize>>) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        while reader.read_line(&mut line)? > 2 {}
        *seen.lock().unwrap().entry(path.clone()).or_default() += 1;
        let status = if path == "/auth/login" { "401 Unauthorized" } else { "200 OK" };
        write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 3\r\n\r\nyes")?;
    }
}
