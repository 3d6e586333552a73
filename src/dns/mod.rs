//! DNS providers, one file each: their syntax, their JSON, their API. ACME's DNS challenge and ECH write records with
//! them.
//!
//! ```caddyfile
//! tls {
//!     dns <provider> [<arguments>] [{ … }]
//! }
//! ```
//! In the global options: `dns <provider> …` (for all that needs one) and `acme_dns [<provider> …]`.
pub mod acmedns;
mod api;
pub mod azure;
pub mod cloudflare;
pub mod desec;
pub mod digitalocean;
pub mod duckdns;
pub mod gandi;
pub mod googleclouddns;
pub mod hetzner;
pub mod ionos;
pub mod namecheap;
pub mod ovh;
pub mod porkbun;
pub mod rfc2136;
pub mod route53;
#[cfg(test)]
mod simulated;
mod xml;

use crate::caddyfile::{Parsed, Words};

/// What their module ids begin with.
const NAMESPACE: &str = "dns.providers";

/// `<name> [<value>]`: at most one argument, and a missing one changes nothing.
fn set(value: &mut String, words: &mut Words<'_>) -> Parsed<()> {
    if let Some(text) = words.at_most_one()? {
        *value = text.into();
    }
    Ok(())
}
/// `<name> <value>`, once.
fn set_once(value: &mut String, words: &mut Words<'_>, already: &str) -> Parsed<()> {
    let text = words.need()?;
    if !value.is_empty() {
        return Err(words.error(already));
    }
    *value = text.into();
    words.none()
}
