//! Header maps that have been used before: what a request needs of them is not made anew for each.
use http::HeaderMap;
use std::cell::RefCell;

/// Kept by a thread, at most: two for each of some hundred requests at a time.
const MOST: usize = 256;
/// Room for this many fields is made at first; maps with more room than that times four are not kept.
const ROOM: usize = 16;
thread_local! { static SPARE: RefCell<Vec<HeaderMap>> = const { RefCell::new(vec![]) } }

/// An empty map that has room for the fields of a usual message.
pub fn spare_headers() -> HeaderMap {
    SPARE.with_borrow_mut(Vec::pop).unwrap_or_else(|| HeaderMap::with_capacity(ROOM))
}
/// Keeps a map for the next message.
pub fn keep_headers(mut headers: HeaderMap) {
    if (1..=ROOM * 4).contains(&headers.capacity()) {
        headers.clear();
        SPARE.with_borrow_mut(|spare| {
            if spare.len() < MOST {
                spare.push(headers);
            }
        });
    }
}
