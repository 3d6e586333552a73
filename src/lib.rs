//! Read `table` first: it names every directive and where it lives.
pub mod caddyfile;
pub mod cli;
pub mod config;
pub mod handlers;
pub mod http;
pub mod logging;
pub mod matchers;
pub mod server;
pub mod state;
pub mod storage;
pub mod table;
pub mod tls;
