//! An answer, and decisions by what it is.
use super::{Body, Build, BuildError, Exchange, HttpError, Result, Routes, Text};
use crate::config;
use http::{HeaderMap, HeaderName, StatusCode, header::CONTENT_LENGTH};
use http_body::Body as _;

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
    headers: Box<[(HeaderName, Option<Vec<String>>)]>,
}
impl ResponseMatcher {
    pub fn build(from: config::ResponseMatcher) -> std::result::Result<Self, BuildError> {
        let header = |(name, values): (String, _)| Ok((name.parse()?, values));
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
                    headers.get_all(name).iter().any(|v| wanted.is_empty() || wanted.iter().any(|w| w == v))
                }
            })
    }
}
