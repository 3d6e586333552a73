//! Which loggers hear of a request: by its host, as `logs` of the server says.
use crate::{
    config::ServerLogs,
    logging::{Logger, Logs},
};
use std::{borrow::Cow, collections::HashMap};

/// Under one of the two names, `http.log.access` or `http.log.error`.
pub(super) struct Loggers {
    base: &'static str,
    /// Each entry of `logger_names`; the last one is for hosts that it does not name.
    lists: Vec<Vec<Logger>>,
    by_host: HashMap<Box<str>, usize, foldhash::fast::RandomState>,
    wildcards: bool,
}
impl Loggers {
    pub(super) fn new(base: &'static str, config: &ServerLogs, logs: &Logs) -> Self {
        let list = |names: &[String]| names.iter().map(|name| named(base, name, logs)).collect();
        let hosts = config.logger_names.keys().enumerate();
        let otherwise = list(std::slice::from_ref(&config.default_logger_name));
        Self {
            base,
            lists: config.logger_names.values().map(|names| list(&names.0)).chain([otherwise]).collect(),
            by_host: hosts.map(|(at, host)| (host.as_str().into(), at)).collect(),
            wildcards: config.logger_names.keys().any(|host| host.contains('*')),
        }
    }
    /// The place of a host's loggers. As in Caddy a host has to be spelt as it is in the configuration.
    pub(super) fn of_host(&self, host: &str) -> usize {
        let otherwise = self.lists.len() - 1;
        if self.by_host.is_empty() {
            return otherwise;
        }
        let exact = self.by_host.get(host);
        let wildcard = || patterns(host).find_map(|pattern| self.by_host.get(&*pattern));
        let found = exact.or_else(|| if self.wildcards { wildcard() } else { None });
        found.copied().unwrap_or(otherwise)
    }
    pub(super) fn at(&self, place: usize) -> &[Logger] {
        self.lists.get(place).map(Vec::as_slice).unwrap_or_default()
    }
    /// Loggers that a handler has asked for.
    pub(super) fn named(&self, names: &[String], logs: &Logs) -> Vec<Logger> {
        names.iter().map(|name| named(self.base, name, logs)).collect()
    }
}
fn named(base: &'static str, name: &str, logs: &Logs) -> Logger {
    if name.is_empty() { logs.logger(base) } else { logs.logger(format!("{base}.{name}")) }
}

/// Hosts, some of them with `*` for labels, in whatever case.
pub(super) struct HostSet {
    names: HashMap<Box<str>, (), foldhash::fast::RandomState>,
    wildcards: bool,
}
impl HostSet {
    pub(super) fn new<'h>(hosts: impl Iterator<Item = &'h String>) -> Self {
        let names: HashMap<Box<str>, (), _> =
            hosts.map(|host| (host.to_ascii_lowercase().into(), ())).collect();
        Self { wildcards: names.keys().any(|host| host.contains('*')), names }
    }
    pub(super) fn contains(&self, host: &str) -> bool {
        if self.names.is_empty() {
            return false;
        }
        let host: Cow<'_, str> = match host.bytes().any(|b| b.is_ascii_uppercase()) {
            true => host.to_ascii_lowercase().into(),
            false => host.into(),
        };
        self.names.contains_key(&*host)
            || (self.wildcards && patterns(&host).any(|pattern| self.names.contains_key(&*pattern)))
    }
}
/// A host with one label after another, from the left on, replaced by `*`: `*.b.c`, `*.*.c`, `*.*.*`.
fn patterns(host: &str) -> impl Iterator<Item = String> {
    let labels = host.split('.').count();
    (1..=labels).map(move |stars| {
        let labels = host.split('.').enumerate();
        let labels = labels.map(|(i, label)| if i < stars && !label.is_empty() { "*" } else { label });
        labels.collect::<Vec<_>>().join(".")
    })
}
