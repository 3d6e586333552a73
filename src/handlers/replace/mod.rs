//! `replace`: other text in response bodies, as the plugin caddyserver/replace-response has it.
//!
//! ```caddyfile
//! replace [<matcher>] [stream | [re] <search> <replace>] {
//!     stream
//!     [re] <search> <replace>
//!     match { <response matcher> }
//! }
//! ```
//! It has no place among the directives: `order` or a `route` gives it one.
//!
//! ```caddyfile
//! route {
//!     replace http://internal.example https://example.com
//!     reverse_proxy app:8080
//! }
//! ```
//!
//! Text is looked for in the bytes as they are, one replacement after the other. With `stream` they pass on as they
//! come, but for what could be the beginning of a match: of a regular expression that is 2,048 bytes, so that a longer
//! match may be missed.
mod stream;
#[cfg(test)]
mod tests;

use crate::{
    caddyfile::{Cx, Directive, Order, Parse, Parsed, Support, Words, response_matcher},
    config::{
        self, Module, go_bytes_regex, is_default,
        placeholder::{Unknown, expand_global},
    },
    http::{
        Body, Build, BuildError, Exchange, Flow, Handler, HandlerConfig, HandlerModule, HttpError, Response,
        ResponseMatcher, Rise, Step,
    },
};
use grammar::Line;
use http::{HeaderValue, header::CONTENT_LENGTH};
use http_body_util::BodyExt;
use memchr::memmem::Finder;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use stream::{Replaced, Stage};

pub const REPLACE: Directive = Directive {
    name: "replace",
    docs: "`replace [<matcher>] [re] <search> <replace>`: other text in response bodies.",
    order: Order::Unordered,
    support: Support::Full,
    parse: Parse::Handler(parse),
};
pub const MODULE: HandlerModule = HandlerModule::of::<ReplaceResponse>();

/// JSON: `http.handlers.replace_response`.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct ReplaceResponse {
    /// Which responses; all, if it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    r#match: Option<config::ResponseMatcher>,
    /// One after the other: the second one sees what the first has made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    replacements: Vec<Replacement>,
    /// Without waiting for the end of the body.
    #[serde(skip_serializing_if = "is_default")]
    stream: bool,
}
/// One of `search` and `search_regexp`.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Replacement {
    /// With `$1` for what a group of the expression has matched.
    replace: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    search: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    search_regexp: String,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Module> {
    let (mut handler, mut words) = (ReplaceResponse::default(), Words::new(line));
    if words.arg().is_some() {
        instruction(&mut handler, &mut words)?;
    }
    let mut block = words.block();
    while let Some(words) = block.next() {
        if words.text() != "match" {
            instruction(&mut handler, words)?;
        } else if handler.r#match.is_some() {
            return Err(words.error("match block already specified"));
        } else {
            handler.r#match = Some(response_matcher(&words.segment())?);
        }
    }
    Ok(Module::of("replace_response", &handler))
}
/// `stream`, `re <search> <replace>` or `<search> <replace>`, from the word last read on.
fn instruction(handler: &mut ReplaceResponse, words: &mut Words<'_>) -> Parsed<()> {
    let (mut search, mut search_regexp) = (words.text().to_owned(), String::new());
    let replace = match search.as_str() {
        "stream" if handler.stream => return Err(words.error("streaming already enabled")),
        "stream" => {
            handler.stream = true;
            return words.none();
        }
        "re" => {
            let [regexp, replace] = words.exactly()?;
            (search, search_regexp) = (String::new(), regexp);
            replace
        }
        _ => {
            let replace = words.need()?.to_owned();
            words.none()?;
            replace
        }
    };
    handler.replacements.push(Replacement { replace, search, search_regexp });
    Ok(())
}

impl HandlerConfig for ReplaceResponse {
    const NAME: &'static str = "replace_response";
    fn build(self, _: &mut Build) -> Result<Box<dyn Handler>, BuildError> {
        if self.replacements.is_empty() {
            return Err("no replacements configured".into());
        }
        let stages = self.replacements.into_iter().enumerate().map(|(at, from)| {
            from.stage().map_err(|error| BuildError::from(format!("replacement {at}: {error}")))
        });
        Ok(Box::new(Replace {
            stages: stages.collect::<Result<_, _>>()?,
            stream: self.stream,
            matcher: self.r#match.map(ResponseMatcher::build).transpose()?,
        }))
    }
}
impl Replacement {
    fn stage(self) -> Result<Stage, String> {
        let replace = expand_global(&self.replace, Unknown::Stay)?;
        match (self.search.is_empty(), self.search_regexp.is_empty()) {
            (true, true) => Err("no search or search_regexp configured".into()),
            (false, false) => Err("cannot specify both search and search_regexp in same replacement".into()),
            (true, false) => Ok(Stage::Regex(go_bytes_regex(&self.search_regexp)?, replace)),
            (false, true) => {
                let search = expand_global(&self.search, Unknown::Stay)?;
                Ok(Stage::Text(Box::new(Finder::new(search.as_bytes()).into_owned()), replace))
            }
        }
    }
}
#[derive(Debug)]
struct Replace {
    stages: Arc<[Stage]>,
    stream: bool,
    matcher: Option<ResponseMatcher>,
}
impl Handler for Replace {
    fn handle<'t: 'x, 'x>(&'t self, _: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        Step::Wrap.into()
    }
    fn finish<'t: 'x, 'x>(&'t self, x: &'x mut Exchange, response: Response) -> Flow<'x, Rise<'t>> {
        let matches = self.matcher.as_ref().is_none_or(|m| m.matches(response.status, &x.headers));
        if !matches || matches!(response.body, Body::Upgrade(_) | Body::Abort) {
            return Rise::Pass(response).into();
        }
        let Response { status, body } = response;
        if self.stream {
            // How long it becomes is not known.
            x.headers.remove(CONTENT_LENGTH);
            let body = Body::boxed(Replaced::new(body, self.stages.clone()));
            return Rise::Pass(Response { status, body }).into();
        }
        Flow::wait(async move {
            let body = body.collect().await.map_err(HttpError::internal)?.to_bytes();
            let body = stream::replaced(&self.stages, body.to_vec());
            if x.headers.contains_key(CONTENT_LENGTH) {
                x.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
            }
            Ok(Rise::Pass(Response { status, body: Body::Bytes(body.into()) }))
        })
    }
}
