//! The DNS as its messages have it (RFC 1035): for questions that the system's own resolver does not answer (zones,
//! authoritative servers, texts) and for updates (RFC 2136), which TSIG signs (RFC 8945).
mod client;
mod lookup;
mod message;
pub mod tsig;
pub use client::{exchange, exchange_over, query};
pub use lookup::{Family, Resolver, Service};
pub use message::{Message, Question, Record, encode_name, kind, rcode};
