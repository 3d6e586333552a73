//! HTTP/1.1 towards upstreams: an own codec, driven inline by the handler that asks, since a client of hyper's costs more
//! than everything else together. It reads what upstreams send, so it is strict: what could be read in two ways is an
//! error, and its connection is not used again.
mod body;
mod chunked;
mod h2;
mod head;
mod limit;
mod pool;
mod stream;
mod upload;
pub use body::{Framing, Held, ResponseBody};
pub use h2::{Client, SendError};
pub use head::{Head, HeadError, parse};
pub use limit::{Limit, Permit, Turn};
pub use pool::{PoolKey, Pooling, give_back, idle_count, sweep, take};
pub use stream::{Plain, Stream, Timeouts};
pub use upload::{Upload, UploadError};
