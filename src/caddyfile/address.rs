//! Site addresses: `[scheme://][host][:port][/path]`.
use crate::config::parse_int;
use grammar::Token;
use std::net::Ipv6Addr;

/// One key of a site block, taken apart. What is not given is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SiteAddress {
    /// As it is written.
    pub(super) original: String,
    pub(super) scheme: String,
    /// In lower case (placeholders excepted), IPv6 in its shortest form and without brackets.
    pub(super) host: String,
    pub(super) port: String,
    /// With its leading slash.
    pub(super) path: String,
}
const LONGEST: usize = 4096;

impl SiteAddress {
    /// # Errors
    /// The port is none, in Caddy's words.
    pub(super) fn parse(key: &Token) -> Result<Self, String> {
        let cut = key.text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= LONGEST);
        let original = key.text[..cut.last().unwrap_or(0)].trim().to_owned();
        let (scheme, rest) = original.split_once("://").unwrap_or(("", &original));
        let (authority, path) = match rest.split_once('/') {
            Some((authority, path)) => (authority, format!("/{path}")),
            None => (rest, String::new()),
        };
        let (host, port) = host_and_port(authority);
        check_port(port)?;
        let host = match host.trim().parse::<Ipv6Addr>() {
            Ok(ip) if ip.to_ipv4_mapped().is_none() => ip.to_string(),
            _ => lower_except_placeholders(host.trim()),
        };
        let (scheme, port) = (lower_except_placeholders(scheme), port.to_owned());
        Ok(Self { scheme, host, port, path, original })
    }
    /// The port to listen on, where the key itself may leave it open.
    ///
    /// # Errors
    /// The scheme is unknown, or says something else than the port, in Caddy's words.
    pub(super) fn listen_port(&self, http: i64, https: i64) -> Result<String, String> {
        let (http, https) = (http.to_string(), https.to_string());
        let port = match self.scheme.as_str() {
            "wss" => {
                return Err("the scheme wss:// is only supported in browsers; use https:// instead".into());
            }
            "ws" => return Err("the scheme ws:// is only supported in browsers; use http:// instead".into()),
            "" | "http" | "https" if !self.port.is_empty() => self.port.clone(),
            "" | "https" => https.clone(),
            "http" => http.clone(),
            other => return Err(format!("unsupported URL scheme {other}://")),
        };
        let wrong = match self.scheme.as_str() {
            "http" => port == https,
            "https" => port == http,
            _ => false,
        };
        if wrong { Err(format!("[{}] scheme and port violate convention", self.url())) } else { Ok(port) }
    }
    /// As Caddy writes it: with a scheme, and with the port if that isn't the scheme's own.
    fn url(&self) -> String {
        if self.host.is_empty() && self.port.is_empty() {
            return String::new();
        }
        let scheme = match (self.scheme.as_str(), self.port.as_str()) {
            ("", "443") => "https",
            ("", _) => "http",
            (scheme, _) => scheme,
        };
        let usual = if scheme == "https" { "443" } else { "80" };
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let port = if self.port.is_empty() || self.port == usual {
            String::new()
        } else {
            format!(":{}", self.port)
        };
        format!("{scheme}://{host}{port}{}", self.path)
    }
    /// Whether it can only be plain HTTP.
    pub(super) fn is_http(&self, http_port: i64) -> bool {
        self.scheme == "http" || self.port == http_port.to_string()
    }
}
/// The length of what is fixed in a host or path: without wildcards and placeholders.
pub(super) fn specificity(text: &str) -> usize {
    let mut length = text.len() - text.matches('*').count();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('{')
        && let Some((name, after)) = after.split_once('}')
    {
        length -= name.len() + 2;
        rest = after;
    }
    length
}
fn host_and_port(authority: &str) -> (&str, &str) {
    let split = |text: &'_ str| -> Option<(usize, usize)> {
        // Host and port by their ends: Go's net.SplitHostPort.
        let colon = text.rfind(':')?;
        let host = &text[..colon];
        match host.strip_prefix('[') {
            Some(inner) => (inner.find(']') == Some(inner.len().checked_sub(1)?)).then_some((1, colon - 1)),
            None => (!host.contains([':', '[', ']'])).then_some((0, colon)),
        }
    };
    if let Some((from, to)) = split(authority) {
        let port = authority.rfind(':').map_or("", |colon| &authority[colon + 1..]);
        return (&authority[from..to], port);
    }
    match split(&format!("{authority}:")) {
        Some((from, to)) => (&authority[from..to], ""),
        None => (authority, ""),
    }
}
fn check_port(port: &str) -> Result<(), String> {
    if port.is_empty() {
        return Ok(());
    }
    match parse_int(port) {
        Ok(0..=65535) => Ok(()),
        Ok(number) => Err(format!("port {number} is out of range")),
        Err(why) => Err(format!("invalid port '{port}': {why}")),
    }
}
fn lower_except_placeholders(text: &str) -> String {
    let mut depth = 0_u32;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > 0 { out.push(c) } else { out.extend(c.to_lowercase()) }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    fn token(text: &str) -> Token {
        let span = grammar::Span { file: "-".into(), line: 1, column: 1, length: 1, imports: [].into() };
        Token { text: text.into(), quote: grammar::Quote::None, span }
    }
    fn parts(text: &str) -> Result<String, String> {
        let a = SiteAddress::parse(&token(text))?;
        Ok(format!("{}|{}|{}|{}", a.scheme, a.host, a.port, a.path))
    }
    #[test]
    fn every_part_may_be_missing() {
        for (text, expected) in [
            ("A.com", "|a.com||"),
            (":80", "||80|"),
            ("https://a.com:8443/x/*", "https|a.com|8443|/x/*"),
            ("[::1]:80", "|::1|80|"),
            ("[0:0::1]", "|::1||"),
            ("::1", "|::1||"),
            ("{env.HOST}.Com", "|{env.HOST}.com||"),
            ("http://", "http|||"),
        ] {
            assert_eq!(parts(text), Ok(expected.to_owned()), "{text}");
        }
    }
    #[test]
    fn ports_are_checked() {
        assert_eq!(parts("a:99999"), Err("port 99999 is out of range".into()));
        assert_eq!(parts("a:x"), Err("invalid port 'x': strconv.Atoi: parsing \"x\": invalid syntax".into()));
    }
    #[test]
    fn scheme_and_port_must_agree() {
        let port = |text: &str| SiteAddress::parse(&token(text)).unwrap().listen_port(80, 443);
        assert_eq!(port("a"), Ok("443".into()));
        assert_eq!(port("http://a"), Ok("80".into()));
        assert_eq!(
            port("http://a.com:443"),
            Err("[http://a.com:443] scheme and port violate convention".into())
        );
        assert_eq!(
            port("https://a.com:80"),
            Err("[https://a.com:80] scheme and port violate convention".into())
        );
        assert_eq!(port("ftp://a"), Err("unsupported URL scheme ftp://".into()));
    }
    #[test]
    fn wildcards_and_placeholders_are_not_specific() {
        assert_eq!(specificity("*.a.com"), 6);
        assert_eq!(specificity("{env.X}.com"), 4);
    }
}
