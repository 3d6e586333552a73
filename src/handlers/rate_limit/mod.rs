//! `rate_limit`: refuses what comes too often, as the plugin caddy-ratelimit does, but with bounded memory.
//!
//! ```caddyfile
//! rate_limit [<matcher>] {
//!     zone <name> {
//!         match { <matchers> }     # may be repeated: any of them
//!         key    <text>            # placeholders; one bucket for each value
//!         window <duration>
//!         events <count>
//!         ipv4_prefix <bits>       # one bucket for each network
//!         ipv6_prefix <bits>
//!         max_keys    <count>      # not in the plugin: 1,000,000
//!         max_memory  <size>       # not in the plugin: 256 MiB
//!     }
//!     log_key
//!     disable_metrics
//!     jitter <fraction>
//!     sweep_interval <duration>
//! }
//! ```
//!
//! ```caddyfile
//! rate_limit /auth/login {
//!     zone login {
//!         key    {remote_host}
//!         events 5
//!         window 1m
//!     }
//! }
//! ```
mod report;
mod ring;
pub mod store;
mod syntax;
mod table;
#[cfg(test)]
mod tests;
pub mod zone;
use crate::{
    config::{Duration as JsonDuration, MatcherSet, is_default},
    http::{
        Build, BuildError, Exchange, Flow, Handler, HandlerConfig, HandlerModule, HttpError, MatcherSets,
        Result, Step, Text,
    },
};
use http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use report::Kept;
pub use report::families;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    borrow::Cow,
    collections::BTreeMap,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};
pub use syntax::RATE_LIMIT;
use zone::{Limit, Zone};

pub const MODULE: HandlerModule = HandlerModule::of::<RateLimit>();

const MINUTE: Duration = Duration::from_secs(60);
/// What a zone remembers at most unless it says otherwise.
const MAX_KEYS: usize = 1_000_000;
const MAX_BYTES: u64 = 256 << 20;

/// JSON: `http.handlers.rate_limit`.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct RateLimit {
    /// Refused for now.
    #[serde(skip_serializing_if = "Option::is_none")]
    distributed: Option<Distributed>,
    /// Counts are not shown in the metrics.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    disable_metrics: bool,
    /// Lengthens `Retry-After` at random by up to this fraction.
    #[serde(skip_serializing_if = "is_default")]
    jitter: f64,
    /// Log the key of a refused request.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    log_key: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    rate_limits: BTreeMap<String, ZoneConfig>,
    /// Refused for now.
    #[serde(skip_serializing_if = "Option::is_none")]
    storage: Option<Value>,
    /// How often keys that are out of their window are forgotten, in nanoseconds; a minute if zero.
    #[serde(skip_serializing_if = "JsonDuration::is_zero")]
    sweep_interval: JsonDuration,
}
/// One zone of `rate_limits`.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct ZoneConfig {
    /// Which requests the zone is about; all, if there is no set.
    #[serde(rename = "match", skip_serializing_if = "Vec::is_empty")]
    matchers: Vec<MatcherSet>,
    #[serde(skip_serializing_if = "String::is_empty")]
    key: String,
    #[serde(skip_serializing_if = "is_default")]
    max_events: i64,
    /// In nanoseconds.
    #[serde(skip_serializing_if = "JsonDuration::is_zero")]
    window: JsonDuration,
    #[serde(skip_serializing_if = "is_default")]
    ipv4_prefix: i64,
    #[serde(skip_serializing_if = "is_default")]
    ipv6_prefix: i64,
    /// Keys that are remembered at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_keys: Option<usize>,
    /// Memory of all keys, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_bytes: Option<u64>,
}
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Distributed {
    #[serde(skip_serializing_if = "JsonDuration::is_zero")]
    write_interval: JsonDuration,
    #[serde(skip_serializing_if = "JsonDuration::is_zero")]
    read_interval: JsonDuration,
    #[serde(skip_serializing_if = "JsonDuration::is_zero")]
    purge_age: JsonDuration,
}
impl HandlerConfig for RateLimit {
    const NAME: &'static str = "rate_limit";
    fn build(self, cx: &mut Build) -> std::result::Result<Box<dyn Handler>, BuildError> {
        if self.distributed.is_some() || self.storage.is_some() {
            return Err("rate_limit: distributed and storage are not supported yet".into());
        }
        if self.jitter < 0.0 {
            return Err("jitter must be at least zero".into());
        }
        let sweep = self.sweep_interval.some().unwrap_or(MINUTE);
        let mut zones = vec![];
        let kept = Kept::of(cx.state());
        for (name, config) in self.rate_limits {
            let built = LimitedZone::build(&name, config, sweep, cx);
            let built = built.map_err(|why| format!("setting up rate limit {name}: {why}"))?;
            kept.built(&name, &built.limit, built.ipv4_prefix, built.ipv6_prefix);
            zones.push(built);
        }
        // The most permissive first, as the plugin does.
        zones.sort_by(|a, b| b.rate().total_cmp(&a.rate()));
        let swept: Vec<_> = zones.iter().map(|zone| zone.zone.clone()).collect();
        cx.background(keep_small(swept, sweep));
        Ok(Box::new(Limiter {
            waits: zones.iter().any(|zone| zone.sets.wait()),
            zones: zones.into(),
            jitter: self.jitter,
            log_key: self.log_key,
            kept,
        }))
    }
}
impl LimitedZone {
    fn build(
        name: &str,
        config: ZoneConfig,
        sweep: Duration,
        cx: &mut Build,
    ) -> std::result::Result<Self, BuildError> {
        if config.window <= JsonDuration::ZERO {
            return Err("window must be greater than zero".into());
        }
        let events = u32::try_from(config.max_events.min(u32::MAX.into()));
        let prefix = |bits: i64, most: u8, what: &str| {
            let bits = u8::try_from(bits).ok().filter(|&bits| bits <= most);
            bits.ok_or_else(|| format!("{what} must be between 0 and {most}"))
        };
        let limit = Limit {
            events: events.map_err(|_| "max_events must be at least zero")?,
            window: config.window.std(),
            max_keys: config.max_keys.unwrap_or(MAX_KEYS),
            max_bytes: usize::try_from(config.max_bytes.unwrap_or(MAX_BYTES))?,
        };
        let zone = cx.state().get_or(name, || Zone::new(name));
        zone.remember(&limit, sweep, Instant::now());
        Ok(Self {
            sets: cx.matcher_sets(config.matchers)?,
            key: Text::new(&config.key),
            ipv4_prefix: prefix(config.ipv4_prefix, 32, "ipv4_prefix")?,
            ipv6_prefix: prefix(config.ipv6_prefix, 128, "ipv6_prefix")?,
            limit,
            zone,
        })
    }
    /// Events in a nanosecond.
    fn rate(&self) -> f64 {
        f64::from(self.limit.events) / self.limit.window.as_nanos() as f64
    }
}
/// Forgets what is out of its window, and says so when a zone had to forget earlier.
async fn keep_small(zones: Vec<Arc<Zone>>, sweep: Duration) {
    let (mut sweep, mut minute) = (tokio::time::interval(sweep), tokio::time::interval(MINUTE));
    let evicted = |zone: &Arc<Zone>| zone.evicted();
    let mut told: Vec<u64> = zones.iter().map(evicted).collect();
    loop {
        tokio::select! {
            _ = sweep.tick() => zones.iter().for_each(|zone| zone.sweep(Instant::now())),
            _ = minute.tick() => {
                for (zone, told) in zones.iter().zip(&mut told) {
                    let evicted = evicted(zone);
                    if evicted > *told {
                        tracing::warn!(
                            target: "http.handlers.rate_limit",
                            zone = zone.name, evicted = evicted - *told, keys = zone.keys(), bytes = zone.bytes(),
                            "rate limit zone is full; forgetting keys before their time"
                        );
                        *told = evicted;
                    }
                }
            }
        }
    }
}

#[derive(Debug)]
struct Limiter {
    zones: Box<[LimitedZone]>,
    jitter: f64,
    log_key: bool,
    /// Whether any zone's matchers really wait.
    waits: bool,
    kept: Kept,
}
#[derive(Debug)]
struct LimitedZone {
    sets: MatcherSets,
    key: Text,
    ipv4_prefix: u8,
    ipv6_prefix: u8,
    limit: Limit,
    zone: Arc<Zone>,
}
impl Handler for Limiter {
    fn handle<'t: 'x, 'x>(&'t self, x: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        let checked = self.check(x);
        if self.waits { Flow::wait(checked) } else { Flow::now(checked) }
    }
}
impl Limiter {
    /// What earlier zones have counted stays counted when a later one refuses.
    async fn check(&self, x: &mut Exchange) -> Result<Step<'_>> {
        let start = Instant::now();
        let mut last = &*self.kept.unmatched;
        for limited in &self.zones {
            if !limited.sets.any(x).await? {
                continue;
            }
            last = &limited.zone.traffic;
            let key = limited.key.expand(x);
            let key = network(key, limited.ipv4_prefix, limited.ipv6_prefix);
            // Reading the clock costs as much as half of a check.
            let now = if self.waits { Instant::now() } else { start };
            if let Err(wait) = limited.zone.check(&key, now, &limited.limit) {
                let key = self.log_key.then(|| key.into_owned());
                last.count(start);
                return Err(self.refuse(x, &limited.zone.name, wait, key));
            }
        }
        last.count(start);
        Ok(Step::Next)
    }
    fn refuse(&self, x: &mut Exchange, zone: &str, wait: Duration, key: Option<String>) -> Box<HttpError> {
        let wait = wait.as_secs_f64() * (1.0 + self.jitter * fastrand::f64());
        x.headers.insert(RETRY_AFTER, retry_after(wait));
        let remote_ip = x.text("http.request.remote.host").into_owned();
        tracing::info!(
            target: "http.handlers.rate_limit",
            zone, wait, remote_ip, key, "rate limit exceeded"
        );
        x.set("http.rate_limit.exceeded.name", zone);
        HttpError::bare(StatusCode::TOO_MANY_REQUESTS)
    }
}
/// Whole seconds, in the plugin's rounding: half a second is added, then ties go to the even.
fn retry_after(wait: f64) -> HeaderValue {
    HeaderValue::from((wait + 0.5).round_ties_even() as u64)
}
/// The network of an address, where a prefix of its family is set; anything else as it is.
fn network(key: Cow<'_, str>, ipv4_prefix: u8, ipv6_prefix: u8) -> Cow<'_, str> {
    if ipv4_prefix == 0 && ipv6_prefix == 0 {
        return key;
    }
    let Ok(address) = key.parse::<IpAddr>() else { return key };
    let address = address.to_canonical();
    let prefix = if address.is_ipv4() { ipv4_prefix } else { ipv6_prefix };
    match ipnet::IpNet::new(address, prefix) {
        Ok(network) if prefix > 0 => network.trunc().to_string().into(),
        _ => key,
    }
}
