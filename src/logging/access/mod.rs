//! What is said of each request: the access log (`http.log.access`), and the log of those that fail (`http.log.error`).
//! Which loggers hear of it is compiled from `logs` of the server.
mod hosts;
mod request;
use super::{Fields, Level, Logger, Logs, Object};
use crate::config::{ServerLogs, placeholder::Value};
use hosts::{Hosts, lower, without_port};
use http::{HeaderMap, StatusCode};
pub use request::headers;
pub use request::{Request, Seen, Tls};
use std::{net::IpAddr, sync::Arc, time::Duration};

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

struct AccessFields<'a> {
    about: &'a About<'a>,
    done: &'a Done<'a>,
    credentials: bool,
}
impl Fields for AccessFields<'_> {
    fn write(&self, into: &mut Object<'_>) {
        let Self { about, done, credentials } = *self;
        into.object("request", |into| {
            about.request.write(about.client_ip, about.tls.as_ref(), credentials, into)
        });
        into.integer("bytes_read", done.read.into());
        into.text("user_id", done.user);
        into.duration("duration", about.duration);
        into.integer("size", done.size.into());
        into.integer("status", done.status.map_or(0, |status| status.as_u16()).into());
        into.object("resp_headers", |into| {
            let fields = done.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
            headers(fields, credentials, into);
        });
        if let Some(uuid) = done.uuid {
            into.text("uuid", uuid);
        }
        for (name, value) in done.extra {
            match value {
                Value::Text(text) => into.text(name, text),
                Value::Duration(duration) => into.duration(name, *duration),
                other => into.value(name, &(*other).clone().into()),
            }
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
        into.object("request", |into| {
            about.request.write(about.client_ip, about.tls.as_ref(), credentials, into)
        });
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
mod tests;
