//! What all tests that start servers share: ports that nobody else uses.
//!
//! A port that was free a moment ago is not enough: tests run beside one another, in several processes, and our
//! listeners share their ports (`SO_REUSEPORT`), so that two servers on one port would not even notice. A process takes
//! blocks of ports instead, each by the lock of a file, and gives every port of them away once. The ports lie below those
//! that the system gives to connections and to listeners on port 0.
use std::{
    fs::{self, File},
    net::TcpListener,
    sync::{LazyLock, Mutex, PoisonError},
    thread::sleep,
    time::{Duration, Instant},
};

const FIRST: u16 = 10_000;
/// Past the last one: Linux gives ports from here on to whoever asks for none.
const END: u16 = 32_000;
/// How many ports a lock stands for.
const BLOCK: u16 = 50;

/// A port of 127.0.0.1 (and of every other address) that no other test is given, in this process or another.
pub(crate) fn free_port() -> u16 {
    static BLOCKS: LazyLock<Mutex<Blocks>> = LazyLock::new(Mutex::default);
    let mut blocks = BLOCKS.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let port = blocks.next();
        // Someone outside of the tests may have it: without sharing, binding tells.
        if TcpListener::bind(("0.0.0.0", port)).is_ok() {
            return port;
        }
    }
}
/// Waits for something that will come soon.
#[allow(dead_code, reason = "not every test waits")]
pub(crate) fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < deadline, "{what} does not come");
        sleep(Duration::from_millis(5));
    }
}
/// The blocks of this process.
#[derive(Default)]
struct Blocks {
    /// What is left of the last one.
    left: std::ops::Range<u16>,
    /// Locked until the process ends, in whatever way.
    held: Vec<File>,
}
impl Blocks {
    fn next(&mut self) -> u16 {
        loop {
            if let Some(port) = self.left.next() {
                return port;
            }
            self.take_block();
        }
    }
    fn take_block(&mut self) {
        let folder = std::env::temp_dir().join("proxy-test-ports");
        fs::create_dir_all(&folder).unwrap();
        let begins = (FIRST..END).step_by(usize::from(BLOCK));
        let (begin, file) = begins
            .filter_map(|begin| {
                let file = File::options().create(true).append(true).open(folder.join(begin.to_string()));
                Some((begin, file.ok()?))
            })
            .find(|(_, file)| file.try_lock().is_ok())
            .expect("a block of ports is free");
        self.left = begin..begin + BLOCK;
        self.held.push(file);
    }
}
