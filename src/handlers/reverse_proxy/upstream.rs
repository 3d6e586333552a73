//! Upstreams and what is known of them: shared by all handlers and workers, kept over reloads.
use super::config::UpstreamConfig;
use crate::{
    config::{NetworkAddress, join_address},
    http::{Exchange, Text},
    state::State,
};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// One of the handler's upstreams.
#[derive(Debug)]
pub(super) struct Upstream {
    /// As it is configured.
    pub(super) name: String,
    pub(super) dial: Text,
    /// Where its address does not depend on the request.
    pub(super) fixed: Option<Target>,
    /// At once; 0: no limit.
    pub(super) max_requests: usize,
    /// Set by active health checks.
    pub(super) health: Arc<Health>,
}
/// Where to dial.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) address: Arc<Address>,
    pub(super) host: Arc<Host>,
}
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// As Caddy shows it: `host:port`, `unix//path`.
    pub(super) text: String,
    pub(super) place: Place,
}
#[derive(Debug, PartialEq, Eq)]
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
}
/// Of one upstream of one handler.
#[derive(Debug)]
pub(super) struct Health {
    healthy: AtomicBool,
    passes: AtomicUsize,
    fails: AtomicUsize,
}
impl Upstream {
    /// # Errors
    /// An address that cannot be read.
    pub(super) fn build(config: UpstreamConfig, checks: &str, state: &State) -> Result<Self, String> {
        let dial = Text::new(&config.dial);
        let fixed = dial.literal().map(|literal| Target::parse(literal, state)).transpose()?;
        let key = format!("reverse_proxy/health/{}/{checks}", config.dial);
        Ok(Self {
            name: config.dial,
            dial,
            fixed,
            max_requests: config.max_requests,
            health: state.get_or(&key, Health::default),
        })
    }
}
impl Target {
    /// # Errors
    /// An address that cannot be read, or that stands for several.
    pub(super) fn parse(text: &str, state: &State) -> Result<Self, String> {
        let address = Address::parse(text)?;
        let host = state.get_or(&format!("reverse_proxy/host/{}", address.text), Host::default);
        Ok(Self { address: Arc::new(address), host })
    }
}
impl Address {
    fn parse(text: &str) -> Result<Self, String> {
        let parsed = NetworkAddress::parse(text, "tcp", 0)?;
        let shown = parsed.to_string();
        match parsed.network.as_str() {
            "tcp" | "tcp4" | "tcp6" if parsed.start_port == parsed.end_port => {
                if parsed.start_port == 0 {
                    return Err(format!("invalid dial address {text}: port is missing"));
                }
                let host = if parsed.host.is_empty() { "localhost".into() } else { parsed.host };
                Ok(Self { text: shown, place: Place::Tcp { host, port: parsed.start_port } })
            }
            "unix" => Ok(Self { text: shown, place: Place::Unix(parsed.host) }),
            _ => Err(format!("dial address {text} must represent one socket of TCP or Unix")),
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
        ends.len()
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
pub(super) struct InFlight(Arc<Host>);
impl InFlight {
    pub(super) fn begin(host: &Arc<Host>) -> Self {
        host.requests.fetch_add(1, Relaxed);
        Self(host.clone())
    }
}
impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.requests.fetch_sub(1, Relaxed);
    }
}
impl Upstream {
    /// Where this request would go.
    ///
    /// # Errors
    /// A placeholder that does not give an address.
    pub(super) fn target(&self, x: &Exchange, state: &State) -> Result<Target, String> {
        match &self.fixed {
            Some(fixed) => Ok(fixed.clone()),
            None => Target::parse(&self.dial.expand(x), state),
        }
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
        for wrong in ["app", "app:1-5", "udp/app:1", "app:99999"] {
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
