//! `reverse_proxy`, and what stands for it: `php_fastcgi`, `forward_auth`.
mod address;
pub mod dynamic;
pub mod fastcgi;
pub mod forward_auth;
pub mod http_transport;
mod options;
pub mod php_fastcgi;
pub mod policies;

use super::config::{ReverseProxy, UpstreamConfig};
use crate::{
    caddyfile::{Cx, Parsed, ResponseMatchers, Words},
    config::{Duration, Module, parse_duration, parse_int, parse_size},
    http::HandlerConfig,
};
use address::UpstreamAddress;
use grammar::{Error, Line};
use serde_json::{Value, json};

const TRANSPORTS: &str = "http.reverse_proxy.transport";

pub(super) fn reverse_proxy(line: &Line, cx: &mut Cx<'_>) -> Parsed<Module> {
    read(line, ReverseProxy::default(), cx)
}
/// Reads upstreams and sub-directives into `proxy`, which may say something already.
fn read(line: &Line, proxy: ReverseProxy, cx: &mut Cx<'_>) -> Parsed<Module> {
    let mut reading = Reading { proxy, scheme: String::new(), transport: None };
    let mut words = Words::new(line);
    for upstream in words.rest() {
        reading.upstream(&upstream, &words)?;
    }
    let mut responses = ResponseMatchers::default();
    let mut block = words.block();
    while let Some(words) = block.next() {
        if !responses.read(words)? {
            options::read(&mut reading, words, cx)?;
        }
    }
    reading.settle_transport(&words)?;
    let mut proxy = reading.proxy;
    if names_upstream_needlessly(&proxy) {
        let message = "Unnecessary header_up Host: the reverse proxy's default behavior is to pass the configured upstream \
                       address to the upstream when proxying to HTTPS";
        cx.warn(line.name(), message);
    }
    proxy.handle_response.extend(responses.handlers(cx)?);
    let (with, without): (Vec<_>, Vec<_>) =
        proxy.handle_response.into_iter().partition(|handler| handler.matcher.is_some());
    proxy.handle_response = with.into_iter().chain(without).collect();
    Ok(Module::of(ReverseProxy::NAME, &proxy))
}
/// An upstream over TLS is told its own name as host anyway.
fn names_upstream_needlessly(proxy: &ReverseProxy) -> bool {
    let tls = proxy.transport.as_ref().is_some_and(|transport| transport.get("tls").is_some());
    let request = proxy.headers.as_ref().and_then(|headers| headers.request.as_ref());
    let host = request.and_then(|ops| ops.set.get("Host"));
    tls && host.is_some_and(|host| host == &["{http.reverse_proxy.upstream.hostport}"])
}
/// A directive that is being read.
struct Reading {
    proxy: ReverseProxy,
    /// What all upstreams have to share; empty: none.
    scheme: String,
    /// Of the sub-directive `transport`.
    transport: Option<Value>,
}
/// Scheme (empty for none) and dial addresses of an upstream as it is written.
///
/// # Errors
/// In Caddy's words.
pub fn dials(text: &str) -> Result<(String, Vec<String>), String> {
    let address = UpstreamAddress::parse(text)?;
    Ok((address.scheme.clone(), address.dials()?))
}
impl Reading {
    /// Adds the upstreams that one word stands for.
    fn upstream(&mut self, text: &str, at: &Words<'_>) -> Parsed<()> {
        let dials = self.dials(text);
        let dials = dials.map_err(|why| at.error(format!("parsing upstream '{text}': {why}")))?;
        let upstreams = dials.into_iter().map(|dial| UpstreamConfig { dial, max_requests: 0 });
        self.proxy.upstreams.extend(upstreams);
        Ok(())
    }
    fn dials(&mut self, text: &str) -> Result<Vec<String>, String> {
        let address = UpstreamAddress::parse(text)?;
        match address.scheme.as_str() {
            "wss" => {
                return Err("the scheme wss:// is only supported in browsers; use https:// instead".into());
            }
            "ws" => return Err("the scheme ws:// is only supported in browsers; use http:// instead".into()),
            "" | "http" | "https" | "h2c" => {}
            other => return Err(format!("unsupported URL scheme {other}://")),
        }
        if !self.scheme.is_empty() && self.scheme != address.scheme {
            return Err(format!(
                "for now, all proxy upstreams must use the same scheme (transport protocol); expecting '{}://' but got '{}://'",
                self.scheme, address.scheme
            ));
        }
        self.scheme.clone_from(&address.scheme);
        address.dials()
    }
    /// Fits the transport to the scheme of the upstreams; one that says nothing is left out.
    fn settle_transport(&mut self, at: &Words<'_>) -> Parsed<()> {
        let secure = self.scheme == "https";
        let mut transport = match self.transport.take() {
            Some(transport) => transport,
            None if secure || self.scheme == "h2c" => json!({ "protocol": "http" }),
            None => return Ok(()),
        };
        if transport["protocol"] != "http" {
            if secure {
                let message = "upstreams are configured for HTTPS but transport module does not support TLS: *fastcgi.Transport";
                return Err(at.error(message));
            }
            self.proxy.transport = Some(transport);
            return Ok(());
        }
        let has_tls = transport.get("tls").is_some();
        match self.scheme.as_str() {
            "https" if !has_tls => transport["tls"] = json!({}),
            "http" if has_tls => {
                let message =
                    "upstream address scheme is HTTP but transport is configured for HTTP+TLS (HTTPS)";
                return Err(at.error(message));
            }
            "h2c" => transport["versions"] = json!(["h2c", "2"]),
            _ => {}
        }
        let says_something = transport.as_object().is_some_and(|fields| fields.len() > 1);
        self.proxy.transport = says_something.then_some(transport).or(self.proxy.transport.take());
        Ok(())
    }
}

/// The next word as a duration. In `complaint`, `{}` stands for the word.
fn duration(words: &mut Words<'_>, complaint: &str) -> Parsed<Duration> {
    parsed(words, complaint, parse_duration)
}
/// The next word as a whole number.
fn number(words: &mut Words<'_>, complaint: &str) -> Parsed<i64> {
    parsed(words, complaint, parse_int)
}
/// The next word as a number of bytes.
fn size(words: &mut Words<'_>, complaint: &str) -> Parsed<i64> {
    let bytes = parsed(words, complaint, parse_size)?;
    Ok(i64::try_from(bytes).unwrap_or(i64::MAX))
}
fn parsed<T>(words: &mut Words<'_>, complaint: &str, parse: impl Fn(&str) -> Result<T, String>) -> Parsed<T> {
    let text = words.need()?;
    parse(text).map_err(|why| misread(words, complaint, text, &why))
}
fn misread(words: &Words<'_>, complaint: &str, text: &str, why: &str) -> Error {
    words.error(format!("{}: {why}", complaint.replace("{}", text)))
}
/// The line without those sub-directives that `option` reads, and says so: `reverse_proxy` reads the rest.
fn without(line: &Line, mut option: impl FnMut(&mut Words<'_>) -> Parsed<bool>) -> Parsed<Line> {
    let mut rest = line.clone();
    let Some(lines) = &line.block else { return Ok(rest) };
    let mut kept = vec![];
    for line in lines {
        let (mut words, mut unread) = (Words::new(line), vec![]);
        loop {
            if !option(&mut words)? {
                unread.push(words.token().clone());
            }
            if words.arg().is_none() {
                break;
            }
        }
        if unread.is_empty() {
            words.no_block()?;
        } else {
            kept.push(Line { words: unread, ..line.clone() });
        }
    }
    rest.block = Some(kept);
    Ok(rest)
}
