//! `{http.reverse_proxy.*}`: what is known of the upstream that a request went to, beside its response's fields.
use crate::config::placeholder::Value;
use http::StatusCode;
use std::{fmt, sync::Arc, time::Duration};

/// Set by `reverse_proxy`; stays for those behind it and for the log.
#[derive(Debug, Default)]
pub struct Proxied {
    /// The one that was asked last.
    pub upstream: Option<Arc<dyn Facts>>,
    /// Its requests in flight before this one was.
    pub in_flight: usize,
    pub status: Option<StatusCode>,
    /// How often a request had to be sent again.
    pub retries: Option<u32>,
    /// Until the response's head was there.
    pub latency: Option<Duration>,
    /// Until some upstream had answered, with all attempts.
    pub duration: Option<Duration>,
    /// While it is decided whether to try again: there was no response.
    pub transport_error: bool,
}
/// What an upstream says of itself.
pub trait Facts: fmt::Debug + Send + Sync {
    /// Of `{http.reverse_proxy.upstream.<field>}`.
    fn fact(&self, field: &str) -> Option<Value<'_>>;
}
impl Proxied {
    pub(super) fn value(&self, key: &str) -> Option<Value<'_>> {
        let key = key.strip_prefix("http.reverse_proxy.")?;
        let milliseconds = |duration: Duration| Value::Float(duration.as_secs_f64() * 1e3);
        match key {
            "status_code" => self.status.map(|status| status.as_u16().into()),
            "retries" => self.retries.map(Value::from),
            "upstream.latency" => self.latency.map(Value::from),
            "upstream.latency_ms" => self.latency.map(milliseconds),
            "duration" | "upstream.duration" => self.duration.map(Value::from),
            "duration_ms" | "upstream.duration_ms" => self.duration.map(milliseconds),
            "is_transport_error" => self.transport_error.then(|| true.into()),
            "upstream.requests" => self.upstream.as_ref().map(|_| Value::Int(self.in_flight as i64)),
            _ => self.upstream.as_ref()?.fact(key.strip_prefix("upstream.")?),
        }
    }
}
