//! Where lines go. A worker leaves them in a buffer of its own; one thread a sink takes them all and writes.
use std::{
    fmt, io,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, Thread},
    time::Duration,
};

/// Buffers a sink has: one for all, and others for a thread each. Threads beyond that many share them.
const SLOTS: usize = 16;
/// What one buffer holds before those who write to it have to wait, in bytes.
const FULL: usize = 1 << 20;
/// What of it stays for the lines to come, in bytes: growing again costs more than the lines themselves.
const KEPT: usize = 256 << 10;
/// How long lines may wait for company before they are written.
const LINGER: Duration = Duration::from_millis(10);

/// The end of the line: a file, a stream.
pub trait Target: Send {
    /// Writes whole lines.
    fn write(&mut self, lines: &[u8]) -> io::Result<()>;
    /// Makes ready what the network is needed for. Called before the first line of each configuration.
    ///
    /// # Errors
    /// It cannot be, and the configuration is not to be used then.
    fn prepare(&mut self) -> Result<(), String> {
        Ok(())
    }
    /// Called about once a second, also while there are no lines.
    fn tick(&mut self) -> io::Result<()> {
        Ok(())
    }
}
pub struct Sink {
    /// As Caddy's writer key: sinks of one name are one.
    name: String,
    slots: [Slot; SLOTS],
    target: Mutex<Box<dyn Target>>,
    /// Lines wait that the thread has not been told of otherwise.
    scheduled: AtomicBool,
    thread: OnceLock<Option<Thread>>,
}
#[derive(Default)]
struct Slot {
    lines: Mutex<Vec<u8>>,
    drained: Condvar,
}
impl Sink {
    pub fn new(name: impl Into<String>, target: impl Target + 'static) -> Self {
        Self {
            name: name.into(),
            slots: Default::default(),
            target: Mutex::new(Box::new(target)),
            scheduled: AtomicBool::new(false),
            thread: OnceLock::new(),
        }
    }
    pub fn name(&self) -> &str {
        &self.name
    }
    /// Takes one line. Waits only while this thread's buffer is full: then the target is slower than what is written.
    /// Lines of different threads may change places within the time of [`LINGER`].
    pub fn write(self: &Arc<Self>, line: &[u8]) {
        self.write_to(1 + slot(), line);
    }
    /// The same for lines that are few: whatever thread they are of, they stay in their order.
    pub fn write_in_order(self: &Arc<Self>, line: &[u8]) {
        self.write_to(0, line);
    }
    fn write_to(self: &Arc<Self>, slot: usize, line: &[u8]) {
        let Some(slot) = self.slots.get(slot) else { return };
        let mut lines = lock(&slot.lines);
        while lines.len() >= FULL {
            self.wake();
            lines = slot.drained.wait_timeout(lines, LINGER).unwrap_or_else(PoisonError::into_inner).0;
        }
        lines.extend_from_slice(line);
        drop(lines);
        self.wake();
    }
    /// Makes the target ready.
    ///
    /// # Errors
    /// Those of the target.
    pub fn prepare(&self) -> Result<(), String> {
        lock(&self.target).prepare()
    }
    /// Writes now what waits. For the end of the process, and for what must be seen at once.
    pub fn flush(&self) {
        let mut target = lock(&self.target);
        for slot in &self.slots {
            let mut lines = std::mem::take(&mut *lock(&slot.lines));
            slot.drained.notify_all();
            if !lines.is_empty() {
                self.note(target.write(&lines));
                lines.clear();
                let mut next = lock(&slot.lines);
                if next.capacity() == 0 && lines.capacity() <= KEPT {
                    *next = lines;
                }
            }
        }
    }
    /// There is no other place left to say it.
    fn note(&self, outcome: io::Result<()>) {
        if let Err(error) = outcome {
            let text = format_args!("writing log {}: {error}\n", self.name);
            io::Write::write_fmt(&mut io::stderr(), text).ok();
        }
    }
    fn wake(self: &Arc<Self>) {
        if self.scheduled.swap(true, Ordering::AcqRel) {
            return;
        }
        match self.thread.get_or_init(|| start(Arc::downgrade(self))) {
            Some(thread) => thread.unpark(),
            None => {
                self.flush();
                self.scheduled.store(false, Ordering::Release);
            }
        }
    }
}
/// The writing thread; without one (the system has no more) lines are written by whoever makes them.
fn start(sink: Weak<Sink>) -> Option<Thread> {
    let run = move || {
        loop {
            thread::park_timeout(Duration::from_secs(1));
            let Some(sink) = sink.upgrade() else { return };
            if sink.scheduled.load(Ordering::Acquire) {
                thread::sleep(LINGER);
                sink.scheduled.store(false, Ordering::Release);
                sink.flush();
            } else {
                sink.note(lock(&sink.target).tick());
            }
        }
    };
    thread::Builder::new().name("log".into()).spawn(run).ok().map(|handle| handle.thread().clone())
}
impl Drop for Sink {
    fn drop(&mut self) {
        self.flush();
    }
}
impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sink({})", self.name)
    }
}
/// The number of this thread's buffer.
fn slot() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! { static SLOT: usize = THREADS.fetch_add(1, Ordering::Relaxed) % (SLOTS - 1); }
    SLOT.try_with(|slot| *slot).unwrap_or(0)
}
/// A panic while lines are added leaves them as they are: at worst one is cut.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Standard output.
pub(super) struct Stdout;
impl Target for Stdout {
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        io::Write::write_all(&mut out, lines)?;
        io::Write::flush(&mut out)
    }
}
/// Standard error.
pub(super) struct Stderr;
impl Target for Stderr {
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        io::Write::write_all(&mut io::stderr().lock(), lines)
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);
    impl Target for Memory {
        fn write(&mut self, lines: &[u8]) -> io::Result<()> {
            self.0.lock().unwrap().extend_from_slice(lines);
            Ok(())
        }
    }
    #[test]
    fn every_line_of_every_thread_arrives_whole_even_past_a_full_buffer() {
        let memory = Memory::default();
        let sink = Arc::new(Sink::new("memory", memory.clone()));
        let line = [b'x'; 1023];
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..3000 {
                        sink.write(&[&line[..], b"\n"].concat());
                    }
                });
            }
        });
        sink.flush();
        let seen = memory.0.lock().unwrap();
        assert_eq!(seen.len(), 4 * 3000 * 1024);
        assert!(seen.chunks(1024).all(|chunk| chunk[..1023] == line && chunk[1023] == b'\n'));
    }
    #[test]
    fn a_line_is_written_without_being_asked_for() {
        let memory = Memory::default();
        let sink = Arc::new(Sink::new("memory", memory.clone()));
        sink.write(b"hello\n");
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        while memory.0.lock().unwrap().is_empty() && std::time::Instant::now() < deadline {
            thread::yield_now();
        }
        assert_eq!(*memory.0.lock().unwrap(), b"hello\n");
    }
}
