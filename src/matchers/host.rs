//! `host`: the host that the client asked for.
//!
//! ```caddyfile
//! host <hosts...>
//! @api host api.example.com *.api.example.com
//! ```
use crate::{
    caddyfile::{MatcherSyntax, Support},
    http::{
        Build, BuildError, Exchange, Flow, Matcher, MatcherConfig, MatcherModule, Text, uri::lower_ascii,
    },
};
use foldhash::{HashMap, HashSet};
use serde::Deserialize;

pub const SYNTAX: MatcherSyntax = MatcherSyntax {
    name: "host",
    docs: "host <hosts...>\nThe host is one of these, in any case and without its port. `*` stands for one label.",
    parse: |lines, _| super::lines::words("host", lines),
    support: Support::Full,
};
pub const MODULE: MatcherModule = MatcherModule::of::<Host>();

/// JSON: `http.matchers.host`: names, with `*` for a label, or with placeholders.
#[derive(Deserialize)]
#[serde(transparent)]
struct Host(Option<Vec<String>>);
impl MatcherConfig for Host {
    const NAME: &'static str = "host";
    fn build(self, _: &mut Build) -> Result<Box<dyn Matcher>, BuildError> {
        let mut seen = HashMap::default();
        let mut hosts = Hosts::default();
        for (i, host) in self.0.iter().flatten().enumerate() {
            let name = ascii(host)?.to_lowercase();
            if let Some(first) = seen.insert(name.clone(), i) {
                return Err(format!("host at index {first} is repeated at index {i}: {host}").into());
            }
            if host.contains('{') {
                hosts.dynamic.push(Text::new(host));
            } else if name.contains('*') {
                hosts.wildcards.push(name.as_str().into());
            } else {
                hosts.exact.insert(name.as_str().into());
            }
            hosts.names.push(name.into());
        }
        Ok(Box::new(hosts))
    }
}
/// Labels that are not ASCII in Punycode, as they come in requests.
fn ascii(host: &str) -> Result<String, String> {
    let label = |label: &str| match label.is_ascii() {
        true => Ok(label.to_owned()),
        false => idna::punycode::encode_str(label).map(|code| format!("xn--{code}")).ok_or(()),
    };
    let labels = host.split('.').map(label).collect::<Result<Vec<_>, ()>>();
    labels
        .map(|labels| labels.join("."))
        .map_err(|()| format!("converting hostname '{host}' to ASCII: idna: invalid label"))
}
/// All in lower case.
#[derive(Debug, Default)]
struct Hosts {
    exact: HashSet<Box<str>>,
    wildcards: Vec<Box<str>>,
    dynamic: Vec<Text>,
    /// All of them, as they were written.
    names: Vec<Box<str>>,
}
impl Matcher for Hosts {
    fn matches<'x>(&'x self, x: &'x mut Exchange) -> Flow<'x, bool> {
        let host = x.host();
        // Brackets are still there where there is no port.
        let host = host.strip_prefix('[').unwrap_or(host);
        let host = host.strip_suffix(']').unwrap_or(host);
        let host = &*lower_ascii(host);
        let found = self.exact.contains(host)
            || self.wildcards.iter().any(|pattern| fits(pattern, host))
            || self.dynamic.iter().any(|text| fits(&text.expand(x), host));
        found.into()
    }
    /// Wildcards other than one in front are beyond the index.
    fn hosts(&self) -> Option<&[Box<str>]> {
        let plain = |name: &str| !name.strip_prefix("*.").unwrap_or(name).contains('*');
        let indexed = self.dynamic.is_empty() && self.names.iter().all(|name| plain(name));
        indexed.then_some(&*self.names)
    }
}
/// Label by label.
fn fits(pattern: &str, host: &str) -> bool {
    if !pattern.contains('*') {
        return pattern.eq_ignore_ascii_case(host);
    }
    let (mut labels, mut wanted) = (host.split('.'), pattern.split('.'));
    loop {
        match (labels.next(), wanted.next()) {
            (None, None) => return true,
            (Some(label), Some(wanted)) if wanted == "*" || wanted.eq_ignore_ascii_case(label) => {}
            _ => return false,
        }
    }
}
