//! `remote_ip`, `client_ip`: the address of the peer, or of the client as far as the trusted proxies tell.
//!
//! ```caddyfile
//! remote_ip <ranges...>
//! client_ip <ranges...>
//! @lan client_ip private_ranges 2001:db8::/32
//! ```
use crate::{
    caddyfile::{MatcherSyntax, Parsed, Support, Words},
    config::placeholder::{Unknown, expand_global},
    http::{Build, BuildError, Exchange, Flow, HttpError, Matcher, MatcherConfig, MatcherModule},
};
use grammar::Line;
use http::StatusCode;
use ipnet::IpNet;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    fs,
    net::{IpAddr, SocketAddr},
};

pub const REMOTE_IP_SYNTAX: MatcherSyntax = MatcherSyntax {
    name: "remote_ip",
    docs: "remote_ip <ranges...>\nThe peer's address is in one of these ranges; `private_ranges` stands for the private ones.",
    parse: |lines, _| ranges("remote_ip", lines),
    support: Support::Full,
};
pub const CLIENT_IP_SYNTAX: MatcherSyntax = MatcherSyntax {
    name: "client_ip",
    docs: "client_ip <ranges...>\nThe client's address (see `trusted_proxies`) is in one of these ranges.",
    parse: |lines, _| ranges("client_ip", lines),
    support: Support::Full,
};
pub const REMOTE_IP: MatcherModule = MatcherModule::of::<RemoteIp>();
pub const CLIENT_IP: MatcherModule = MatcherModule::of::<ClientIp>();

/// What `private_ranges` stands for.
const PRIVATE: [&str; 6] =
    ["192.168.0.0/16", "172.16.0.0/12", "10.0.0.0/8", "127.0.0.1/8", "fd00::/8", "::1"];

fn ranges(name: &str, lines: &[&Line]) -> Parsed<Value> {
    let mut ranges = vec![];
    for line in lines {
        let mut words = Words::new(line);
        while let Some(word) = words.arg() {
            match word.text.as_str() {
                "forwarded" if name == "remote_ip" => return Err(word.error(FORWARDED)),
                "private_ranges" => ranges.extend(PRIVATE.map(str::to_owned)),
                other => ranges.push(other.to_owned()),
            }
        }
        super::lines::no_block(name, &mut words)?;
    }
    Ok(if ranges.is_empty() { json!({}) } else { json!({ "ranges": ranges }) })
}
pub(super) const FORWARDED: &str =
    "the 'forwarded' option is no longer supported; use the 'client_ip' matcher instead";

/// JSON: `http.matchers.remote_ip`.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
struct RemoteIp {
    /// CIDR ranges or addresses, an IPv6 one with a `%zone` if it is to be of that zone.
    ranges: Vec<String>,
}
/// JSON: `http.matchers.client_ip`.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
struct ClientIp {
    /// As of `remote_ip`.
    ranges: Vec<String>,
}
impl MatcherConfig for RemoteIp {
    const NAME: &'static str = "remote_ip";
    fn build(self, _: &mut Build) -> Result<Box<dyn Matcher>, BuildError> {
        Ok(Box::new(Within { of: Who::Peer, ranges: compile(&self.ranges)? }))
    }
}
impl MatcherConfig for ClientIp {
    const NAME: &'static str = "client_ip";
    fn build(self, _: &mut Build) -> Result<Box<dyn Matcher>, BuildError> {
        Ok(Box::new(Within { of: Who::Client, ranges: compile(&self.ranges)? }))
    }
}
fn compile(ranges: &[String]) -> Result<Box<[Range]>, BuildError> {
    ranges.iter().map(|text| Range::new(&expand_global(text, Unknown::Empty)?)).collect()
}
/// The number by which the kernel knows a zone.
fn interface(zone: &str) -> Option<u32> {
    let number = || fs::read_to_string(format!("/sys/class/net/{zone}/ifindex")).ok()?.trim().parse().ok();
    zone.parse().ok().or_else(number)
}
#[derive(Debug)]
struct Within {
    of: Who,
    ranges: Box<[Range]>,
}
#[derive(Debug)]
enum Who {
    Peer,
    Client,
}
#[derive(Debug)]
struct Range {
    network: IpNet,
    /// Empty: any.
    zone: Box<str>,
}
impl Range {
    fn new(text: &str) -> Result<Self, BuildError> {
        let (address, zone) = text.split_once('%').unwrap_or((text, ""));
        let network = if address.contains('/') {
            address.parse().map_err(|error| format!("parsing CIDR expression '{address}': {error}"))?
        } else {
            let ip = address.parse::<IpAddr>();
            IpNet::from(ip.map_err(|error| format!("invalid IP address: '{address}': {error}"))?)
        };
        Ok(Self { network, zone: zone.into() })
    }
    fn contains(&self, address: IpAddr, zone: u32) -> bool {
        self.network.contains(&address) && (self.zone.is_empty() || interface(&self.zone) == Some(zone))
    }
}
impl Matcher for Within {
    /// In early data the peer's address is not proven: the client is told to come again.
    fn matches<'x>(&'x self, x: &'x mut Exchange) -> Flow<'x, bool> {
        if x.connection.tls.as_ref().is_some_and(|tls| tls.early) {
            let message = "TLS handshake not complete, remote IP cannot be verified";
            return HttpError::new(StatusCode::TOO_EARLY, message).into();
        }
        // As in Caddy, a client's address never has a zone.
        let (address, zone) = match (&self.of, x.connection.remote) {
            (Who::Client, _) => (x.client_ip, 0),
            (Who::Peer, Some(SocketAddr::V6(peer))) => (Some((*peer.ip()).into()), peer.scope_id()),
            (Who::Peer, peer) => (peer.map(|peer| peer.ip()), 0),
        };
        let Some(address) = address else { return false.into() };
        self.ranges.iter().any(|range| range.contains(address, zone)).into()
    }
}
