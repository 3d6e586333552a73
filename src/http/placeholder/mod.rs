//! `{http.*}`: what a request knows. A key is resolved when a text is compiled, its value is had when it is expanded.
mod request;
mod tls;
use super::{Exchange, connection::Connection};
use crate::config::placeholder::{Global, Value};
use http::{HeaderMap, HeaderName};
use request::Request;
use std::{borrow::Cow, net::IpAddr, time::Instant};
use tls::Tls;

/// A key, resolved: one variant a family (`caddy-surface.md`, section 6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placeholder {
    /// `{env.*}`, `{file.*}`, `{system.*}`, `{time.*}`.
    Global(Global),
    /// `{http.request.*}`.
    Request(Request),
    /// `{http.request.tls.*}`: known on connections in the clear too, but empty.
    Tls(Tls),
    /// `{http.vars.*}`.
    Var(Box<str>),
    /// `{http.response.header.*}`.
    ResponseHeader(HeaderName),
    /// `{http.error}` and its fields.
    Error(ErrorField),
    /// `{http.intercept.*}`, `{http.reverse_proxy.*}`: of a response that routes are looking at.
    Shown(Box<str>, &'static str, ShownField),
    /// `{http.shutting_down}`, `{http.time_until_shutdown}`.
    ShuttingDown,
    TimeUntilShutdown,
    /// A header field that cannot exist.
    Nothing,
    /// Whatever matchers and handlers have set.
    Other(Box<str>),
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorField {
    Whole,
    StatusCode,
    StatusText,
    Message,
    Trace,
    Id,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShownField {
    StatusCode,
    StatusText,
    Header(HeaderName),
}
impl Placeholder {
    pub fn new(key: &str) -> Self {
        if let Some(global) = Global::of(key) {
            return Self::Global(global);
        }
        let Some(rest) = key.strip_prefix("http.") else {
            return Self::Other(key.into());
        };
        Self::http(rest).unwrap_or_else(|| Self::Other(key.into()))
    }
    /// Of a key behind `http.`.
    fn http(key: &str) -> Option<Self> {
        if let Some(field) = key.strip_prefix("request.tls.") {
            return Tls::new(&field.to_ascii_lowercase()).map(Self::Tls);
        }
        if let Some(field) = key.strip_prefix("request.header.") {
            let named = |name| Self::Request(Request::Header(name));
            return Some(field.parse().map_or(Self::Nothing, named));
        }
        if let Some(field) = key.strip_prefix("response.header.") {
            return Some(field.parse().map_or(Self::Nothing, Self::ResponseHeader));
        }
        if let Some(field) = key.strip_prefix("request.") {
            return Request::new(field).map(Self::Request);
        }
        if let Some(name) = key.strip_prefix("vars.") {
            return Some(Self::Var(name.into()));
        }
        for (prefix, shown) in [("intercept.", "http.intercept"), ("reverse_proxy.", "http.reverse_proxy")] {
            if let Some(field) = key.strip_prefix(prefix).and_then(ShownField::new) {
                return Some(Self::Shown(format!("http.{key}").into(), shown, field));
            }
        }
        Some(match key {
            "error" => Self::Error(ErrorField::Whole),
            "error.status_code" => Self::Error(ErrorField::StatusCode),
            "error.status_text" => Self::Error(ErrorField::StatusText),
            "error.message" => Self::Error(ErrorField::Message),
            "error.trace" => Self::Error(ErrorField::Trace),
            "error.id" => Self::Error(ErrorField::Id),
            "shutting_down" => Self::ShuttingDown,
            "time_until_shutdown" => Self::TimeUntilShutdown,
            _ => return None,
        })
    }
    /// `None` if nobody knows it.
    pub fn value<'a>(&self, x: &'a Exchange) -> Option<Value<'a>> {
        match self {
            Self::Global(global) => Some(global.value()),
            Self::Request(field) => field.value(x),
            Self::Tls(field) => Some(x.connection.tls.as_ref().map_or(Value::Null, |tls| field.value(tls))),
            Self::Var(name) => Some(x.var(name).unwrap_or_default()),
            Self::ResponseHeader(name) => Some(joined(&x.headers, name)),
            Self::Error(field) => x.shown_error(*field),
            Self::Shown(key, prefix, field) => x.shown_response(prefix, field).or_else(|| x.set_value(key)),
            Self::ShuttingDown => Some(x.connection.shutdown.get().is_some().into()),
            Self::TimeUntilShutdown => Some(until_shutdown(&x.connection)),
            Self::Nothing => Some(Value::Null),
            Self::Other(key) => x.set_value(key),
        }
    }
}
impl ShownField {
    fn new(field: &str) -> Option<Self> {
        match field {
            "status_code" => Some(Self::StatusCode),
            "status_text" => Some(Self::StatusText),
            _ => field.strip_prefix("header.")?.parse().ok().map(Self::Header),
        }
    }
}
fn until_shutdown(connection: &Connection) -> Value<'static> {
    let left = connection.shutdown.get().map(|at| at.saturating_duration_since(Instant::now()));
    left.map_or(Value::Null, Value::Duration)
}
/// All values of a field, with commas between.
pub(super) fn joined<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Value<'a> {
    let mut values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let Some(first) = values.next() else { return "".into() };
    match values.next() {
        None => first.into(),
        Some(second) => {
            let mut all = vec![first, second];
            all.extend(values);
            all.join(",").into()
        }
    }
}
/// The prefix of an address that `/24` or `/24,64` asks for; empty if it cannot be.
fn masked(address: IpAddr, v4: Option<u8>, v6: Option<u8>) -> Value<'static> {
    let bits = if address.is_ipv4() { v4 } else { v6 };
    let network = bits.and_then(|bits| ipnet::IpNet::new(address, bits).ok());
    network.map_or(Value::Null, |network| network.trunc().to_string().into())
}
fn text(text: Cow<'_, str>) -> Value<'_> {
    Value::Text(text)
}
