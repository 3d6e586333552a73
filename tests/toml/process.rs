//! The program under test, and upstreams for it.
use crate::common::free_port;
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(20);

/// Runs one command to its end, with an empty environment but for what finds the home.
pub(crate) fn proxy(args: &[&str]) -> Output {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_proxy"));
    command.args(args).env_clear().env("HOME", home.path()).output().unwrap()
}
/// A running proxy; killed when dropped.
pub(crate) struct Proxy {
    pub(crate) http: u16,
    pub(crate) metrics: u16,
    child: Child,
    said: Arc<Mutex<String>>,
    folder: tempfile::TempDir,
    admin: u16,
}
impl Proxy {
    /// With a file of this text, to which the ports are added, by `--config` alone.
    pub(crate) fn start(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [http, metrics, admin] = std::array::from_fn(|_| free_port());
        let file = folder.path().join("config.toml");
        fs::write(&file, with_ports(text, http, metrics)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_proxy"));
        command.args(["--config", file.to_str().unwrap()]);
        Self::spawn(command, folder, [http, metrics, admin])
    }
    /// The document's file, on its own ports.
    pub(crate) fn documents(file: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_proxy"));
        command.args(["--config", file]);
        Self::spawn(command, folder, [80, 9090, free_port()])
    }
    fn spawn(mut command: Command, folder: tempfile::TempDir, [http, metrics, admin]: [u16; 3]) -> Self {
        command.env_clear().env("HOME", folder.path()).env("CADDY_ADMIN", format!("127.0.0.1:{admin}"));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::<Mutex<String>>::default();
        let collect = |from: Box<dyn Read + Send>| {
            let said = said.clone();
            thread::spawn(move || {
                for line in BufReader::new(from).lines().map_while(Result::ok) {
                    let mut said = said.lock().unwrap();
                    said.push_str(&line);
                    said.push('\n');
                }
            })
        };
        collect(Box::new(child.stdout.take().unwrap()));
        collect(Box::new(child.stderr.take().unwrap()));
        let proxy = Self { http, metrics, child, said, folder, admin };
        proxy.wait_until(|| {
            proxy.said().contains("serving initial configuration")
                && TcpStream::connect(("127.0.0.1", http)).is_ok()
        });
        proxy
    }
    pub(crate) fn file(&self) -> String {
        self.path().display().to_string()
    }
    fn path(&self) -> PathBuf {
        self.folder.path().join("config.toml")
    }
    /// `host:port` of the admin API.
    pub(crate) fn admin(&self) -> String {
        format!("127.0.0.1:{}", self.admin)
    }
    /// A file's text with the ports of this proxy.
    pub(crate) fn whole(&self, text: &str) -> String {
        with_ports(text, self.http, self.metrics)
    }
    pub(crate) fn write(&self, text: &str) {
        fs::write(self.path(), self.whole(text)).unwrap();
    }
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }
    pub(crate) fn wait_until(&self, done: impl Fn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !done() {
            assert!(Instant::now() < deadline, "in vain; it said:\n{}", self.said());
            thread::sleep(Duration::from_millis(10));
        }
    }
    /// The first line that it says with `part` in it.
    pub(crate) fn line(&self, part: &str) -> String {
        self.wait_until(|| self.said().lines().any(|line| line.contains(part)));
        self.said().lines().find(|line| line.contains(part)).unwrap().to_owned()
    }
}
impl Drop for Proxy {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
fn with_ports(text: &str, http: u16, metrics: u16) -> String {
    let server = format!("[server]\nhttp_port = {http}\nbind_addr = \"127.0.0.1\"\n");
    let text = text.replace("[metrics]\n", &format!("[metrics]\nprometheus_port = {metrics}\n"));
    format!("{server}{text}")
}
/// Says what it is called and what it was asked, in header fields of its own that the proxy is to put right.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    /// Of every answer from now on; 0: the connection is closed instead.
    pub(crate) status: Arc<AtomicU16>,
    requests: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
}
impl Upstream {
    pub(crate) fn start() -> Self {
        Self::at((Ipv4Addr::LOCALHOST, free_port()).into(), "")
    }
    pub(crate) fn at(address: SocketAddr, name: &str) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let (status, requests) = (Arc::new(AtomicU16::new(200)), Arc::<AtomicUsize>::default());
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let shared = (status.clone(), requests.clone(), heads.clone(), name.to_owned());
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (status, requests, heads, name) = shared.clone();
                thread::spawn(move || serve(stream, &status, &requests, &heads, &name));
            }
        });
        Self { address, status, requests, heads }
    }
    /// How many requests have come, health checks left out.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(SeqCst)
    }
    /// The head of the last of them.
    pub(crate) fn last(&self) -> String {
        self.heads.lock().unwrap().last().cloned().unwrap_or_default()
    }
}
fn serve(
    stream: TcpStream,
    status: &AtomicU16,
    requests: &AtomicUsize,
    heads: &Mutex<Vec<String>>,
    name: &str,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        let status = status.load(SeqCst);
        if !head.starts_with("GET /health ") {
            requests.fetch_add(1, SeqCst);
            heads.lock().unwrap().push(head.clone());
        }
        if status == 0 {
            return Ok(());
        }
        if head.to_ascii_lowercase().contains("upgrade: websocket") {
            write!(
                stream,
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
            )?;
            return Ok(());
        }
        let body = format!("{name}{}", "x".repeat(2000));
        let fields = "Content-Type: text/plain\r\nX-Frame-Options: ALLOWALL\r\nX-Request-Id: theirs\r\nContent-Security-Policy: none";
        write!(
            stream,
            "HTTP/1.1 {status} As You Like\r\n{fields}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
    }
}
