//! The command line as a user meets it: outputs, exit codes, signals. Where Caddy has words for it, they are Caddy's.
mod common;
use common::free_port;
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};
use tempfile::TempDir;

/// A place of its own: no test sees another's files, or those of the machine.
struct Place(TempDir);
impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
    fn with(file: &str, text: &str) -> Self {
        let place = Self::new();
        place.file(file, text);
        place
    }
    fn file(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).unwrap();
    }
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_proxy"));
        command.args(args).current_dir(self.0.path()).env_clear().env("HOME", self.0.path());
        command.stdin(Stdio::null());
        command
    }
    fn run(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args).output().unwrap())
    }
    /// For what leaves a process behind, which keeps standard output and error open.
    fn run_detached(&self, args: &[&str]) -> Ran {
        let open = |name| fs::File::create(self.path().join(name)).unwrap();
        let read = |name| fs::read_to_string(self.path().join(name)).unwrap();
        let status = self.command(args).stdout(open("out")).stderr(open("err")).status().unwrap();
        Ran { code: status.code(), stdout: read("out"), stderr: read("err") }
    }
    fn path(&self) -> &Path {
        self.0.path()
    }
}
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}
impl Ran {
    fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
    /// The messages of its log lines.
    fn messages(&self) -> Vec<String> {
        self.stderr.lines().map(message).collect()
    }
}
fn message(line: &str) -> String {
    let parsed: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
    parsed["msg"].as_str().unwrap().to_owned()
}
fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
}

/// A server that runs until the end of its test.
struct Running {
    child: Child,
    lines: Receiver<String>,
}
impl Running {
    fn start(place: &Place, args: &[&str]) -> Self {
        let mut command = place.command(args);
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (tell, lines) = channel();
        thread::spawn(move || stderr.lines().map_while(Result::ok).for_each(|line| drop(tell.send(line))));
        Self { child, lines }
    }
    /// The lines up to and with the first of that message.
    fn until(&self, wanted: &str) -> Vec<String> {
        let mut seen = vec![];
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(30));
            let line = line.unwrap_or_else(|_| panic!("no line '{wanted}' after {seen:#?}"));
            let found = message(&line) == wanted;
            seen.push(line);
            if found {
                return seen;
            }
        }
    }
    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }
    fn end(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}
impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
use rustix::process::Signal;
const SERVING: &str = "serving initial configuration";

/// A site on a port of its own, with the admin API on another.
fn site(body: &str) -> (Place, u16, u16) {
    let (port, admin) = (free_port(), free_port());
    let place = Place::new();
    place.file("Caddyfile", &caddyfile(port, admin, body));
    (place, port, admin)
}
fn caddyfile(port: u16, admin: u16, body: &str) -> String {
    format!("{{\n\tadmin 127.0.0.1:{admin}\n}}\nhttp://127.0.0.1:{port} {{\n\trespond \"{body}\"\n}}\n")
}

#[test]
fn what_is_no_command_is_said_in_cobras_words() {
    let place = Place::new();
    for (args, stderr) in [
        (&["nope"][..], "Error: unknown command \"nope\" for \"proxy\"\nRun 'proxy --help' for usage.\n"),
        (&["run", "--nope"], "Error: unknown flag: --nope\n"),
        (&["run", "-Z"], "Error: unknown shorthand flag: 'Z' in -Z\n"),
        (&["run", "--config"], "Error: flag needs an argument: --config\n"),
    ] {
        let ran = place.run(args);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), stderr), "{args:?}");
    }
    let ran = Ran::of(place.command(&["nope"]).arg0("/usr/bin/caddy").output().unwrap());
    assert!(ran.stderr.starts_with("Error: unknown command \"nope\" for \"caddy\"\n"), "{ran:?}");
    let ran = place.run(&[]);
    assert!(ran.code == Some(0) && ran.stdout.contains("validate"), "{ran:?}");
}
#[test]
fn the_version_begins_with_caddys() {
    for args in [&["version"][..], &["--version"], &["-v"]] {
        let ran = Place::new().run(args);
        assert!(ran.code == Some(0) && ran.stdout.starts_with("v2.11.7 "), "{ran:?}");
    }
}
#[test]
fn modules_are_listed_by_caddys_ids() {
    let ran = Place::new().run(&["list-modules"]);
    let found: Vec<&str> = ran.stdout.lines().filter(|line| line.contains("rate")).collect();
    assert_eq!(found, ["http.handlers.rate_limit"]);
    assert!(ran.stdout.contains("\n\n  Standard modules: "), "{}", ran.stdout);
    let ran = Place::new().run(&["list-modules", "--json", "--skip-standard"]);
    let listed: Vec<serde_json::Value> = serde_json::from_str(&ran.stdout).unwrap();
    assert!(listed.iter().all(|module| module["module_type"] == "non-standard"));
}
#[test]
fn a_valid_configuration_is_called_so() {
    let place = Place::with("Caddyfile", ":8080 {\n\trespond hi\n}\n");
    let ran = place.run(&["validate"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "Valid configuration\n"), "{ran:?}");
    let wanted = ["using adjacent Caddyfile", "using config from file", "adapted config to JSON"];
    assert_eq!(ran.messages(), wanted);
    let ran = place.run(&["validate", "--format", "json"]);
    assert_eq!(ran.stdout, "[]\n");
    // Where both go to one place, what was said on the way stands before the result.
    let both = fs::File::create(place.path().join("both")).unwrap();
    let mut command = place.command(&["validate"]);
    assert!(command.stdout(both.try_clone().unwrap()).stderr(both).status().unwrap().success());
    let both = fs::read_to_string(place.path().join("both")).unwrap();
    assert_eq!(both.lines().last(), Some("Valid configuration"), "{both}");
    place.file("caddy.json", r#"{"apps": {"http": {"servers": {"a": {"listen": [":8080"]}}}}}"#);
    let ran = place.run(&["validate", "--config", "caddy.json"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "Valid configuration\n"), "{ran:?}");
}
#[test]
fn what_is_wrong_is_said_with_its_place() {
    let place = Place::with("bad", "a.com {\n\trespnd x\n}\n");
    let args = ["validate", "--config", "bad", "--adapter", "caddyfile"];
    let ran = place.run(&args);
    assert_eq!(ran.code, Some(1));
    assert_eq!(ran.stdout, "");
    assert_eq!(
        ran.messages(),
        ["using config from file", "adapting config using caddyfile: bad:2: unrecognized directive: respnd"]
    );
    assert!(ran.stderr.contains("did you mean 'respond'?"), "{ran:?}");
    let ran = place.run(&[&args[..], &["--format", "json"]].concat());
    let errors: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (&errors[0]["line"], &errors[0]["column"], &errors[0]["length"]),
        (&2.into(), &2.into(), &6.into())
    );
    for (args, message) in [
        (
            &["validate"][..],
            "input file required when there is no Caddyfile in current directory (use --config flag)",
        ),
        (
            &["adapt"],
            "input file required when there is no Caddyfile in current directory (use --config flag)",
        ),
        (&["validate", "--config", "none"], "reading config from file: open none: no such file or directory"),
        (&["adapt", "--config", "none"], "reading input file: open none: no such file or directory"),
        (&["run", "--adapter", "caddyfile"], "cannot adapt config without config file (use --config)"),
        (&["run", "--config", "bad", "--adapter", "x"], "unrecognized config adapter: x"),
        (
            &["run", "--config", "bad"],
            "config is not valid JSON: invalid character 'a' looking for beginning of value, at offset 1; did you mean to use a config adapter (the --adapter flag)?",
        ),
        (&["reload"], "no config file to load"),
        (&["fmt", "a", "b"], "fmt does not support multiple files  a b"),
        (&["hash-password", "-a", "md5", "-p", "x"], "unrecognized hash algorithm: md5"),
    ] {
        let ran = place.run(args);
        assert_eq!(ran.code, Some(1), "{args:?}");
        assert_eq!(ran.messages().last().map(String::as_str), Some(message), "{args:?}");
    }
}
#[test]
fn json_that_does_not_build_is_refused_by_path() {
    let place = Place::new();
    for (json, message) in [
        (r#"{"nope": 1}"#, "decoding config: json: unknown field \"nope\""),
        (r#"{"apps": {"nope": {}}}"#, "loading nope app module: unknown module: nope"),
        (
            r#"{"logging": {"logs": {"a": {"level": "loud"}}}}"#,
            "setting up custom log 'a': unrecognized log level: loud",
        ),
        (r#"{"admin": {"listen": ":1-9"}}"#, "must be exactly one listener address; cannot listen on: :1-9"),
    ] {
        place.file("c.json", json);
        let ran = place.run(&["validate", "--config", "c.json"]);
        assert_eq!((ran.code, ran.messages().last().map(String::as_str)), (Some(1), Some(message)), "{json}");
    }
}
#[test]
fn adapt_prints_json_and_takes_variables_from_files() {
    let place = Place::with("Caddyfile", "{$SITE} {\n\trespond {$WORD:default}\n}\n");
    place.file("env", "SITE=:8080\nWORD=hello # not bye\n");
    let ran = place.run(&["adapt", "--envfile", "env"]);
    assert!(
        ran.stdout.contains("\"listen\":[\":8080\"]") && ran.stdout.contains("\"body\":\"hello\""),
        "{ran:?}"
    );
    let ran =
        Ran::of(place.command(&["adapt", "--envfile", "env", "-p"]).env("WORD", "own").output().unwrap());
    assert!(ran.stdout.contains("\t\"apps\": {") && ran.stdout.contains("\"body\": \"own\""), "{ran:?}");
    let ran = place.run(&["adapt", "--envfile", "none"]);
    let wrong = "loading additional environment variables: reading environment file: open none: no such file or directory";
    assert_eq!(ran.messages(), [wrong]);
}
#[test]
fn fmt_prints_overwrites_and_compares() {
    let place = Place::with("Caddyfile", "a.com {\nrespond x\n}\n");
    let ran = place.run(&["fmt"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), "a.com {\n\trespond x\n}\n"));
    assert!(
        ran.messages()[0]
            .starts_with("Caddyfile:2: Caddyfile input is not formatted; Tip: use '--overwrite'")
    );
    let ran = place.run(&["fmt", "--diff"]);
    assert_eq!(ran.stdout, "  a.com {\n- respond x\n+ \trespond x\n  }\n  \n");
    assert_eq!(place.run(&["fmt", "-w"]).code, Some(0));
    assert_eq!(fs::read_to_string(place.path().join("Caddyfile")).unwrap(), "a.com {\n\trespond x\n}\n");
    let ran = place.run(&["fmt"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
}
#[test]
fn passwords_are_hashed_as_caddy_hashes_them() {
    let place = Place::new();
    let ran = place.run(&["hash-password", "-p", "secret", "--bcrypt-cost", "4"]);
    let hash = ran.stdout.trim_end();
    assert!(hash.starts_with("$2a$04$") && bcrypt::verify("secret", hash).unwrap(), "{ran:?}");
    let mut command = place.command(&["hash-password", "--algorithm", "argon2id", "--argon2id-memory", "64"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"secret\n").unwrap();
    let hash = Ran::of(child.wait_with_output().unwrap()).stdout;
    assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
}
#[test]
fn run_serves_and_ends_in_good_order() {
    let (place, port, _) = site("hi");
    let mut running = Running::start(&place, &["run", "--pidfile", "pid"]);
    let lines = running.until(SERVING);
    let wanted = [
        "using adjacent Caddyfile",
        "adapted config to JSON",
        "admin endpoint started",
        "server running",
        "autosaved config (load with --resume flag)",
        SERVING,
    ];
    let seen: Vec<String> = lines.iter().map(|line| message(line)).collect();
    let order: Vec<&str> =
        seen.iter().map(String::as_str).filter(|message| wanted.contains(message)).collect();
    assert_eq!(order, wanted);
    assert_eq!(get(port, "/").as_deref(), Some("hi"));
    let pid = fs::read_to_string(place.path().join("pid")).unwrap();
    assert_eq!(pid, format!("{}\n", running.child.id()));
    running.signal(Signal::HUP);
    running.until("not implemented");
    running.signal(Signal::TERM);
    let lines = running.until("shutdown complete");
    let seen: Vec<String> = lines.iter().map(|line| message(line)).collect();
    let wanted = ["shutting down apps, then terminating", "exiting; byeee!! 👋"];
    assert_eq!(seen.iter().filter(|message| wanted.contains(&message.as_str())).count(), 2, "{seen:?}");
    assert!(lines.last().unwrap().contains("\"signal\":\"SIGTERM\",\"exit_code\":0"), "{lines:?}");
    assert_eq!(running.end(), Some(0));
    assert!(!place.path().join("pid").exists());
}
#[test]
fn a_second_interrupt_ends_it_at_once() {
    let (port, admin) = (free_port(), free_port());
    let place = Place::new();
    let options = format!("{{\n\tadmin 127.0.0.1:{admin}\n\tshutdown_delay 1m\n}}\n");
    place.file("Caddyfile", &format!("{options}http://127.0.0.1:{port} {{\n\trespond hi\n}}\n"));
    let mut running = Running::start(&place, &["run"]);
    running.until(SERVING);
    running.signal(Signal::INT);
    running.until("shutdown scheduled");
    running.signal(Signal::INT);
    running.until("force quit");
    assert_eq!(running.end(), Some(2));
    let mut running = Running::start(&place, &["run"]);
    running.until(SERVING);
    running.signal(Signal::QUIT);
    assert_eq!(running.end(), Some(2));
}
#[test]
fn a_signal_reloads_the_file_until_someone_else_changes_the_configuration() {
    let (place, port, admin) = site("one");
    let mut running = Running::start(&place, &["run"]);
    running.until(SERVING);
    place.file("Caddyfile", &caddyfile(port, admin, "two"));
    running.signal(Signal::USR1);
    running.until("successfully reloaded config from file");
    assert_eq!(get(port, "/").as_deref(), Some("two"));
    place.file("Caddyfile", "nonsense {\n\tx y\n}\n");
    running.signal(Signal::USR1);
    running.until("failed to reload config from file");
    assert_eq!(get(port, "/").as_deref(), Some("two"));
    // From the same file: it stays known.
    place.file("Caddyfile", &caddyfile(port, admin, "three"));
    assert_eq!(place.run(&["reload"]).code, Some(0));
    assert_eq!(get(port, "/").as_deref(), Some("three"));
    running.signal(Signal::USR1);
    running.until("successfully reloaded config from file");
    place.file("other", &caddyfile(port, admin, "four"));
    assert_eq!(place.run(&["reload", "--config", "other", "--adapter", "caddyfile"]).code, Some(0));
    running.signal(Signal::USR1);
    running.until("last config unknown, ignored SIGUSR1");
    assert_eq!(get(port, "/").as_deref(), Some("four"));
    assert_eq!(place.run(&["stop", "--address", &format!("127.0.0.1:{admin}")]).code, Some(0));
    assert_eq!(running.end(), Some(0));
}
#[test]
fn a_watched_file_is_loaded_when_it_changes() {
    let (place, port, admin) = site("one");
    let running = Running::start(&place, &["run", "--watch"]);
    running.until("watching config file for changes");
    place.file("Caddyfile", &caddyfile(port, admin, "two"));
    running.until("config file changed; reloading");
    running.until("autosaved config (load with --resume flag)");
    assert_eq!(get(port, "/").as_deref(), Some("two"));
}
#[test]
fn start_returns_once_it_serves_and_resume_takes_up_what_was_last() {
    let (place, port, _) = site("one");
    let ran = place.run_detached(&["start", "--pidfile", "pid"]);
    assert!(ran.code == Some(0), "{ran:?}");
    assert!(ran.stdout.starts_with("Successfully started Caddy (pid="), "{ran:?}");
    assert_eq!(get(port, "/").as_deref(), Some("one"));
    assert_eq!(place.run(&["stop", "--config", "Caddyfile"]).code, Some(0));
    fs::remove_file(place.path().join("Caddyfile")).unwrap();
    let running = Running::start(&place, &["run", "--resume"]);
    let lines = running.until(SERVING);
    assert!(lines[0].contains("resuming from last configuration"), "{lines:?}");
    assert_eq!(get(port, "/").as_deref(), Some("one"));
    drop(running);
    place.file("Caddyfile", "nonsense {\n\tx y\n}\n");
    let ran = place.run_detached(&["start"]);
    assert_eq!(ran.code, Some(1));
    let wanted = "caddy process exited with error: exit status 1";
    assert_eq!(ran.messages().last().map(String::as_str), Some(wanted));
}
#[test]
fn a_run_that_fails_always_says_why() {
    let place = Place::with("Caddyfile", "a.com {\n\trespnd x\n}\n");
    let ran = place.run(&["run"]);
    assert_eq!(ran.code, Some(1));
    let wanted = "adapting config using caddyfile: Caddyfile:2: unrecognized directive: respnd";
    assert_eq!(ran.messages().last().map(String::as_str), Some(wanted));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    place.file(
        "Caddyfile",
        &format!("{{\n\tadmin off\n}}\nhttp://127.0.0.1:{port} {{\n\trespond x\n\tbind 127.0.0.1\n}}\n"),
    );
    let ran = place.run(&["run"]);
    let wanted = format!(
        "loading initial config: loading new config: http app module: start: listening on 127.0.0.1:{port}: listen tcp 127.0.0.1:{port}: bind: address already in use"
    );
    assert_eq!((ran.code, ran.messages().last()), (Some(1), Some(&wanted)));
}

#[test]
fn respond_says_what_it_is_told_and_where() {
    let place = Place::new();
    let mut command =
        place.command(&["respond", "-l", "127.0.0.1:0", "-H", "x-a: b", "--access-log=false", "I am {{.N}}"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = line.trim_end().strip_prefix("Server address: 127.0.0.1:").unwrap().parse().unwrap();
    assert_eq!(get(port, "/").as_deref(), Some("I am 0"));
    child.kill().unwrap();
    child.wait().unwrap();
    let ran = place.run(&["respond", "a", "b"]);
    assert_eq!((ran.code, ran.messages()), (Some(1), vec!["too many unflagged arguments".to_owned()]));
}
#[test]
fn file_server_and_reverse_proxy_serve_by_their_flags() {
    let place = Place::with("index.html", "the page");
    let (files, proxy) = (free_port(), free_port());
    let (at, to) = (format!("127.0.0.1:{files}"), format!("127.0.0.1:{files}"));
    let mut serving =
        place.command(&["file-server", "--listen", &at]).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(serving.stderr.take().unwrap()).lines().map_while(Result::ok);
    let wanted = format!("Caddy serving static files on {at}");
    assert!(said.any(|line| line.contains(&wanted)));
    assert_eq!(get(files, "/").as_deref(), Some("the page"));
    let from = format!(":{proxy}");
    let running = Running::start(&place, &["reverse-proxy", "--from", &from, "--to", &to, "-d", "x-a: b"]);
    running.until("caddy proxying");
    assert_eq!(get(proxy, "/").as_deref(), Some("the page"));
    serving.kill().unwrap();
    serving.wait().unwrap();
    let ran = place.run(&["reverse-proxy"]);
    assert_eq!((ran.code, ran.messages()), (Some(1), vec!["--to is required".to_owned()]));
}
#[test]
fn a_storage_is_exported_and_imported() {
    let place = Place::new();
    place.file(
        "from.json",
        &format!(r#"{{"storage": {{"module": "file_system", "root": "{}/from"}}}}"#, place.path().display()),
    );
    place.file(
        "to.json",
        &format!(r#"{{"storage": {{"module": "file_system", "root": "{}/to"}}}}"#, place.path().display()),
    );
    fs::create_dir_all(place.path().join("from/acme/a")).unwrap();
    place.file("from/acme/a/b.json", "{}");
    let ran = place.run(&["storage", "export", "-c", "from.json", "-o", "all.tar"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let ran = place.run(&["storage", "import", "-c", "to.json", "-i", "all.tar"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "Successfully imported storage\n"), "{ran:?}");
    assert_eq!(fs::read_to_string(place.path().join("to/acme/a/b.json")).unwrap(), "{}");
    for (args, message) in [
        (&["storage", "export"][..], "--config is required"),
        (&["storage", "export", "-c", "from.json"], "--output is required"),
        (&["storage", "import", "-c", "to.json"], "--input is required"),
        (
            &["storage", "import", "-c", "to.json", "-i", "none"],
            "opening input file: open none: no such file or directory",
        ),
    ] {
        let ran = place.run(args);
        assert_eq!((ran.code, ran.messages().pop().as_deref()), (Some(1), Some(message)), "{args:?}");
    }
}
#[test]
fn shells_and_manual_pages_know_the_commands() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let ran = place.run(&["completion", shell]);
        assert!(ran.code == Some(0) && ran.stdout.contains("list-modules"), "{shell}: {ran:?}");
    }
    assert_eq!(place.run(&["manpage", "-o", "man"]).code, Some(0));
    for page in ["proxy.8", "proxy-run.8", "proxy-storage-export.8"] {
        assert!(place.path().join("man").join(page).exists(), "{page}");
    }
    assert_eq!(place.run(&["manpage"]).code, Some(3));
}
#[test]
fn packages_are_built_in() {
    let place = Place::new();
    let ran = place.run(&["add-package", "github.com/mholt/caddy-ratelimit"]);
    assert!(ran.code == Some(0) && ran.stdout.contains("http.handlers.rate_limit is built in"), "{ran:?}");
    assert_eq!(place.run(&["add-package", "github.com/mholt/caddy-l4"]).code, Some(1));
    assert_eq!(place.run(&["remove-package", "github.com/mholt/caddy-ratelimit"]).code, Some(1));
    assert_eq!(place.run(&["upgrade"]).code, Some(0));
}
#[test]
fn switches_may_be_switched_off() {
    let place = Place::with("Caddyfile", ":8080\n");
    assert!(!place.run(&["adapt", "--pretty=false"]).stdout.contains('\t'));
    let ran = place.run(&["adapt", "--pretty=maybe"]);
    let wanted = "Error: invalid argument \"maybe\" for \"-p, --pretty\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), wanted));
}
