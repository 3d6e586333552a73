//! The kinds of values that keys have.
use grammar::nearest;
use ipnet::IpNet;
use std::net::IpAddr;
use toml::de::DeValue;
use url::{Host as UrlHost, Url};

pub(super) trait FromToml: Sized {
    /// What a value is to be, for messages.
    const WHAT: &'static str;
    /// # Errors
    /// What is wrong with it; `None` where it is not [`Self::WHAT`] at all.
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Option<String>>;
}
impl FromToml for bool {
    const WHAT: &'static str = "true or false";
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Option<String>> {
        value.as_bool().ok_or(None)
    }
}
impl FromToml for String {
    const WHAT: &'static str = "a text that is not empty";
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Option<String>> {
        value.as_str().filter(|text| !text.is_empty()).map(str::to_owned).ok_or(None)
    }
}
fn integer(value: &DeValue<'_>) -> Option<i64> {
    let number = value.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}
/// Of TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Port(pub(super) u16);
impl FromToml for Port {
    const WHAT: &'static str = "a port, 1 to 65535";
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Option<String>> {
        let port = integer(value).and_then(|number| u16::try_from(number).ok()).filter(|port| *port > 0);
        port.map(Self).ok_or(None)
    }
}
/// From 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Count(pub(super) u32);
impl FromToml for Count {
    const WHAT: &'static str = "a whole number, 1 or more";
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Option<String>> {
        let count = integer(value).and_then(|number| u32::try_from(number).ok()).filter(|count| *count > 0);
        count.map(Self).ok_or(None)
    }
}
/// From 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seconds(pub(super) u32);
impl FromToml for Seconds {
    const WHAT: &'static str = "a whole number of seconds";
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Option<String>> {
        integer(value).and_then(|number| u32::try_from(number).ok()).map(Self).ok_or(None)
    }
}
impl FromToml for IpAddr {
    const WHAT: &'static str = "an IP address, such as \"0.0.0.0\" or \"::\"";
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Option<String>> {
        value.as_str().and_then(|text| text.parse().ok()).ok_or(None)
    }
}
/// An address or a network, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Range(pub(super) String);
impl FromToml for Range {
    const WHAT: &'static str = "an IP address or a range, such as \"10.0.0.0/8\"";
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Option<String>> {
        let text = value.as_str().ok_or(None)?;
        let known = text.parse::<IpAddr>().is_ok() || text.parse::<IpNet>().is_ok();
        known.then(|| Self(text.to_owned())).ok_or(None)
    }
}
/// One of a few words, in any case.
fn one_of<T: Copy>(value: &DeValue<'_>, words: &[(&str, T)]) -> Result<T, Option<String>> {
    let text = value.as_str().ok_or(None)?;
    if let Some((_, meant)) = words.iter().find(|(word, _)| text.eq_ignore_ascii_case(word)) {
        return Ok(*meant);
    }
    let all = words.iter().map(|(word, _)| *word);
    let hint = nearest(text, all.clone()).map_or(String::new(), |near| format!("; did you mean {near:?}?"));
    Err(Some(format!("expected one of {}, found {text:?}{hint}", all.collect::<Vec<_>>().join(", "))))
}
/// The least level that is logged, in Caddy's spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level(pub(super) &'static str);
/// The document's names (those of `tracing`) for Caddy's levels.
pub(super) const LEVELS: &[(&str, Level)] = &[
    ("trace", Level("DEBUG")),
    ("debug", Level("DEBUG")),
    ("info", Level("INFO")),
    ("warn", Level("WARN")),
    ("error", Level("ERROR")),
];
impl FromToml for Level {
    const WHAT: &'static str = "a level, such as \"info\"";
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Option<String>> {
        one_of(value, LEVELS)
    }
}
/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Pretty,
}
impl FromToml for Format {
    const WHAT: &'static str = "\"json\" or \"pretty\"";
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Option<String>> {
        one_of(value, &[("json", Self::Json), ("pretty", Self::Pretty)])
    }
}
/// A host's exact name, in lower case, or its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Host(pub(super) String);
impl FromToml for Host {
    const WHAT: &'static str = "a host name";
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Option<String>> {
        let text = value.as_str().ok_or(None)?;
        let wrong = |why: &str| Some(format!("{text:?} is not a host name: {why}"));
        if text.contains("://") || text.contains('/') {
            return Err(wrong("it is to stand without scheme and path"));
        }
        if text.contains('*') {
            return Err(wrong("a route has one exact name"));
        }
        if text.parse::<IpAddr>().is_ok() {
            return Ok(Self(text.to_lowercase()));
        }
        if text.contains(':') {
            return Err(wrong("it is to stand without a port"));
        }
        let name =
            idna::domain_to_ascii_strict(text).map_err(|_| wrong("not all of its characters are allowed"))?;
        if name.is_empty() { Err(wrong("it is empty")) } else { Ok(Self(name)) }
    }
}
/// Where a path begins: whole segments, without a slash at the end; empty for all paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Prefix(pub(super) String);
impl FromToml for Prefix {
    const WHAT: &'static str = "a path, such as \"/api\"";
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Option<String>> {
        let path = path(value)?;
        if path.contains(['*', '?', '#', '{', '}']) {
            return Err(Some(format!(
                "{path:?} is not the beginning of a path: it is compared as it stands"
            )));
        }
        Ok(Self(path.trim_end_matches('/').to_owned()))
    }
}
/// A path with its query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PathAndQuery(pub(super) String);
impl FromToml for PathAndQuery {
    const WHAT: &'static str = "a path, such as \"/health\"";
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Option<String>> {
        let path = path(value)?;
        match path.parse::<http::uri::PathAndQuery>() {
            Ok(_) if !path.contains(['{', '#']) => Ok(Self(path)),
            _ => Err(Some(format!("{path:?} is not a path that can be asked for"))),
        }
    }
}
fn path(value: &DeValue<'_>) -> Result<String, Option<String>> {
    let text = value.as_str().ok_or(None)?;
    if !text.starts_with('/') {
        return Err(Some(format!("{text:?} is not a path: it has to begin with /")));
    }
    Ok(text.to_owned())
}
/// Where a backend is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Backend {
    /// Host and port.
    pub(super) dial: String,
    pub(super) tls: bool,
}
impl FromToml for Backend {
    const WHAT: &'static str = "a URL, such as \"http://mail-rs:8080\"";
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Option<String>> {
        let text = value.as_str().ok_or(None)?;
        let wrong = |why: &str| Some(format!("{text:?} is not the URL of a backend: {why}"));
        let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
        let tls = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(wrong("it has to begin with http:// or https://")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("it can have no user"));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("it can have no path, since requests keep theirs"));
        }
        let host = match url.host() {
            Some(UrlHost::Ipv6(address)) => format!("[{address}]"),
            Some(host) => host.to_string(),
            None => return Err(wrong("it names no host")),
        };
        let port = url.port_or_known_default().filter(|port| *port > 0).ok_or_else(|| wrong("port 0"))?;
        Ok(Self { dial: format!("{host}:{port}"), tls })
    }
}
/// Of an ACME directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Directory(pub(super) String);
impl FromToml for Directory {
    const WHAT: &'static str = "a URL, such as \"https://acme-v02.api.letsencrypt.org/directory\"";
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Option<String>> {
        let text = value.as_str().ok_or(None)?;
        let wrong = |why: &str| Some(format!("{text:?} is not the URL of an ACME directory: {why}"));
        let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
        if url.scheme() != "https" || !url.has_host() {
            return Err(wrong("it has to begin with https://"));
        }
        Ok(Self(text.to_owned()))
    }
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Email(pub(super) String);
impl FromToml for Email {
    const WHAT: &'static str = "an e-mail address";
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Option<String>> {
        let text = value.as_str().ok_or(None)?;
        let whole = text.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty() && !host.is_empty() && !text.contains(char::is_whitespace) && !host.contains('@')
        });
        whole.then(|| Self(text.to_owned())).ok_or(None)
    }
}
/// Whether clients keep their backend: the cookie's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sticky(pub(super) Option<String>);
impl FromToml for Sticky {
    const WHAT: &'static str = "true, false or the name of a cookie";
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Option<String>> {
        if let Some(sticky) = value.as_bool() {
            return Ok(Self(sticky.then(|| "lb".to_owned())));
        }
        let name = value.as_str().ok_or(None)?;
        let token =
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        token.then(|| Self(Some(name.to_owned()))).ok_or(None)
    }
}
