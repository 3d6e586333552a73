//! What a request's host says.
use std::{borrow::Cow, collections::HashMap};

/// By host, in lower case; some may have `*` for labels from the left on.
#[derive(Debug)]
pub(super) struct Hosts<T> {
    pub(super) exact: HashMap<Box<str>, T, foldhash::fast::RandomState>,
    wildcards: bool,
}
impl<T> Hosts<T> {
    pub(super) fn new<'h>(hosts: impl Iterator<Item = (&'h String, T)>) -> Self {
        let exact: HashMap<Box<str>, T, _> =
            hosts.map(|(host, of)| (host.to_ascii_lowercase().into(), of)).collect();
        Self { wildcards: exact.keys().any(|host| host.contains('*')), exact }
    }
    pub(super) fn find(&self, host: &str) -> Option<&T> {
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
pub(super) fn lower(host: &str) -> Cow<'_, str> {
    if host.bytes().any(|b| b.is_ascii_uppercase()) { host.to_ascii_lowercase().into() } else { host.into() }
}
pub(super) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, _)) if name.starts_with('[') => name.trim_start_matches('[').trim_end_matches(']'),
        Some((name, _)) if !name.contains(':') => name,
        _ => host,
    }
}
