//! Who may use the API: no web page that a browser on this machine shows, and nobody by a name that merely resolves to it
//! (DNS rebinding).
use super::{Refused, settings::Settings};
use crate::server::Address;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use std::net::IpAddr;

/// The checks of an endpoint.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Guard {
    enforce_origin: bool,
    pub(super) enforce_host: bool,
    allowed: Vec<Origin>,
}
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Origin {
    /// Empty: any.
    scheme: String,
    host: String,
}
impl Guard {
    pub(super) fn new(settings: &Settings, address: &Address) -> Self {
        let tcp = match address {
            Address::Tcp { host, port, .. } => Some((host.as_str(), *port)),
            _ => None,
        };
        let ip = tcp.and_then(|(host, _)| host.parse::<IpAddr>().ok());
        let wildcard =
            tcp.is_none_or(|(host, _)| host.is_empty()) || ip.is_some_and(|ip| ip.is_unspecified());
        let hosts = match (&settings.origins, tcp) {
            (Some(origins), _) => origins.clone(),
            (None, None) => vec![],
            (None, Some((host, port))) if host == "localhost" || ip.is_some_and(|ip| ip.is_loopback()) => {
                ["localhost", "[::1]", "127.0.0.1"].map(|host| format!("{host}:{port}")).to_vec()
            }
            (None, Some(_)) => vec![address.place()],
        };
        Self {
            enforce_origin: settings.enforce_origin,
            enforce_host: !wildcard,
            allowed: hosts.iter().filter_map(|origin| Origin::allowed(origin)).collect(),
        }
    }
    /// As Caddy logs them.
    pub(super) fn origins(&self) -> Vec<String> {
        self.allowed.iter().map(Origin::to_string).collect()
    }
    /// What the answer has to say of it; with `Err`, that there is none.
    ///
    /// # Errors
    /// In Caddy's words.
    pub(super) fn check(&self, method: &Method, headers: &HeaderMap) -> Result<HeaderMap, Refused> {
        let get = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
        let bad = |message| Err(Refused::new(StatusCode::BAD_REQUEST, message));
        if get("upgrade").contains("websocket") {
            return bad("WebSocket connections aren't allowed.");
        }
        if get("sec-fetch-mode").contains("no-cors") {
            return bad("Disabling same-origin restrictions is not allowed.");
        }
        if get("origin") == "null" {
            return bad("Buggy browser is sending null Origin header.");
        }
        let host = get("host");
        if self.enforce_host && !self.allowed.iter().any(|origin| origin.host.eq_ignore_ascii_case(host)) {
            return Err(Refused::new(StatusCode::FORBIDDEN, format!("host not allowed: {host}")));
        }
        let mut answer = HeaderMap::new();
        let of_browser = headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-mode");
        if self.enforce_origin || of_browser {
            let shown = if get("origin").is_empty() { get("referer") } else { get("origin") };
            let origin = self.admit(shown)?;
            if method == Method::OPTIONS {
                for (name, value) in [
                    (header::ACCESS_CONTROL_ALLOW_METHODS, "OPTIONS, GET, POST, PUT, PATCH, DELETE"),
                    (header::ACCESS_CONTROL_ALLOW_HEADERS, "Content-Type, Content-Length, Cache-Control"),
                    (header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true"),
                ] {
                    answer.insert(name, HeaderValue::from_static(value));
                }
            }
            if let Ok(origin) = HeaderValue::from_str(&origin.shown()) {
                answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            }
        }
        Ok(answer)
    }
    fn admit(&self, shown: &str) -> Result<Origin, Refused> {
        let forbidden = |message: String| Refused::new(StatusCode::FORBIDDEN, message);
        let origin = Origin::parse(shown)
            .ok_or_else(|| forbidden("required Origin header is missing or invalid".into()))?;
        let fits = |allowed: &Origin| {
            (allowed.scheme.is_empty() || allowed.scheme == origin.scheme)
                && allowed.host.eq_ignore_ascii_case(&origin.host)
        };
        if self.allowed.iter().any(fits) {
            return Ok(origin);
        }
        Err(forbidden(format!("client is not allowed to access from origin '{shown}'")))
    }
}
impl Origin {
    /// From the configuration: with or without scheme.
    fn allowed(text: &str) -> Option<Self> {
        if text.contains("://") {
            return Self::parse(text);
        }
        Some(Self { scheme: String::new(), host: text.to_owned() })
    }
    /// Scheme and host of a URL, as Go reads it; `None` where Go finds none.
    fn parse(text: &str) -> Option<Self> {
        if text.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
            return None;
        }
        let (scheme, rest) = match text.split_once(':') {
            Some((scheme, rest)) if is_scheme(scheme) => (scheme.to_ascii_lowercase(), rest),
            // A colon in the first segment of what is no scheme.
            Some((before, _)) if !before.contains('/') => return None,
            _ => (String::new(), text),
        };
        let Some(behind) = rest.strip_prefix("//") else { return Some(Self { scheme, host: String::new() }) };
        let host = behind.split(['/', '?', '#']).next().unwrap_or("");
        let host = host.rsplit('@').next().unwrap_or(host);
        if host.contains(['<', '>', '"', '\\', '^', '`', '{', '|', '}', '%']) || unclosed(host) {
            return None;
        }
        Some(Self { scheme, host: host.to_owned() })
    }
    /// For the answer: `//host` without a scheme.
    fn shown(&self) -> String {
        match (self.scheme.as_str(), self.host.as_str()) {
            ("", "") => String::new(),
            ("", host) => format!("//{host}"),
            (scheme, host) => format!("{scheme}://{host}"),
        }
    }
}
impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}
fn unclosed(host: &str) -> bool {
    host.starts_with('[') && !host.contains(']')
}
#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn guard(settings: serde_json::Value) -> Guard {
        let settings = Settings::read(Some(&settings)).unwrap();
        Guard::new(&settings, &settings.address().unwrap())
    }
    /// The origin that is let in, or the status and why not.
    fn ask(guard: &Guard, fields: &[(&'static str, &str)]) -> Result<String, (u16, String)> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.insert(*name, value.parse().unwrap());
        }
        let answer = guard.check(&Method::GET, &headers).map_err(|no| (no.status.as_u16(), no.message))?;
        let origin = answer.get("access-control-allow-origin").map(|value| value.to_str().unwrap());
        Ok(origin.unwrap_or("").to_owned())
    }
    #[test]
    fn browsers_and_strange_names_stay_out() {
        let local = guard(json!({"listen": "localhost:2019"}));
        assert_eq!(local.origins(), ["//localhost:2019", "//[::1]:2019", "//127.0.0.1:2019"]);
        let host = ("host", "localhost:2019");
        assert_eq!(ask(&local, &[host]), Ok(String::new()));
        assert_eq!(ask(&local, &[("host", "LOCALHOST:2019")]), Ok(String::new()));
        assert_eq!(
            ask(&local, &[host, ("origin", "http://127.0.0.1:2019")]),
            Ok("http://127.0.0.1:2019".into())
        );
        assert_eq!(
            ask(&local, &[host, ("sec-fetch-mode", "cors"), ("referer", "http://[::1]:2019/x?y")]),
            Ok("http://[::1]:2019".into())
        );
        for (fields, status, message) in [
            (vec![("host", "evil.com")], 403, "host not allowed: evil.com"),
            (
                vec![host, ("origin", "http://evil.com")],
                403,
                "client is not allowed to access from origin 'http://evil.com'",
            ),
            (vec![host, ("origin", "127.0.0.1:2019")], 403, "required Origin header is missing or invalid"),
            (vec![host, ("sec-fetch-mode", "cors")], 403, "client is not allowed to access from origin ''"),
            (vec![host, ("origin", "null")], 400, "Buggy browser is sending null Origin header."),
            (
                vec![host, ("sec-fetch-mode", "no-cors")],
                400,
                "Disabling same-origin restrictions is not allowed.",
            ),
            (vec![host, ("upgrade", "websocket")], 400, "WebSocket connections aren't allowed."),
        ] {
            assert_eq!(ask(&local, &fields), Err((status, message.to_owned())));
        }
    }
    #[test]
    fn hosts_are_those_of_the_address_or_of_the_configuration() {
        assert_eq!(guard(json!({"listen": "10.0.0.1:99"})).origins(), ["//10.0.0.1:99"]);
        assert!(!guard(json!({"listen": ":99"})).enforce_host);
        assert!(!guard(json!({"listen": "unix//run/admin.sock"})).enforce_host);
        let own = guard(json!({"listen": "localhost:1", "origins": ["https://a.b"], "enforce_origin": true}));
        assert_eq!(ask(&own, &[("host", "a.b"), ("origin", "https://a.b")]), Ok("https://a.b".into()));
        assert!(ask(&own, &[("host", "a.b"), ("origin", "http://a.b")]).is_err());
        assert!(ask(&own, &[("host", "a.b")]).is_err());
        let nobody = guard(json!({"listen": "localhost:1", "origins": []}));
        assert!(ask(&nobody, &[("host", "localhost:1")]).is_err());
    }
}
