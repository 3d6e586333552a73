//! `handle`: a list of routes as one handler; with `errors` (JSON only), a scope for failures.
//!
//! ```caddyfile
//! handle [<path>] {
//!     <directives...>
//! }
//! ```
use crate::{
    caddyfile::{Directive, Order, Parse, Support, subroute},
    config,
    http::{Build, BuildError, Exchange, Flow, Handler, HandlerConfig, HandlerModule, Routes, Step},
};
use serde::Deserialize;

pub const HANDLE: Directive = Directive {
    name: "handle",
    docs: "A group of which one is taken.",
    order: Order::ByRow,
    support: Support::Full,
    parse: Parse::Handler(|line, cx| {
        line.none()?;
        Ok(subroute(cx.sorted_routes(line.lines())?))
    }),
};
pub const MODULE: HandlerModule = HandlerModule::of::<Subroute>();

/// JSON: `http.handlers.subroute`.
#[derive(Deserialize)]
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
