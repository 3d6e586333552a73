//! Where certificates come from: issuers and certificate managers, one file each, and who may ask for one on demand.
//!
//! ```caddyfile
//! tls {
//!     issuer <issuer> …
//!     get_certificate <manager> …
//! }
//! ```
pub mod acme;
pub mod internal;
pub mod managers;
pub mod permission;
pub mod zerossl;

use std::collections::BTreeMap;
use url::Url;

/// How we introduce ourselves to those whom we ask about certificates.
const AGENT: &str = concat!("proxy/", env!("CARGO_PKG_VERSION"));

/// A URL with these fields set in its query, which is sorted, as Go's `Values.Encode` does it.
fn with_query(url: &str, fields: &[(&str, &str)]) -> Result<String, String> {
    let mut url = Url::parse(url).map_err(|error| format!("parsing URL: {error}"))?;
    let mut query: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in url.query_pairs() {
        query.entry(name.into_owned()).or_default().push(value.into_owned());
    }
    for (name, value) in fields {
        query.insert((*name).to_owned(), vec![(*value).to_owned()]);
    }
    let mut pairs = url.query_pairs_mut();
    pairs.clear();
    for (name, values) in &query {
        for value in values {
            pairs.append_pair(name, value);
        }
    }
    drop(pairs);
    Ok(url.into())
}
/// What the module ids of issuers begin with.
const NAMESPACE: &str = "tls.issuance";

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn queries_are_set_and_sorted() {
        for (url, expected) in [
            ("http://a/", "http://a/?domain=a.ok.test"),
            ("http://a/x?k=1&domain=z&a=2&a=1", "http://a/x?a=2&a=1&domain=a.ok.test&k=1"),
        ] {
            assert_eq!(with_query(url, &[("domain", "a.ok.test")]).unwrap(), expected);
        }
        assert!(with_query("no url", &[]).is_err());
    }
}
