//! `respond`: answers with a fixed status and body.
//!
//! ```caddyfile
//! respond <status>|<body>
//! ```
use crate::{
    caddyfile::{Directive, Order, Parse, Support},
    config::Module,
    http::{
        Body, Build, BuildError, Exchange, Flow, Handler, HandlerConfig, HandlerModule, HttpError, Response,
        Step, Text,
    },
};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use std::collections::BTreeMap;

pub const RESPOND: Directive = Directive {
    name: "respond",
    docs: "Writes a hard-coded response.",
    order: Order::ByRow,
    support: Support::Full,
    parse: Parse::Handler(|line, _| {
        let word = line.one()?;
        let mut config = StaticResponse::default();
        if word.len() == 3 && word.parse::<u16>().is_ok() {
            config.status_code = Some(Text::new(word));
        } else {
            config.body = Text::new(word);
        }
        Ok(Module::of(StaticResponse::NAME, &config))
    }),
};
pub const MODULE: HandlerModule = HandlerModule::of::<StaticResponse>();

/// JSON: `http.handlers.static_response`.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct StaticResponse {
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<Text>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, Vec<Text>>,
    #[serde(skip_serializing_if = "Text::is_empty")]
    body: Text,
    /// Instead of an answer: close the connection.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    abort: bool,
}
impl HandlerConfig for StaticResponse {
    const NAME: &'static str = "static_response";
    fn build(self, _: &mut Build) -> Result<Box<dyn Handler>, BuildError> {
        let header = |(name, values): (String, _)| Ok((name.parse()?, values));
        let headers = self.headers.into_iter().map(header);
        let fixed = self.body.literal().map(|body| (Bytes::from(body.to_owned()), content_type(body)));
        Ok(Box::new(Respond {
            status: self.status_code,
            headers: headers.collect::<Result<_, BuildError>>()?,
            body: self.body,
            fixed,
            abort: self.abort,
        }))
    }
}
#[derive(Debug)]
struct Respond {
    status: Option<Text>,
    headers: Box<[(HeaderName, Vec<Text>)]>,
    body: Text,
    /// The body and its type, where nothing in it depends on the request.
    fixed: Option<(Bytes, HeaderValue)>,
    abort: bool,
}
impl Handler for Respond {
    fn handle<'t: 'x, 'x>(&'t self, x: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        if self.abort {
            return Step::Abort.into();
        }
        Flow::Now(self.answer(x).map(Step::Done))
    }
}
impl Respond {
    fn answer(&self, x: &mut Exchange) -> crate::http::Result<Response> {
        for (name, values) in &self.headers {
            x.headers.remove(name);
            for value in values {
                let value = value.expand_known(x).parse().map_err(HttpError::internal)?;
                x.headers.append(name, value);
            }
        }
        let (body, kind) = self.fixed.clone().unwrap_or_else(|| {
            let body = self.body.expand_known(x).into_owned();
            let kind = content_type(&body);
            (body.into(), kind)
        });
        if !body.is_empty() {
            x.headers.entry(CONTENT_TYPE).or_insert(kind);
        }
        // In error routes the error's own status is the default.
        let status = match &self.status {
            Some(status) => status.expand(x).parse().map_err(HttpError::internal)?,
            None => x.error.as_ref().and_then(|error| error.status).unwrap_or(StatusCode::OK),
        };
        Ok(Response { status, body: Body::Bytes(body) })
    }
}
/// JSON is told from plain text; nothing else is guessed.
fn content_type(body: &str) -> HeaderValue {
    let body = body.trim();
    let bracketed = |open, close| body.starts_with(open) && body.ends_with(close);
    let json = body.len() > 2
        && (bracketed('{', '}') || bracketed('[', ']'))
        && serde_json::from_str::<IgnoredAny>(body).is_ok();
    HeaderValue::from_static(if json { "application/json" } else { "text/plain; charset=utf-8" })
}
