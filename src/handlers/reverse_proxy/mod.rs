//! `reverse_proxy` (stand-in: one upstream, a connection a request): passes the request on, and the response back.
//!
//! ```caddyfile
//! reverse_proxy <upstream>
//! ```
mod copy_response;
mod forward;
use crate::{
    caddyfile::{Directive, Order, Parse, Support},
    config::{self, Module},
    http::{
        Action, Build, BuildError, Exchange, Flow, Handler, HandlerConfig, HandlerModule, ResponseHandlers,
        Result, Step,
    },
};
pub use copy_response::{COPY_RESPONSE, COPY_RESPONSE_HEADERS};
use serde::{Deserialize, Serialize};

pub const REVERSE_PROXY: Directive = Directive {
    name: "reverse_proxy",
    docs: "Forwards to an upstream.",
    order: Order::ByRow,
    support: Support::Full,
    parse: Parse::Handler(|line, _| {
        let upstreams = line.some()?.iter().map(|to| Upstream { dial: to.text.clone() }).collect();
        Ok(Module::of(ReverseProxy::NAME, &ReverseProxy { upstreams, handle_response: vec![] }))
    }),
};
pub const MODULE: HandlerModule = HandlerModule::of::<ReverseProxy>();

/// JSON: `http.handlers.reverse_proxy`.
#[derive(Deserialize, Serialize)]
struct ReverseProxy {
    upstreams: Vec<Upstream>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    handle_response: Vec<config::ResponseHandler>,
}
#[derive(Deserialize, Serialize)]
struct Upstream {
    dial: String,
}
impl HandlerConfig for ReverseProxy {
    const NAME: &'static str = "reverse_proxy";
    fn build(self, cx: &mut Build) -> std::result::Result<Box<dyn Handler>, BuildError> {
        let first = self.upstreams.into_iter().next().ok_or("no upstream")?;
        Ok(Box::new(Proxy {
            dial: first.dial,
            responses: ResponseHandlers::build(self.handle_response, cx)?,
        }))
    }
}
#[derive(Debug)]
struct Proxy {
    dial: String,
    responses: ResponseHandlers,
}
impl Handler for Proxy {
    fn handle<'t: 'x, 'x>(&'t self, x: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        Flow::wait(self.pass_on(x))
    }
}
impl Proxy {
    async fn pass_on(&self, x: &mut Exchange) -> Result<Step<'_>> {
        let mut upstream = forward::forward(&self.dial, x).await?;
        match self.responses.action(x, upstream.status, &upstream.headers)? {
            Action::Pass => {}
            Action::Status(status) => upstream.status = status,
            // Nothing of the upstream's is passed back unless these routes, or what is behind us, copy it.
            Action::Enter(routes) => {
                x.set_response("http.reverse_proxy", upstream.status, &upstream.headers);
                x.upstream = Some(upstream);
                return Ok(Step::Enter(routes));
            }
        }
        Ok(Step::Done(forward::back(upstream, x)))
    }
}
