//! The access log: an entry for each request, written when its response has ended; and the error log.
use crate::{
    config::{self, placeholder},
    http::{Answer, Connection, Exchange, TlsVersion, status_text},
    logging::{Fields, Level, Logger, Logs, Object},
    tls,
};
use http::{HeaderMap, HeaderName, Method, StatusCode, Version, header};
use std::{collections::HashMap, net::IpAddr, sync::Arc, time::Duration};

const ACCESS: &str = "http.log.access";
const ERROR: &str = "http.log.error";
/// What a request has whose client went away before there was an answer.
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// Who writes what about a server's requests.
pub(super) struct AccessLog {
    logs: Arc<Logs>,
    /// `None`: the server has no access log.
    access: Option<Access>,
    errors: Loggers,
    credentials: bool,
    /// Failures that error routes have dealt with are of less interest.
    has_error_routes: bool,
}
struct Access {
    loggers: Loggers,
    skip_hosts: Vec<String>,
    skip_unmapped: bool,
}
/// Under one of the two names, by host.
struct Loggers {
    by_host: HashMap<String, Vec<Logger>>,
    otherwise: Vec<Logger>,
}
impl Loggers {
    fn new(base: &str, config: &config::ServerLogs, logs: &Logs) -> Self {
        let named = |name: &String| logger(base, name, logs);
        let hosts = config.logger_names.iter();
        Self {
            by_host: hosts.map(|(host, names)| (host.clone(), names.0.iter().map(named).collect())).collect(),
            otherwise: vec![named(&config.default_logger_name)],
        }
    }
    fn mapped(&self, host: &str) -> Option<&[Logger]> {
        if self.by_host.is_empty() {
            return None;
        }
        let wildcards = || tls::candidates(host).find_map(|name| self.by_host.get(&name));
        self.by_host.get(host).or_else(wildcards).map(Vec::as_slice)
    }
    fn of(&self, host: &str) -> &[Logger] {
        self.mapped(host).unwrap_or(&self.otherwise)
    }
}
fn logger(base: &str, name: &str, logs: &Logs) -> Logger {
    if name.is_empty() { logs.logger(base) } else { logs.logger(format!("{base}.{name}")) }
}
impl AccessLog {
    pub(super) fn new(server: &config::Server, logs: Arc<Logs>) -> Self {
        let (config, none) = (server.logs.as_ref(), config::ServerLogs::default());
        Self {
            access: config.map(|config| Access {
                loggers: Loggers::new(ACCESS, config, &logs),
                skip_hosts: config.skip_hosts.clone(),
                skip_unmapped: config.skip_unmapped_hosts,
            }),
            errors: Loggers::new(ERROR, config.unwrap_or(&none), &logs),
            credentials: config.is_some_and(|config| config.should_log_credentials),
            has_error_routes: server.errors.as_ref().is_some_and(|errors| !errors.routes.is_empty()),
            logs,
        }
    }
    /// The entry of a request that begins, if there is to be one.
    pub(super) fn begin(self: &Arc<Self>, x: &Exchange) -> Option<Box<Entry>> {
        let access = self.access.as_ref()?;
        let host = x.host();
        let mapped = access.loggers.mapped(host);
        if mapped.is_none()
            && (access.skip_unmapped || access.skip_hosts.iter().any(|skip| names(skip, host)))
        {
            return None;
        }
        let loggers = mapped.unwrap_or(&access.loggers.otherwise);
        Some(Box::new(Entry {
            log: self.clone(),
            loggers: loggers.to_vec(),
            request: Request::of(x),
            response: None,
        }))
    }
    /// Says what went wrong with a request.
    pub(super) fn failed(&self, x: &Exchange, answer: &Answer, request: Option<&Request>) {
        let Some(failure) = &answer.failure else { return };
        let error = &failure.error;
        let status = error.status_or_500();
        let level = match &failure.second {
            Some(_) => Level::Error,
            None if status.is_server_error() && !self.has_error_routes => Level::Error,
            None => Level::Debug,
        };
        let named = x.vars.get(LOG_NAMES).map(|names| self.named(ERROR, names));
        let loggers = named.as_deref().unwrap_or_else(|| self.errors.of(x.host()));
        if !loggers.iter().any(|logger| logger.enabled(level)) {
            return;
        }
        let rebuilt = request.is_none().then(|| Request::of(x));
        let Some(request) = request.or(rebuilt.as_ref()) else { return };
        let fields = ErrorFields { log: self, request, duration: x.start.elapsed(), failure };
        let text = if error.message.is_empty() { status_text(status) } else { &error.message };
        let message = if failure.second.is_some() { "error handling handler error" } else { text };
        loggers.iter().for_each(|logger| logger.write(level, message, &fields));
    }
    /// Loggers that a handler has asked for.
    fn named(&self, base: &str, names: &placeholder::Value<'_>) -> Vec<Logger> {
        match names {
            placeholder::Value::List(names) => {
                names.iter().map(|name| logger(base, name, &self.logs)).collect()
            }
            name => vec![logger(base, &name.to_text(), &self.logs)],
        }
    }
}
/// Variables by which handlers steer the log.
const LOG_NAMES: &str = "access_logger_names";
const LOG_SKIP: &str = "log_skip";

/// Whether a name of the configuration, maybe with a wildcard, means `host`.
fn names(pattern: &str, host: &str) -> bool {
    pattern == host || (pattern.contains('*') && tls::candidates(host).any(|candidate| candidate == pattern))
}

/// What is to be said of one request.
pub(super) struct Entry {
    log: Arc<AccessLog>,
    loggers: Vec<Logger>,
    pub(super) request: Request,
    response: Option<Responded>,
}
/// As it came, before any handler.
pub(super) struct Request {
    connection: Arc<Connection>,
    client_ip: Option<IpAddr>,
    version: Version,
    method: Method,
    host: String,
    target: String,
    headers: HeaderMap,
    chunked: bool,
}
struct Responded {
    handled: bool,
    status: StatusCode,
    headers: HeaderMap,
    user: String,
    uuid: Option<String>,
    extra: Vec<(String, placeholder::Value<'static>)>,
}
impl Request {
    pub(super) fn of(x: &Exchange) -> Self {
        let mut headers = x.request.headers.clone();
        headers.remove(header::HOST);
        let chunked = headers.remove(header::TRANSFER_ENCODING).is_some();
        Self {
            connection: x.connection.clone(),
            client_ip: x.client_ip,
            version: x.request.version,
            method: x.original_method().clone(),
            host: x.hostport().to_owned(),
            target: x.original_target().to_owned(),
            headers,
            chunked,
        }
    }
    fn write(&self, credentials: bool, into: &mut Object<'_>) {
        let remote = self.connection.remote;
        into.text("remote_ip", &remote.map_or_else(|| "@".into(), |peer| peer.ip().to_string()));
        into.text("remote_port", &remote.map_or_else(String::new, |peer| peer.port().to_string()));
        into.text("client_ip", &self.client_ip.map_or_else(|| "@".into(), |ip| ip.to_string()));
        into.text("proto", proto(self.version));
        into.text("method", self.method.as_str());
        into.text("host", &self.host);
        into.text("uri", &self.target);
        into.object("headers", |into| write_headers(&self.headers, credentials, into));
        if self.chunked {
            into.texts("transfer_encoding", [&b"chunked"[..]].into_iter());
        }
        if let Some(tls) = &self.connection.tls {
            into.object("tls", |into| {
                into.boolean("resumed", tls.resumed);
                into.integer("version", if tls.version == TlsVersion::Tls12 { 0x303 } else { 0x304 });
                into.integer("cipher_suite", tls.cipher_suite_id.into());
                into.text("proto", &tls.alpn);
                into.text("server_name", &tls.server_name);
                into.boolean("ech", false);
            });
        }
    }
}
impl Entry {
    /// The answer is known; its body is yet to be sent.
    pub(super) fn answered(&mut self, x: &Exchange, answer: &Answer) {
        self.request.client_ip = x.client_ip;
        if matches!(x.vars.get(LOG_SKIP), Some(placeholder::Value::Bool(true))) {
            self.loggers.clear();
        } else if let Some(names) = x.vars.get(LOG_NAMES) {
            self.loggers = self.log.named(ACCESS, names);
        }
        self.response = Some(Responded {
            handled: answer.handled,
            status: answer.response.status,
            headers: x.headers.clone(),
            user: x.text("http.auth.user.id").into_owned(),
            uuid: x.used_request_id().map(str::to_owned),
            extra: x.log_fields.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect(),
        });
    }
    /// It has ended: with how many bytes of the bodies, after what time.
    pub(super) fn write(&self, read: u64, sent: u64, duration: Duration) {
        let handled = self.response.as_ref().is_none_or(|response| response.handled);
        let status = match &self.response {
            Some(response) if response.handled => response.status.as_u16(),
            Some(_) => 0,
            None => CLIENT_CLOSED_REQUEST,
        };
        let level = if status >= 500 { Level::Error } else { Level::Info };
        let message = if handled { "handled request" } else { "NOP" };
        let fields = AccessFields { entry: self, read, sent, duration, status };
        self.loggers.iter().for_each(|logger| logger.write(level, message, &fields));
    }
}
struct AccessFields<'a> {
    entry: &'a Entry,
    read: u64,
    sent: u64,
    duration: Duration,
    status: u16,
}
impl Fields for AccessFields<'_> {
    fn write(&self, into: &mut Object<'_>) {
        let Entry { log, request, response, .. } = self.entry;
        into.object("request", |into| request.write(log.credentials, into));
        into.integer("bytes_read", self.read.into());
        into.text("user_id", response.as_ref().map_or("", |response| &response.user));
        into.duration("duration", self.duration);
        into.integer("size", self.sent.into());
        into.integer("status", self.status.into());
        into.object("resp_headers", |into| {
            if let Some(response) = response {
                write_headers(&response.headers, log.credentials, into);
            }
        });
        let Some(response) = response else { return };
        if let Some(uuid) = &response.uuid {
            into.text("uuid", uuid);
        }
        response.extra.iter().for_each(|(name, value)| write_value(name, value, into));
    }
}
struct ErrorFields<'a> {
    log: &'a AccessLog,
    request: &'a Request,
    duration: Duration,
    failure: &'a crate::http::Failure,
}
impl Fields for ErrorFields<'_> {
    fn write(&self, into: &mut Object<'_>) {
        let error = &self.failure.error;
        let about = |into: &mut Object<'_>| match error.status {
            Some(status) => {
                into.integer("status", status.as_u16().into());
                into.text("err_id", &error.id);
                into.text("err_trace", &error.trace());
            }
            None => into.text("error", &error.message),
        };
        into.object("request", |into| self.request.write(self.log.credentials, into));
        into.duration("duration", self.duration);
        match &self.failure.second {
            None => about(into),
            Some(second) => {
                into.text("error", &second.whole());
                into.object("first_error", |into| {
                    into.text("msg", &error.message);
                    about(into);
                });
            }
        }
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
fn write_headers(headers: &HeaderMap, credentials: bool, into: &mut Object<'_>) {
    for name in headers.keys() {
        let shown = canonical(name);
        if !credentials && is_secret(name) {
            into.texts(&shown, [&b"REDACTED"[..]].into_iter());
        } else {
            into.texts(&shown, headers.get_all(name).iter().map(|value| value.as_bytes()));
        }
    }
}
fn is_secret(name: &HeaderName) -> bool {
    [header::COOKIE, header::SET_COOKIE, header::AUTHORIZATION, header::PROXY_AUTHORIZATION].contains(name)
}
/// Go's spelling of a header field's name.
fn canonical(name: &HeaderName) -> String {
    let mut first = true;
    let upper = |c: char| {
        let shown = if first { c.to_ascii_uppercase() } else { c };
        first = c == '-';
        shown
    };
    name.as_str().chars().map(upper).collect()
}
fn write_value(name: &str, value: &placeholder::Value<'_>, into: &mut Object<'_>) {
    match value {
        placeholder::Value::Null => into.value(name, &serde_json::Value::Null),
        placeholder::Value::Bool(value) => into.boolean(name, *value),
        placeholder::Value::Int(value) => into.integer(name, (*value).into()),
        placeholder::Value::Float(value) => into.float(name, *value),
        placeholder::Value::List(values) => into.texts(name, values.iter().map(String::as_bytes)),
        placeholder::Value::Duration(value) => into.duration(name, *value),
        value => into.text(name, &value.to_text()),
    }
}
