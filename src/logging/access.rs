//! What is said of each request: the access log (`http.log.access`), and the log of those that fail (`http.log.error`).
//! Which loggers hear of it is compiled from `logs` of the server.
use super::{Fields, Level, Logger, Logs, Object};
use crate::{
    config::{ServerLogs, placeholder::Value},
    net::write_canonical,
};
use http::{HeaderMap, StatusCode, Version, header};
use smallvec::SmallVec;
use std::{
    borrow::Cow,
    cell::RefCell,
    collections::HashMap,
    mem,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

const ACCESS: &str = "http.log.access";
const ERROR: &str = "http.log.error";

/// The logs of one server.
#[derive(Debug)]
pub struct ServerLog {
    logs: Arc<Logs>,
    access: Option<Access>,
    /// Of requests whose host no access log is asked for.
    errors: Arc<[Pair]>,
    /// Write credentials as they are.
    credentials: bool,
}
#[derive(Debug)]
struct Access {
    by_host: Hosts<Arc<[Pair]>>,
    default: Arc<[Pair]>,
    skip: Hosts<()>,
    skip_unmapped: bool,
}
/// A name of `logger_names`, under both.
#[derive(Debug)]
struct Pair {
    access: Logger,
    error: Logger,
}
/// A request as the client sent it. Handlers change requests, so this is taken before they see it.
#[derive(Debug)]
pub struct Request {
    /// Method, host and target; then for each header field its name and value, each behind its length.
    text: Vec<u8>,
    method: usize,
    host: usize,
    uri: usize,
    remote: Option<SocketAddr>,
    version: Version,
    chunked: bool,
}
/// Where [`Request::of`] finds what it keeps.
#[derive(Debug)]
pub struct Seen<'a> {
    /// `None`: a peer without an address.
    pub remote: Option<SocketAddr>,
    pub version: Version,
    pub method: &'a str,
    /// As sent, with port.
    pub host: &'a str,
    /// As sent.
    pub uri: &'a str,
    pub headers: &'a HeaderMap,
}
/// What else the logs show of a request, known when it is answered.
#[derive(Debug)]
pub struct About<'a> {
    pub request: &'a Request,
    pub client_ip: Option<IpAddr>,
    pub tls: Option<Tls<'a>>,
    /// The variable `access_logger_names`: these loggers instead of those of the host.
    pub names: Option<&'a [String]>,
    /// From the request's first byte to now.
    pub duration: Duration,
}
/// A TLS connection, in IANA's numbers.
#[derive(Clone, Debug)]
pub struct Tls<'a> {
    pub resumed: bool,
    pub version: u16,
    pub cipher_suite: u16,
    /// ALPN.
    pub proto: &'a str,
    pub server_name: &'a str,
    /// Common name and serial number of the client's certificate.
    pub client: Option<(&'a str, &'a str)>,
}
/// How a request was answered.
#[derive(Debug)]
pub struct Done<'a> {
    /// `None`: by nobody, which goes out as an empty 200.
    pub status: Option<StatusCode>,
    /// Bytes of the request's body that were read.
    pub read: u64,
    /// Bytes of the response's body that were written.
    pub size: u64,
    /// `{http.auth.user.id}`.
    pub user: &'a str,
    pub headers: &'a HeaderMap,
    /// What handlers have added (`log_append`).
    pub extra: &'a [(&'a str, &'a Value<'static>)],
    /// `{http.request.uuid}`, if it was asked for.
    pub uuid: Option<&'a str>,
}
/// How a request has failed.
#[derive(Debug)]
pub struct Failed<'a> {
    /// `None` if it has none; the client sees 500.
    pub status: Option<StatusCode>,
    pub message: &'a str,
    pub id: &'a str,
    /// Where in our source it arose.
    pub trace: &'a str,
    pub handling: Handling<'a>,
}
/// What came of error routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handling<'a> {
    /// There are none.
    Unhandled,
    /// They have run.
    Handled,
    /// They have failed in their turn, with this.
    Failed(&'a str),
}

impl ServerLog {
    /// `config` is the server's `logs`; without it only failures are logged.
    pub fn build(config: Option<&ServerLogs>, logs: &Arc<Logs>) -> Self {
        let pairs = |names: &[String]| names.iter().map(|name| Pair::new(name, logs)).collect::<Arc<[_]>>();
        let access = config.map(|config| Access {
            by_host: Hosts::new(config.logger_names.iter().map(|(host, names)| (host, pairs(&names.0)))),
            default: pairs(std::slice::from_ref(&config.default_logger_name)),
            skip: Hosts::new(config.skip_hosts.iter().map(|host| (host, ()))),
            skip_unmapped: config.skip_unmapped_hosts,
        });
        Self {
            errors: access.as_ref().map_or_else(|| pairs(&[String::new()]), |access| access.default.clone()),
            access,
            credentials: config.is_some_and(|config| config.should_log_credentials),
            logs: logs.clone(),
        }
    }
    /// Whether requests to `host` are to be in the access log, as far as that is known before they are answered.
    pub fn wants(&self, host: &str) -> bool {
        let Some(access) = &self.access else { return false };
        let host = lower(host);
        access.by_host.exact.contains_key(&*host)
            || !(access.skip_unmapped || access.skip.find(&host).is_some())
    }
    /// Writes the line of the access log. Ask [`Self::wants`] first, and the variable `log_skip`.
    pub fn access(&self, about: &About<'_>, done: &Done<'_>) {
        let level = match done.status {
            Some(status) if status.as_u16() >= 500 => Level::Error,
            _ => Level::Info,
        };
        let message = if done.status.is_some() { "handled request" } else { "NOP" };
        let fields = AccessFields { about, done, credentials: self.credentials };
        match about.names {
            Some(names) => {
                names.iter().for_each(|name| self.logs.write(level, &named(ACCESS, name), message, &fields));
            }
            None => self.pairs(about).iter().for_each(|pair| pair.access.write(level, message, &fields)),
        }
    }
    /// Writes what went wrong with a request: an error where it is the server's fault and no error routes have
    /// answered.
    pub fn error(&self, about: &About<'_>, failed: &Failed<'_>) {
        let own_fault = failed.status.is_none_or(|status| status.as_u16() >= 500);
        let (level, message) = match failed.handling {
            Handling::Failed(_) => (Level::Error, "error handling handler error"),
            Handling::Unhandled if own_fault => (Level::Error, failed.message),
            Handling::Unhandled | Handling::Handled => (Level::Debug, failed.message),
        };
        let fields = ErrorFields { about, failed, credentials: self.credentials };
        match about.names {
            Some(names) => {
                names.iter().for_each(|name| self.logs.write(level, &named(ERROR, name), message, &fields));
            }
            None => self.pairs(about).iter().for_each(|pair| pair.error.write(level, message, &fields)),
        }
    }
    fn pairs(&self, about: &About<'_>) -> &[Pair] {
        let Some(access) = &self.access else { return &self.errors };
        access.by_host.find(&lower(without_port(about.request.host()))).unwrap_or(&access.default)
    }
}
impl Pair {
    fn new(name: &str, logs: &Logs) -> Self {
        Self { access: logs.logger(named(ACCESS, name)), error: logs.logger(named(ERROR, name)) }
    }
}
fn named(logger: &str, name: &str) -> String {
    if name.is_empty() { logger.to_owned() } else { format!("{logger}.{name}") }
}

/// By host, in lower case; some may have `*` for labels from the left on.
#[derive(Debug)]
struct Hosts<T> {
    exact: HashMap<Box<str>, T, foldhash::fast::RandomState>,
    wildcards: bool,
}
impl<T> Hosts<T> {
    fn new<'h>(hosts: impl Iterator<Item = (&'h String, T)>) -> Self {
        let exact: HashMap<Box<str>, T, _> =
            hosts.map(|(host, of)| (host.to_ascii_lowercase().into(), of)).collect();
        Self { wildcards: exact.keys().any(|host| host.contains('*')), exact }
    }
    fn find(&self, host: &str) -> Option<&T> {
        let found = self.exact.get(host);
        if found.is_some() || !self.wildcards {
            return found;
        }
        // As Caddy: label after label becomes `*`.
        let labels: Vec<&str> = host.split('.').collect();
        (1..=labels.len()).find_map(|stars| {
            let pattern = ["*"].repeat(stars).into_iter().chain(labels.iter().skip(stars).copied());
            self.exact.get(&*pattern.collect::<Vec<_>>().join("."))
        })
    }
}
fn lower(host: &str) -> Cow<'_, str> {
    if host.bytes().any(|b| b.is_ascii_uppercase()) { host.to_ascii_lowercase().into() } else { host.into() }
}
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, _)) if name.starts_with('[') => name.trim_start_matches('[').trim_end_matches(']'),
        Some((name, _)) if !name.contains(':') => name,
        _ => host,
    }
}

thread_local! {
    /// Memory of requests that are done, for those to come.
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}
/// How many buffers a thread keeps, and how large they may be.
const SPARES: usize = 64;
const SPARE_SIZE: usize = 16 << 10;

impl Request {
    pub fn of(seen: &Seen<'_>) -> Self {
        let mut text = SPARE.with_borrow_mut(Vec::pop).unwrap_or_default();
        text.extend_from_slice(seen.method.as_bytes());
        text.extend_from_slice(seen.host.as_bytes());
        text.extend_from_slice(seen.uri.as_bytes());
        let mut chunked = false;
        for (name, value) in seen.headers {
            // Go keeps these apart from the others.
            if name == header::HOST {
                continue;
            }
            if name == header::TRANSFER_ENCODING {
                chunked = true;
                continue;
            }
            for part in [name.as_str().as_bytes(), value.as_bytes()] {
                text.extend_from_slice(&u32::try_from(part.len()).unwrap_or(0).to_ne_bytes());
                text.extend_from_slice(part);
            }
        }
        let (method, host) = (seen.method.len(), seen.method.len() + seen.host.len());
        let (remote, version) = (seen.remote, seen.version);
        Self { text, method, host, uri: host + seen.uri.len(), remote, version, chunked }
    }
    fn method(&self) -> &[u8] {
        self.text.get(..self.method).unwrap_or_default()
    }
    fn host(&self) -> &str {
        self.text.get(self.method..self.host).and_then(|host| str::from_utf8(host).ok()).unwrap_or_default()
    }
    fn uri(&self) -> &[u8] {
        self.text.get(self.host..self.uri).unwrap_or_default()
    }
    fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let mut rest = self.text.get(self.uri..).unwrap_or_default();
        let mut part = move || {
            let (length, behind) = rest.split_first_chunk()?;
            let (part, behind) = behind.split_at_checked(u32::from_ne_bytes(*length) as usize)?;
            rest = behind;
            Some(part)
        };
        std::iter::from_fn(move || {
            let name = part()?;
            Some((str::from_utf8(name).ok()?, part()?))
        })
    }
    fn write(&self, about: &About<'_>, credentials: bool, into: &mut Object<'_>) {
        match self.remote {
            Some(remote) => {
                into.display("remote_ip", remote.ip());
                into.display("remote_port", remote.port());
            }
            None => {
                into.text("remote_ip", "@");
                into.text("remote_port", "");
            }
        }
        match about.client_ip {
            Some(ip) => into.display("client_ip", ip),
            None => into.text("client_ip", "@"),
        }
        into.text("proto", proto(self.version));
        into.bytes("method", self.method());
        into.text("host", self.host());
        into.bytes("uri", self.uri());
        into.object("headers", |into| headers(self.headers(), credentials, into));
        if self.chunked {
            into.texts("transfer_encoding", [&b"chunked"[..]].into_iter());
        }
        if let Some(tls) = &about.tls {
            into.object("tls", |into| tls.write(into));
        }
    }
}
impl Drop for Request {
    fn drop(&mut self) {
        let mut text = mem::take(&mut self.text);
        if text.capacity() > SPARE_SIZE {
            return;
        }
        text.clear();
        // A thread that ends keeps nothing.
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < SPARES {
                spare.push(text);
            }
        });
    }
}
fn proto(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        Version::HTTP_3 => "HTTP/3.0",
        _ => "HTTP/1.1",
    }
}
impl Tls<'_> {
    fn write(&self, into: &mut Object<'_>) {
        into.boolean("resumed", self.resumed);
        into.integer("version", self.version.into());
        into.integer("cipher_suite", self.cipher_suite.into());
        into.text("proto", self.proto);
        into.text("server_name", self.server_name);
        into.boolean("ech", false);
        if let Some((name, serial)) = self.client {
            into.text("client_common_name", name);
            into.text("client_serial", serial);
        }
    }
}
/// Fields in Go's spelling, those of one name together; what would give someone away is not shown.
fn headers<'h>(fields: impl Iterator<Item = (&'h str, &'h [u8])>, credentials: bool, into: &mut Object<'_>) {
    let mut spelt = Vec::new();
    let mut fields = fields.peekable();
    while let Some((name, first)) = fields.next() {
        spelt.clear();
        write_canonical(name, &mut spelt);
        let key = str::from_utf8(&spelt).unwrap_or(name);
        let mut values = SmallVec::<[&[u8]; 4]>::from_slice(&[first]);
        while let Some((_, value)) = fields.next_if(|(next, _)| *next == name) {
            values.push(value);
        }
        if !credentials && matches!(name, "cookie" | "set-cookie" | "authorization" | "proxy-authorization") {
            values = SmallVec::from_slice(&[&b"REDACTED"[..]]);
        }
        into.texts(key, values.into_iter());
    }
}

struct AccessFields<'a> {
    about: &'a About<'a>,
    done: &'a Done<'a>,
    credentials: bool,
}
impl Fields for AccessFields<'_> {
    fn write(&self, into: &mut Object<'_>) {
        let Self { about, done, credentials } = *self;
        into.object("request", |into| about.request.write(about, credentials, into));
        into.integer("bytes_read", done.read.into());
        into.text("user_id", done.user);
        into.duration("duration", about.duration);
        into.integer("size", done.size.into());
        into.integer("status", done.status.map_or(0, |status| status.as_u16()).into());
        into.object("resp_headers", |into| {
            let fields = done.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
            headers(fields, credentials, into);
        });
        for (name, value) in done.extra {
            match value {
                Value::Text(text) => into.text(name, text),
                Value::Duration(duration) => into.duration(name, *duration),
                other => into.value(name, &(*other).clone().into()),
            }
        }
        if let Some(uuid) = done.uuid {
            into.text("uuid", uuid);
        }
    }
}
struct ErrorFields<'a> {
    about: &'a About<'a>,
    failed: &'a Failed<'a>,
    credentials: bool,
}
impl Fields for ErrorFields<'_> {
    fn write(&self, into: &mut Object<'_>) {
        let Self { about, failed, credentials } = *self;
        into.object("request", |into| about.request.write(about, credentials, into));
        into.duration("duration", about.duration);
        if let Handling::Failed(second) = failed.handling {
            into.text("error", second);
            into.object("first_error", |into| {
                into.text("msg", failed.message);
                failed.write(into);
            });
        } else {
            failed.write(into);
        }
    }
}
impl Failed<'_> {
    fn write(&self, into: &mut Object<'_>) {
        match self.status {
            Some(status) => {
                into.integer("status", status.as_u16().into());
                into.text("err_id", self.id);
                into.text("err_trace", self.trace);
            }
            None => into.text("error", self.message),
        }
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::State;
    use serde_json::json;

    struct Case {
        log: ServerLog,
        logs: Arc<Logs>,
        file: tempfile::NamedTempFile,
    }
    /// All of what is logged, at any level, in one file.
    fn case(server: serde_json::Value) -> Case {
        let file = tempfile::NamedTempFile::new().unwrap();
        let logging = json!({"logs": {"default": {
            "writer": {"output": "file", "filename": file.path()},
            "encoder": {"format": "short"},
            "level": "DEBUG",
        }}});
        let short = crate::logging::EncoderModule {
            name: "short",
            build: |_, _| {
                let none = || Some(String::new());
                let format = crate::logging::Format { time_key: none(), ..Default::default() };
                Ok(Box::new(crate::logging::Lines::json(format)))
            },
        };
        let logging = serde_json::from_value(logging).unwrap();
        let logs = Arc::new(Logs::build(Some(&logging), &[short], &State::default()).unwrap());
        let server: Option<ServerLogs> = serde_json::from_value(server).unwrap();
        Case { log: ServerLog::build(server.as_ref(), &logs), logs, file }
    }
    impl Case {
        fn lines(&self) -> String {
            self.logs.flush();
            std::fs::read_to_string(self.file.path()).unwrap()
        }
    }
    fn request(host: &str, fields: &[(&'static str, &'static str)]) -> Request {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        Request::of(&Seen {
            remote: "127.0.0.1:51414".parse().ok(),
            version: Version::HTTP_11,
            method: "GET",
            host,
            uri: "/p?x",
            headers: &headers,
        })
    }
    fn about(request: &Request) -> About<'_> {
        let duration = Duration::from_nanos(194_190);
        About { request, client_ip: "10.0.0.1".parse().ok(), tls: None, names: None, duration }
    }
    fn done(headers: &HeaderMap) -> Done<'_> {
        Done { status: Some(StatusCode::OK), read: 3, size: 5, user: "", headers, extra: &[], uuid: None }
    }
    #[test]
    fn a_line_has_caddys_fields_in_caddys_order() {
        let case = case(json!({"default_logger_name": "e"}));
        let fields = [
            ("host", "a.b"),
            ("user-agent", "curl/7.88.1"),
            ("accept", "a"),
            ("accept", "b\"c"),
            ("cookie", "secret"),
            ("transfer-encoding", "chunked"),
        ];
        let request = request("a.b:8080", &fields);
        let tls = Tls {
            resumed: false,
            version: 772,
            cipher_suite: 4865,
            proto: "h2",
            server_name: "a.b",
            client: Some(("me", "17")),
        };
        let about = About { tls: Some(tls), ..about(&request) };
        let mut headers = HeaderMap::new();
        headers.insert("server", "Caddy".parse().unwrap());
        headers.insert("set-cookie", "secret".parse().unwrap());
        let extra = [("t", &Value::Text("x".into())), ("n", &Value::Int(7))];
        case.log.access(&about, &Done { extra: &extra, uuid: Some("u-1"), ..done(&headers) });
        let line = [
            r#"{"level":"info","logger":"http.log.access.e","msg":"handled request","request":"#,
            r#"{"remote_ip":"127.0.0.1","remote_port":"51414","client_ip":"10.0.0.1","proto":"HTTP/1.1","#,
            r#""method":"GET","host":"a.b:8080","uri":"/p?x","headers":{"User-Agent":["curl/7.88.1"],"#,
            r#""Accept":["a","b\"c"],"Cookie":["REDACTED"]},"transfer_encoding":["chunked"],"#,
            r#""tls":{"resumed":false,"version":772,"cipher_suite":4865,"proto":"h2","server_name":"a.b","#,
            r#""ech":false,"client_common_name":"me","client_serial":"17"}},"bytes_read":3,"user_id":"","#,
            r#""duration":0.00019419,"size":5,"status":200,"#,
            r#""resp_headers":{"Server":["Caddy"],"Set-Cookie":["REDACTED"]},"t":"x","n":7,"uuid":"u-1"}"#,
            "\n",
        ];
        assert_eq!(case.lines(), line.concat());
    }
    #[test]
    fn credentials_are_shown_where_they_are_asked_for() {
        let case = case(json!({"should_log_credentials": true}));
        let request = request("a", &[("authorization", "Basic x")]);
        case.log.access(&about(&request), &done(&HeaderMap::new()));
        assert!(case.lines().contains(r#""headers":{"Authorization":["Basic x"]}"#));
    }
    #[test]
    fn level_and_message_follow_the_status() {
        let case = case(json!({}));
        let (request, headers) = (request("a", &[]), HeaderMap::new());
        for status in [Some(StatusCode::NOT_FOUND), Some(StatusCode::BAD_GATEWAY), None] {
            case.log.access(&about(&request), &Done { status, ..done(&headers) });
        }
        let lines = case.lines();
        let start = |line: &str| line.split(",\"request").next().unwrap_or_default().to_owned();
        assert_eq!(
            lines.lines().map(start).collect::<Vec<_>>(),
            [
                r#"{"level":"info","logger":"http.log.access","msg":"handled request""#,
                r#"{"level":"error","logger":"http.log.access","msg":"handled request""#,
                r#"{"level":"info","logger":"http.log.access","msg":"NOP""#,
            ]
        );
    }
    #[test]
    fn the_host_says_which_loggers_hear_of_a_request() {
        let case = case(json!({
            "default_logger_name": "rest",
            "logger_names": {"a.b": ["one", ""], "*.c.d": "star"},
            "skip_hosts": ["*.quiet", "a.b"],
        }));
        let heard = |host: &str, names: Option<&[String]>| {
            let before = case.lines().len();
            let request = request(host, &[]);
            case.log.access(&About { names, ..about(&request) }, &done(&HeaderMap::new()));
            let lines = case.lines()[before..].to_owned();
            let name = |line: &str| line.split('"').nth(7).unwrap_or_default().replace(ACCESS, "");
            lines.lines().map(name).collect::<Vec<_>>()
        };
        assert_eq!(heard("a.b:8080", None), [".one", ""]);
        assert_eq!(heard("A.B", None), [".one", ""]);
        assert_eq!(heard("x.c.d", None), [".star"]);
        assert_eq!(heard("[::1]:80", None), [".rest"]);
        assert_eq!(heard("a.b", Some(&["other".to_owned()])), [".other"]);
        let wants = |host| case.log.wants(host);
        assert_eq!(["a.b", "x.c.d", "x.quiet", "quiet"].map(wants), [true, true, false, true]);
        let nobody = ServerLog::build(None, &case.logs);
        assert!(!nobody.wants("a.b"));
        let mapped =
            serde_json::from_value(json!({"logger_names": {"a": [""]}, "skip_unmapped_hosts": true}));
        let mapped = ServerLog::build(Some(&mapped.unwrap()), &case.logs);
        assert_eq!(["a", "b"].map(|host| mapped.wants(host)), [true, false]);
    }
    #[test]
    fn failures_are_errors_unless_they_are_the_clients_fault_or_handled() {
        let case = case(json!(null));
        let request = request("a", &[]);
        let failed =
            |status, handling| Failed { status, message: "why", id: "abc", trace: "x.rs:1", handling };
        for (status, handling) in [
            (Some(StatusCode::BAD_GATEWAY), Handling::Unhandled),
            (Some(StatusCode::NOT_FOUND), Handling::Unhandled),
            (Some(StatusCode::BAD_GATEWAY), Handling::Handled),
            (Some(StatusCode::NOT_FOUND), Handling::Failed("worse")),
            (None, Handling::Unhandled),
        ] {
            case.log.error(&about(&request), &failed(status, handling));
        }
        let lines = case.lines();
        let shown = lines.lines().map(|line| {
            let (start, rest) = line.split_once(",\"request\"").unwrap();
            format!("{start}{}", rest.rsplit_once("0.00019419").unwrap().1)
        });
        assert_eq!(
            shown.collect::<Vec<_>>(),
            [
                r#"{"level":"error","logger":"http.log.error","msg":"why","status":502,"err_id":"abc","err_trace":"x.rs:1"}"#,
                r#"{"level":"debug","logger":"http.log.error","msg":"why","status":404,"err_id":"abc","err_trace":"x.rs:1"}"#,
                r#"{"level":"debug","logger":"http.log.error","msg":"why","status":502,"err_id":"abc","err_trace":"x.rs:1"}"#,
                r#"{"level":"error","logger":"http.log.error","msg":"error handling handler error","error":"worse","first_error":{"msg":"why","status":404,"err_id":"abc","err_trace":"x.rs:1"}}"#,
                r#"{"level":"error","logger":"http.log.error","msg":"why","error":"why"}"#,
            ]
        );
    }
}
