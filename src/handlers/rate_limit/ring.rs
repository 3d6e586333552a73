//! The times of a key's latest events, in the order they came: small integers in a ring that grows on demand.

use std::ops::{Deref, DerefMut};

/// Ticks since the zone's epoch, modulo 2^32. Only differences mean anything.
pub(super) type Tick = u32;

/// How long before `now` a tick was. One that seems to come after it, since its thread took the time a little later, is
/// as old as now.
pub(super) fn age(now: Tick, tick: Tick) -> Tick {
    let age = now.wrapping_sub(tick);
    if age > Tick::MAX / 2 { 0 } else { age }
}

#[derive(Debug, Default)]
pub(super) struct Ring {
    slots: Slots,
    head: u32,
    len: u32,
}
#[derive(Debug)]
enum Slots {
    /// With them a window is as large as leaves room for a key in a line of the cache.
    Few([Tick; 5]),
    /// As many as it has doubled to, or the most that was ever asked for.
    Many(Box<[Tick]>),
}
impl Default for Slots {
    fn default() -> Self {
        Self::Few(Default::default())
    }
}
impl Deref for Slots {
    type Target = [Tick];
    fn deref(&self) -> &[Tick] {
        match self {
            Self::Few(slots) => slots,
            Self::Many(slots) => slots,
        }
    }
}
impl DerefMut for Slots {
    fn deref_mut(&mut self) -> &mut [Tick] {
        match self {
            Self::Few(slots) => slots,
            Self::Many(slots) => slots,
        }
    }
}
impl Ring {
    pub(super) fn len(&self) -> usize {
        self.len as usize
    }
    /// Memory on the heap, in bytes.
    pub(super) fn bytes(&self) -> usize {
        match &self.slots {
            Slots::Few(_) => 0,
            Slots::Many(slots) => size_of_val(&**slots),
        }
    }
    /// The `i`th event from the oldest.
    pub(super) fn get(&self, i: usize) -> Option<Tick> {
        (i < self.len()).then(|| self.slots[self.place(i)])
    }
    pub(super) fn newest(&self) -> Option<Tick> {
        self.len().checked_sub(1).and_then(|last| self.get(last))
    }
    pub(super) fn pop_oldest(&mut self) {
        if self.len > 0 {
            self.head = self.place(1) as u32;
            self.len -= 1;
        }
    }
    /// Adds an event; the oldest makes way if there are `most` already.
    pub(super) fn push(&mut self, at: Tick, most: usize) {
        while self.len() >= most.max(1) {
            self.pop_oldest();
        }
        if self.len() == self.slots.len() {
            self.grow(most);
        }
        let place = self.place(self.len());
        self.slots[place] = at;
        self.len += 1;
    }
    pub(super) fn for_each(&mut self, change: impl Fn(Tick) -> Tick) {
        for i in 0..self.len() {
            let place = self.place(i);
            self.slots[place] = change(self.slots[place]);
        }
    }
    fn place(&self, i: usize) -> usize {
        let place = self.head as usize + i;
        if place < self.slots.len() { place } else { place - self.slots.len() }
    }
    fn grow(&mut self, most: usize) {
        let mut slots = vec![0; most.min(self.slots.len() * 2)];
        for (i, slot) in slots.iter_mut().enumerate().take(self.len()) {
            *slot = self.slots[self.place(i)];
        }
        (self.slots, self.head) = (Slots::Many(slots.into()), 0);
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    proptest! {
        /// Whatever is done to it, it holds what a plain queue would hold.
        #[test]
        fn is_a_queue(steps in prop::collection::vec((any::<bool>(), any::<u32>()), 0..200), most in 1_usize..20) {
            let (mut ring, mut queue) = (Ring::default(), VecDeque::new());
            for (push, at) in steps {
                if push {
                    ring.push(at, most);
                    if queue.len() == most {
                        queue.pop_front();
                    }
                    queue.push_back(at);
                } else {
                    ring.pop_oldest();
                    queue.pop_front();
                }
                let held: Vec<_> = (0..ring.len()).filter_map(|i| ring.get(i)).collect();
                prop_assert_eq!(held, queue.iter().copied().collect::<Vec<_>>());
                prop_assert_eq!(ring.newest(), queue.back().copied());
                prop_assert!(ring.bytes() <= 4 * most);
            }
        }
    }
}
