//! HTTP/1.1 towards upstreams: an own codec, driven inline by the handler that asks, since a client of hyper's costs more
//! than everything else together. It reads what upstreams send, so it is strict: what could be read in two ways is an
//! error, and its connection is not used again.
mod body;
mod chunked;
mod head;
mod pool;
mod stream;
mod upload;
pub use body::{Framing, ResponseBody};
pub use head::{Head, HeadError, parse};
pub use pool::{Idle, PoolKey, Pooling, give_back, idle_count, take};
pub use stream::{Stream, Timeouts};
pub use upload::{Upload, UploadError};
