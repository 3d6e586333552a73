//! The process around a configuration: what is in force ([`Instance`]), and the API that reads and changes it.
//!
//! `api` knows the routes, `guard` who may use them, `tree` how a configuration is changed piece by piece, `endpoint`
//! the socket.
mod adapters;
mod api;
mod autosave;
mod build;
mod endpoint;
mod guard;
mod instance;
mod json;
mod loader;
mod settings;
mod systemd;
mod tree;
mod views;
pub use adapters::{Adapter, adapt, adapter_of};
pub use autosave::path as autosave_path;
pub use build::{check, decode};
pub use instance::{Instance, Source};
pub use json::{SyntaxError, parse};
pub use settings::default_address;

use http::StatusCode;

/// Why a request to the API, or a configuration, is refused.
#[derive(Debug)]
pub struct Refused {
    pub status: StatusCode,
    pub message: String,
}
impl Refused {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }
    fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }
    fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }
}
impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}
impl std::error::Error for Refused {}

/// An error of `serde_json` as Go would put it, where that differs.
fn go_words(error: &str) -> String {
    let unknown = error.split_once("unknown field `").and_then(|(_, rest)| rest.split_once('`'));
    match unknown {
        Some((field, _)) => format!("json: unknown field \"{field}\""),
        None => error.to_owned(),
    }
}
