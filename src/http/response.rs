//! An answer, and decisions by what it is.
use super::{Body, Build, BuildError, Exchange, HttpError, Result, Routes, Text};
use crate::config;
use http::{HeaderMap, HeaderName, StatusCode, header::CONTENT_LENGTH};
use http_body::Body as _;
use memchr::memmem::Finder;

/// What a handler answers. The header fields are the exchange's.
#[derive(Debug, Default)]
pub struct Response {
    pub status: StatusCode,
    pub body: Body,
}
impl Response {
    pub fn empty(status: StatusCode) -> Self {
        let body = Body::Empty;
        Self { status, body }
    }
    /// What the client gets when `newer` was written over this one: the newer's status, but this one's body if the
    /// newer has none.
    pub(super) fn overwritten(self, newer: Option<Self>, headers: &mut HeaderMap) -> Self {
        match newer {
            None => self,
            Some(newer) if newer.body.is_end_stream() => Self { status: newer.status, ..self },
            Some(newer) => {
                // It was this one's. Caddy leaves it, and breaks off the response where the lengths differ.
                headers.remove(CONTENT_LENGTH);
                newer
            }
        }
    }
}

/// The first that matches a response says what becomes of it.
#[derive(Debug)]
pub struct ResponseHandlers(Box<[ResponseHandler]>);
#[derive(Debug)]
struct ResponseHandler {
    matcher: ResponseMatcher,
    status: Option<Text>,
    routes: Routes,
}
pub enum Action<'t> {
    Pass,
    Status(StatusCode),
    Enter(&'t Routes),
}
impl ResponseHandlers {
    pub fn build(
        from: Vec<config::ResponseHandler>,
        cx: &mut Build,
    ) -> std::result::Result<Self, BuildError> {
        let one = |(i, from): (usize, config::ResponseHandler)| {
            cx.within(format_args!("handle_response[{i}]"), |cx| {
                Ok(ResponseHandler {
                    matcher: ResponseMatcher::build(from.matcher.unwrap_or_default())?,
                    status: from.status_code.map(Text::from),
                    routes: cx.routes(from.routes.unwrap_or_default())?,
                })
            })
        };
        Ok(Self(from.into_iter().enumerate().map(one).collect::<std::result::Result<_, BuildError>>()?))
    }
    pub fn action(&self, x: &Exchange, status: StatusCode, headers: &HeaderMap) -> Result<Action<'_>> {
        let Some(found) = self.0.iter().find(|h| h.matcher.matches(status, headers)) else {
            return Ok(Action::Pass);
        };
        match &found.status {
            None => Ok(Action::Enter(&found.routes)),
            Some(text) => {
                let status = text.expand(x).parse().map_err(HttpError::internal)?;
                Ok(Action::Status(status))
            }
        }
    }
}

#[derive(Debug)]
pub struct ResponseMatcher {
    status: Vec<u16>,
    headers: Box<[(HeaderName, Option<Vec<Pattern>>)]>,
}
impl ResponseMatcher {
    pub fn build(from: config::ResponseMatcher) -> std::result::Result<Self, BuildError> {
        let header = |(name, values): (String, Option<Vec<String>>)| {
            let patterns = values.map(|values| values.iter().map(|value| Pattern::new(value)).collect());
            Ok((name.parse()?, patterns))
        };
        let headers = from.headers.into_iter().map(header);
        Ok(Self {
            status: from.status_code,
            headers: headers.collect::<std::result::Result<_, BuildError>>()?,
        })
    }
    pub fn matches(&self, status: StatusCode, headers: &HeaderMap) -> bool {
        let status = status.as_u16();
        (self.status.is_empty() || self.status.iter().any(|&s| s == status || s == status / 100))
            && self.headers.iter().all(|(name, wanted)| match wanted {
                None => !headers.contains_key(name),
                Some(wanted) => {
                    let mut values = headers.get_all(name).iter();
                    values.any(|v| wanted.is_empty() || wanted.iter().any(|w| w.matches(v.as_bytes())))
                }
            })
    }
}
/// The value of a header field, with `*` at the start, at the end, or both.
#[derive(Debug)]
enum Pattern {
    Any,
    Whole(Box<[u8]>),
    Prefix(Box<[u8]>),
    Suffix(Box<[u8]>),
    Part(Box<Finder<'static>>),
}
impl Pattern {
    fn new(text: &str) -> Self {
        match (text.strip_prefix('*'), text.strip_suffix('*')) {
            (Some("" | "*"), _) => Self::Any,
            (Some(rest), Some(_)) => {
                let part = rest.strip_suffix('*').unwrap_or(rest);
                Self::Part(Box::new(Finder::new(part.as_bytes()).into_owned()))
            }
            (Some(suffix), None) => Self::Suffix(suffix.as_bytes().into()),
            (None, Some(prefix)) => Self::Prefix(prefix.as_bytes().into()),
            (None, None) => Self::Whole(text.as_bytes().into()),
        }
    }
    fn matches(&self, value: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Whole(text) => value == &**text,
            Self::Prefix(text) => value.starts_with(text),
            Self::Suffix(text) => value.ends_with(text),
            Self::Part(finder) => finder.find(value).is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_matcher_wants_one_of_its_statuses_and_all_of_its_fields() {
        let matches = |matcher: serde_json::Value, status: u16, field: &str, value: &'static str| {
            let matcher = ResponseMatcher::build(serde_json::from_value(matcher).unwrap()).unwrap();
            let name = field.parse::<HeaderName>().unwrap();
            let headers = HeaderMap::from_iter([(name, http::HeaderValue::from_static(value))]);
            matcher.matches(StatusCode::from_u16(status).unwrap(), &headers)
        };
        let html = "text/html; charset=utf-8";
        for (matcher, expected) in [
            (json!({}), true),
            (json!({"status_code": [4, 200]}), true),
            (json!({"status_code": [4]}), false),
            (json!({"headers": {"X-Kind": ["*"]}}), true),
            (json!({"headers": {"x-kind": []}}), true),
            (json!({"headers": {"X-Kind": ["image/*", "text/*"]}}), true),
            (json!({"headers": {"X-Kind": ["*utf-8"]}}), true),
            (json!({"headers": {"X-Kind": ["*html*"]}}), true),
            (json!({"headers": {"X-Kind": ["text/html"]}}), false),
            (json!({"headers": {"X-Kind": null}}), false),
            (json!({"headers": {"X-Other": null, "X-Kind": ["text/*"]}}), true),
            (json!({"headers": {"X-Other": ["*"]}}), false),
        ] {
            assert_eq!(matches(matcher.clone(), 200, "x-kind", html), expected, "{matcher}");
        }
    }
}
