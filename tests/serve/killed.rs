//! `kill -9` at any moment: the next start finds the last good configuration, and a storage without broken files.
use crate::{common::free_port, lifecycle::Client, ours, server::wait_for};
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    thread,
    time::Duration,
};

struct Resumed(Child);
impl Resumed {
    fn start(home: &Path, admin: u16) -> Self {
        let mut command = Command::new(ours());
        command.args(["run", "--resume"]).current_dir(home).env_clear().env("HOME", home);
        command.env("CADDY_ADMIN", format!("localhost:{admin}")).stdout(Stdio::null()).stderr(Stdio::null());
        let started = Self(command.spawn().unwrap());
        wait_for("the API", || TcpStream::connect(("127.0.0.1", admin)).is_ok());
        started
    }
}
impl Drop for Resumed {
    fn drop(&mut self) {
        // SIGKILL.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
/// A site that says `number`, and one whose certificate is made anew.
fn config(number: usize, port: u16, secure: u16) -> String {
    format!(
        r#"{{"apps": {{
            "http": {{"http_port": 1, "https_port": {secure}, "servers": {{
                "plain": {{"listen": ["127.0.0.1:{port}"], "routes": [{{"handle": [{{"handler": "static_response", "body": "{number}"}}]}}]}},
                "secure": {{"listen": ["127.0.0.1:{secure}"], "automatic_https": {{"disable_redirects": true}}, "routes": [{{"match": [{{"host": ["host{number}.test"]}}]}}]}}
            }}}},
            "tls": {{"automation": {{"policies": [{{"issuers": [{{"module": "internal"}}]}}]}}}},
            "pki": {{"certificate_authorities": {{"local": {{"install_trust": false}}}}}}
        }}}}"#
    )
}
/// Whether the configuration is in force, as far as one can tell.
pub(crate) fn load(admin: u16, body: &str) -> Option<bool> {
    let mut stream = TcpStream::connect(("127.0.0.1", admin)).ok()?;
    let length = body.len();
    let head = format!(
        "POST /load HTTP/1.1\r\nHost: localhost:{admin}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all((head + body).as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    (!answer.is_empty()).then(|| answer.starts_with("HTTP/1.1 200"))
}
/// Files of the storage that are not what their names say.
fn broken(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            broken(&path, found);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap_or_default();
        let whole = match name.rsplit('.').next() {
            Some("crt" | "key") => text.starts_with("-----BEGIN ") && text.trim_end().ends_with("-----"),
            Some("json") => serde_json::from_str::<serde_json::Value>(&text).is_ok(),
            _ => true,
        };
        if !whole {
            found.push(path.display().to_string());
        }
    }
}
fn kill_again_and_again(times: usize) {
    let (home, port, secure, admin) = (tempfile::tempdir().unwrap(), free_port(), free_port(), free_port());
    let (sent, known) = (AtomicUsize::new(0), AtomicUsize::new(0));
    for round in 0..times {
        let running = Resumed::start(home.path(), admin);
        if round > 0 {
            wait_for("the last configuration", || TcpStream::connect(("127.0.0.1", port)).is_ok());
            let served: usize = Client::new(port).get("/").parse().unwrap();
            let (known, sent) = (known.load(SeqCst), sent.load(SeqCst));
            assert!((known..=sent).contains(&served), "{served} is served, {known} was acknowledged");
        }
        thread::scope(|scope| {
            let loading = scope.spawn(|| {
                loop {
                    let number = sent.fetch_add(1, SeqCst) + 1;
                    match load(admin, &config(number, port, secure)) {
                        Some(true) => known.store(number, SeqCst),
                        Some(false) => panic!("configuration {number} is refused"),
                        None => return,
                    }
                }
            });
            let first = known.load(SeqCst);
            wait_for("a reload", || known.load(SeqCst) > first || loading.is_finished());
            // Any moment of those that follow.
            thread::sleep(Duration::from_micros(fastrand::u64(..60_000)));
            drop(running);
        });
        let mut found = vec![];
        broken(home.path(), &mut found);
        assert!(found.is_empty(), "{found:?}");
    }
    println!("{times} times killed, {} reloads", known.load(SeqCst));
}
#[test]
fn a_process_that_is_killed_leaves_a_whole_configuration_and_storage() {
    kill_again_and_again(5);
}
#[test]
#[ignore = "takes minutes"]
fn a_process_that_is_killed_often() {
    kill_again_and_again(200);
}
