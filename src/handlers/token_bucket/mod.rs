//! `token_bucket`: refuses what comes faster than tokens do. Not in Caddy.
//!
//! ```caddyfile
//! token_bucket [<matcher>] {
//!     zone <name> {
//!         key   <text>                  # placeholders; one bucket for each value; one for all without
//!         rate  <tokens> [<duration>]   # how many come in that time; a second
//!         burst <tokens>                # how many a bucket holds; as many as come in that time
//!         max_keys   <count>            # 1,000,000
//!         max_memory <size>             # 256 MiB
//!     }
//! }
//! ```
//!
//! ```caddyfile
//! token_bucket {
//!     zone per_ip {
//!         key   {client_ip}
//!         rate  60 1m
//!         burst 10
//!     }
//! }
//! ```
//! A request takes a token of each zone, in their order. Where one has none it fails with 429, and with the fields
//! `Retry-After`, `X-RateLimit-Limit`, `X-RateLimit-Remaining` and `X-RateLimit-Reset`; its text comes from the error
//! routes, which see the zone as `{http.rate_limit.exceeded.name}`.
mod bucket;
mod report;
mod syntax;
#[cfg(test)]
mod tests;
use super::rate_limit::store::Bounds;
use crate::{
    config::{Duration as JsonDuration, is_default},
    http::{Build, BuildError, Exchange, Flow, Handler, HandlerConfig, HandlerModule, HttpError, Step, Text},
};
use bucket::{Rate, Zone};
use http::{HeaderName, HeaderValue, StatusCode, header::RETRY_AFTER};
pub use report::families;
use serde::{Deserialize, Serialize};
use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
pub use syntax::TOKEN_BUCKET;

pub const MODULE: HandlerModule = HandlerModule::of::<TokenBucket>();

const LOGGER: &str = "http.handlers.token_bucket";
const SECOND: Duration = Duration::from_secs(1);
/// Between two looks for buckets that are full, and of no more interest.
const SWEEP: Duration = Duration::from_secs(60);
/// What a zone remembers at most unless it says otherwise.
const MAX_KEYS: usize = 1_000_000;
const MAX_BYTES: usize = 256 << 20;
const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// JSON: `http.handlers.token_bucket`.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct TokenBucket {
    /// Asked in this order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    zones: Vec<ZoneConfig>,
}
/// One of `zones`.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct ZoneConfig {
    /// Those of one name share their buckets, over reloads too.
    name: String,
    /// One bucket for each value; one for all if it is empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    key: String,
    /// Tokens that come `per` time.
    rate: u32,
    /// A second if zero.
    #[serde(skip_serializing_if = "JsonDuration::is_zero")]
    per: JsonDuration,
    /// What a bucket holds; `rate` if zero.
    #[serde(skip_serializing_if = "is_default")]
    burst: u32,
    /// Keys that are remembered at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_keys: Option<usize>,
    /// Memory of all keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_bytes: Option<usize>,
}
impl HandlerConfig for TokenBucket {
    const NAME: &'static str = "token_bucket";
    fn build(self, cx: &mut Build) -> Result<Box<dyn Handler>, BuildError> {
        let zones = self.zones.into_iter().map(|zone| {
            let name = zone.name.clone();
            Limited::build(zone, cx).map_err(|why| format!("token_bucket: zone {name:?}: {why}"))
        });
        let zones: Box<[Limited]> = zones.collect::<Result<_, _>>()?;
        let swept = zones.iter().map(|limited| (limited.zone.clone(), limited.rate)).collect();
        cx.background(keep_small(swept));
        Ok(Box::new(Limiter { zones }))
    }
}
impl Limited {
    fn build(config: ZoneConfig, cx: &Build) -> Result<Self, &'static str> {
        if config.name.is_empty() {
            return Err("it has no name");
        }
        if config.rate == 0 {
            return Err("rate must be at least one");
        }
        if config.per < JsonDuration::ZERO {
            return Err("the time of the rate must be more than zero");
        }
        let burst = if config.burst == 0 { config.rate } else { config.burst };
        Ok(Self {
            zone: cx.state().get_or(&config.name, || Zone::new(&config.name)),
            key: Text::new(&config.key),
            rate: Rate { tokens: config.rate, per: config.per.some().unwrap_or(SECOND), burst },
            bounds: Bounds {
                keys: config.max_keys.unwrap_or(MAX_KEYS),
                bytes: config.max_bytes.unwrap_or(MAX_BYTES),
            },
        })
    }
}
/// Forgets full buckets, and says so when a zone had to forget others.
async fn keep_small(zones: Vec<(Arc<Zone>, Rate)>) {
    let mut told: Vec<u64> = zones.iter().map(|(zone, _)| zone.evicted()).collect();
    let mut every = tokio::time::interval(SWEEP);
    loop {
        every.tick().await;
        for ((zone, rate), told) in zones.iter().zip(&mut told) {
            zone.sweep(rate, Instant::now());
            let evicted = zone.evicted();
            if evicted > *told {
                tracing::warn!(
                    target: LOGGER,
                    zone = zone.name, evicted = evicted - *told, keys = zone.keys(),
                    "zone is full; forgetting keys before their time"
                );
                *told = evicted;
            }
        }
    }
}

#[derive(Debug)]
struct Limiter {
    zones: Box<[Limited]>,
}
#[derive(Debug)]
struct Limited {
    zone: Arc<Zone>,
    key: Text,
    rate: Rate,
    bounds: Bounds,
}
impl Handler for Limiter {
    fn handle<'t: 'x, 'x>(&'t self, x: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        for limited in &self.zones {
            let taken =
                limited.zone.take(&limited.key.expand(x), Instant::now(), &limited.rate, limited.bounds);
            if let Err(wait) = taken {
                limited.zone.refused.fetch_add(1, Relaxed);
                return limited.refuse(x, wait).into();
            }
        }
        Step::Next.into()
    }
}
impl Limited {
    /// `wait`: until there is a token.
    fn refuse(&self, x: &mut Exchange, wait: Duration) -> Box<HttpError> {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let reset = (now + Duration::from_secs(seconds)).as_secs();
        for (name, value) in
            [(RETRY_AFTER, seconds), (LIMIT, self.rate.tokens.into()), (REMAINING, 0), (RESET, reset)]
        {
            x.headers.insert(name, HeaderValue::from(value));
        }
        let remote_ip = x.text("http.request.remote.host").into_owned();
        tracing::info!(
            target: LOGGER,
            zone = self.zone.name, wait = wait.as_secs_f64(), remote_ip, "rate limit exceeded"
        );
        x.set("http.rate_limit.exceeded.name", self.zone.name.as_str());
        HttpError::new(StatusCode::TOO_MANY_REQUESTS, "")
    }
}
