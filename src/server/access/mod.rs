//! The access log: an entry for each request, written when its response has ended; and the error log.
mod fields;
mod loggers;
mod record;
#[cfg(test)]
mod tests;
use super::site::Served;
use crate::{
    config::{self, placeholder},
    http::{Answer, Body, Connection, Exchange, Placeholder},
    logging::{Level, Logger, Logs},
};
use fields::{AccessFields, ErrorFields, Request};
use http::Version;
use loggers::{HostSet, Loggers};
use record::Record;
use std::{net::IpAddr, rc::Rc, sync::Arc, time::Duration};

const ACCESS: &str = "http.log.access";
const ERROR: &str = "http.log.error";
/// What a request has whose client went away before there was an answer.
const CLIENT_CLOSED_REQUEST: u16 = 499;
/// Variables by which handlers steer the log.
const LOG_NAMES: &str = "access_logger_names";
const LOG_SKIP: &str = "log_skip";

/// Who writes what about a server's requests.
pub(super) struct AccessLog {
    logs: Arc<Logs>,
    /// `None`: the server has no access log.
    access: Option<Access>,
    errors: Loggers,
    credentials: bool,
    /// Who has logged in.
    user: Placeholder,
    /// Failures that error routes have dealt with are of less interest.
    has_error_routes: bool,
}
struct Access {
    loggers: Loggers,
    /// Those of `logger_names`.
    mapped: HostSet,
    skipped: HostSet,
    skip_unmapped: bool,
}
impl AccessLog {
    pub(super) fn new(server: &config::Server, logs: Arc<Logs>) -> Self {
        let (config, none) = (server.logs.as_ref(), config::ServerLogs::default());
        Self {
            access: config.map(|config| Access {
                loggers: Loggers::new(ACCESS, config, &logs),
                mapped: HostSet::new(config.logger_names.keys()),
                skipped: HostSet::new(config.skip_hosts.iter()),
                skip_unmapped: config.skip_unmapped_hosts,
            }),
            errors: Loggers::new(ERROR, config.unwrap_or(&none), &logs),
            credentials: config.is_some_and(|config| config.should_log_credentials),
            user: Placeholder::new("http.auth.user.id"),
            has_error_routes: server.errors.as_ref().is_some_and(|errors| !errors.routes.is_empty()),
            logs,
        }
    }
    /// Says what went wrong with a request. `entry` is what the access log will say of it.
    pub(super) fn failed(&self, x: &Exchange, answer: &Answer, entry: Option<&Entry>) {
        let Some(failure) = &answer.failure else { return };
        let own_fault = failure.error.status_or_500().is_server_error();
        let level = match &failure.second {
            Some(_) => Level::Error,
            None if own_fault && !self.has_error_routes => Level::Error,
            None => Level::Debug,
        };
        let named = x.vars.get(LOG_NAMES).and_then(names).map(|names| self.errors.named(names, &self.logs));
        let loggers = named.as_deref().unwrap_or_else(|| self.errors.at(self.errors.of_host(x.host())));
        if !loggers.iter().any(|logger| logger.enabled(level)) {
            return;
        }
        let rebuilt = entry.is_none().then(|| Record::of(x));
        let Some(record) = entry.map(|entry| &entry.record).or(rebuilt.as_ref()) else { return };
        let request = Request {
            record,
            connection: &x.connection,
            client_ip: x.client_ip,
            version: x.request.version,
            credentials: self.credentials,
        };
        let fields = ErrorFields { request, duration: x.start.elapsed(), failure };
        let message = match &failure.second {
            Some(_) => "error handling handler error".into(),
            None => failure.error.logged(),
        };
        loggers.iter().for_each(|logger| logger.write(level, &message, &fields));
    }
}
fn names<'v>(value: &'v placeholder::Value<'static>) -> Option<&'v [String]> {
    match value {
        placeholder::Value::List(names) => Some(names),
        // As in Caddy: only a list counts.
        _ => None,
    }
}

/// What is to be said of one request.
pub(super) struct Entry {
    /// Whose log it is; held by the worker's own handle, so that no count is shared between cores.
    served: Rc<Served>,
    listeners: Listeners,
    record: Record,
    connection: Arc<Connection>,
    client_ip: Option<IpAddr>,
    version: Version,
    outcome: Outcome,
    untyped: bool,
    extra: Vec<(String, placeholder::Value<'static>)>,
}
/// Who hears of it.
enum Listeners {
    Nobody,
    /// By the place in the server's list.
    Host(usize),
    Named(Vec<Logger>),
}
enum Outcome {
    /// Its client has gone before.
    None,
    Unhandled,
    Status(u16),
    /// The connection was closed instead of an answer.
    Aborted,
}
impl Entry {
    /// The entry of a request that begins, if there is to be one.
    pub(super) fn begin(served: &Rc<Served>, x: &Exchange) -> Option<Self> {
        let access = served.site.log.access.as_ref()?;
        let host = x.host();
        let wanted = access.mapped.contains(host) || !(access.skip_unmapped || access.skipped.contains(host));
        wanted.then(|| Self {
            served: served.clone(),
            listeners: Listeners::Host(access.loggers.of_host(host)),
            record: Record::of(x),
            connection: x.connection.clone(),
            client_ip: x.client_ip,
            version: x.request.version,
            outcome: Outcome::None,
            untyped: false,
            extra: vec![],
        })
    }
    /// The answer is known; its body is yet to be sent.
    pub(super) fn answered(&mut self, x: &Exchange, answer: &Answer) {
        let log = &self.served.site.log;
        let Some(access) = &log.access else { return };
        self.client_ip = x.client_ip;
        if matches!(x.vars.get(LOG_SKIP), Some(placeholder::Value::Bool(true))) {
            self.listeners = Listeners::Nobody;
            return;
        }
        if let Some(names) = x.vars.get(LOG_NAMES).and_then(names) {
            self.listeners = Listeners::Named(access.loggers.named(names, &log.logs));
        }
        self.outcome = match &answer.response.body {
            Body::Abort => Outcome::Aborted,
            _ if answer.handled => Outcome::Status(answer.response.status.as_u16()),
            _ => Outcome::Unhandled,
        };
        self.record.add_fields(&x.headers, |_| true);
        self.record.add(log.user.value(x).unwrap_or_default().into_text().as_bytes());
        self.record.add(x.used_request_id().unwrap_or_default().as_bytes());
        self.untyped = x.untyped && !x.headers.contains_key(http::header::CONTENT_TYPE);
        self.extra = x.log_fields.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    }
    /// It has ended: with how many bytes of the bodies, after what time.
    pub(super) fn write(&self, read: u64, sent: u64, duration: Duration) {
        let log = &self.served.site.log;
        let loggers = match &self.listeners {
            Listeners::Nobody => return,
            Listeners::Host(place) => log.access.as_ref().map(|access| access.loggers.at(*place)),
            Listeners::Named(loggers) => Some(loggers.as_slice()),
        };
        let (status, message) = match self.outcome {
            Outcome::None => (CLIENT_CLOSED_REQUEST, "handled request"),
            Outcome::Status(status) => (status, "handled request"),
            Outcome::Aborted => (0, "handled request"),
            Outcome::Unhandled => (0, "NOP"),
        };
        let level = if status >= 500 { Level::Error } else { Level::Info };
        let request = Request {
            record: &self.record,
            connection: &self.connection,
            client_ip: self.client_ip,
            version: self.version,
            credentials: log.credentials,
        };
        let (untyped, extra) = (self.untyped, &*self.extra);
        let fields = AccessFields { request, read, sent, duration, status, untyped, extra };
        loggers.unwrap_or_default().iter().for_each(|logger| logger.write(level, message, &fields));
    }
}
