//! `php_fastcgi` with a real php-fpm, beside the real Caddy.
//!
//! `CADDY=/usr/bin/caddy cargo test --test serve php -- --ignored`; `PHP_FPM` names php-fpm, if it is called otherwise.
use crate::{
    caddy, client,
    common::free_port,
    ours,
    server::{Server, wait_for},
};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;

const APPLICATION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/php");

/// php-fpm on a Unix socket and on a port.
struct Fpm {
    process: Child,
    folder: TempDir,
    port: u16,
}
impl Fpm {
    fn start() -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let path = folder.path().display();
        let pool = "pm = static\npm.max_children = 2\ncatch_workers_output = no\n";
        let config = format!(
            "[global]\nerror_log = {path}/log\ndaemonize = no\n[unix]\nlisten = {path}/socket\n{pool}[tcp]\nlisten = 127.0.0.1:{port}\n{pool}"
        );
        fs::write(folder.path().join("fpm.conf"), config).unwrap();
        let program = std::env::var("PHP_FPM").unwrap_or_else(|_| "php-fpm8.2".into());
        let process = Command::new(program)
            .args(["--allow-to-run-as-root", "--nodaemonize", "--fpm-config"])
            .arg(folder.path().join("fpm.conf"))
            .stderr(Stdio::null())
            .spawn()
            .expect("php-fpm");
        wait_for("php-fpm", || {
            folder.path().join("socket").exists() && TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Self { process, folder, port }
    }
    fn socket(&self) -> String {
        format!("unix/{}", self.folder.path().join("socket").display())
    }
    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}
impl Drop for Fpm {
    fn drop(&mut self) {
        // Gently, as it ends its workers only then.
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}
fn serve(binary: &str, site: u16, body: &str) -> Server {
    let caddyfile = format!("{{\n\tadmin off\n}}\nhttp://:{site} {{\n\troot * {APPLICATION}\n{body}\n}}\n");
    Server::start(binary, &(caddyfile, false), site).unwrap()
}
/// What `binary` answers to these requests, with what changes from one to the next taken out.
fn answers(binary: &str, body: &str, requests: &[String]) -> Vec<String> {
    let site = free_port();
    let server = serve(binary, site, body);
    let ask = |request: &String| client::ask(site, request).replace(&site.to_string(), "SITE");
    let answers = requests.iter().map(ask).collect();
    server.stop();
    answers
}
fn requests() -> Vec<String> {
    let boundary = "--b\\r\\nContent-Disposition: form-data; name=\\\"f\\\"; filename=\\\"a.txt\\\"\\r\\nContent-Type: text/plain\\r\\n\\r\\nhello\\r\\n--b\\r\\nContent-Disposition: form-data; name=\\\"g\\\"\\r\\n\\r\\n1\\r\\n--b--\\r\\n";
    let raw = |head: &str, body: &str| {
        format!("\"{head}\\r\\nHost: localhost:80\\r\\nConnection: close\\r\\n{body}\"")
    };
    let post = |path: &str, fields: &str, body: &str| {
        raw(&format!("POST {path} HTTP/1.1"), &format!("{fields}\\r\\n{body}"))
    };
    let mut all: Vec<String> = [
        "GET /",
        "GET /index.php",
        "GET /index.php/path/info?a=1&b[]=2&c=%20+",
        "GET /index.php/%C3%A9%2Fb%20c",
        "GET /index.php/%FF%FE",
        "GET /INDEX.PHP/x",
        "GET /index.php.php/x",
        "GET /index.phpx",
        "GET /pretty/url?x=1",
        "GET /folder",
        "GET /folder/",
        "GET /folder/?q",
        "GET /folder/index.php/rest",
        "GET /folder/plain.txt",
        "GET /folder/plain.txt/x.php",
        "GET /%2e%2e/%2e%2e/etc/passwd.php",
        "GET /missing.php",
        "GET /index.php%00.txt",
        "GET /index.php X-Twice: 1 X-Twice: 2 Proxy: http://evil X_Under: no X.Dot: no Authorization: Basic YTpi",
        "GET /index.php Cookie: a=b; c=d Cookie: e=f",
        "GET /index.php X-Forwarded-For: 1.2.3.4 Forwarded: for=1 Connection: X-Gone X-Gone: 1",
        "GET /index.php If-None-Match: x Range: bytes=0-5 Accept-Encoding: gzip",
        "HEAD /index.php",
        "OPTIONS /index.php",
        "DELETE /index.php",
        "PUT /index.php < body",
        "PATCH /index.php Content-Type: application/json < {}",
        "POST /index.php < a=1&b=2",
        "POST /index.php",
        "GET /index.php < with a body",
        "GET /cookies.php",
        "GET /big.php",
        "HEAD /big.php",
        "GET /fails.php",
        "GET /unknown.php",
        "POST /echo.php < *100000",
        "POST /echo.php < *4096",
        "POST /echo.php < *4097",
    ]
    .map(str::to_owned)
    .to_vec();
    let form = "Content-Type: multipart/form-data; boundary=b\\r\\n";
    let length = boundary.replace("\\r", "r").replace("\\n", "n").replace("\\\"", "q").len();
    all.extend([
        post("/index.php", &format!("{form}Content-Length: {length}\\r\\n"), boundary),
        post("/index.php", "Transfer-Encoding: chunked\\r\\n", "3\\r\\na=1\\r\\n0\\r\\n\\r\\n"),
        post("/index.php", "Transfer-Encoding: chunked\\r\\n", "1400\\r\\n%*5120*%\\r\\n0\\r\\n\\r\\n"),
        post("/index.php", "Content-Length: 5\\r\\nExpect: 100-continue\\r\\n", "a=123"),
        raw("GET /index.php HTTP/1.0", "\\r\\n"),
    ]);
    all
}
fn compare(body: &str, requests: &[String]) {
    let (theirs, ours) = (answers(&caddy(), body, requests), answers(&ours(), body, requests));
    for ((request, theirs), ours) in requests.iter().zip(theirs).zip(ours) {
        assert_eq!(ours, theirs, "{request}\nwith {body}\n--- ours\n{ours}\n--- Caddy's\n{theirs}");
    }
}

#[test]
#[ignore = "needs php-fpm and Caddy: CADDY names it"]
fn php_is_asked_as_caddy_asks_it() {
    let fpm = Fpm::start();
    for address in [fpm.socket(), fpm.address()] {
        compare(&format!("php_fastcgi {address}\nfile_server"), &requests());
    }
    let few: Vec<String> = [
        "GET /index.php/a",
        "GET /a/b?c",
        "GET /folder",
        "POST /index.php/x < a=1",
        "GET /index.php/a.php/b",
    ]
    .map(str::to_owned)
    .to_vec();
    let socket = fpm.socket();
    for body in [
        format!(
            "php_fastcgi {socket} {{\nenv A {{http.request.uri.path}}\nenv SERVER_NAME mine\nenv HTTP_X_A no\n}}"
        ),
        format!("php_fastcgi {socket} {{\nroot {APPLICATION}/folder\n}}"),
        format!("php_fastcgi {socket} {{\nindex off\n}}\nrespond otherwise"),
        format!("php_fastcgi {socket} {{\ntry_files {{path}} /folder/index.php\n}}"),
        format!("php_fastcgi {socket} {{\nsplit .php .txt\n}}"),
        format!(
            "php_fastcgi {socket} {{\nheader_up X-A up\nheader_up -User-Agent\nheader_down X-B down\nmethod PUT\n}}"
        ),
        format!(
            "php_fastcgi {socket} {{\nresolve_root_symlink\ndial_timeout 1s\nread_timeout 5s\nwrite_timeout 5s\n}}"
        ),
        format!(
            "basic_auth {{\nu $2a$04$7Wa4HNxM0dIhUSdCfxYUBO8Xv9Fh9xBoqlgYQjGcT8bJVmrxWTCpm\n}}\nphp_fastcgi {socket}"
        ),
        format!("reverse_proxy {socket} {{\ntransport fastcgi {{\nsplit .php\n}}\n}}"),
        format!("reverse_proxy {socket} {{\ntransport fastcgi\n}}"),
        format!(
            "php_fastcgi {socket} {{\n@e status 200\nhandle_response @e {{\nrespond \"instead {{rp.header.Content-Type}}\"\n}}\n}}"
        ),
        format!("rewrite /a/b /index.php/rewritten\nphp_fastcgi {socket}"),
        format!("encode gzip\nphp_fastcgi {socket}"),
        "php_fastcgi 127.0.0.1:1".into(),
        "php_fastcgi unix//nowhere/socket\nhandle_errors {\nrespond \"{err.status_code} {err.message}\"\n}"
            .into(),
    ] {
        compare(&body, &few);
    }
}
#[test]
#[ignore = "needs php-fpm"]
fn what_php_flushes_arrives_at_once() {
    let (fpm, site) = (Fpm::start(), free_port());
    let server = serve(&ours(), site, &format!("encode\nphp_fastcgi {}", fpm.socket()));
    let go = fpm.folder.path().join("go");
    let mut stream = TcpStream::connect(("127.0.0.1", site)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(4))).unwrap();
    write!(stream, "GET /stream.php?until={} HTTP/1.1\r\nHost: h\r\n\r\n", go.display()).unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    assert!(lines.any(|line| line == "data: first"), "before the script ends");
    fs::write(&go, "").unwrap();
    assert!(lines.any(|line| line == "data: last"));
    server.stop();
}
#[test]
#[ignore = "needs php-fpm"]
fn complaints_are_logged_if_they_are_wanted() {
    let fpm = Fpm::start();
    for (option, logged) in [("", false), ("{\ncapture_stderr\n}", true)] {
        let site = free_port();
        let server = serve(&ours(), site, &format!("php_fastcgi {} {option}", fpm.socket()));
        assert!(client::ask(site, "GET /fails.php").contains("failed"));
        if logged {
            let mut line = None;
            wait_for("the complaint", || {
                line = server.log().lines().find(|line| line.contains("a complaint")).map(str::to_owned);
                line.is_some()
            });
            let line = line.unwrap_or_default();
            assert!(line.contains(r#""level":"error""#) && line.contains(r#""msg":"stderr""#), "{line}");
            assert!(line.contains("http.reverse_proxy.transport.fastcgi"), "{line}");
        } else {
            assert!(!server.log().contains("a complaint"));
        }
        server.stop();
    }
}
