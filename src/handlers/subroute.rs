//! `handle`, `handle_path`, `route`: a list of routes as one handler; `handle_errors`: what to do about failures.
//!
//! ```caddyfile
//! handle [<matcher>] {
//!     <directives...>
//! }
//! handle_path <path> {
//!     <directives...>
//! }
//! route [<matcher>] {
//!     <directives...>
//! }
//! handle_errors [<code>|<digit>xx...] {
//!     <directives...>
//! }
//! ```
//! Of several `handle` and `handle_path` beside each other only the first that matches runs; `handle_path` takes the
//! prefix off the path. In a `route` directives run in the order of the text.
//!
//! ```caddyfile
//! handle_path /api/* {
//!     reverse_proxy api:8000
//! }
//! handle {
//!     respond "no such page" 404
//! }
//! handle_errors 5xx {
//!     respond "try later"
//! }
//! ```
use crate::{
    caddyfile::{Cx, Directive, Emit, Order, Parse, Parsed, Support, subroute},
    config::{self, MatcherSet, Module, Route, parse_int},
    http::{Build, BuildError, Exchange, Flow, Handler, HandlerConfig, HandlerModule, Routes, Step},
};
use grammar::Line;
use serde::Deserialize;
use serde_json::json;

pub const HANDLE: Directive = Directive {
    name: "handle",
    docs: "`handle [<matcher>] { <directives...> }`: a block of which only the first that matches runs.",
    order: Order::ByRow,
    support: Support::Full,
    parse: Parse::Handler(|line, cx| Ok(subroute(cx.sorted_block(line)?))),
};
pub const HANDLE_PATH: Directive = Directive {
    name: "handle_path",
    docs: "`handle_path <path> { <directives...> }`: as `handle`, without the path's prefix.",
    order: Order::ByRow,
    support: Support::Full,
    parse: Parse::Own(handle_path),
};
pub const ROUTE: Directive = Directive {
    name: "route",
    docs: "`route [<matcher>] { <directives...> }`: directives in the order of the text.",
    order: Order::ByRow,
    support: Support::Full,
    parse: Parse::Handler(|line, cx| Ok(subroute(cx.ordered_block(line)?))),
};
pub const HANDLE_ERRORS: Directive = Directive {
    name: "handle_errors",
    docs: "`handle_errors [<code>|<digit>xx...] { <directives...> }`: what to answer when a handler fails.",
    order: Order::None,
    support: Support::Full,
    parse: Parse::Own(handle_errors),
};

fn handle_path(line: &Line, cx: &mut Cx<'_>) -> Parsed<Vec<Emit>> {
    let [_, path, ..] = line.words.as_slice() else { return Err(line.arg_error()) };
    if !path.text.starts_with('/') {
        return Err(path.error(format!("path matcher must begin with '/', got {}", path.text)));
    }
    let (set, line) = cx.take_matcher(line)?;
    let prefix = path.text.strip_suffix("/*").or_else(|| path.text.strip_suffix('*')).unwrap_or(&path.text);
    let strip = Module::of("rewrite", &json!({ "strip_path_prefix": prefix }));
    let mut routes = vec![Route::of(None, strip)];
    routes.append(&mut cx.sorted_block(&line)?);
    Ok(vec![Emit::Route(Route::of(set, subroute(routes)))])
}
fn handle_errors(line: &Line, cx: &mut Cx<'_>) -> Parsed<Vec<Emit>> {
    let (mut terms, mut codes) = (vec![], vec![]);
    for word in line.args() {
        let text = word.text.as_str();
        if text.len() != 3 {
            return Err(line.last().error(format!("bad status value '{text}'")));
        }
        let class = text.strip_suffix("xx");
        let number = class.unwrap_or(text);
        if let Err(why) = parse_int(number) {
            return Err(line.last().error(format!("bad status value '{number}': {why}")));
        }
        match class {
            Some(class) => terms.push(format!(
                "{{http.error.status_code}} >= {class}00 && {{http.error.status_code}} <= {class}99"
            )),
            None => codes.push(text),
        }
    }
    if !codes.is_empty() {
        terms.push(format!("{{http.error.status_code}} in [{}]", codes.join(", ")));
    }
    let block = Line { words: vec![line.name().clone()], ..line.clone() };
    let handler = subroute(cx.sorted_block(&block)?);
    let set = (!terms.is_empty())
        .then(|| MatcherSet::from_iter([("expression".to_owned(), json!(terms.join(" || ")))]));
    Ok(vec![Emit::ErrorRoute(Route::of(set, handler))])
}
pub const MODULE: HandlerModule = HandlerModule::of::<Subroute>();

/// JSON: `http.handlers.subroute`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Subroute {
    #[serde(default)]
    routes: Vec<config::Route>,
    errors: Option<config::ErrorRoutes>,
}
impl HandlerConfig for Subroute {
    const NAME: &'static str = "subroute";
    fn build(self, cx: &mut Build) -> Result<Box<dyn Handler>, BuildError> {
        let routes = cx.routes(self.routes)?;
        Ok(match self.errors {
            None => Box::new(Enter(routes)),
            Some(errors) => {
                let errors = cx.within("errors", |cx| cx.routes(errors.routes))?;
                Box::new(Guard { routes, errors })
            }
        })
    }
}
#[derive(Debug)]
struct Enter(Routes);
impl Handler for Enter {
    fn handle<'t: 'x, 'x>(&'t self, _: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        Step::Enter(&self.0).into()
    }
}
#[derive(Debug)]
struct Guard {
    routes: Routes,
    errors: Routes,
}
impl Handler for Guard {
    fn handle<'t: 'x, 'x>(&'t self, _: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        let Self { routes, errors } = self;
        Step::Guard { routes, errors }.into()
    }
}
