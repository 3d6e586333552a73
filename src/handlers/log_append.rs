//! `log_append`: adds a field to the access log's entry of the request.
//!
//! ```caddyfile
//! log_append [<matcher>] [<]<key> <value>
//! ```
//!
//! Example: `log_append server {http.reverse_proxy.upstream.hostport}`. With `<` the value is taken before the handlers
//! behind run, otherwise once they are done, also where they fail.
use crate::{
    caddyfile::{Cx, Directive, Order, Parse, Parsed, Support, Words},
    config::{Module, is_default},
    http::{
        Body, Build, BuildError, Exchange, Flow, Handler, HandlerConfig, HandlerModule, HttpError, Key,
        Placeholder, Response, Rise, Step, Value,
    },
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use grammar::Line;
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};

pub const LOG_APPEND: Directive = Directive {
    name: "log_append",
    docs: "log_append [<matcher>] [<]<key> <value>: adds a field to the access log's entry.",
    order: Order::ByRow,
    support: Support::Full,
    parse: Parse::Handler(parse),
};
pub const MODULE: HandlerModule = HandlerModule::of::<LogAppend>();

/// JSON: `http.handlers.log_append`.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct LogAppend {
    #[serde(skip_serializing_if = "is_default")]
    key: String,
    /// A placeholder, or the name of a variable, or else a text.
    #[serde(skip_serializing_if = "is_default")]
    value: String,
    /// Take the value before the handlers behind run.
    #[serde(skip_serializing_if = "is_default")]
    early: bool,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Module> {
    let mut words = Words::new(line);
    let key = words.need()?;
    let value = words.need()?.to_owned();
    let (key, early) = key.strip_prefix('<').map_or((key, false), |key| (key, true));
    Ok(Module::of(LogAppend::NAME, &LogAppend { key: key.to_owned(), value, early }))
}
impl HandlerConfig for LogAppend {
    const NAME: &'static str = "log_append";
    fn build(self, _: &mut Build) -> Result<Box<dyn Handler>, BuildError> {
        let value = match self.value.as_str() {
            "{http.response.body}" => Source::ResponseBody { base64: false },
            "{http.response.body_base64}" => Source::ResponseBody { base64: true },
            text => match text.strip_prefix('{').and_then(|key| key.strip_suffix('}')) {
                Some(key) if !key.contains('{') => Source::Placeholder(Placeholder::new(key)),
                _ => Source::VarOrText(text.into()),
            },
        };
        let is_request_body = self.value.starts_with("{http.request.body");
        Ok(Box::new(Append {
            key: self.key.into(),
            when: match value {
                Source::ResponseBody { .. } => When::Late,
                _ if self.early => When::Early,
                // Caddy takes it twice: once while it is sure to be there, and again at the end.
                _ if is_request_body => When::Early,
                _ => When::Late,
            },
            value,
        }))
    }
}
#[derive(Debug)]
struct Append {
    key: Key,
    value: Source,
    when: When,
}
#[derive(Debug, PartialEq, Eq)]
enum When {
    Early,
    Late,
}
#[derive(Debug)]
enum Source {
    Placeholder(Placeholder),
    VarOrText(Box<str>),
    ResponseBody { base64: bool },
}
impl Handler for Append {
    fn handle<'t: 'x, 'x>(&'t self, x: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        if self.when == When::Late {
            return Step::Wrap.into();
        }
        self.append(x);
        Step::Next.into()
    }
    fn finish<'t: 'x, 'x>(&'t self, x: &'x mut Exchange, response: Response) -> Flow<'x, Rise<'t>> {
        let Source::ResponseBody { base64 } = self.value else {
            self.append(x);
            return Rise::Pass(response).into();
        };
        Flow::wait(async move {
            let Response { status, body } = response;
            let whole = body.collect().await.map_err(HttpError::internal)?.to_bytes();
            x.log_fields.set(self.key.clone(), content(&whole, base64));
            Ok(Rise::Pass(Response { status, body: Body::Bytes(whole) }))
        })
    }
    fn unanswered(&self, x: &mut Exchange) {
        self.append(x);
    }
}
impl Append {
    fn append(&self, x: &mut Exchange) {
        let value = match &self.value {
            Source::Placeholder(placeholder) => placeholder.value(x).unwrap_or_default().into_owned(),
            Source::VarOrText(text) => {
                x.var(text).map_or_else(|| Value::from(text.to_string()), Value::into_owned)
            }
            // There is none.
            Source::ResponseBody { .. } => return,
        };
        x.log_fields.set(self.key.clone(), value);
    }
}
fn content(body: &Bytes, base64: bool) -> String {
    if base64 { BASE64_STANDARD.encode(body) } else { String::from_utf8_lossy(body).into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{caddyfile::testing::Rows, handlers::testing::Site};
    use serde_json::json;

    const ROWS: Rows = Rows { directives: &[LOG_APPEND], matchers: &[], modules: &[] };
    #[test]
    fn a_key_may_ask_for_the_value_as_it_is_now() {
        ROWS.adapt_to(&[
            ("log_append k v", r#"[{"handle":[{"handler":"log_append","key":"k","value":"v"}]}]"#),
            (
                "log_append <k {http.request.uri}",
                r#"[{"handle":[{"early":true,"handler":"log_append","key":"k","value":"{http.request.uri}"}]}]"#,
            ),
        ]);
        ROWS.fail_with(&[
            ("log_append a", "wrong argument count or unexpected line ending after 'a', at -:2"),
            ("log_append", "wrong argument count or unexpected line ending after 'log_append', at -:2"),
        ]);
    }
    /// The log fields of a request to `/a` that these handlers answer.
    async fn fields(handlers: serde_json::Value) -> serde_json::Value {
        let reply = Site::of(handlers).get("/a", &[]).await;
        let fields = reply.exchange.log_fields.iter();
        fields.map(|(key, value)| (key.to_owned(), serde_json::Value::from(value.clone()))).collect()
    }
    #[tokio::test]
    async fn a_value_is_a_placeholder_s_a_variable_s_or_a_text() {
        let late = |key: &str, value: &str| json!({"handler": "log_append", "key": key, "value": value});
        let early =
            json!({"handler": "log_append", "key": "early", "value": "{http.request.uri}", "early": true});
        let found = fields(json!([
            early,
            late("uri", "{http.request.uri}"),
            late("var", "number"),
            late("text", "number{"),
            late("unknown", "{nope}"),
            late("body", "{http.response.body}"),
            late("base64", "{http.response.body_base64}"),
            {"handler": "vars", "number": 7},
            {"handler": "rewrite", "uri": "/b"},
            {"handler": "static_response", "body": "hi"},
        ]));
        let expected = json!({
            "early": "/a", "uri": "/b", "var": 7, "text": "number{", "unknown": null, "body": "hi",
            "base64": "aGk=",
        });
        assert_eq!(found.await, expected);
    }
    #[tokio::test]
    async fn fields_are_added_also_where_the_rest_fails_or_nobody_answers() {
        let append = json!({"handler": "log_append", "key": "k", "value": "v"});
        assert_eq!(fields(json!([append, {"handler": "error"}])).await, json!({"k": "v"}));
        assert_eq!(fields(json!([append])).await, json!({"k": "v"}));
    }
}
