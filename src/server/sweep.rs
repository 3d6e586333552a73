//! All timeouts of a worker's connections, without a timer a request: every half second one pass over what is open.
use super::{
    activity::{Activity, Phase},
    site::Binding,
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    task::Waker,
    time::Duration,
};
use tokio::sync::Notify;

/// How long a tick lasts: timeouts are exact to one of them.
pub(super) const TICK: Duration = Duration::from_millis(500);

/// The connections of one worker.
#[derive(Default)]
pub(super) struct Sweep {
    now: Cell<u32>,
    open: RefCell<Vec<Rc<Activity>>>,
    /// Some connection has ended.
    forgotten: Notify,
}
impl Sweep {
    /// The current tick.
    pub(super) fn now(&self) -> u32 {
        self.now.get()
    }
    /// Waits until all connections but tunnels are gone.
    pub(super) async fn emptied(&self) {
        while self.open.borrow().iter().any(|activity| activity.phase() != Phase::Tunnel) {
            self.forgotten.notified().await;
        }
    }
    /// Makes a connection known until [`Self::forget`]; `waker` wakes its task.
    pub(super) fn register(&self, binding: Rc<Binding>, waker: Waker) -> Rc<Activity> {
        let mut open = self.open.borrow_mut();
        let activity = Rc::new(Activity::new(open.len(), binding, waker, self.now()));
        open.push(activity.clone());
        activity
    }
    pub(super) fn forget(&self, activity: &Activity) {
        let mut open = self.open.borrow_mut();
        let slot = activity.slot.get();
        if slot < open.len() {
            open.swap_remove(slot);
        }
        if let Some(moved) = open.get(slot) {
            moved.slot.set(slot);
        }
        self.forgotten.notify_one();
    }
    /// One tick: wakes the connections whose time is up, or that are idle enough to be taken apart. Gives the number
    /// of the latter.
    pub(super) fn tick(&self) -> usize {
        let now = self.now.get().wrapping_add(1);
        self.now.set(now);
        self.open.borrow().iter().filter(|activity| activity.tick(now)).count()
    }
    /// Has every connection of `binding` look whether it is to go.
    pub(super) fn wake(&self, binding: &Rc<Binding>) {
        let open = self.open.borrow();
        open.iter().filter(|activity| Rc::ptr_eq(&activity.binding, binding)).for_each(|a| a.wake());
    }
}
/// Ticks as milliseconds.
pub(super) fn millis(ticks: u32) -> u64 {
    u64::from(ticks) * TICK.as_millis() as u64
}
/// A duration in ticks, rounded up; zero stands for "never".
pub(super) fn ticks(duration: Duration) -> u32 {
    duration.as_millis().div_ceil(TICK.as_millis()).try_into().unwrap_or(u32::MAX)
}
