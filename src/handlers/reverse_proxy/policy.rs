//! Which upstream a request goes to: `http.reverse_proxy.selection_policies.*`.
use super::upstream::Upstream;
use crate::{config::Duration, http::Exchange};
use aws_lc_rs::hmac;
use http::{HeaderName, HeaderValue, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

#[derive(Debug)]
pub(super) enum Policy {
    Random,
    /// The least busy of so many chosen at random.
    RandomChoose(usize),
    LeastConn,
    First,
    RoundRobin(AtomicU32),
    WeightedRoundRobin {
        weights: Vec<u32>,
        total: u32,
        next: AtomicU32,
    },
    IpHash,
    ClientIpHash,
    UriHash,
    Query {
        key: String,
        fallback: Box<Policy>,
    },
    Header {
        field: HeaderName,
        fallback: Box<Policy>,
    },
    Cookie {
        name: String,
        secret: Box<hmac::Key>,
        max_age: u64,
        fallback: Box<Policy>,
    },
}
/// JSON, by `policy`.
#[derive(Deserialize, Serialize)]
#[serde(tag = "policy", rename_all = "snake_case", deny_unknown_fields)]
enum PolicyConfig {
    Random {},
    RandomChoose {
        #[serde(default)]
        choose: usize,
    },
    LeastConn {},
    First {},
    RoundRobin {},
    WeightedRoundRobin {
        #[serde(default)]
        weights: Vec<u32>,
    },
    IpHash {},
    ClientIpHash {},
    UriHash {},
    Query {
        #[serde(default)]
        key: String,
        fallback: Option<Value>,
    },
    Header {
        #[serde(default)]
        field: String,
        fallback: Option<Value>,
    },
    Cookie {
        #[serde(default)]
        name: String,
        #[serde(default)]
        secret: String,
        #[serde(default)]
        max_age: Duration,
        fallback: Option<Value>,
    },
}
impl Policy {
    /// # Errors
    /// An unknown policy, or what it finds wrong.
    pub(super) fn build(config: Option<&Value>) -> Result<Self, String> {
        let Some(config) = config else { return Ok(Self::Random) };
        let config = crate::config::decode::<PolicyConfig, _>(config)
            .map_err(|error| format!("loading load balancing selection policy: {error}"))?;
        let fallback = |config: Option<Value>| Self::build(config.as_ref()).map(Box::new);
        Ok(match config {
            PolicyConfig::Random {} => Self::Random,
            PolicyConfig::RandomChoose { choose: 1 } => {
                return Err("invalid choice value: 1, must be at least 2".into());
            }
            PolicyConfig::RandomChoose { choose } => Self::RandomChoose(choose.max(2)),
            PolicyConfig::LeastConn {} => Self::LeastConn,
            PolicyConfig::First {} => Self::First,
            PolicyConfig::RoundRobin {} => Self::RoundRobin(AtomicU32::new(0)),
            PolicyConfig::WeightedRoundRobin { weights } => {
                let total = weights.iter().try_fold(0_u32, |sum, weight| sum.checked_add(*weight));
                let total = total.filter(|&total| total > 0 || weights.is_empty());
                let total = total.ok_or("total weight must be greater than zero")?;
                Self::WeightedRoundRobin { weights, total, next: AtomicU32::new(0) }
            }
            PolicyConfig::IpHash {} => Self::IpHash,
            PolicyConfig::ClientIpHash {} => Self::ClientIpHash,
            PolicyConfig::UriHash {} => Self::UriHash,
            PolicyConfig::Query { key, .. } if key.is_empty() => return Err("query key is required".into()),
            PolicyConfig::Query { key, fallback: to } => Self::Query { key, fallback: fallback(to)? },
            PolicyConfig::Header { field, .. } if field.is_empty() => {
                return Err("header field is required".into());
            }
            PolicyConfig::Header { field, fallback: to } => {
                let field = field.parse().map_err(|_| format!("not a header field: {field}"))?;
                Self::Header { field, fallback: fallback(to)? }
            }
            PolicyConfig::Cookie { name, secret, max_age, fallback: to } => Self::Cookie {
                name: if name.is_empty() { "lb".into() } else { name },
                secret: Box::new(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())),
                max_age: max_age.std().as_secs(),
                fallback: fallback(to)?,
            },
        })
    }
    /// Whether it may say something to the client, even if there is nothing to choose.
    pub(super) fn remembers(&self) -> bool {
        match self {
            Self::Cookie { .. } => true,
            Self::Query { fallback, .. } | Self::Header { fallback, .. } => fallback.remembers(),
            _ => false,
        }
    }
    /// Whether it is of no consequence which upstream it chooses: then some may get less than others.
    pub(super) fn spreads(&self) -> bool {
        matches!(
            self,
            Self::Random
                | Self::RandomChoose(_)
                | Self::LeastConn
                | Self::RoundRobin(_)
                | Self::WeightedRoundRobin { .. }
        )
    }
    /// One of `pool` that `available` lets pass; `None` if there is none.
    pub(super) fn select<'u>(
        &self,
        pool: &'u [Upstream],
        available: &dyn Fn(&Upstream) -> bool,
        x: &mut Exchange,
    ) -> Option<&'u Upstream> {
        match self {
            Self::Random => sample(pool.iter().filter(|upstream| available(upstream))),
            Self::RandomChoose(choose) => {
                let mut all: Vec<&Upstream> = pool.iter().filter(|upstream| available(upstream)).collect();
                fastrand::shuffle(&mut all);
                least_busy(all.into_iter().take(*choose))
            }
            Self::LeastConn => least_busy(pool.iter().filter(|upstream| available(upstream))),
            Self::First => pool.iter().find(|upstream| available(upstream)),
            Self::RoundRobin(next) => (0..pool.len()).find_map(|_| {
                let at = next.fetch_add(1, Relaxed).wrapping_add(1) as usize % pool.len();
                pool.get(at).filter(|upstream| available(upstream))
            }),
            Self::WeightedRoundRobin { weights, total, next } => {
                weighted(pool, available, weights, *total, next)
            }
            Self::IpHash => {
                let key = x.connection.remote.map(|peer| peer.ip().to_string()).unwrap_or_default();
                by_hash(pool, available, &key)
            }
            Self::ClientIpHash => {
                let key = x.client_ip.map(|ip| ip.to_string()).unwrap_or_default();
                by_hash(pool, available, &key)
            }
            Self::UriHash => by_hash(pool, available, &x.uri()),
            Self::Query { key, fallback } => {
                let values = form_urlencoded::parse(x.query().as_bytes()).filter(|(name, _)| name == key);
                let joined = values.map(|(_, value)| value).collect::<Vec<_>>().join(",");
                if joined.is_empty() {
                    fallback.select(pool, available, x)
                } else {
                    by_hash(pool, available, &joined)
                }
            }
            Self::Header { field, fallback } => {
                let value =
                    x.request.headers.get(field).and_then(|value| value.to_str().ok()).map(str::to_owned);
                match value.filter(|value| !value.is_empty()) {
                    Some(value) => by_hash(pool, available, &value),
                    None => fallback.select(pool, available, x),
                }
            }
            Self::Cookie { name, secret, max_age, fallback } => {
                let given = x.cookie(name).map(str::to_owned);
                let known = given.and_then(|given| {
                    let mut fitting = pool.iter().filter(|upstream| available(upstream));
                    fitting.find(|upstream| signed(secret, upstream).as_bytes() == given.as_bytes())
                });
                known.or_else(|| {
                    let chosen = fallback.select(pool, available, x)?;
                    remember(x, name, &signed(secret, chosen), *max_age);
                    Some(chosen)
                })
            }
        }
    }
}
/// One of all, each as likely as the others, without counting them first.
fn sample<'u>(all: impl Iterator<Item = &'u Upstream>) -> Option<&'u Upstream> {
    let mut chosen = None;
    for (seen, upstream) in all.enumerate() {
        if fastrand::usize(..=seen) == 0 {
            chosen = Some(upstream);
        }
    }
    chosen
}
fn busy(upstream: &Upstream) -> usize {
    upstream.host.requests.load(Relaxed)
}
fn least_busy<'u>(all: impl Iterator<Item = &'u Upstream>) -> Option<&'u Upstream> {
    let mut best: Option<(usize, &Upstream)> = None;
    let mut ties = 0;
    for upstream in all {
        let requests = busy(upstream);
        match best {
            Some((least, _)) if requests > least => continue,
            Some((least, _)) if requests == least => ties += 1,
            _ => ties = 0,
        }
        if ties == 0 || fastrand::usize(..=ties) == 0 {
            best = Some((requests, upstream));
        }
    }
    best.map(|(_, upstream)| upstream)
}
fn weighted<'u>(
    pool: &'u [Upstream],
    available: &dyn Fn(&Upstream) -> bool,
    weights: &[u32],
    total: u32,
    next: &AtomicU32,
) -> Option<&'u Upstream> {
    if weights.len() < 2 {
        return pool.first();
    }
    let turn = next.fetch_add(1, Relaxed).wrapping_add(1) % total;
    let mut sum = 0;
    let positive = weights.iter().filter(|weight| **weight > 0);
    let index = positive.take_while(|weight| {
        sum += **weight;
        sum <= turn
    });
    let index = index.count();
    let weighed = pool.iter().zip(weights).filter(|(upstream, weight)| **weight > 0 && available(upstream));
    let candidates: Vec<&Upstream> = weighed.map(|(upstream, _)| upstream).collect();
    candidates.get(index.checked_rem(candidates.len())?).copied()
}
/// Rendezvous hashing: the same key finds the same upstream while it is there.
fn by_hash<'u>(
    pool: &'u [Upstream],
    available: &dyn Fn(&Upstream) -> bool,
    key: &str,
) -> Option<&'u Upstream> {
    let score =
        |upstream: &&Upstream| xxhash_rust::xxh64::xxh64([&*upstream.name, key].concat().as_bytes(), 0);
    pool.iter().filter(|upstream| available(upstream)).max_by_key(score)
}
fn signed(secret: &hmac::Key, upstream: &Upstream) -> String {
    let tag = hmac::sign(secret, upstream.name.as_bytes());
    tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
fn remember(x: &mut Exchange, name: &str, value: &str, max_age: u64) {
    let forwarded = x.request.headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https");
    let secure = x.connection.tls.is_some() || (x.trusted_proxy && forwarded);
    let age = if max_age > 0 { format!("; Max-Age={max_age}") } else { String::new() };
    let site = if secure { "; Secure; SameSite=None" } else { "; SameSite=Lax" };
    if let Ok(cookie) = HeaderValue::from_str(&format!("{name}={value}; Path=/{age}; HttpOnly{site}")) {
        x.headers.append(header::SET_COOKIE, cookie);
    }
}
