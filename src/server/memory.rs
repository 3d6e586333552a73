//! Memory that is free goes back to the system, so that a server that has been busy is small again.

/// Gives back what this thread's allocations have left behind. It takes some milliseconds where much was in use.
#[allow(unsafe_code)]
pub(super) fn give_back() {
    // SAFETY: may be called at any time, by any thread; where the program has another allocator it finds nothing.
    unsafe { libmimalloc_sys::mi_collect(true) }
}
