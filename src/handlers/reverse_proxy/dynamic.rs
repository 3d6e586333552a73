//! Upstreams that are looked up: `http.reverse_proxy.upstreams.*`.
use super::{
    LOGGER,
    config::{DynamicA, DynamicMulti, DynamicSrv, UpstreamConfig},
    transport::resolver,
    upstream::Upstream,
};
use crate::{
    config::join_address,
    http::{Exchange, Text},
    net::dns::{Family, Resolver},
    state::State,
};
use arc_swap::ArcSwap;
use dashmap::DashMap;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

const REFRESH: Duration = Duration::from_secs(60);
/// Names that are remembered, as in Caddy.
const MOST_NAMES: usize = 100;

/// Where upstreams come from.
#[derive(Debug)]
pub(super) enum Source {
    Lookup(Box<Lookup>),
    /// All that they find, one after the other.
    Multi(Vec<Source>),
}
/// A name that is looked up now and then.
#[derive(Debug)]
pub(super) struct Lookup {
    kind: Kind,
    name: Text,
    refresh: Duration,
    resolver: Resolver,
    state: Arc<State>,
    known: Arc<Known>,
}
#[derive(Debug)]
enum Kind {
    A { port: Text, family: Family },
    Srv { service: Text, proto: Text, grace_period: Duration, network: String },
}
/// What has been found, by what was asked: shared by all handlers, kept over reloads.
#[derive(Debug, Default)]
struct Known(DashMap<String, Arc<Slot>>);
#[derive(Debug)]
struct Slot {
    found: ArcSwap<Found>,
    /// Held by who looks it up.
    looking: tokio::sync::Mutex<()>,
}
#[derive(Debug)]
struct Found {
    upstreams: Arc<[Upstream]>,
    /// `None`: not looked up yet, or to be looked up anew.
    until: Option<Instant>,
}
impl Source {
    /// # Errors
    /// A module that is none, or addresses that cannot be read.
    pub(super) fn build(module: &Value, state: &Arc<State>) -> Result<Self, String> {
        let mut fields = module.as_object().cloned().unwrap_or_default();
        let source = fields.remove("source");
        let source = source.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
        let fields = Value::Object(fields);
        let lookup = match source.as_str() {
            "a" => Lookup::a(decode(fields)?, state)?,
            "srv" => Lookup::srv(decode(fields)?, state)?,
            "multi" => {
                let DynamicMulti { sources } = decode(fields)?;
                let sources = sources.iter().map(|source| Self::build(source, state));
                return Ok(Self::Multi(sources.collect::<Result<_, _>>()?));
            }
            other => return Err(format!("unknown module: http.reverse_proxy.upstreams.{other}")),
        };
        Ok(Self::Lookup(Box::new(lookup)))
    }
    /// # Errors
    /// What the lookup says. Of several sources none is missed.
    pub(super) async fn upstreams(&self, x: &mut Exchange) -> Result<Arc<[Upstream]>, String> {
        let sources = match self {
            Self::Lookup(lookup) => return lookup.upstreams(x).await,
            Self::Multi(sources) => sources,
        };
        let mut all = vec![];
        for (source_idx, source) in sources.iter().enumerate() {
            match Box::pin(source.upstreams(x)).await {
                Err(error) => {
                    tracing::error!(target: "http.reverse_proxy.upstreams.multi", source_idx, error, "upstream source returned error");
                }
                Ok(found) if found.is_empty() => {
                    tracing::warn!(target: "http.reverse_proxy.upstreams.multi", source_idx, "upstream source returned 0 upstreams");
                }
                Ok(found) => all.extend(found.iter().cloned()),
            }
        }
        Ok(all.into())
    }
    /// After a failure: services are looked up anew, as they may have moved.
    pub(super) fn forget(&self, x: &Exchange) {
        match self {
            Self::Lookup(lookup) => lookup.forget(x),
            Self::Multi(sources) => sources.iter().for_each(|source| source.forget(x)),
        }
    }
}
fn decode<T: DeserializeOwned>(fields: Value) -> Result<T, String> {
    crate::config::decode(fields).map_err(|error| format!("dynamic_upstreams: {error}"))
}
impl Lookup {
    fn a(config: DynamicA, state: &Arc<State>) -> Result<Self, String> {
        let versions = config.versions.unwrap_or_default();
        let none = versions.ipv4.is_none() && versions.ipv6.is_none();
        let family = match (none || versions.ipv4 == Some(true), none || versions.ipv6 == Some(true)) {
            (true, false) => Family::V4,
            (false, true) => Family::V6,
            _ => Family::Any,
        };
        let port = if config.port.is_empty() { "80" } else { &config.port };
        let resolver = resolver(config.resolver.as_ref().map(|resolver| &*resolver.addresses))?;
        Ok(Self {
            kind: Kind::A { port: Text::new(port), family },
            name: Text::new(&config.name),
            refresh: config.refresh.some().unwrap_or(REFRESH),
            resolver: Resolver { timeout: config.dial_timeout.some(), ..resolver },
            state: state.clone(),
            known: state.get_or("reverse_proxy/dynamic", Known::default),
        })
    }
    fn srv(config: DynamicSrv, state: &Arc<State>) -> Result<Self, String> {
        let resolver = resolver(config.resolver.as_ref().map(|resolver| &*resolver.addresses))?;
        Ok(Self {
            kind: Kind::Srv {
                service: Text::new(&config.service),
                proto: Text::new(&config.proto),
                grace_period: config.grace_period.std(),
                network: config.dial_network,
            },
            name: Text::new(&config.name),
            refresh: config.refresh.some().unwrap_or(REFRESH),
            resolver: Resolver { timeout: config.dial_timeout.some(), ..resolver },
            state: state.clone(),
            known: state.get_or("reverse_proxy/dynamic", Known::default),
        })
    }
    /// What is looked up, and by what it is remembered.
    fn question(&self, x: &Exchange) -> (String, String) {
        let name = self.name.expand(x).into_owned();
        match &self.kind {
            Kind::A { port, family } => {
                let key = format!("a/{}/{family:?}", join_address("", &name, &port.expand(x)));
                (name, key)
            }
            Kind::Srv { service, proto, .. } => {
                let (service, proto) = (service.expand(x), proto.expand(x));
                let name = if service.is_empty() && proto.is_empty() {
                    name
                } else {
                    format!("_{service}._{proto}.{name}")
                };
                let key = format!("srv/{name}");
                (name, key)
            }
        }
    }
    async fn upstreams(&self, x: &mut Exchange) -> Result<Arc<[Upstream]>, String> {
        let (name, key) = self.question(x);
        let slot = self.known.slot(&key);
        if let Some(upstreams) = slot.fresh() {
            return Ok(upstreams);
        }
        let _looking = slot.looking.lock().await;
        // Someone else may have done it in the meantime.
        if let Some(upstreams) = slot.fresh() {
            return Ok(upstreams);
        }
        let found = match &self.kind {
            Kind::A { port, family } => {
                tracing::debug!(target: LOGGER, name, "refreshing A upstreams");
                let port = port.expand(x);
                let found = self.resolver.addresses(&name, *family).await?;
                found.iter().map(|ip| join_address("", &ip.to_string(), &port)).collect()
            }
            Kind::Srv { grace_period, network, .. } => {
                tracing::debug!(target: LOGGER, name, "refreshing SRV upstreams");
                match self.resolver.services(&name).await {
                    Ok(found) => found
                        .iter()
                        .map(|service| join_address(network, &service.target, &service.port.to_string()))
                        .collect::<Vec<_>>(),
                    Err(error) if !grace_period.is_zero() => {
                        tracing::error!(target: LOGGER, error, "SRV lookup failed; using previously cached");
                        let upstreams = slot.found.load().upstreams.clone();
                        slot.keep(upstreams.clone(), *grace_period);
                        return Ok(upstreams);
                    }
                    Err(error) => return Err(error),
                }
            }
        };
        let upstream = |dial| {
            Upstream::build(&UpstreamConfig { dial, ..UpstreamConfig::default() }, "", None, &self.state)
        };
        let upstreams: Arc<[Upstream]> = found.into_iter().map(upstream).collect();
        slot.keep(upstreams.clone(), self.refresh);
        Ok(upstreams)
    }
    fn forget(&self, x: &Exchange) {
        if let Kind::Srv { .. } = self.kind {
            let slot = self.known.slot(&self.question(x).1);
            // What was found stays, so that what is known of these upstreams does.
            let upstreams = slot.found.load().upstreams.clone();
            slot.found.store(Arc::new(Found { upstreams, until: None }));
        }
    }
}
impl Known {
    fn slot(&self, key: &str) -> Arc<Slot> {
        if let Some(slot) = self.0.get(key) {
            return slot.clone();
        }
        if self.0.len() >= MOST_NAMES
            && let Some(some) = self.0.iter().next().map(|entry| entry.key().clone())
        {
            self.0.remove(&some);
        }
        let none = || {
            let found = Found { upstreams: Arc::default(), until: None };
            Arc::new(Slot { found: ArcSwap::from_pointee(found), looking: tokio::sync::Mutex::default() })
        };
        self.0.entry(key.to_owned()).or_insert_with(none).clone()
    }
}
impl Slot {
    fn fresh(&self) -> Option<Arc<[Upstream]>> {
        let found = self.found.load();
        found.until.is_some_and(|until| Instant::now() < until).then(|| found.upstreams.clone())
    }
    fn keep(&self, upstreams: Arc<[Upstream]>, long: Duration) {
        self.found.store(Arc::new(Found { upstreams, until: Some(Instant::now() + long) }));
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Body;
    use serde_json::json;

    fn exchange() -> Exchange {
        Exchange::new(http::Request::new(()).into_parts().0, Body::Empty, Arc::default())
    }
    async fn names(module: Value) -> Result<Vec<String>, String> {
        let source = Source::build(&module, &Arc::default())?;
        let found = source.upstreams(&mut exchange()).await?;
        Ok(found.iter().map(|upstream| upstream.name.to_string()).collect())
    }
    #[tokio::test]
    async fn addresses_become_upstreams() {
        let v4 = json!({"source": "a", "name": "localhost", "port": "8080", "versions": {"ipv4": true}});
        assert_eq!(names(v4.clone()).await, Ok(vec!["127.0.0.1:8080".into()]));
        let literal = json!({"source": "a", "name": "::1"});
        assert_eq!(names(literal.clone()).await, Ok(vec!["[::1]:80".into()]));
        let none = json!({"source": "a", "name": "no.such.host.invalid"});
        let multi = json!({"source": "multi", "sources": [v4, none, literal]});
        assert_eq!(names(multi).await, Ok(vec!["127.0.0.1:8080".into(), "[::1]:80".into()]));
    }
    #[tokio::test]
    async fn what_was_found_serves_until_it_is_to_be_refreshed() {
        let state = Arc::<State>::default();
        let module = json!({"source": "a", "name": "localhost", "versions": {"ipv4": true}});
        let source = Source::build(&module, &state).unwrap();
        let first = source.upstreams(&mut exchange()).await.unwrap();
        let other = Source::build(&module, &state).unwrap();
        let again = other.upstreams(&mut exchange()).await.unwrap();
        assert!(Arc::ptr_eq(&first, &again), "another handler's, too");
    }
    #[tokio::test]
    async fn services_outlast_their_servers_for_a_while() {
        let state = Arc::<State>::default();
        let module = |grace: u64| {
            json!({"source": "srv", "service": "http", "proto": "tcp", "name": "x.invalid",
                "resolver": {"addresses": ["127.0.0.1:1"]}, "dial_timeout": 100_000_000, "grace_period": grace})
        };
        let strict = Source::build(&module(0), &state).unwrap();
        let error = strict.upstreams(&mut exchange()).await.unwrap_err();
        assert!(error.starts_with("lookup _http._tcp.x.invalid: "), "{error}");
        let Source::Lookup(lookup) = Source::build(&module(60_000_000_000), &state).unwrap() else {
            panic!()
        };
        let config = UpstreamConfig { dial: "app:1".into(), ..UpstreamConfig::default() };
        let before: Arc<[Upstream]> = [Upstream::build(&config, "", None, &state)].into();
        lookup.known.slot("srv/_http._tcp.x.invalid").keep(before.clone(), Duration::ZERO);
        let after = lookup.upstreams(&mut exchange()).await.unwrap();
        assert!(Arc::ptr_eq(&before, &after));
    }
    #[test]
    fn what_is_no_source_is_an_error() {
        for (module, error) in [
            (json!({"source": "b"}), "unknown module: http.reverse_proxy.upstreams.b"),
            (json!({"source": "a", "nmae": "x"}), "dynamic_upstreams: unknown field `nmae`"),
            (json!({"source": "a", "resolver": {"addresses": ["1.1.1.1:1-2"]}}), "resolver address must"),
        ] {
            let said = Source::build(&module, &Arc::default()).unwrap_err();
            assert!(said.starts_with(error), "{said}");
        }
    }
}
