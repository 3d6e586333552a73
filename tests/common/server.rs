//! A server in a process of its own.
pub(crate) use crate::common::wait_for;
use std::{
    fs,
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

pub(crate) struct Server {
    process: Child,
    folder: TempDir,
    json: bool,
}
impl Server {
    /// Runs `binary` with a configuration (and whether that is JSON) until it listens on `port`. If it ends instead,
    /// gives what it has said.
    pub(crate) fn start(binary: &str, (config, json): &(String, bool), port: u16) -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        let adapted = adapted(config, *json, folder.path());
        let (config, json) = adapted.as_ref().map_or((config, *json), |adapted| (adapted, true));
        let file = folder.path().join(if json { "caddy.json" } else { "Caddyfile" });
        fs::write(&file, config).unwrap();
        let mut command = Command::new(binary);
        command.args(["run", "--config"]).arg(&file);
        if !json {
            command.args(["--adapter", "caddyfile"]);
        }
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let process = command
            .env("XDG_DATA_HOME", folder.path().join("data"))
            .env("XDG_CONFIG_HOME", folder.path().join("config"))
            .env("HOME", folder.path())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut server = Self { process, folder, json };
        let mut ended = false;
        wait_for("the server", || {
            ended = server.process.try_wait().unwrap().is_some();
            ended || TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        if ended { Err(server.log()) } else { Ok(server) }
    }
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }
    /// Memory that it holds now, in KiB.
    pub(crate) fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
    /// The file that it was started with.
    pub(crate) fn file(&self) -> std::path::PathBuf {
        self.folder.path().join(if self.json { "caddy.json" } else { "Caddyfile" })
    }
    /// What it has written to standard error.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
    /// Puts another configuration in the place of the one it was started with, and has it read.
    pub(crate) fn reload(&self, config: &str) {
        fs::write(self.file(), config).unwrap();
        self.signal("USR1");
    }
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.pid().to_string()]).status().unwrap();
        assert!(status.success());
    }
    /// Ends it gently, and gives its exit code.
    pub(crate) fn stop(mut self) -> i32 {
        self.signal("TERM");
        let mut code = None;
        wait_for("the end of the server", || {
            code = self.process.try_wait().unwrap();
            code.is_some()
        });
        code.and_then(|status| status.code()).unwrap_or(-1)
    }
}
/// With `ADAPTED_BY=caddy` that program makes the JSON, so that serving is tested alone.
fn adapted(caddyfile: &str, json: bool, folder: &Path) -> Option<String> {
    let program = std::env::var("ADAPTED_BY").ok().filter(|_| !json)?;
    let file = folder.join("unadapted");
    fs::write(&file, caddyfile).unwrap();
    let mut command = Command::new(program);
    let output = command.args(["adapt", "--adapter", "caddyfile", "--config"]).arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}
impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already, unless a test has failed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
