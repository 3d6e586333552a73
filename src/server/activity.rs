//! What a connection is about, as far as the sweep and the connection's own parts need to know of each other.
use super::{
    site::{Binding, Limits},
    spelling::Place,
    streams::Streams,
    sweep::millis,
};
use crate::http::{Least, Pace};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
    task::{Poll, Waker},
};

/// Ticks without anything in flight before a connection is taken apart.
const PARK_AFTER: u32 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Between requests, down to the bare socket.
    Parked,
    /// Between requests.
    Idle,
    /// Part of a request's head has come, or of a handshake.
    Head,
    /// A request is in flight.
    Busy,
    /// Another protocol is spoken: no timeout of ours concerns it.
    Tunnel,
}
pub(super) struct Activity {
    /// Place in the sweep's list.
    pub(super) slot: Cell<usize>,
    pub(super) binding: Rc<Binding>,
    waker: RefCell<Waker>,
    phase: Cell<Phase>,
    /// The tick in which the phase began.
    since: Cell<u32>,
    /// The tick of the last tick: what "now" is for the connection.
    now: Cell<u32>,
    /// Requests in flight: more than one only on HTTP/2.
    requests: Cell<u32>,
    /// What is read next certainly begins a message: hyper has nothing left of what came before.
    at_start: Cell<bool>,
    /// All that has come since the start is heads, complete, of requests without bodies.
    clean: Cell<bool>,
    /// The target of the request that comes, where it had to be encoded.
    pub(super) target: RefCell<Option<Box<str>>>,
    /// HTTP/1: what is written next.
    pub(super) place: Cell<Place>,
    /// Not all of a response that hyper has been given may have been written.
    flushing: Cell<bool>,
    /// What comes next waits until it is.
    waits_for_flush: Cell<bool>,
    /// The last read found nothing.
    pub(super) read_blocked: Cell<bool>,
    /// The last write could not go on; since when.
    write_blocked: Cell<Option<u32>>,
    /// A handler waits for the request's body; since when.
    body_blocked: Cell<Option<u32>>,
    /// HTTP/1: bytes of the request that is in flight, and of its response, so far; when the latter began.
    received: Cell<u64>,
    sent: Cell<u64>,
    answers: Cell<Option<u32>>,
    /// HTTP/1: what the handlers of that request want of the client.
    pub(super) pace: RefCell<Option<Arc<Pace>>>,
    /// HTTP/2: what is in flight.
    pub(super) streams: Streams,
    expired: Cell<bool>,
    /// The peer has been told that the connection ends.
    closing: Cell<bool>,
}
impl Activity {
    pub(super) fn new(slot: usize, binding: Rc<Binding>, waker: Waker, now: u32) -> Self {
        Self {
            slot: Cell::new(slot),
            binding,
            waker: RefCell::new(waker),
            phase: Cell::new(Phase::Head),
            since: Cell::new(now),
            now: Cell::new(now),
            requests: Cell::new(0),
            at_start: Cell::new(true),
            clean: Cell::new(false),
            target: RefCell::default(),
            place: Cell::default(),
            flushing: Cell::new(false),
            waits_for_flush: Cell::new(false),
            read_blocked: Cell::new(false),
            write_blocked: Cell::new(None),
            body_blocked: Cell::new(None),
            received: Cell::new(0),
            sent: Cell::new(0),
            answers: Cell::new(None),
            pace: RefCell::default(),
            streams: Streams::default(),
            expired: Cell::new(false),
            closing: Cell::new(false),
        }
    }
    pub(super) fn phase(&self) -> Phase {
        self.phase.get()
    }
    pub(super) fn enter(&self, phase: Phase) {
        self.phase.set(phase);
        self.since.set(self.now.get());
    }
    pub(super) fn is_at_start(&self) -> bool {
        self.at_start.get()
    }
    /// The connection is back to its bare stream, so nothing can be left over.
    pub(super) fn restart(&self) {
        self.at_start.set(true);
    }
    /// Says of what has come whether it is heads and nothing else: not if there is a body, nor if it took several reads.
    pub(super) fn is_clean(&self, clean: bool) {
        self.clean.set(clean);
    }
    pub(super) fn was_clean(&self) -> bool {
        self.clean.get()
    }
    /// Bytes have come. While nothing was in flight, a request begins.
    pub(super) fn head_bytes(&self) {
        self.at_start.set(false);
        if matches!(self.phase.get(), Phase::Idle | Phase::Parked) {
            self.enter(Phase::Head);
        }
    }
    pub(super) fn request_begins(&self) {
        self.requests.set(self.requests.get() + 1);
        self.at_start.set(false);
        self.received.set(0);
        self.sent.set(0);
        self.answers.set(None);
        self.enter(Phase::Busy);
    }
    pub(super) fn request_ends(&self) {
        let left = self.requests.get().saturating_sub(1);
        self.requests.set(left);
        self.flushing.set(true);
        self.at_start.set(self.clean.get());
        if left == 0 && self.phase.get() == Phase::Busy {
            self.body_blocked.set(None);
            self.enter(Phase::Idle);
        }
    }
    /// All that was written is on its way.
    pub(super) fn flushed(&self) {
        self.flushing.set(false);
        if self.waits_for_flush.replace(false) {
            self.wake();
        }
    }
    /// Hyper has been given something that is to be written.
    pub(super) fn gives(&self) {
        self.flushing.set(true);
    }
    /// HTTP/1: waits until all that came before is on its way, as its end could not be told from what is to be spelt;
    /// that is the next thing written then. Only clients that do not read have it wait.
    pub(super) fn poll_fields(&self) -> Poll<()> {
        self.waits_for_flush.set(self.flushing.get());
        if self.flushing.get() {
            return Poll::Pending;
        }
        self.place.set(Place::Status);
        Poll::Ready(())
    }
    /// Neither a request nor a response is under way: what hyper writes now, it says of its own accord.
    pub(super) fn is_quiet(&self) -> bool {
        self.requests.get() == 0 && !self.flushing.get()
    }
    /// Bytes have come while a request was in flight.
    pub(super) fn received(&self, bytes: usize) {
        self.received.set(self.received.get() + bytes as u64);
    }
    /// Bytes have gone.
    pub(super) fn sent(&self, bytes: usize) {
        self.sent.set(self.sent.get() + bytes as u64);
        if self.answers.get().is_none() {
            self.answers.set(Some(self.now.get()));
        }
    }
    pub(super) fn write_blocked(&self, blocked: bool) {
        if !blocked {
            self.write_blocked.set(None);
        } else if self.write_blocked.get().is_none() {
            self.write_blocked.set(Some(self.now.get()));
        }
    }
    pub(super) fn body_blocked(&self, blocked: bool) {
        if !blocked {
            self.body_blocked.set(None);
        } else if self.body_blocked.get().is_none() {
            self.body_blocked.set(Some(self.now.get()));
        }
    }
    /// The peer has been told that the connection ends: it has a second for it, once nothing is in flight.
    pub(super) fn closing(&self) {
        self.closing.set(true);
    }
    /// Some timeout is over: the connection is to be closed as it is.
    pub(super) fn expired(&self) -> bool {
        self.expired.get()
    }
    /// Nothing in flight, partial or unwritten, for long enough.
    pub(super) fn may_park(&self) -> bool {
        self.phase.get() == Phase::Idle
            && self.read_blocked.get()
            && !self.flushing.get()
            && self.write_blocked.get().is_none()
            && self.age() >= PARK_AFTER
    }
    pub(super) fn wake(&self) {
        self.waker.borrow().wake_by_ref();
    }
    /// The sweep's look. True if it was woken to be taken apart.
    pub(super) fn tick(&self, now: u32) -> bool {
        self.now.set(now);
        let served = self.binding.served();
        let limits = &served.site.limits;
        self.streams.tick(now, limits);
        if self.over(limits) {
            self.expired.set(true);
            self.wake();
            return false;
        }
        let park = self.may_park();
        if park {
            self.wake();
        }
        park
    }
    /// The current tick.
    pub(super) fn now(&self) -> u32 {
        self.now.get()
    }
    fn age(&self) -> u32 {
        self.now.get().wrapping_sub(self.since.get())
    }
    fn over(&self, limits: &Limits) -> bool {
        let past = |limit: u32, age: u32| limit > 0 && age > limit;
        let since = |tick: u32| millis(self.now.get().wrapping_sub(tick));
        let stuck = |least: Least, blocked: &Cell<Option<u32>>, from: u32, moved: u64| {
            blocked.get().is_some_and(|blocked| least.is_missed(since(blocked), since(from), moved))
        };
        match self.phase.get() {
            Phase::Tunnel => false,
            Phase::Parked | Phase::Idle => {
                past(limits.idle, self.age()) || (self.closing.get() && self.age() > PARK_AFTER)
            }
            Phase::Head => past(limits.read_header, self.age()),
            Phase::Busy => {
                let pace = self.pace.borrow();
                let (mut read, mut write) = (limits.read_least, limits.write_least);
                if let Some(pace) = &*pace {
                    (read, write) = (pace.read.wanted(read), pace.write.wanted(write));
                }
                let answers = self.answers.get().unwrap_or(self.since.get());
                stuck(write, &self.write_blocked, answers, self.sent.get())
                    || stuck(read, &self.body_blocked, self.since.get(), self.received.get())
                    || past(limits.write, self.age())
                    || (self.body_blocked.get().is_some() && past(limits.read, self.age()))
            }
        }
    }
}
