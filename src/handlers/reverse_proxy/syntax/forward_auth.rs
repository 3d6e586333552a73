//! `forward_auth`: asks another server whether a request may pass.
//!
//! ```caddyfile
//! forward_auth [<matcher>] <upstreams...> {
//!     uri          <to>
//!     copy_headers <field>[><renamed>]... {
//!         <field>[><renamed>]
//!     }
//!     <any other reverse_proxy subdirectives...>
//! }
//! ```
//! If it answers with success, the request goes on with the fields of that answer; else the client gets the answer.
use crate::{
    caddyfile::{Cx, Directive, Emit, Order, Parse, Parsed, Support, Words},
    config::{MatcherSet, Module, ResponseHandler, ResponseMatcher, Route, canonical_header},
    handlers::{
        headers::HeaderOps,
        reverse_proxy::config::{HeadersConfig, ReverseProxy},
        rewrite::Rewrite,
    },
};
use grammar::{Error, Line};
use serde_json::json;
use std::collections::BTreeMap;

pub const FORWARD_AUTH: Directive = Directive {
    name: "forward_auth",
    docs: "forward_auth [<matcher>] <upstreams...> { uri <to>; copy_headers <fields...>; … }: asks whether a request may pass.",
    order: Order::ByRow,
    support: Support::Partly("as reverse_proxy"),
    parse: Parse::Matched(parse),
};

fn parse(line: &Line, matcher: Option<MatcherSet>, cx: &mut Cx<'_>) -> Parsed<Vec<Emit>> {
    let mut auth = Auth::default();
    let rest = super::without(line, |words| auth.option(words))?;
    if auth.uri.is_empty() {
        // Caddy's words and Caddy's place.
        return Err(Error::plain("the 'uri' subdirective is required, at :0").placed());
    }
    let proxy = super::read(&rest, auth.proxy(), cx)?;
    Ok(vec![Emit::Route(Route::of(matcher, proxy))])
}
/// What the directive says beyond `reverse_proxy`.
#[derive(Default)]
struct Auth {
    uri: String,
    /// Fields of the answer, and what they are called in the request.
    copied: BTreeMap<String, String>,
}
impl Auth {
    fn option(&mut self, words: &mut Words<'_>) -> Parsed<bool> {
        match words.text() {
            "uri" => {
                let uri = words.need()?;
                if !self.uri.is_empty() {
                    return Err(words.error(format!("cannot re-declare uri: {uri}")));
                }
                self.uri = uri.into();
            }
            "copy_headers" => {
                let mut names = words.rest();
                let mut block = words.block();
                while let Some(words) = block.next() {
                    names.push(words.text().into());
                }
                for name in names {
                    let mut parts = name.split('>').map(str::to_owned);
                    let from = parts.next().unwrap_or_default();
                    let to = parts.next().unwrap_or_else(|| from.clone());
                    self.copied.insert(from, to);
                }
                if self.copied.is_empty() {
                    return Err(words.arg_error());
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
    fn proxy(self) -> ReverseProxy {
        let told =
            [("X-Forwarded-Method", "{http.request.method}"), ("X-Forwarded-Uri", "{http.request.uri}")];
        let set = told.map(|(name, value)| (name.to_owned(), vec![value.to_owned()])).into();
        let request = Some(HeaderOps { set, ..HeaderOps::default() });
        let matcher = Some(ResponseMatcher { status_code: vec![2], ..ResponseMatcher::default() });
        // Even if nothing is copied there is a route, so that the request goes on.
        let nothing = Route::of(None, Module::of("vars", &json!({})));
        let copies = self.copied.iter().flat_map(|(from, to)| copy(from, to));
        let routes = Some(std::iter::once(nothing).chain(copies).collect());
        ReverseProxy {
            headers: Some(HeadersConfig { request, response: None }),
            rewrite: Some(Rewrite { method: "GET".into(), uri: self.uri, ..Rewrite::default() }),
            handle_response: vec![ResponseHandler { matcher, status_code: None, routes }],
            ..ReverseProxy::default()
        }
    }
}
/// A client must not pass off a field of its own as one of the answer, so that goes first.
fn copy(from: &str, to: &str) -> [Route; 2] {
    let to = canonical_header(to);
    let value = format!("{{http.reverse_proxy.header.{}}}", canonical_header(from));
    let delete = Module::of("headers", &json!({ "request": { "delete": [to] } }));
    let set = Module::of("headers", &json!({ "request": { "set": { to: [value] } } }));
    let present = MatcherSet::from_iter([("not".to_owned(), json!([{ "vars": { value: [""] } }]))]);
    [Route::of(None, delete), Route::of(Some(present), set)]
}
