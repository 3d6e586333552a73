//! A server of the configuration as it runs: built once, shared by all workers, replaced as a whole by a reload.
use super::{
    access::AccessLog, address::Address, headers::Expected, listen::KeepAlive, sweep::ticks, wrap::Wrappers,
};
use crate::{
    config,
    http::{self, Least},
    tls::{Challenges, Policies},
};
use std::{
    cell::{Cell, RefCell},
    future::Future,
    pin::Pin,
    rc::Rc,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

pub(super) struct Site {
    pub(super) tree: http::Server,
    /// What certificate authorities come to look for, answered before any route.
    pub(super) challenges: Arc<Challenges>,
    pub(super) limits: Limits,
    /// Some handler says how fast clients have to be.
    pub(super) paced: bool,
    pub(super) log: AccessLog,
    pub(super) wrappers: Wrappers,
    /// Header fields with ambiguous names that are let through.
    pub(super) expected: Expected,
    /// When the process is to stop, once that is known.
    pub(super) shutdown: Arc<OnceLock<Instant>>,
}
/// Requests of its own handlers are no entries of the access log.
impl http::Asked for Site {
    fn answer<'x>(
        &'x self,
        x: &'x mut http::Exchange,
    ) -> Pin<Box<dyn Future<Output = http::Answer> + Send + 'x>> {
        Box::pin(async move {
            self.expected.filter(&mut x.request.headers);
            let answer = http::answer(&self.tree, x).await;
            self.log.failed(x, &answer, None);
            answer
        })
    }
}
/// In ticks of the sweep, zero for "no limit", or bytes, where they do not say otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) read_header: u32,
    pub(super) read: u32,
    pub(super) read_least: Least,
    pub(super) write: u32,
    pub(super) write_least: Least,
    pub(super) idle: u32,
    /// Of a request's head.
    pub(super) header_bytes: usize,
}
impl Limits {
    pub(super) fn of(server: &config::Server) -> Self {
        const MINUTE: Duration = Duration::from_secs(60);
        let or = |set: config::Duration, default| ticks(set.some().unwrap_or(default));
        let least = |set: config::Duration, rate: i64| Least {
            idle: set.some().unwrap_or(MINUTE).as_millis().try_into().unwrap_or(u64::MAX),
            rate: rate.try_into().unwrap_or(0),
        };
        let bytes = usize::try_from(server.max_header_bytes).unwrap_or(0);
        Self {
            read_header: or(server.read_header_timeout, MINUTE),
            read: or(server.read_timeout, Duration::ZERO),
            read_least: least(server.read_idle_timeout, server.read_min_rate),
            write: or(server.write_timeout, Duration::ZERO),
            write_least: least(server.write_idle_timeout, server.write_min_rate),
            idle: or(server.idle_timeout, 5 * MINUTE),
            header_bytes: if bytes == 0 { 16 << 10 } else { bytes },
        }
    }
}
/// TCP keep-alive as the server wants it on its connections.
pub(super) fn keep_alive(server: &config::Server) -> KeepAlive {
    let default = KeepAlive::default();
    let or = |set: config::Duration, default| set.some().unwrap_or(default);
    KeepAlive {
        idle: or(server.keepalive_idle, default.idle),
        interval: or(server.keepalive_interval, default.interval),
        count: match server.keepalive_count {
            0 => default.count,
            count => u32::try_from(count).unwrap_or(default.count),
        },
    }
}

/// What is spoken on one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Protocols {
    pub(super) h1: bool,
    /// Over TLS, or in clear text where `h1` is spoken too, as Caddy has it.
    pub(super) h2: bool,
    /// In clear text.
    pub(super) h2c: bool,
    /// Asked for; nobody speaks it yet.
    pub(super) h3: bool,
}
/// A site at one of its addresses.
#[derive(Clone)]
pub(super) struct Served {
    pub(super) address: Address,
    pub(super) site: Arc<Site>,
    pub(super) protocols: Protocols,
    /// `None` in clear text.
    pub(super) security: Option<Arc<Security>>,
}
/// TLS on an address.
pub(super) struct Security {
    pub(super) policies: Policies,
    pub(super) source: Vec<config::ConnectionPolicy>,
}
impl Served {
    /// Whether a connection made under the one may go on under the other.
    pub(super) fn has_same_security(&self, other: &Self) -> bool {
        let source = |served: &Self| served.security.as_ref().map(|security| security.source.clone());
        source(self) == source(other)
    }
}

/// What the connections of one listener have in common, within one worker.
pub(super) struct Binding {
    /// The worker's own handle on what it serves: no count is shared between cores.
    current: RefCell<Rc<Served>>,
    draining: Cell<bool>,
    superseded: Cell<bool>,
}
impl Binding {
    pub(super) fn new(served: Served) -> Self {
        Self { current: RefCell::new(Rc::new(served)), draining: false.into(), superseded: false.into() }
    }
    /// What a request that comes now is served with.
    pub(super) fn served(&self) -> Rc<Served> {
        self.current.borrow().clone()
    }
    pub(super) fn replace(&self, served: Served) {
        *self.current.borrow_mut() = Rc::new(served);
    }
    /// Its connections are to end after the request they are at.
    pub(super) fn drain(&self) {
        self.draining.set(true);
    }
    /// Its connections were made on terms that hold no longer: no further request on them reaches a site.
    pub(super) fn supersede(&self) {
        self.superseded.set(true);
    }
    pub(super) fn is_superseded(&self) -> bool {
        self.superseded.get()
    }
    pub(super) fn is_draining(&self) -> bool {
        self.draining.get()
    }
}
