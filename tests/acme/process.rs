//! Other programs, and waiting for what they do.
use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Killed when dropped.
pub(crate) struct Process(pub(crate) Child);
impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().expect("it is installed"))
    }
    /// The program under test, with a folder of its own for state.
    pub(crate) fn proxy(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_proxy"));
        command.args(arguments).env_remove("XDG_DATA_HOME").env_remove("XDG_CONFIG_HOME").env("HOME", folder);
        Self::start(command.envs(variables.iter().copied()))
    }
}
impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
/// What a program has said, for those who look why a test fails.
pub(crate) struct Log(pub(crate) PathBuf);
impl Drop for Log {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{}", std::fs::read_to_string(&self.0).unwrap_or_default());
        }
    }
}
pub(crate) fn wait_until(what: &str, done: impl Fn() -> bool) {
    wait_within(Duration::from_secs(60), what, done);
}
pub(crate) fn wait_within(patience: Duration, what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + patience;
    while !done() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}
/// What `curl` says of a site at a port of this machine: its status, if the certificate is good by `root`.
pub(crate) fn curl(root: &str, name: &str, port: u16) -> Option<String> {
    let output = Command::new("curl")
        .args(["-s", "--noproxy", "*", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", root])
        .args(["--resolve", &format!("{name}:{port}:127.0.0.1"), &format!("https://{name}:{port}/")])
        .output()
        .unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}
/// The certificate that a client is shown, whoever signed it, in PEM.
pub(crate) fn shown(port: u16, name: &str) -> Option<String> {
    let output = Command::new("openssl")
        .args(["s_client", "-connect", &format!("127.0.0.1:{port}"), "-servername", name])
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (from, end) = (text.find("-----BEGIN CERTIFICATE-----")?, "-----END CERTIFICATE-----");
    let length = text[from..].find(end)? + end.len();
    Some(text[from..from + length].to_owned())
}
