//! Header fields whose names contain `_` or `.`: upstreams that make variables of them (CGI, PHP) take them for others,
//! so they are dropped unless the configuration expects them.
use crate::{config, net::canonical};
use http::{HeaderMap, HeaderName};

/// `expected_underscore_headers`, `expected_dot_headers`.
#[derive(Debug, Default)]
pub(super) struct Expected {
    underscore: Allowed,
    dot: Allowed,
}
#[derive(Debug, Default)]
struct Allowed {
    exact: Vec<Name>,
    prefixes: Vec<Name>,
}
/// In lower case.
#[derive(Debug)]
struct Name {
    allow: String,
    /// The same with hyphens, which is dropped.
    hyphenated: String,
}
impl Allowed {
    fn new(entries: &[String], separator: char, option: &str) -> Result<Self, String> {
        let mut allowed = Self::default();
        for entry in entries {
            let fail = |why: String| Err(format!("{option}: entry {entry:?} {why}"));
            if !entry.is_ascii() {
                return fail("contains non-ASCII characters".into());
            }
            let (name, list) = match entry.strip_suffix('*') {
                Some(name) => (name, &mut allowed.prefixes),
                None => (entry.as_str(), &mut allowed.exact),
            };
            if name.contains('*') {
                return fail("has '*' in an invalid position (only a trailing '*' is allowed)".into());
            }
            if !name.contains(separator) {
                return fail(format!("does not contain a {separator:?}"));
            }
            let allow = name.to_ascii_lowercase();
            list.push(Name { hyphenated: allow.replace(separator, "-"), allow });
        }
        Ok(allowed)
    }
    fn exactly(&self, name: &str) -> bool {
        self.exact.iter().any(|known| known.allow == name)
    }
    fn allows(&self, name: &str) -> bool {
        self.exactly(name) || self.prefixes.iter().any(|known| name.starts_with(&known.allow))
    }
    fn is_variant(&self, name: &str) -> bool {
        self.exact.iter().any(|known| known.hyphenated == name)
            || self.prefixes.iter().any(|known| name.starts_with(&known.hyphenated))
    }
    fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.prefixes.is_empty()
    }
}
impl Expected {
    /// # Errors
    /// In Caddy's words.
    pub(super) fn new(server: &config::Server) -> Result<Self, String> {
        Ok(Self {
            underscore: Allowed::new(
                &server.expected_underscore_headers,
                '_',
                "expected_underscore_headers",
            )?,
            dot: Allowed::new(&server.expected_dot_headers, '.', "expected_dot_headers")?,
        })
    }
    /// Drops what is not expected.
    pub(super) fn filter(&self, headers: &mut HeaderMap) {
        let all_plain = self.underscore.is_empty() && self.dot.is_empty();
        let ambiguous = |name: &HeaderName| name.as_str().bytes().any(|byte| byte == b'_' || byte == b'.');
        if all_plain && !headers.keys().any(ambiguous) {
            return;
        }
        let names: Vec<_> = headers.keys().cloned().collect();
        for name in names {
            if let Some(why) = self.drops(name.as_str(), headers.get_all(&name).iter().count()) {
                tracing::debug!(target: "http.log", header = canonical(name.as_str()), "{why}");
                headers.remove(name);
            }
        }
    }
    /// Why a field of this name (in lower case) that comes `count` times is dropped.
    fn drops(&self, name: &str, count: usize) -> Option<&'static str> {
        let (expected, dropped, repeated) = match (name.contains('_'), name.contains('.')) {
            (true, true) => (
                self.underscore.exactly(name) || self.dot.exactly(name),
                "dropping header containing both underscore and dot",
                "dropping allowlisted underscore/dot header with repeated values (possible spoofing)",
            ),
            (true, false) => (
                self.underscore.allows(name),
                "dropping header containing underscore",
                "dropping allowlisted underscore header with repeated values (possible spoofing)",
            ),
            (false, true) => (
                self.dot.allows(name),
                "dropping header containing dot",
                "dropping allowlisted dot header with repeated values (possible spoofing)",
            ),
            (false, false) => {
                let variant = self.underscore.is_variant(name) || self.dot.is_variant(name);
                return variant.then_some("dropping hyphenated variant of expected underscore/dot header");
            }
        };
        match expected {
            false => Some(dropped),
            true => (count > 1).then_some(repeated),
        }
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    fn kept(underscore: &[&str], dot: &[&str], names: &[&str]) -> Vec<String> {
        let list = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        let server = config::Server {
            expected_underscore_headers: list(underscore),
            expected_dot_headers: list(dot),
            ..Default::default()
        };
        let mut headers = HeaderMap::new();
        for name in names {
            headers.append(name.parse::<HeaderName>().unwrap(), "v".parse().unwrap());
        }
        Expected::new(&server).unwrap().filter(&mut headers);
        headers.keys().map(|name| name.to_string()).collect()
    }
    #[test]
    fn what_is_not_expected_is_dropped() {
        assert_eq!(kept(&[], &[], &["a", "a_b", "a.b"]), ["a"]);
        assert_eq!(kept(&["A_B"], &[], &["a_b", "a_c", "a.b"]), ["a_b"]);
        assert_eq!(kept(&["web_*"], &[], &["web_x", "web-x", "web_x.y", "other"]), ["web_x", "other"]);
        assert_eq!(kept(&["web_x.y"], &[], &["web_x.y"]), ["web_x.y"]);
        assert_eq!(kept(&[], &["a.b"], &["a.b", "a-b", "a_b"]), ["a.b"]);
        assert_eq!(kept(&["a_b"], &[], &["a_b", "a_b"]), [""; 0]);
    }
    #[test]
    fn errors_are_caddys() {
        let error = |entry: &str| {
            let expected_underscore_headers = vec![entry.to_owned()];
            let server = config::Server { expected_underscore_headers, ..Default::default() };
            Expected::new(&server).unwrap_err()
        };
        assert_eq!(error("ab"), "expected_underscore_headers: entry \"ab\" does not contain a '_'");
        assert_eq!(
            error("*_a"),
            "expected_underscore_headers: entry \"*_a\" has '*' in an invalid position (only a trailing '*' is allowed)"
        );
        assert_eq!(error("ä_b"), "expected_underscore_headers: entry \"ä_b\" contains non-ASCII characters");
    }
}
