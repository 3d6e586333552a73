//! Circuit breakers, an extension: an upstream that fails too often is left alone for a while, then one request tries
//! whether it is well again.
//!
//! ```caddyfile
//! reverse_proxy … {
//!     circuit_breaker {
//!         threshold    <percent>%    # of requests that fail in the window; 50%
//!         window       <duration>    # 10s
//!         min_requests <n>           # in the window, before the share counts; 20
//!         open_for     <duration>    # 5s
//!     }
//! }
//! ```
//!
//! A request fails if there is no response, or a status of 500 or more. The breaker belongs to the upstream's address and
//! these settings: it is shared by all workers, and kept over reloads.
use crate::config::{Duration as Nanoseconds, is_default};
use serde::{Deserialize, Serialize};
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// JSON: `circuit_breaker`, with `"type": "error_rate"`.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct BreakerConfig {
    /// In the window, before the share counts; 20.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) min_requests: u32,
    /// 5 s.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) open_for: Nanoseconds,
    /// Share of requests that fail, above 0 and up to 1; 0.5.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) threshold: f64,
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// 10 s.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) window: Nanoseconds,
}
/// A window's parts: what is older than the window leaves it one part at a time.
const PARTS: usize = 10;

#[derive(Debug)]
pub(super) struct Breaker {
    threshold: f64,
    part: Duration,
    min_requests: u32,
    open_for: Duration,
    /// Closed: all is well, and nobody needs the lock to know.
    closed: AtomicBool,
    inner: Mutex<Inner>,
}
#[derive(Debug)]
struct Inner {
    parts: [Part; PARTS],
    started: Instant,
    /// The number of the part that is written to.
    now: u64,
    state: State,
}
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    requests: u32,
    failures: u32,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Open(Instant),
    /// A request tries the upstream.
    Trying,
}
/// A request that the breaker hears the outcome of.
#[derive(Debug)]
pub(super) struct Trial {
    breaker: Arc<Breaker>,
    /// The state depends on it.
    decides: bool,
}
/// What has become of the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Opened,
    Closed,
}
impl Breaker {
    /// # Errors
    /// Values that make no sense.
    pub(super) fn build(config: &BreakerConfig) -> Result<Self, String> {
        if config.kind != "error_rate" {
            return Err(format!("unknown module: http.reverse_proxy.circuit_breakers.{}", config.kind));
        }
        let threshold = if config.threshold == 0.0 { 0.5 } else { config.threshold };
        if !(0.0..=1.0).contains(&threshold) {
            return Err(format!("circuit_breaker: threshold {threshold} is not a share"));
        }
        let window = config.window.some().unwrap_or(Duration::from_secs(10));
        let inner =
            Inner { parts: Default::default(), started: Instant::now(), now: 0, state: State::Closed };
        Ok(Self {
            threshold,
            part: (window / PARTS as u32).max(Duration::from_millis(1)),
            min_requests: if config.min_requests == 0 { 20 } else { config.min_requests },
            open_for: config.open_for.some().unwrap_or(Duration::from_secs(5)),
            closed: AtomicBool::new(true),
            inner: Mutex::new(inner),
        })
    }
    /// Whether a request may be sent now.
    pub(super) fn allows(&self) -> bool {
        self.closed.load(Relaxed)
            || matches!(self.lock().state, State::Open(until) if until <= Instant::now())
    }
    /// A request is sent.
    pub(super) fn begin(self: &Arc<Self>) -> Trial {
        let mut decides = false;
        if !self.closed.load(Relaxed) {
            let mut inner = self.lock();
            if let State::Open(_) = inner.state {
                inner.state = State::Trying;
                decides = true;
            }
        }
        Trial { breaker: self.clone(), decides }
    }
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn open(&self, inner: &mut Inner) {
        inner.state = State::Open(Instant::now() + self.open_for);
        inner.parts = Default::default();
        self.closed.store(false, Relaxed);
    }
    fn count(&self, inner: &mut Inner, failed: bool) -> bool {
        let now = (inner.started.elapsed().as_nanos() / self.part.as_nanos()) as u64;
        for gone in inner.now + 1..=now.min(inner.now + PARTS as u64) {
            inner.parts[(gone % PARTS as u64) as usize] = Part::default();
        }
        inner.now = now;
        let part = &mut inner.parts[(now % PARTS as u64) as usize];
        part.requests += 1;
        part.failures += u32::from(failed);
        let requests: u32 = inner.parts.iter().map(|part| part.requests).sum();
        let failures: u32 = inner.parts.iter().map(|part| part.failures).sum();
        requests >= self.min_requests && f64::from(failures) >= self.threshold * f64::from(requests)
    }
}
impl Trial {
    /// How the request has ended; what that changes, if it changes anything.
    pub(super) fn end(mut self, failed: bool) -> Option<Change> {
        let breaker = self.breaker.clone();
        let mut inner = breaker.lock();
        if std::mem::take(&mut self.decides) {
            if failed {
                breaker.open(&mut inner);
                return Some(Change::Opened);
            }
            inner.state = State::Closed;
            breaker.closed.store(true, Relaxed);
            return Some(Change::Closed);
        }
        // Those that were under way when it opened say nothing new.
        if inner.state != State::Closed || !breaker.count(&mut inner, failed) {
            return None;
        }
        breaker.open(&mut inner);
        Some(Change::Opened)
    }
}
impl Drop for Trial {
    /// Nobody has waited for the outcome: another request is to try.
    fn drop(&mut self) {
        if self.decides {
            self.breaker.lock().state = State::Open(Instant::now());
        }
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    fn breaker(open_for: Duration) -> Arc<Breaker> {
        let config = BreakerConfig {
            min_requests: 4,
            open_for: open_for.into(),
            kind: "error_rate".into(),
            ..BreakerConfig::default()
        };
        Arc::new(Breaker::build(&config).unwrap())
    }
    fn ends(breaker: &Arc<Breaker>, outcomes: &[bool]) -> Vec<Option<Change>> {
        outcomes.iter().map(|&failed| breaker.begin().end(failed)).collect()
    }
    #[test]
    fn too_many_failures_open_it() {
        let breaker = breaker(Duration::from_secs(3600));
        assert_eq!(ends(&breaker, &[true, false, false]), [None, None, None]);
        assert_eq!(ends(&breaker, &[true]), [Some(Change::Opened)]);
        assert!(!breaker.allows());
    }
    #[test]
    fn few_failures_do_not() {
        let breaker = breaker(Duration::from_secs(3600));
        assert_eq!(ends(&breaker, &[false, true, false, false, false, true]), [None; 6]);
        assert!(breaker.allows());
    }
    #[test]
    fn one_request_at_a_time_tries_whether_it_is_well_again() {
        let breaker = breaker(Duration::from_nanos(1));
        ends(&breaker, &[true; 4]);
        assert!(breaker.allows());
        let trial = breaker.begin();
        assert!(!breaker.allows(), "one is enough");
        drop(trial);
        assert!(breaker.allows(), "given up: another");
        assert_eq!(breaker.begin().end(true), Some(Change::Opened));
        assert_eq!(breaker.begin().end(false), Some(Change::Closed));
        assert!(breaker.allows());
    }
    #[test]
    fn what_makes_no_sense_is_an_error() {
        let config = BreakerConfig { threshold: 1.5, kind: "error_rate".into(), ..BreakerConfig::default() };
        assert!(Breaker::build(&config).is_err());
        assert!(Breaker::build(&BreakerConfig::default()).is_err());
    }
}
