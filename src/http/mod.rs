//! Run time: one exchange walks an immutable tree. Nothing here knows the Caddyfile.
mod body;
mod buffer;
mod build;
mod client_ip;
mod connection;
mod error;
mod exchange;
pub mod fs;
pub mod glob;
mod hop;
mod hosts;
mod interim;
mod own;
mod pace;
mod path;
mod place;
pub mod placeholder;
mod proxied;
mod ranges;
mod response;
pub mod sniff;
mod spare;
mod status;
#[cfg(test)]
mod tests;
mod text;
mod tree;
pub mod uri;
mod walk;
pub mod wire;
pub use crate::config::placeholder::Value;
pub use body::{Body, BoxError, Io};
pub use build::{
    Background, Build, Compiled, HandlerConfig, HandlerModule, IpSourceConfig, IpSourceModule, MatcherConfig,
    MatcherModule, Modules, Tracer, build, build_traced,
};
pub use client_ip::{ClientIp, ip_range};
pub use connection::{Connection, TlsInfo, TlsVersion};
pub use error::{HttpError, Result};
pub use exchange::{Exchange, Key, Named, Passing, Provider, Upstream};
pub use hop::{hop_by_hop, names_in_connection, strip_hop_by_hop};
pub use interim::Interim;
pub use own::{Asked, OwnServer};
pub use pace::{Direction, Least, Pace};
pub use place::{BuildError, at};
pub use placeholder::Placeholder;
pub use proxied::{Facts, Proxied};
pub use ranges::{Changing, Ranges};
pub use response::{Action, Response, ResponseHandlers, ResponseMatcher};
pub use spare::{keep_headers, spare_headers};
pub use status::{status_text, unusual_reason};
pub use text::Text;
pub use tree::{Flow, Handler, Matcher, MatcherSets, Rise, Routes, Server, Step};
pub use walk::{Answer, Failure, answer};
