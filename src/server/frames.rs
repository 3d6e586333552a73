//! The frames of an HTTP/2 connection by their heads alone, as they come and go: hyper tells nobody of those that are no
//! requests, and answers as many pings and settings as it is sent.
//!
//! What comes is weighed against what goes: requests and data are what a connection is for, all else is overhead. Who
//! causes too much of that, whatever it is, is told to calm down.
use std::cell::Cell;

/// What every HTTP/2 client begins with.
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEAD: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
/// `ENHANCE_YOUR_CALM`, RFC 9113 section 7.
const CALM: u32 = 11;
/// Frames of overhead that a connection may be ahead, and how many are forgiven in half a second: what Node.js allows
/// of resets.
const MOST: u32 = 1000;
const FORGIVEN: u32 = 16;
/// What a response's head makes up for, and a frame of its data: acknowledgements, pings for the measuring of
/// bandwidth, priorities.
const RESPONSE: u32 = 8;
const PIECE: u32 = 4;

/// What is known of the frames of one connection.
#[derive(Debug, Default)]
pub(super) struct Frames {
    received: Heads,
    sent: Heads,
    overhead: Cell<u32>,
    last_stream: Cell<u32>,
}
impl Frames {
    /// Of a connection whose client has yet to send its preface.
    pub(super) fn new() -> Self {
        let frames = Self::default();
        frames.received.skip.set(PREFACE.len());
        frames
    }
    pub(super) fn receive(&self, bytes: &[u8]) {
        self.received.pass(bytes, |kind, length, stream| match kind {
            HEADERS => self.last_stream.set(self.last_stream.get().max(stream)),
            DATA if length > 0 => self.forgive(1),
            _ => self.overhead.set(self.overhead.get().saturating_add(1)),
        });
    }
    pub(super) fn send(&self, bytes: &[u8]) {
        self.sent.pass(bytes, |kind, length, _| match kind {
            HEADERS => self.forgive(RESPONSE),
            DATA if length > 0 => self.forgive(PIECE),
            _ => {}
        });
    }
    fn forgive(&self, frames: u32) {
        self.overhead.set(self.overhead.get().saturating_sub(frames));
    }
    /// So many half seconds have gone by.
    pub(super) fn wait(&self, ticks: u32) {
        self.forgive(ticks.saturating_mul(FORGIVEN));
    }
    pub(super) fn is_flood(&self) -> bool {
        self.overhead.get() > MOST
    }
    /// The frame that ends a flood. `None` in the middle of another.
    pub(super) fn farewell(&self) -> Option<Vec<u8>> {
        let head = [0, 0, 8, 7, 0, 0, 0, 0, 0];
        let frame = || [&head[..], &self.last_stream.get().to_be_bytes(), &CALM.to_be_bytes()].concat();
        self.sent.is_between().then(frame)
    }
}
/// Finds the heads in what goes by, piece by piece.
#[derive(Debug, Default)]
struct Heads {
    /// Bytes before the next.
    skip: Cell<usize>,
    head: Cell<[u8; HEAD]>,
    /// How much of it has gone by.
    filled: Cell<usize>,
}
impl Heads {
    /// Tells `each` the kind, the length and the stream of every frame whose head ends in `bytes`.
    fn pass(&self, mut bytes: &[u8], each: impl Fn(u8, u32, u32)) {
        while !bytes.is_empty() {
            let skipped = self.skip.get().min(bytes.len());
            self.skip.set(self.skip.get() - skipped);
            bytes = &bytes[skipped..];
            let (filled, mut head) = (self.filled.get(), self.head.get());
            let now = (HEAD - filled).min(bytes.len());
            head[filled..filled + now].copy_from_slice(&bytes[..now]);
            bytes = &bytes[now..];
            self.head.set(head);
            self.filled.set((filled + now) % HEAD);
            if filled + now == HEAD {
                let [a, b, c, kind, _, stream @ ..] = head;
                let length = u32::from_be_bytes([0, a, b, c]);
                self.skip.set(length as usize);
                each(kind, length, u32::from_be_bytes(stream) & (u32::MAX >> 1));
            }
        }
    }
    fn is_between(&self) -> bool {
        self.skip.get() == 0 && self.filled.get() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, stream: u8, length: u8) -> Vec<u8> {
        [&[0, 0, length, kind, 0, 0, 0, 0, stream][..], &vec![7; length.into()]].concat()
    }
    const PING: u8 = 6;

    #[test]
    fn heads_are_found_wherever_pieces_end() {
        let bytes = [PREFACE, &frame(4, 0, 0), &frame(HEADERS, 5, 40), &frame(PING, 0, 8)].concat();
        for size in 1..bytes.len() {
            let frames = Frames::new();
            bytes.chunks(size).for_each(|piece| frames.receive(piece));
            assert_eq!((frames.overhead.get(), frames.last_stream.get()), (2, 5), "pieces of {size}");
            assert!(frames.received.is_between());
        }
    }
    #[test]
    fn what_is_answered_makes_up_for_overhead() {
        let frames = Frames::default();
        for _ in 0..10_000 {
            frames
                .receive(&[frame(HEADERS, 1, 9), frame(PING, 0, 8), frame(8, 0, 4), frame(8, 1, 4)].concat());
            frames.send(&[frame(HEADERS, 1, 1), frame(DATA, 1, 3)].concat());
        }
        assert!(!frames.is_flood());
        for _ in 0..=MOST {
            frames.receive(&frame(PING, 0, 8));
        }
        assert!(frames.is_flood());
        frames.wait(1);
        assert!(!frames.is_flood());
    }
    #[test]
    fn the_farewell_waits_for_a_frame_to_end() {
        let frames = Frames::default();
        frames.receive(&frame(HEADERS, 3, 1));
        frames.send(&frame(DATA, 1, 4)[..10]);
        assert_eq!(frames.farewell(), None);
        frames.send(&frame(DATA, 1, 4)[10..]);
        let goaway = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 11];
        assert_eq!(frames.farewell().as_deref(), Some(&goaway[..]));
    }
}
