//! Upstream addresses: `host:port`, `scheme://host:port`, `network/…`, ranges of ports, placeholders.
use crate::config::{NetworkAddress, join_address};

/// An address as it is written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct UpstreamAddress {
    /// Empty, as most often.
    network: String,
    /// Lower case; empty if there is none.
    pub(super) scheme: String,
    host: String,
    /// May be a range, or hold placeholders.
    port: String,
}
impl UpstreamAddress {
    /// # Errors
    /// In Caddy's words.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut address = if text.contains("://") { Self::from_url(text)? } else { Self::plain(text) };
        if address.network == "unix+h2c" {
            address.network = "unix".into();
            address.scheme = "h2c".into();
        }
        Ok(address)
    }
    fn plain(text: &str) -> Self {
        let split = NetworkAddress::split(text);
        let (network, host, mut port) = split.unwrap_or_else(|_| (String::new(), text.into(), String::new()));
        // Behind a placeholder there may come a port that is not seen yet.
        if port.is_empty() && !host.contains('{') && !is_path(&network) && !is_descriptor(&network) {
            port = "80".into();
        }
        Self { network, scheme: String::new(), host, port }
    }
    fn from_url(text: &str) -> Result<Self, String> {
        if text.contains('{') {
            return Err("due to parsing difficulties, placeholders are not allowed when an upstream address contains a scheme".into());
        }
        let Url { scheme, host, mut port, more } = Url::parse(text)?;
        if more {
            return Err(
                "for now, URLs for proxy upstreams only support scheme, host, and port components".into()
            );
        }
        match (scheme.as_str(), port.as_str()) {
            ("http" | "h2c", "443") => {
                return Err(format!(
                    "upstream address has conflicting scheme ({scheme}://) and port (:443, the HTTPS port)"
                ));
            }
            ("https", "80") => {
                return Err(
                    "upstream address has conflicting scheme (https://) and port (:80, the HTTP port)".into(),
                );
            }
            ("http" | "h2c", "") => port = "80".into(),
            ("https", "") => port = "443".into(),
            _ => {}
        }
        Ok(Self { network: String::new(), scheme, host, port })
    }
    /// What is dialled: one address for each port.
    ///
    /// # Errors
    /// In Caddy's words.
    pub(super) fn dials(&self) -> Result<Vec<String>, String> {
        let whole = self.dial();
        if self.port.contains('{') && self.port.contains('}') {
            return Ok(vec![whole]);
        }
        let parsed = NetworkAddress::parse(&whole, "tcp", 0)?;
        if is_path(&self.network) || !self.port.contains('-') {
            return Ok(vec![whole]);
        }
        let ports = parsed.start_port..=parsed.end_port;
        Ok(ports.map(|port| join_address("", &parsed.host, &port.to_string())).collect())
    }
    fn dial(&self) -> String {
        if !self.network.is_empty() {
            return join_address(&self.network, &self.host, &self.port);
        }
        if self.port.is_empty() {
            return if self.host.contains('{') { self.host.clone() } else { format!("{}:", self.host) };
        }
        join_address("", &self.host, &self.port)
    }
}
fn is_path(network: &str) -> bool {
    matches!(network, "unix" | "unixgram" | "unixpacket") || network.starts_with("unix+")
}
fn is_descriptor(network: &str) -> bool {
    matches!(network, "fd" | "fdgram")
}

/// What matters of a URL.
struct Url {
    scheme: String,
    host: String,
    port: String,
    /// Whether it has a path, a query or a fragment.
    more: bool,
}
impl Url {
    /// As Go's `url.Parse`, but that the port may be a range.
    fn parse(text: &str) -> Result<Self, String> {
        let fail = |why: &str| format!("parsing upstream URL: parse \"{text}\": {why}");
        let (scheme, rest) = text.split_once(':').unwrap_or(("", text));
        if scheme.is_empty() {
            return Err(fail("missing protocol scheme"));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        if !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) || !scheme.chars().all(plain) {
            return Err(fail("first path segment in URL cannot contain colon"));
        }
        let Some(rest) = rest.strip_prefix("//") else {
            return Ok(Self {
                scheme: scheme.to_lowercase(),
                host: String::new(),
                port: String::new(),
                more: true,
            });
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, more) = rest.split_at(end);
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (host, port) = Self::authority(authority).map_err(|why| fail(&why))?;
        // A lone `?` is no query, a lone `#` no fragment.
        let more = !matches!(more, "" | "?" | "#" | "?#");
        Ok(Self { scheme: scheme.to_lowercase(), host: host.into(), port: port.into(), more })
    }
    fn authority(text: &str) -> Result<(&str, &str), String> {
        let (host, port) = match text.strip_prefix('[') {
            Some(inner) => {
                let (host, port) = inner.rsplit_once(']').ok_or("missing ']' in host")?;
                (host, port)
            }
            None => text.rfind(':').map_or((text, ""), |at| text.split_at(at)),
        };
        let digits = match port.strip_prefix(':') {
            Some(digits) => digits,
            None if port.is_empty() => "",
            None => return Err(format!("invalid port \"{port}\" after host")),
        };
        if let Some(odd) = host.chars().find(|c| c.is_ascii_control() || " \"<>\\^`{|}".contains(*c)) {
            return Err(format!("invalid character {odd:?} in host name").replace('\'', "\""));
        }
        if digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok((host, digits));
        }
        match digits.matches('-').count() {
            0 => Err(format!("invalid port \"{port}\" after host")),
            1 => Ok((host, digits)),
            _ => Err(format!("port range invalid: {digits}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_dialled_as_caddy_dials_them() {
        for (text, scheme, dials) in [
            ("a", "", &["a:80"][..]),
            ("a:8000", "", &["a:8000"]),
            (":81", "", &[":81"]),
            ("[::1]:80", "", &["[::1]:80"]),
            ("::1", "", &["[::1]:80"]),
            ("a:1-3", "", &["a:1", "a:2", "a:3"]),
            ("http://a", "http", &["a:80"]),
            ("https://a", "https", &["a:443"]),
            ("HTTPS://[::1]", "https", &["[::1]:443"]),
            ("h2c://a", "h2c", &["a:80"]),
            ("https://a:8001-8002", "https", &["a:8001", "a:8002"]),
            ("unix//run/x", "", &["unix//run/x"]),
            ("unix+h2c//run/x", "h2c", &["unix//run/x"]),
            ("tcp/a:1", "", &["tcp/a:1"]),
            ("{env.UP}", "", &["{env.UP}"]),
            ("{env.H}:8080", "", &["{env.H}:8080"]),
            ("a:{port}", "", &["a:{port}"]),
        ] {
            let address = UpstreamAddress::parse(text).unwrap();
            assert_eq!(
                (address.scheme.as_str(), address.dials().unwrap()),
                (scheme, dials.iter().map(|dial| (*dial).to_owned()).collect()),
                "{text}"
            );
        }
    }
}
