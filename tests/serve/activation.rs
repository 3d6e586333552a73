//! Sockets that the service manager has opened (systemd's socket activation), and what it is told (`sd_notify`).
use crate::{common::free_port, lifecycle::Client, ours, server::wait_for};
use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::{fd::OwnedFd, unix::net::UnixDatagram},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// As systemd would: the socket is descriptor 3, and what is said goes to a socket of its own.
struct Manager {
    told: UnixDatagram,
    service: Child,
    folder: tempfile::TempDir,
}
impl Manager {
    fn start(socket: &TcpListener, config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let told = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        told.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let file = folder.path().join("Caddyfile");
        fs::write(&file, config).unwrap();
        let service = Command::new("sh")
            .args(["-c", "exec \"$0\" run --config \"$1\" 3<&0 </dev/null"])
            .args([Path::new(&ours()), &file])
            .env("HOME", folder.path())
            .env("NOTIFY_SOCKET", folder.path().join("notify"))
            .stdin(OwnedFd::from(socket.try_clone().unwrap()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self { told, service: service.unwrap(), folder }
    }
    fn hears(&self) -> String {
        let mut bytes = [0; 4096];
        let read = self.told.recv(&mut bytes).expect("the service manager is told something");
        String::from_utf8_lossy(&bytes[..read]).trim_end().to_owned()
    }
    /// `RELOADING` with the time, which systemd wants for `Type=notify-reload`.
    fn hears_of_reloading(&self) {
        let told = self.hears();
        let lines: Vec<&str> = told.lines().collect();
        let time = |line: &&str| {
            let time = line.strip_prefix("MONOTONIC_USEC=").and_then(|time| time.parse::<u64>().ok());
            time.is_some_and(|time| time > 0)
        };
        assert!(lines.contains(&"RELOADING=1") && lines.iter().any(time), "{told}");
    }
    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.service.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }
}
impl Drop for Manager {
    fn drop(&mut self) {
        self.service.kill().ok();
        self.service.wait().ok();
    }
}
fn config(admin: u16, listens: &str, text: &str) -> String {
    format!("{{\n\tadmin 127.0.0.1:{admin}\n}}\nhttp:// {{\n\tbind {listens}\n\trespond {text}\n}}\n")
}
#[test]
fn a_socket_that_was_passed_is_served_and_kept_by_a_reload() {
    let (socket, admin) = (TcpListener::bind("127.0.0.1:0").unwrap(), free_port());
    let port = socket.local_addr().unwrap().port();
    // Clients may come before the service does.
    let mut early = Client::new(port);
    early.send("/");
    let mut manager = Manager::start(&socket, &config(admin, "fd/3", "first"));
    drop(socket);
    manager.hears_of_reloading();
    assert_eq!(manager.hears(), "READY=1");
    assert_eq!(early.receive().unwrap().1, "first");

    fs::write(manager.folder.path().join("Caddyfile"), config(admin, "fd/3", "second")).unwrap();
    manager.signal("USR1");
    manager.hears_of_reloading();
    assert_eq!(manager.hears(), "READY=1");
    assert_eq!(early.get("/"), "second", "the connection stays");
    assert_eq!(Client::new(port).get("/"), "second");

    // What it no longer listens on it can take up again: the socket itself stays open.
    for (listens, reachable) in [("127.0.0.1", false), ("fd/3", true)] {
        let text = config(admin, listens, "third").replace("http://", &format!("http://:{}", free_port()));
        fs::write(manager.folder.path().join("Caddyfile"), text).unwrap();
        manager.signal("USR1");
        manager.hears_of_reloading();
        assert_eq!(manager.hears(), "READY=1");
        if reachable {
            assert_eq!(Client::new(port).get("/"), "third");
        }
    }

    fs::write(manager.folder.path().join("Caddyfile"), config(admin, "fd/99", "never")).unwrap();
    manager.signal("USR1");
    manager.hears_of_reloading();
    let told = manager.hears();
    assert!(told.starts_with("STATUS=") && told.contains("listen fd 99: bad file descriptor"), "{told}");
    assert_eq!(manager.hears(), "READY=1");
    assert_eq!(Client::new(port).get("/"), "third");

    manager.signal("TERM");
    assert_eq!(manager.hears(), "STOPPING=1");
    wait_for("the end", || manager.service.try_wait().unwrap().is_some());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}
