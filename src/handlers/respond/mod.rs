//! `respond`, `redir`, `abort`: answer with what the configuration says.
//!
//! ```caddyfile
//! respond [<matcher>] <status>|<body> [<status>] {
//!     body <text>
//!     close
//! }
//! redir [<matcher>] <to> [<code>|permanent|temporary|html]
//! abort [<matcher>]
//! ```
//!
//! Example: `respond /health 204`.
mod syntax;
#[cfg(test)]
mod tests;
pub use syntax::status_and_text;

use super::headers::header_value;
use crate::{
    caddyfile::{Directive, Order, Parse, Support},
    config::{WeakString, is_default},
    http::{
        Body, Build, BuildError, Exchange, Flow, Handler, HandlerConfig, HandlerModule, HttpError, Response,
        Result, Step, Text,
    },
};
use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{CONNECTION, CONTENT_TYPE},
};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use std::collections::BTreeMap;

pub const RESPOND: Directive = Directive {
    name: "respond",
    docs: "respond [<matcher>] <status>|<body> [<status>] { body, close }: answers with a fixed status and body.",
    order: Order::ByRow,
    support: Support::Full,
    parse: Parse::Handler(syntax::respond),
};
pub const REDIR: Directive = Directive {
    name: "redir",
    docs: "redir [<matcher>] <to> [<code>|permanent|temporary|html]: redirects the client.",
    order: Order::ByRow,
    support: Support::Full,
    parse: Parse::Handler(syntax::redir),
};
pub const ABORT: Directive = Directive {
    name: "abort",
    docs: "abort [<matcher>]: closes the connection without an answer.",
    order: Order::ByRow,
    support: Support::Full,
    parse: Parse::Handler(syntax::abort),
};
pub const MODULE: HandlerModule = HandlerModule::of::<StaticResponse>();
const NAME: &str = "static_response";
/// Not the answer: what follows gives it. The fields stay for it.
const EARLY_HINTS: u16 = 103;

/// JSON: `http.handlers.static_response`.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct StaticResponse {
    /// 200, if there is none; in error routes the error's. 103 sends the header fields ahead of the answer.
    #[serde(skip_serializing_if = "is_default")]
    status_code: WeakString,
    /// Instead of fields of the same names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, Vec<String>>,
    #[serde(skip_serializing_if = "is_default")]
    body: String,
    /// Close the connection behind the answer.
    #[serde(skip_serializing_if = "is_default")]
    close: bool,
    /// Instead of an answer: close the connection.
    #[serde(skip_serializing_if = "is_default")]
    abort: bool,
}
impl HandlerConfig for StaticResponse {
    const NAME: &'static str = NAME;
    fn build(self, _: &mut Build) -> std::result::Result<Box<dyn Handler>, BuildError> {
        if self.abort {
            return Ok(Box::new(Abort));
        }
        let body = Text::new(&self.body);
        let headers = self.headers.into_iter();
        Ok(Box::new(Respond {
            status: Status::new(&self.status_code),
            headers: headers.map(|(name, values)| Field::new(&name, &values)).collect(),
            fixed: body.literal().map(|body| (Bytes::from(body.to_owned()), content_type(body))),
            body,
            close: self.close,
        }))
    }
}
#[derive(Debug)]
struct Abort;
impl Handler for Abort {
    fn handle<'t: 'x, 'x>(&'t self, _: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        Step::Abort.into()
    }
}
#[derive(Debug)]
struct Respond {
    status: Status,
    headers: Box<[Field]>,
    body: Text,
    /// The body and its type, where nothing in it depends on the request.
    fixed: Option<(Bytes, HeaderValue)>,
    close: bool,
}
impl Handler for Respond {
    fn handle<'t: 'x, 'x>(&'t self, x: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        Flow::Now(self.answer(x))
    }
}
impl Respond {
    fn answer(&self, x: &mut Exchange) -> Result<Step<'_>> {
        if self.close {
            x.headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        self.headers.iter().for_each(|field| field.set(x));
        let (body, kind) = self.fixed.clone().unwrap_or_else(|| {
            let body = self.body.expand_known(x).into_owned();
            let kind = content_type(&body);
            (body.into(), kind)
        });
        if body.is_empty() {
            // As Caddy: an answer without a body has no type, and whoever adds a body later is not given one.
            x.untyped |= !x.headers.contains_key(CONTENT_TYPE);
        } else if x.headers.get(CONTENT_TYPE).is_none_or(HeaderValue::is_empty) {
            // One that says nothing counts for none, as in Caddy.
            x.headers.insert(CONTENT_TYPE, kind);
        }
        let status = self.status.of(x)?;
        if status.as_u16() == EARLY_HINTS {
            return Ok(Step::Next);
        }
        Ok(Step::Done(Response { status, body: Body::Bytes(body) }))
    }
}

/// A status that an answer is to have.
#[derive(Debug)]
pub enum Status {
    /// 200, or in error routes the error's.
    Default,
    Fixed(StatusCode),
    Text(Text),
}
impl Status {
    pub fn new(code: &WeakString) -> Self {
        if code.is_empty() {
            return Self::Default;
        }
        match code.0.parse() {
            Ok(status) => Self::Fixed(status),
            Err(_) => Self::Text(Text::new(&code.0)),
        }
    }
    /// # Errors
    /// It is none: 500, as in Caddy.
    pub fn of(&self, x: &Exchange) -> Result<StatusCode> {
        match self {
            Self::Default => Ok(x.error.as_ref().and_then(|error| error.status).unwrap_or(StatusCode::OK)),
            Self::Fixed(status) => Ok(*status),
            Self::Text(text) => parse_status(&text.expand(x)),
        }
    }
}
/// # Errors
/// What it says is no status: 500.
pub fn parse_status(text: &str) -> Result<StatusCode> {
    text.trim().parse().map_err(|_| HttpError::internal(format!("'{text}' is not a status code")))
}

/// A field of the answer. Its name and its values may hold placeholders; those that nobody knows are empty.
#[derive(Debug)]
enum Field {
    Fixed(HeaderName, Vec<HeaderValue>),
    Text(Text, Vec<Text>),
}
impl Field {
    fn new(name: &str, values: &[String]) -> Self {
        let texts: Vec<Text> = values.iter().map(|value| Text::new(value)).collect();
        let fixed: Option<Vec<HeaderValue>> = texts.iter().map(|text| text.literal()?.parse().ok()).collect();
        let name = Text::new(name);
        match (name.literal().and_then(|name| name.parse().ok()), fixed) {
            (Some(name), Some(values)) => Self::Fixed(name, values),
            _ => Self::Text(name, texts),
        }
    }
    /// What cannot stand in a header is left out, as Go leaves it out.
    fn set(&self, x: &mut Exchange) {
        let (name, values) = match self {
            Self::Fixed(name, values) => (name.clone(), values.clone()),
            Self::Text(name, values) => {
                let Ok(name) = name.expand_known(x).parse::<HeaderName>() else { return };
                let values = values.iter().filter_map(|value| header_value(&value.expand_known(x)));
                (name, values.collect())
            }
        };
        x.headers.remove(&name);
        for value in values {
            x.headers.append(&name, value);
        }
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
