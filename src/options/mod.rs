//! Global options, a file a family. Those of the core (`order`, `debug`, ports, `admin`, …) are in its own files.
//!
//! ```caddyfile
//! {
//!     <option> …
//! }
//! ```
pub mod acme;
pub mod apps;
pub mod automation;
pub mod pki;
pub mod plain;
pub mod servers;
pub mod storage;

use crate::caddyfile::{Parsed, Words};
use grammar::Line;

/// The one word behind the option's name; nothing may follow it, no block either.
fn single(line: &Line) -> Parsed<&str> {
    let mut words = Words::new(line);
    let text = words.need()?;
    words.none()?;
    words.no_block()?;
    Ok(text)
}
