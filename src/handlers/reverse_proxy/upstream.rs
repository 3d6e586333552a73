//! Upstreams and what is known of them: shared by all handlers and workers, kept over reloads.
use super::{LOGGER, breaker::Breaker, config::UpstreamConfig, traffic::Traffic};
use crate::{
    config::{NetworkAddress, join_address},
    http::{BoxError, Exchange, Facts, Text, Value, wire::Held},
    state::State,
};
use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// One of the handler's upstreams.
#[derive(Clone, Debug)]
pub(super) struct Upstream {
    /// As it is configured.
    pub(super) name: Arc<str>,
    pub(super) dial: Text,
    /// Where its address does not depend on the request.
    pub(super) fixed: Option<Arc<Target>>,
    pub(super) host: Arc<Host>,
    /// At once; 0: no limit.
    pub(super) max_requests: usize,
    /// Set by active health checks.
    pub(super) health: Arc<Health>,
    pub(super) breaker: Option<Arc<Breaker>>,
}
/// Where to dial.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) address: Address,
    pub(super) host: Arc<Host>,
    max_requests: usize,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// As Caddy shows it: `host:port`, `unix//path`.
    pub(super) text: String,
    /// Without the network: `{http.reverse_proxy.upstream.hostport}`.
    pub(super) hostport: String,
    network: String,
    pub(super) place: Place,
    /// Of `text`, so that no request has to work it out.
    pub(super) hash: u64,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Tcp { host: String, port: u16 },
    Unix(String),
}
/// What is known of an address, by whoever has used it.
#[derive(Debug, Default)]
pub(super) struct Host {
    /// In flight.
    pub(super) requests: AtomicUsize,
    /// Passive failures that still count; `ends` knows until when.
    fails: AtomicUsize,
    ends: Mutex<VecDeque<Instant>>,
    pub(super) traffic: Traffic,
    /// When it was last found to be well again, in milliseconds of [`milliseconds`]; 0: it has always been.
    recovered: AtomicU64,
}
/// Of one upstream of one handler.
#[derive(Debug)]
pub(super) struct Health {
    healthy: AtomicBool,
    passes: AtomicUsize,
    fails: AtomicUsize,
}
impl Upstream {
    /// An address that cannot be dialled fails its requests, as in Caddy, and not the configuration.
    pub(super) fn build(
        config: &UpstreamConfig,
        checks: &str,
        breaker: Option<Arc<Breaker>>,
        state: &State,
    ) -> Self {
        let (dial, max_requests) = (Text::new(&config.dial), config.max_requests);
        let host: Arc<Host> = state.get_or(&format!("reverse_proxy/host/{}", config.dial), Host::default);
        let fixed = dial.literal().and_then(|literal| {
            Target::parse(literal, &host, max_requests)
                .inspect_err(
                    |why| tracing::warn!(target: LOGGER, "requests to this upstream will fail: {why}"),
                )
                .ok()
        });
        let health = state.get_or(&format!("reverse_proxy/health/{}/{checks}", config.dial), Health::default);
        Self { name: config.dial.as_str().into(), dial, fixed, host, max_requests, health, breaker }
    }
    /// Where this request would go.
    ///
    /// # Errors
    /// A placeholder that does not give an address.
    pub(super) fn target(&self, x: &Exchange) -> Result<Arc<Target>, String> {
        match &self.fixed {
            Some(fixed) => Ok(fixed.clone()),
            None => Target::parse(&self.dial.expand(x), &self.host, self.max_requests)
                .map_err(|why| format!("upstream {}: {why}", self.name)),
        }
    }
}
impl Target {
    /// # Errors
    /// An address that cannot be read, or that stands for several.
    pub(super) fn parse(text: &str, host: &Arc<Host>, max_requests: usize) -> Result<Arc<Self>, String> {
        let address = Address::parse(text).map_err(|why| format!("invalid dial address {text}: {why}"))?;
        Ok(Arc::new(Self { address, host: host.clone(), max_requests }))
    }
    /// One that nobody else knows of: requests to it count nowhere.
    pub(super) fn of(address: Address) -> Self {
        Self { address, host: Arc::default(), max_requests: 0 }
    }
}
impl Facts for Target {
    fn fact(&self, field: &str) -> Option<Value<'_>> {
        let (host, port) = match &self.address.place {
            Place::Tcp { host, port } => (host.as_str(), port.to_string()),
            Place::Unix(path) => (path.as_str(), "0".into()),
        };
        Some(match field {
            "address" => format!("{}/{}", self.address.network, self.address.hostport).into(),
            "hostport" => self.address.hostport.as_str().into(),
            "host" => host.into(),
            "port" => port.into(),
            "max_requests" => Value::Int(self.max_requests as i64),
            "fails" => Value::Int(self.host.fails() as i64),
            _ => return None,
        })
    }
}
impl Address {
    /// `tcp`, `tcp4`, `tcp6` or `unix`.
    pub(super) fn network(&self) -> &str {
        &self.network
    }
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let parsed = NetworkAddress::parse(text, "tcp", 0)?;
        let text = parsed.to_string();
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let hash = hasher.finish();
        match parsed.network.as_str() {
            "tcp" | "tcp4" | "tcp6" if parsed.start_port == parsed.end_port => {
                let hostport = join_address("", &parsed.host, &parsed.start_port.to_string());
                let host = if parsed.host.is_empty() { "localhost".into() } else { parsed.host };
                Ok(Self {
                    text,
                    hostport,
                    network: parsed.network,
                    place: Place::Tcp { host, port: parsed.start_port },
                    hash,
                })
            }
            "unix" => Ok(Self {
                text,
                hostport: parsed.host.clone(),
                network: parsed.network,
                place: Place::Unix(parsed.host),
                hash,
            }),
            "tcp" | "tcp4" | "tcp6" => Err(format!(
                "dial address must represent precisely one socket: {text} represents {}",
                parsed.ports()
            )),
            network => Err(format!("unknown network {network}")),
        }
    }
    /// The same host at another port.
    ///
    /// # Errors
    /// It has none.
    pub(super) fn with_port(&self, port: u16) -> Result<Self, String> {
        match &self.place {
            Place::Tcp { host, .. } => Self::parse(&join_address("", host, &port.to_string())),
            Place::Unix(path) => Err(format!("{path} has no port")),
        }
    }
    /// What a request of our own calls it in `Host`: without the port that its scheme implies.
    pub(super) fn host_field(&self, tls: bool) -> String {
        match &self.place {
            Place::Tcp { host, port } if *port == if tls { 443 } else { 80 } => join_address("", host, ""),
            Place::Tcp { host, port } => join_address("", host, &port.to_string()),
            Place::Unix(_) => "localhost".into(),
        }
    }
    /// What TLS calls it.
    pub(super) fn name(&self) -> &str {
        match &self.place {
            Place::Tcp { host, .. } => host,
            Place::Unix(_) => "localhost",
        }
    }
}
impl Host {
    /// Passive failures that still count.
    pub(super) fn fails(&self) -> usize {
        if self.fails.load(Relaxed) == 0 {
            return 0;
        }
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        while ends.front().is_some_and(|end| *end <= now) {
            ends.pop_front();
        }
        self.fails.store(ends.len(), Relaxed);
        if ends.is_empty() {
            self.recovered();
        }
        ends.len()
    }
    /// It is well again.
    pub(super) fn recovered(&self) {
        self.recovered.store(milliseconds().max(1), Relaxed);
    }
    /// How much of its share an upstream gets that was found to be well again less than `slow_start` ago: up to 1.
    pub(super) fn share(&self, slow_start: Duration) -> f64 {
        /// Even at first.
        const LEAST: f64 = 0.1;
        let recovered = self.recovered.load(Relaxed);
        if recovered == 0 {
            return 1.0;
        }
        let since = milliseconds().saturating_sub(recovered) as f64 / 1e3;
        (since / slow_start.as_secs_f64()).clamp(LEAST, 1.0)
    }
    /// Counts a failure for that long.
    pub(super) fn strike(&self, duration: Duration) {
        /// More than any `max_fails` that is meant well.
        const MOST: usize = 10_000;
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        if ends.len() >= MOST {
            ends.pop_front();
        }
        ends.push_back(Instant::now() + duration);
        self.fails.store(ends.len(), Relaxed);
    }
}
/// Since this process has first asked.
fn milliseconds() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_millis() as u64
}
impl Default for Health {
    fn default() -> Self {
        Self { healthy: AtomicBool::new(true), passes: AtomicUsize::new(0), fails: AtomicUsize::new(0) }
    }
}
impl Health {
    pub(super) fn is_healthy(&self) -> bool {
        self.healthy.load(Relaxed)
    }
    /// Counts a check's outcome; gives the new state if it has changed.
    pub(super) fn count(&self, passed: bool, passes: u32, fails: u32) -> Option<bool> {
        let (counter, other, needed) =
            if passed { (&self.passes, &self.fails, passes) } else { (&self.fails, &self.passes, fails) };
        other.store(0, Relaxed);
        let reached = counter.fetch_add(1, Relaxed) + 1 >= needed.max(1) as usize;
        (reached && self.healthy.swap(passed, Relaxed) != passed).then_some(passed)
    }
}
/// Counted among the requests in flight until it is dropped.
pub(super) struct InFlight {
    host: Arc<Host>,
    /// Of a client's request, which is told of if its response breaks off.
    target: Option<Arc<Target>>,
}
impl Held for InFlight {
    fn failed(&self, error: &BoxError) {
        if let Some(target) = &self.target {
            let upstream = &target.address.text;
            tracing::warn!(target: LOGGER, upstream, %error, "aborting with incomplete response");
        }
    }
}
impl InFlight {
    /// A client's request.
    pub(super) fn to(target: &Arc<Target>) -> Self {
        let mut begun = Self::begin(&target.host);
        begun.target = Some(target.clone());
        begun
    }
    pub(super) fn begin(host: &Arc<Host>) -> Self {
        host.requests.fetch_add(1, Relaxed);
        Self { host: host.clone(), target: None }
    }
}
impl Drop for InFlight {
    fn drop(&mut self) {
        self.host.requests.fetch_sub(1, Relaxed);
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn addresses_are_read() {
        let read = |text| Address::parse(text).map(|address| (address.text, address.place));
        let tcp = |host: &str, port| Place::Tcp { host: host.into(), port };
        assert_eq!(read("app:8000").unwrap(), ("app:8000".into(), tcp("app", 8000)));
        assert_eq!(read("[::1]:80").unwrap(), ("[::1]:80".into(), tcp("::1", 80)));
        assert_eq!(read(":80").unwrap().1, tcp("localhost", 80));
        assert_eq!(read("unix//run/x.sock").unwrap().1, Place::Unix("/run/x.sock".into()));
        for wrong in ["app:1-5", "udp/app:1", "app:99999"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
    #[test]
    fn failures_count_for_a_while() {
        let host = Host::default();
        host.strike(Duration::from_secs(3600));
        host.strike(Duration::ZERO);
        assert_eq!(host.fails(), 2, "the oldest ends last");
        let host = Host::default();
        host.strike(Duration::ZERO);
        assert_eq!(host.fails(), 0);
    }
    #[test]
    fn who_is_well_again_starts_slowly() {
        let host = Host::default();
        assert_eq!(host.share(Duration::from_secs(3600)), 1.0, "it has always been");
        host.strike(Duration::ZERO);
        assert_eq!(host.fails(), 0);
        assert_eq!(host.share(Duration::from_secs(3600)), 0.1);
    }
    #[test]
    fn health_changes_after_enough_checks_in_a_row() {
        let health = Health::default();
        assert_eq!(
            [false, true, false, false].map(|passed| health.count(passed, 2, 2)),
            [None, None, None, Some(false)]
        );
        assert!(!health.is_healthy());
        assert_eq!([true, true].map(|passed| health.count(passed, 2, 2)), [None, Some(true)]);
    }
}
