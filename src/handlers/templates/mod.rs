//! `templates`: executes responses as Go templates.
//!
//! ```caddyfile
//! templates [<matcher>] {
//!     mime    <types...>
//!     between <open> <close>
//!     root    <path>
//!     extensions {
//!         <module> …
//!     }
//! }
//! ```
//! Example: `templates` and `file_server`, with a page that says `{{include "header.html"}}`. What is written is not
//! escaped: `html` and `js` do that.
mod builtins;
mod context;
mod exec;
mod front_matter;
mod include;
mod lex;
mod markdown;
mod page;
mod parse;
mod printf;
mod sprig;
#[cfg(test)]
mod tests;
pub(super) mod time;
pub(super) mod value;

use crate::{
    caddyfile::{Cx, Directive, Order, Parse, Parsed, Support, Words},
    config::{Module, is_default},
    http::{
        Body, Build, BuildError, Exchange, Flow, Handler, HandlerConfig, HandlerModule, HttpError, OwnServer,
        Response, Rise, Step, Text,
    },
};
use context::Context;
use grammar::Line;
use http::{
    HeaderValue, StatusCode,
    header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_TYPE, ETAG, LAST_MODIFIED},
};
use http_body_util::BodyExt;
use page::{Included, Page};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::rc::Rc;
use value::{Failure, Need, Object};

pub const TEMPLATES: Directive = Directive {
    name: "templates",
    docs: "templates [<matcher>] { mime, between, root, extensions }: executes responses as templates.",
    order: Order::ByRow,
    support: Support::Partly("some functions of Sprig are not yet"),
    parse: Parse::Handler(parse_directive),
};
pub const MODULE: HandlerModule = HandlerModule::of::<Templates>();

/// JSON: `http.handlers.templates`.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Templates {
    /// Where templates find files: `{http.vars.root}`, if it is empty; the current directory, if that is too.
    #[serde(skip_serializing_if = "is_default")]
    file_root: String,
    /// Which responses are templates: HTML, plain text and Markdown, if there is none.
    #[serde(skip_serializing_if = "is_default")]
    mime_types: Vec<String>,
    /// What actions stand between: `{{` and `}}`, if there is none.
    #[serde(skip_serializing_if = "is_default")]
    delimiters: Vec<String>,
    /// Modules of `http.handlers.templates.functions`, by name.
    #[serde(rename = "match", skip_serializing_if = "Map::is_empty")]
    extensions: Map<String, Value>,
}
fn parse_directive(line: &Line, cx: &mut Cx<'_>) -> Parsed<Module> {
    let (mut templates, mut words) = (Templates::default(), Words::new(line));
    // Caddy passes over words on the line.
    words.rest();
    let mut block = words.block();
    while let Some(words) = block.next() {
        match words.text() {
            "mime" => templates.mime_types = words.some()?,
            "between" => templates.delimiters = words.exactly::<2>()?.into(),
            "root" => templates.file_root = words.need()?.to_owned(),
            "extensions" => {
                words.none()?;
                if !templates.extensions.is_empty() {
                    return Err(words.error("extensions already specified"));
                }
                let mut block = words.block();
                while let Some(words) = block.next() {
                    let name = words.text().to_owned();
                    let fields = cx.module_fields("http.handlers.templates.functions", &words.segment())?;
                    templates.extensions.insert(name, Value::Object(fields));
                }
            }
            // And over sub-directives that it does not know.
            _ => {}
        }
    }
    Ok(Module::of("templates", &templates))
}

impl HandlerConfig for Templates {
    const NAME: &'static str = "templates";
    fn build(self, cx: &mut Build) -> Result<Box<dyn Handler>, BuildError> {
        if let Some(name) = self.extensions.keys().next() {
            return Err(format!("unknown module: http.handlers.templates.functions.{name}").into());
        }
        let delimiters = match self.delimiters.as_slice() {
            [] => ["{{".to_owned(), "}}".to_owned()],
            [open, close] if !open.is_empty() && !close.is_empty() => [open.clone(), close.clone()],
            _ => return Err("delimiters must consist of exactly two elements: opening and closing".into()),
        };
        let default = || ["text/html", "text/plain", "text/markdown"].map(str::to_owned).to_vec();
        let root = if self.file_root.is_empty() { "{http.vars.root}" } else { &self.file_root };
        Ok(Box::new(Execute {
            root: Text::new(root),
            types: if self.mime_types.is_empty() { default() } else { self.mime_types },
            delimiters,
            server: cx.own_server(),
        }))
    }
}
#[derive(Debug)]
struct Execute {
    root: Text,
    types: Vec<String>,
    delimiters: [String; 2],
    server: OwnServer,
}
impl Handler for Execute {
    fn handle<'t: 'x, 'x>(&'t self, _: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        Step::Wrap.into()
    }
    fn finish<'t: 'x, 'x>(&'t self, x: &'x mut Exchange, response: Response) -> Flow<'x, Rise<'t>> {
        let kind = x.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !self.types.iter().any(|known| kind.contains(known.as_str())) {
            return Rise::Pass(response).into();
        }
        Flow::wait(async move {
            let Response { status, body } = response;
            let body = body.collect().await.map_err(HttpError::internal)?.to_bytes();
            let root = self.root.expand(x);
            let root = if root.is_empty() { ".".to_owned() } else { root.into_owned() };
            let [open, close] = &self.delimiters;
            let template = Template { root, delimiters: (open, close), server: &self.server, fields: None };
            let text = template.execute(x, &String::from_utf8_lossy(&body)).await?;
            x.headers.insert(CONTENT_LENGTH, HeaderValue::from(text.len()));
            // What is made anew each time has neither parts nor a tag.
            for name in [ACCEPT_RANGES, LAST_MODIFIED, ETAG] {
                x.headers.remove(name);
            }
            Ok(Rise::Pass(Response { status, body: Body::from(text) }))
        })
    }
}
/// How a text is executed.
pub(super) struct Template<'t> {
    /// Where functions find files.
    pub(super) root: String,
    pub(super) delimiters: (&'t str, &'t str),
    /// Whom `httpInclude` asks.
    pub(super) server: &'t OwnServer,
    /// What the dot has beside the request and the response's header.
    pub(super) fields: Option<&'t (dyn Fn() -> Rc<dyn Object> + Sync)>,
}
impl Template<'_> {
    /// Values of templates are bound to their thread, so that none can be kept while something is waited for: the
    /// template begins anew with what has come.
    ///
    /// # Errors
    /// What is no template, or fails.
    pub(super) async fn execute(&self, x: &mut Exchange, text: &str) -> Result<String, Box<HttpError>> {
        let mut included = vec![];
        loop {
            match self.attempt(x, text, &included) {
                Ok(text) => return Ok(text),
                Err(Failure::Needs(Need::Body)) => drop(x.buffer_body().await?),
                Err(Failure::Needs(Need::Included(uri))) => {
                    let text = include::ask(self.server, x, &uri).await;
                    included.push(Included { uri, text });
                }
                Err(failure) => return Err(failed(x, failure)),
            }
        }
    }
    fn attempt(&self, x: &mut Exchange, text: &str, included: &[Included]) -> Result<String, Failure> {
        let context = Context::new(x, self.fields.map(|fields| fields()));
        let mut page = Page {
            x,
            context: context.clone(),
            root: &self.root,
            delimiters: self.delimiters,
            depth: 0,
            included,
            calls: 0,
            args: value::Value::list([]),
        };
        let text = page.run(text)?;
        x.headers = context.headers();
        Ok(text)
    }
}
fn failed(x: &mut Exchange, failure: Failure) -> Box<HttpError> {
    match failure {
        Failure::Text(text) => HttpError::internal(text),
        Failure::Needs(need) => HttpError::internal(format!("{need:?} did not come")),
        Failure::Status(status) => {
            // They are of the page that is not sent.
            for name in [CONTENT_LENGTH, CONTENT_TYPE, ETAG, LAST_MODIFIED, ACCEPT_RANGES] {
                x.headers.remove(name);
            }
            HttpError::bare(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
        }
    }
}
