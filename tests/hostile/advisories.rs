//! A test for each class of flaw that others had to publish an advisory on (Caddy, Go, nginx, HAProxy, Envoy, Traefik,
//! Pingora, hyper and h2, 2021 to 2026), where it can be seen from outside. Classes with tests of their own elsewhere:
//!
//! | class | where |
//! |---|---|
//! | CL.TE, TE.CL and chunks (RUSTSEC-2021-0078, CVE-2025-22871, CVE-2023-25725, CVE-2026-2835) | `nothing_dirty_reaches_upstreams_over_http_1` |
//! | HTTP/2 made HTTP/1 (CVE-2023-27491, CVE-2026-48743, CVE-2026-33555) | `nothing_dirty_reaches_upstreams_over_http_2` |
//! | tunnels before a 101 (CVE-2026-2833, CVE-2025-64763) | `bytes_behind_an_upgrade_wait_for_the_upstream_s_word` |
//! | bodies left unread (CVE-2025-4366) | `a_body_that_nobody_reads_is_no_request` |
//! | rapid reset, made-you-reset, continuations, HPACK bombs, empty frames (CVE-2023-44487, CVE-2025-8671, RUSTSEC-2024-0332, CVE-2026-49975, RUSTSEC-2026-0258) | `floods` |
//! | slow clients (CVE-2026-26999, CVE-2026-25949, CVE-2026-56853) | `stalls`, `every_stalled_client_is_cut` |
//! | paths out of the root (CVE-2026-52844) | `no_spelling_of_a_path_leaves_the_root` |
//! | upstreams that misbehave (CVE-2026-33814, CVE-2026-1642) | `tests/faults` |
//! | the admin API (CVE-2026-27589, CVE-2026-45692) | `tests/admin` |
//! | FastCGI and httpoxy (CVE-2026-27590, CVE-2016-5386) | `handlers/reverse_proxy/fastcgi`, `tests/serve/php.rs` |
//! | memory of limiters (governor#171) | `tests/limiter_memory.rs` |
//! | certificates on demand for anyone (caddy#4014) | `tls/automation/tests.rs` |
//! | hostile DNS answers (CVE-2021-23017, RUSTSEC-2026-0118) | `net/dns` |
//! | names in listings (caddy#6278) | `handlers/file_server/browse` |
use crate::{all, common, server::Server, start, statuses};
use std::{
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    time::Duration,
};

/// A site on port `SITE`, and what it may ask on port `INNER`.
fn serve(options: &str, sites: &str) -> (u16, Server) {
    let (site, inner) = (common::free_port(), common::free_port());
    let sites = sites.replace("SITE", &site.to_string()).replace("INNER", &inner.to_string());
    let config = format!("{{\n\tadmin off\n{options}\n}}\n{sites}\n");
    (site, Server::start(env!("CARGO_BIN_EXE_proxy"), &(config, false), site).unwrap())
}
fn ask(site: u16, request: &str) -> String {
    let answer = crate::ask(site, request.as_bytes()).expect("an end");
    String::from_utf8_lossy(&answer).into_owned()
}
fn get(site: u16, target: &str, fields: &str) -> String {
    ask(site, &format!("GET {target} HTTP/1.1\r\nHost: a\r\n{fields}Connection: close\r\n\r\n"))
}
fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

/// CVE-2026-30851, CVE-2026-52845, GHSA-49wc-4hcv-v58q (Caddy), CVE-2026-35051 (Traefik): a field that an
/// authentication server sets must come from there, in none of its spellings from the client.
#[test]
fn identity_fields_never_come_from_the_client() {
    let sites = "http://:SITE {\n\tforward_auth 127.0.0.1:INNER {\n\t\turi /auth\n\t\tcopy_headers Remote-User\n\t}\n\
        \trespond \"user:{header.Remote-User},{header.Remote_User},{http.request.header.Remote.User}.\"\n}\n\
        http://:INNER {\n\trespond \"\" 200\n}";
    let (site, server) = serve("", sites);
    for spelling in ["Remote-User", "remote-user", "REMOTE-USER", "Remote_User", "remote_user", "Remote.User"]
    {
        for fields in [format!("{spelling}: admin\r\n"), format!("{spelling}: x\r\n{spelling}: admin\r\n")] {
            assert_eq!(body(&get(site, "/", &fields)), "user:,,.", "{fields:?}");
        }
    }
    server.stop();
}
/// CVE-2024-45410, CVE-2026-29054 (Traefik), CVE-2021-33197 (Go): `Connection` must not remove what we add.
#[test]
fn clients_cannot_have_our_own_fields_removed() {
    let sites = "http://:SITE {\n\treverse_proxy 127.0.0.1:INNER {\n\t\theader_up X-Real-IP {remote_host}\n\t}\n}\n\
        http://:INNER {\n\trespond \"{header.X-Real-IP} {header.X-Forwarded-For} {header.X-Forwarded-Proto}\"\n}";
    let (site, server) = serve("", sites);
    for names in
        ["X-Real-IP, X-Forwarded-For, X-Forwarded-Proto", "x-real-ip,x-forwarded-for,x-forwarded-proto"]
    {
        let answer = ask(site, &format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close, {names}\r\n\r\n"));
        assert_eq!(body(&answer), "127.0.0.1 127.0.0.1 http");
    }
    server.stop();
}
/// CVE-2022-32148 (Go), CVE-2024-45806 (Envoy): who is not trusted says nothing of where a request comes from.
#[test]
fn clients_cannot_say_where_they_come_from() {
    let sites = "http://:SITE {\n\t@inside client_ip 10.0.0.0/8\n\trespond @inside inside\n\treverse_proxy 127.0.0.1:INNER\n}\n\
        http://:INNER {\n\trespond \"{header.X-Forwarded-For} {header.X-Forwarded-Proto} {header.X-Forwarded-Host}\"\n}";
    let (site, server) = serve("", sites);
    for fields in [
        "X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\n",
        "X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: 10.0.0.2\r\n",
        "X-Forwarded-For:\r\n",
        "X_Forwarded_For: 10.0.0.1\r\n",
        "Forwarded: for=10.0.0.1;proto=https\r\nX-Real-IP: 10.0.0.1\r\n",
    ] {
        assert_eq!(body(&get(site, "/", fields)), "127.0.0.1 http a", "{fields:?}");
    }
    server.stop();
}
/// CVE-2026-27587, CVE-2026-27585 (Caddy), CVE-2025-66490 (Traefik), CVE-2021-29492 (Envoy): a matcher that keeps
/// something back sees what the file server sees.
#[test]
fn matchers_and_handlers_see_one_path() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("private/deep")).unwrap();
    for file in ["private/file", "private/deep/file"] {
        std::fs::write(folder.path().join(file), "SECRET").unwrap();
    }
    let root = folder.path().display();
    let sites = format!("http://:SITE {{\n\troot {root}\n\trespond /private/* 403\n\tfile_server\n}}");
    let (site, server) = serve("", &sites);
    let spellings = [
        "/private/file",
        "/PRIVATE/file",
        "/%70rivate/file",
        "/%2570rivate/file",
        "//private/file",
        "/./private/file",
        "/x/../private/file",
        "/x/%2e%2e/private/file",
        "/private//file",
        "/private/./file",
        "/private%2ffile",
        "/private%2Ffile",
        "/private%5cfile",
        "/private\\file",
        "/private/deep/../file",
        "/private;x/file",
        "/private/file/",
        "/private/file%00",
        "/private/file?x",
        "/private/%2e/file",
        "/.//private/file",
        "/private/deep/file",
        "/private/deep//file",
        "/private/deep%2f..%2ffile",
        "/private/file%20",
        "/private/file.",
        "http://a/private/file",
        "http://a//private/file",
        "/%2fprivate/file",
        "/%2Fprivate/deep/file",
    ];
    let leaks =
        all(&spellings, |target| get(site, target, "").contains("SECRET").then(|| target.to_string()));
    assert!(leaks.is_empty(), "{leaks:?}");
    server.stop();
}
/// CVE-2026-27588 (Caddy: more than 100 hosts became case-sensitive), CVE-2022-23632 (Traefik: trailing dots).
#[test]
fn hosts_are_the_same_in_all_their_spellings() {
    for count in [1, 150] {
        let others: String = (1..count).map(|n| format!("http://other{n}.test:SITE, ")).collect();
        let sites = format!("{others}http://a.test:SITE {{\n\trespond found\n}}");
        let (site, server) = serve("", &sites);
        for host in [
            "a.test".to_owned(),
            "A.TEST".into(),
            "a.Test".into(),
            format!("A.test:{site}"),
            "a.test:1".into(),
        ] {
            let answer = ask(site, &format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
            assert_eq!(body(&answer), "found", "{host} of {count}");
        }
        server.stop();
    }
}
/// CVE-2026-30852, GHSA-wwhq-w58m-w29c, GHSA-j8px-rmrx-76h9 (Caddy): what a client sends is never expanded.
#[test]
fn placeholders_in_requests_stay_text() {
    let sites = "http://:SITE {\n\tvars seen {header.X-A}\n\tmap {query.a} {mapped} {\n\t\tdefault {query.a}\n\t}\n\
        \theader X-Seen {header.X-A}\n\trewrite /moved* /x?{query}\n\
        \trespond \"{header.X-A} {vars.seen} {mapped} {query.a} {cookie.c} {path} {http.request.uri.query}\"\n}";
    let (site, server) = serve("", sites);
    for bait in ["{env.HOME}", "{file./etc/passwd}", "{http.request.host}", "{system.hostname}"] {
        for target in ["/", "/moved/x"] {
            let target = format!("{target}{bait}?a={bait}");
            let answer = get(site, &target, &format!("X-A: {bait}\r\nCookie: c={bait}\r\n"));
            let told = ["root:x", "/root", "/tmp/", "/home"].iter().any(|told| answer.contains(told));
            assert!(!told && answer.contains(bait), "{answer}");
        }
    }
    server.stop();
}
/// CVE-2022-28923 (Caddy), CVE-2024-52003 (Traefik): a redirect to the canonical form leads to no other host.
#[test]
fn canonical_redirects_stay_on_the_site() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("evil.test/dir")).unwrap();
    let sites = format!("http://:SITE {{\n\troot {}\n\tfile_server\n}}", folder.path().display());
    let (site, server) = serve("", &sites);
    for target in [
        "//evil.test",
        "///evil.test",
        "//evil.test/dir",
        "/\\evil.test",
        "/%2fevil.test",
        "/%5cevil.test",
        "//evil.test/..",
        "//evil.test/%2e%2e",
        "/evil.test/..//evil.test",
        "//evil.test/dir/..",
    ] {
        let answer = get(site, target, "");
        let location = answer.lines().find_map(|line| line.strip_prefix("Location: ")).unwrap_or("/");
        let foreign = location.starts_with("//") || location.starts_with("/\\") || location.contains(':');
        assert!(!foreign && location.starts_with('/'), "{target}: {location}");
    }
    server.stop();
}
/// CVE-2024-45808 (Envoy), CVE-2022-23469 (Traefik), CVE-2026-42507 (Go): nothing in a request makes a line of a log,
/// or tells a terminal what to do, and credentials are not written down.
#[test]
fn requests_cannot_forge_log_lines() {
    for format in ["json", "console"] {
        let sites = format!(
            "http://:SITE {{\n\tlog {{\n\t\toutput stderr\n\t\tformat {format}\n\t}}\n\trespond ok\n}}"
        );
        let (site, server) = serve("", &sites);
        let fields = "User-Agent: a\tforged\r\nAuthorization: Basic hunter2\r\nCookie: s=hunter2\r\n";
        get(site, "/%0a%1b[31mforged%0d", fields);
        crate::server::wait_for("the access log", || server.log().contains("handled request"));
        let log = server.log();
        assert!(!log.contains("hunter2"), "{log}");
        // What precedes it may be coloured.
        let of_ours = log.split("handled request").nth(1).unwrap_or_default();
        let line = of_ours.lines().next().unwrap_or_default();
        assert!(!line.contains(|c: char| c.is_control() && c != '\t'), "{log}");
        assert!(!log.lines().any(|line| line.trim_start().starts_with("forged")), "{log}");
        server.stop();
    }
}
/// CVE-2023-47124, CVE-2024-28869 (Traefik): the path of ACME's challenges waits for no body.
#[test]
fn challenges_wait_for_no_body() {
    let site = common::free_port();
    let server = start(site, "respond ok");
    for target in ["/.well-known/acme-challenge/x", "/.well-known/acme-challenge/"] {
        for framing in ["Content-Length: 1000000", "Transfer-Encoding: chunked"] {
            let answer = ask(site, &format!("POST {target} HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n"));
            assert_eq!(statuses(answer.as_bytes()).first(), Some(&200), "{target} {framing}");
        }
    }
    server.stop();
}
/// CVE-2026-47692, CVE-2024-23324 (Envoy), caddy#7537: what precedes a connection is taken byte by byte or not at all,
/// and is never part of a request.
#[test]
fn odd_proxy_headers_are_refused() {
    let options = "\tservers {\n\t\tlistener_wrappers {\n\t\t\tproxy_protocol {\n\t\t\t\ttimeout 2s\n\t\t\t\tallow 127.0.0.1/32\n\t\t\t}\n\t\t}\n\t}";
    let (site, server) = serve(options, "http://:SITE {\n\trespond \"from {remote_host}\"\n}");
    let request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let good = format!("PROXY TCP4 192.0.2.7 192.0.2.8 1234 80\r\n{request}");
    for size in [1, 7, good.len()] {
        let mut stream = TcpStream::connect(("127.0.0.1", site)).unwrap();
        stream.set_nodelay(true).unwrap();
        for piece in good.as_bytes().chunks(size) {
            stream.write_all(piece).unwrap();
        }
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(body(&answer), "from 192.0.2.7", "pieces of {size}");
    }
    const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
    let v2 = |rest: &[u8]| [SIGNATURE, rest, request.as_bytes()].concat();
    let odd: Vec<Vec<u8>> = vec![
        format!("PROXY TCP4 192.0.2.7 192.0.2.8 1234\r\n{request}").into(),
        format!("PROXY TCP4 x 192.0.2.8 1234 80\r\n{request}").into(),
        format!("PROXY TCP4 192.0.2.7 192.0.2.8 99999 80\r\n{request}").into(),
        format!("PROXY {}\r\n{request}", "x".repeat(200)).into(),
        v2(&[0x21, 0x11, 0xff, 0xff]),
        v2(&[0x21, 0x11, 0, 3, 1, 2, 3]),
        v2(&[0x31, 0x11, 0, 0]),
        v2(&[0x2f, 0x11, 0, 12, 1, 1, 1, 1, 2, 2, 2, 2, 0, 1, 0, 2]),
    ];
    let served = all(&odd, |bytes| {
        let answer = crate::ask(site, bytes).map(|answer| String::from_utf8_lossy(&answer).into_owned());
        let quiet = answer.as_deref().is_some_and(|answer| !answer.contains("from "));
        (!quiet).then(|| format!("{:?}: {answer:?}", String::from_utf8_lossy(bytes)))
    });
    assert!(served.is_empty(), "{}", served.join("\n"));
    server.stop();
}
/// RUSTSEC-2024-0399 (rustls), CVE-2026-32305 (Traefik): a handshake in fragments, or that is none, harms nobody.
#[test]
fn odd_handshakes_end_the_connection_alone() {
    let options = "\tskip_install_trust\n\tauto_https disable_redirects";
    let (site, server) = serve(options, "https://localhost:SITE {\n\ttls internal\n\trespond ok\n}");
    let record = |kind: u8, content: &[u8]| {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[kind, 3, 1][..], &length, content].concat()
    };
    let hello = [&[1, 0, 0, 4][..], &[3, 3, 0, 0]].concat();
    let odd: Vec<Vec<u8>> = vec![
        hello.iter().flat_map(|byte| record(22, &[*byte])).collect(),
        record(22, &[]).repeat(2000),
        record(22, &[1, 255, 255, 255]),
        record(22, &[[1, 0, 0, 200].as_slice(), &[0xff; 200]].concat()),
        record(21, &[2, 40]),
        record(23, &[7; 100]),
        record(20, &[1]).repeat(500),
        vec![22, 3, 1, 255, 255],
        vec![0x80, 46, 1, 0, 2, 0, 21],
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
    ];
    for bytes in &odd {
        let mut stream = TcpStream::connect(("127.0.0.1", site)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = vec![];
        let end = stream.read_to_end(&mut answer);
        let hangs = end.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
        assert!(!hangs, "{bytes:?}");
    }
    assert!(!server.log().contains("panic"), "{}", server.log());
    assert_eq!(server.stop(), 0);
}
/// CVE-2026-27586 (Caddy): an authority of client certificates that cannot be read opens nothing: it does not start.
#[test]
fn a_missing_client_authority_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("Caddyfile");
    let config = "a.test {\n\ttls internal {\n\t\tclient_auth {\n\t\t\tmode require_and_verify\n\t\t\ttrust_pool file /no/such/file.pem\n\t\t}\n\t}\n\trespond secret\n}\n";
    std::fs::write(&file, config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_proxy"));
    command.args(["validate", "--adapter", "caddyfile", "--config"]).arg(&file).env("HOME", folder.path());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("/no/such/file.pem"), "{said}");
}
/// CVE-2026-48042 (Envoy), CVE-2025-11230 (HAProxy): a configuration that is too deep is refused, in good order.
#[test]
fn deep_configurations_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let depth = 100_000;
    let nested = "{\"handle\":[{\"handler\":\"subroute\",\"routes\":[".repeat(depth);
    let json = format!("{{\"apps\":{{\"http\":{{\"servers\":{{\"s\":{{\"routes\":[{nested}");
    let blocks = format!(":80 {{\n{}", "handle {\n".repeat(depth));
    for (name, text, adapter) in [("deep.json", json, None), ("Caddyfile", blocks, Some("caddyfile"))] {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_proxy"));
        command.args(["validate", "--config"]).arg(&file).env("HOME", folder.path());
        command.args(adapter.iter().flat_map(|adapter| ["--adapter", adapter]));
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{name}: {said}");
    }
}
