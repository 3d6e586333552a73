//! `encode`: compresses responses, as they come.
//!
//! ```caddyfile
//! encode [<matcher>] [<formats...>] {
//!     gzip [<level>]
//!     zstd [<level>] {
//!         level <level>
//!         disable_checksum
//!     }
//!     br   [<level>]
//!     minimum_length <length>
//!     match [header <field> <value>] | [status <code...>]
//! }
//! ```
//!
//! Example: `encode zstd br gzip`: the client's choice, and among its equals the first of these. Without formats:
//! `zstd gzip`. `br` is the syntax of the plugin `caddy-brotli`.
mod body;
mod coding;
mod negotiate;
mod syntax;
#[cfg(test)]
mod tests;
pub use negotiate::Preference;
pub use syntax::{BR, GZIP, ZSTD};

use crate::{
    caddyfile::{Directive, Order, Parse, Support},
    config::{self, is_default},
    http::{
        Body, Build, BuildError, Exchange, Flow, Handler, HandlerConfig, HandlerModule, HttpError, Response,
        ResponseMatcher, Rise, Step, sniff,
    },
};
use coding::Coding;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{
        ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
        VARY,
    },
};
use http_body::Body as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

pub const ENCODE: Directive = Directive {
    name: "encode",
    docs: "encode [<matcher>] [<formats...>] { gzip, zstd, br, minimum_length, match }: compresses responses.",
    order: Order::ByRow,
    support: Support::Full,
    parse: Parse::Handler(syntax::encode),
};
pub const MODULE: HandlerModule = HandlerModule::of::<Encode>();

/// JSON: `http.handlers.encode`.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Encode {
    /// Modules of `http.encoders`, by name.
    #[serde(skip_serializing_if = "Map::is_empty")]
    encodings: Map<String, Value>,
    /// Which comes first where the client has no preference. `zstd`, `br`, `gzip`, if it is empty.
    #[serde(skip_serializing_if = "is_default")]
    prefer: Vec<String>,
    /// A response has to be longer, in bytes: 512, if it is zero.
    #[serde(skip_serializing_if = "is_default")]
    minimum_length: i64,
    /// Content types that are text, if there is none.
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    matcher: Option<config::ResponseMatcher>,
}
const DEFAULT_MINIMUM: u64 = 512;
const DEFAULT_ORDER: [&str; 3] = ["zstd", "br", "gzip"];

impl HandlerConfig for Encode {
    const NAME: &'static str = "encode";
    fn build(self, _: &mut Build) -> Result<Box<dyn Handler>, BuildError> {
        let coding = |(name, config): (String, Value)| {
            let coding = Coding::build(&name, config)?;
            Ok((name, coding))
        };
        let mut codings =
            self.encodings.into_iter().map(coding).collect::<Result<BTreeMap<_, _>, BuildError>>()?;
        let mut preferred = self.prefer;
        if preferred.is_empty() {
            let known = DEFAULT_ORDER.iter().filter(|name| codings.contains_key(**name));
            preferred = known.map(|name| (*name).to_owned()).collect();
        }
        let mut seen = BTreeSet::new();
        for name in &preferred {
            if !codings.contains_key(name) {
                return Err(format!("encoding {name} not enabled").into());
            }
            if !seen.insert(name) {
                return Err(format!("encoding {name} is duplicated in prefer").into());
            }
        }
        let others: Vec<String> = codings.keys().filter(|name| !seen.contains(name)).cloned().collect();
        let preference = Preference::new(&preferred, &others);
        let formats = preference.names().filter_map(|name| {
            let coding = codings.remove(name)?;
            Some(Format { coding, name: name.parse().ok()?, suffix: format!("-{name}\"") })
        });
        Ok(Box::new(Compress {
            formats: formats.collect(),
            preference,
            minimum: match self.minimum_length {
                0 => Some(DEFAULT_MINIMUM),
                length => u64::try_from(length).ok(),
            },
            matcher: ResponseMatcher::build(self.matcher.unwrap_or_else(text_types))?,
        }))
    }
}
#[derive(Debug)]
struct Compress {
    preference: Preference,
    /// In the order of the preference's names.
    formats: Box<[Format]>,
    /// `None`: no response is long enough, as in Caddy where it is negative. (Streams of events are encoded anyway.)
    minimum: Option<u64>,
    matcher: ResponseMatcher,
}
#[derive(Debug)]
struct Format {
    coding: Coding,
    name: HeaderValue,
    /// What the entity tags of responses that are encoded so end in: `-gzip"`.
    suffix: String,
}
impl Handler for Compress {
    fn handle<'t: 'x, 'x>(&'t self, x: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        if may_transform(&x.request.headers)
            && let Some(format) = self.format(x)
        {
            strip_tag(&mut x.request.headers, &format.suffix);
            return Step::Wrap.into();
        }
        Step::Next.into()
    }
    /// Waits for the first frame of a response that does not say how long it is: a stream that starts small is not
    /// encoded.
    fn finish<'t: 'x, 'x>(&'t self, x: &'x mut Exchange, response: Response) -> Flow<'x, Rise<'t>> {
        let Response { status, body } = response;
        let Some(format) = self.format(x) else {
            return Rise::Pass(Response { status, body }).into();
        };
        if status == StatusCode::NOT_MODIFIED {
            vary(&mut x.headers);
        }
        let tunnels = x.request.method == Method::CONNECT && status.is_success();
        if status == StatusCode::PARTIAL_CONTENT || status.is_informational() || tunnels {
            return Rise::Pass(Response { status, body }).into();
        }
        if is_event_stream(&x.headers) {
            let body = self.encode(format, x, status, body);
            return Rise::Pass(Response { status, body }).into();
        }
        let Some(minimum) = self.minimum else {
            return Rise::Pass(Response { status, body }).into();
        };
        let length = x.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        match length.max(body.size_hint().exact()) {
            Some(length) if length <= minimum => Rise::Pass(Response { status, body }).into(),
            Some(_) if x.headers.contains_key(CONTENT_TYPE) || body.is_end_stream() => {
                let body = self.encode(format, x, status, body);
                Rise::Pass(Response { status, body }).into()
            }
            length => Flow::wait(async move {
                let (first, mut body) = body.peek().await.map_err(HttpError::internal)?;
                if length.unwrap_or(first.len() as u64) > minimum {
                    let kind = HeaderValue::from_static(sniff::content_type(&first));
                    x.headers.entry(CONTENT_TYPE).or_insert(kind);
                    body = self.encode(format, x, status, body);
                }
                Ok(Rise::Pass(Response { status, body }))
            }),
        }
    }
}
impl Compress {
    /// What the client likes best of what there is.
    fn format(&self, x: &Exchange) -> Option<&Format> {
        self.preference.accepted(&x.request.headers).first().and_then(|at| self.formats.get(*at))
    }
    fn encode(&self, format: &Format, x: &mut Exchange, status: StatusCode, body: Body) -> Body {
        let headers = &mut x.headers;
        let is_encoded = headers.get(CONTENT_ENCODING).is_some_and(|coding| !coding.is_empty());
        if is_encoded || !may_transform(headers) || !self.matcher.matches(status, headers) {
            return body;
        }
        headers.remove(CONTENT_LENGTH);
        headers.insert(CONTENT_ENCODING, format.name.clone());
        vary(headers);
        headers.remove(ACCEPT_RANGES);
        suffix_tag(headers, &format.suffix);
        body::encode(&format.coding, body)
    }
}
fn may_transform(headers: &HeaderMap) -> bool {
    !text(headers, CACHE_CONTROL).contains("no-transform")
}
fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
}
fn vary(headers: &mut HeaderMap) {
    let values = headers.get_all(VARY).iter().filter_map(|value| value.to_str().ok());
    let mut names = values.flat_map(|value| value.split(','));
    if !names.any(|name| name.trim().eq_ignore_ascii_case("Accept-Encoding")) {
        headers.append(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
}
fn is_event_stream(headers: &HeaderMap) -> bool {
    let kind = text(headers, CONTENT_TYPE);
    let media = kind.split(';').next().unwrap_or("").trim_end_matches([' ', '\t']);
    media.eq_ignore_ascii_case("text/event-stream")
}
/// A strong tag names one encoding of a representation (RFC 9110, section 8.8.3.3), so ours is another.
fn suffix_tag(headers: &mut HeaderMap, suffix: &str) {
    let tag = text(headers, ETAG);
    if tag.is_empty() || tag.starts_with("W/") {
        return;
    }
    let ours = format!("{}{suffix}", tag.strip_suffix('"').unwrap_or(tag));
    if let Ok(ours) = ours.parse() {
        headers.insert(ETAG, ours);
    }
}
/// Whoever made the tag does not know of our suffix.
fn strip_tag(headers: &mut HeaderMap, suffix: &str) {
    let tag = text(headers, IF_NONE_MATCH);
    if let Some(theirs) = tag.strip_suffix(suffix)
        && !tag.starts_with("W/")
        && let Ok(theirs) = format!("{theirs}\"").parse()
    {
        headers.insert(IF_NONE_MATCH, theirs);
    }
}
/// Caddy's list of content types that compress well.
fn text_types() -> config::ResponseMatcher {
    let types = TEXT_TYPES.iter().map(|kind| format!("{kind}*")).collect();
    let headers = BTreeMap::from([("Content-Type".to_owned(), Some(types))]);
    config::ResponseMatcher { headers, ..config::ResponseMatcher::default() }
}
const TEXT_TYPES: &[&str] = &[
    "application/atom+xml",
    "application/eot",
    "application/font",
    "application/geo+json",
    "application/graphql+json",
    "application/graphql-response+json",
    "application/javascript",
    "application/json",
    "application/ld+json",
    "application/manifest+json",
    "application/opentype",
    "application/otf",
    "application/rss+xml",
    "application/truetype",
    "application/ttf",
    "application/vnd.api+json",
    "application/vnd.ms-fontobject",
    "application/wasm",
    "application/x-httpd-cgi",
    "application/x-javascript",
    "application/x-opentype",
    "application/x-otf",
    "application/x-perl",
    "application/x-protobuf",
    "application/x-ttf",
    "application/xhtml+xml",
    "application/xml",
    "font/ttf",
    "font/otf",
    "image/svg+xml",
    "image/vnd.microsoft.icon",
    "image/x-icon",
    "multipart/bag",
    "multipart/mixed",
    "text/",
];
