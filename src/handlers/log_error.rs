//! `log_error`: says in error routes what has failed, in one line at ERROR. Not in Caddy, whose error log falls silent
//! once a site has error routes.
//!
//! ```caddyfile
//! log_error [<matcher>] [<message>]
//! ```
//!
//! ```caddyfile
//! handle_errors 5xx {
//!     log_error "Backend connection failed"
//!     respond "{err.status_code}"
//! }
//! ```
//! The line has the fields `backend` (the upstream that was asked last, with `{http.vars.backend_scheme}` where that is
//! set), `error` and `request_id` (`X-Request-Id` of the request as it is now).
use crate::{
    caddyfile::{Cx, Directive, Order, Parse, Parsed, Support, Words},
    config::{Module, is_default},
    http::{Build, BuildError, Exchange, Flow, Handler, HandlerConfig, HandlerModule, Step, Text},
};
use grammar::Line;
use serde::{Deserialize, Serialize};

pub const LOG_ERROR: Directive = Directive {
    name: "log_error",
    docs: "log_error [<matcher>] [<message>]: says in error routes what has failed.",
    order: Order::ByRow,
    support: Support::Full,
    parse: Parse::Handler(parse),
};
pub const MODULE: HandlerModule = HandlerModule::of::<LogError>();

/// JSON: `http.handlers.log_error`.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct LogError {
    /// Placeholders are allowed; the status' text if it is empty.
    #[serde(skip_serializing_if = "is_default")]
    message: String,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Module> {
    let mut words = Words::new(line);
    let message = words.at_most_one()?.unwrap_or_default().to_owned();
    words.no_block()?;
    Ok(Module::of(LogError::NAME, &LogError { message }))
}
impl HandlerConfig for LogError {
    const NAME: &'static str = "log_error";
    fn build(self, _: &mut Build) -> Result<Box<dyn Handler>, BuildError> {
        let message = if self.message.is_empty() { "{http.error.status_text}" } else { &self.message };
        Ok(Box::new(Say { message: Text::new(message) }))
    }
}
#[derive(Debug)]
struct Say {
    message: Text,
}
impl Handler for Say {
    fn handle<'t: 'x, 'x>(&'t self, x: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        let message = self.message.expand(x);
        let mut backend = x.text("http.reverse_proxy.upstream.hostport").into_owned();
        let scheme = x.text("http.vars.backend_scheme");
        if !scheme.is_empty() && !backend.is_empty() {
            backend = format!("{scheme}://{backend}");
        }
        let (error, request_id) = (x.text("http.error.message"), x.text("http.request.header.X-Request-Id"));
        tracing::error!(
            target: "http.handlers.log_error",
            backend, error = &*error, request_id = &*request_id, "{message}"
        );
        Step::Next.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{caddyfile::testing::Rows, handlers::testing::Site};
    use serde_json::json;

    #[test]
    fn the_message_is_its_only_word() {
        let rows = Rows { directives: &[LOG_ERROR], matchers: &[], modules: &[] };
        rows.adapt_to(&[
            ("log_error", r#"[{"handle":[{"handler":"log_error"}]}]"#),
            ("log_error \"a b\"", r#"[{"handle":[{"handler":"log_error","message":"a b"}]}]"#),
        ]);
        rows.fail_with(&[("log_error a b c", "wrong argument count")]);
    }
    #[tokio::test]
    async fn what_stands_behind_it_answers() {
        let site = Site::of(json!([{"handler": "log_error"}, {"handler": "static_response", "body": "x"}]));
        assert_eq!(site.get("/", &[]).await.text(), "x");
    }
}
