//! Run time: one exchange walks an immutable tree. Nothing here knows the Caddyfile.
mod body;
mod build;
mod error;
mod exchange;
mod path;
mod response;
mod text;
mod tree;
mod walk;
pub use body::{Body, BoxError};
pub use build::{
    Background, Build, BuildError, Compiled, HandlerConfig, HandlerModule, MatcherConfig, MatcherModule,
    Modules, build,
};
pub use error::{HttpError, Result};
pub use exchange::{Exchange, Upstream};
pub use response::{Action, Response, ResponseHandlers, ResponseMatcher};
pub use text::Text;
pub use tree::{Flow, Handler, Matcher, MatcherSets, Rise, Routes, Server, Step};
pub use walk::answer;
