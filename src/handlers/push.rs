//! `push`: HTTP/2 server push, which browsers no longer take. Accepted, and passed over: Caddy does the same where the
//! client does not take it.
//!
//! ```caddyfile
//! push [<matcher>] [<resource>] {
//!     [GET|HEAD] <resource>
//!     headers {
//!         [+|-]<field> [<value>|<find> [<replace>]]
//!     }
//! }
//! ```
use super::headers::HeaderOps;
use crate::{
    caddyfile::{Cx, Directive, Order, Parse, Parsed, Support, Words},
    config::{Module, is_default},
    http::{Build, BuildError, Exchange, Flow, Handler, HandlerConfig, HandlerModule, Step},
};
use grammar::Line;
use serde::{Deserialize, Serialize};

pub const PUSH: Directive = Directive {
    name: "push",
    docs: "push [<matcher>] [<resource>] { [GET|HEAD] <resource>; headers }: accepted, as browsers no longer take pushes.",
    order: Order::ByRow,
    support: Support::Full,
    parse: Parse::Handler(parse),
};
pub const MODULE: HandlerModule = HandlerModule::of::<Push>();

/// JSON: `http.handlers.push`.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Push {
    #[serde(skip_serializing_if = "is_default")]
    resources: Vec<Resource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<HeaderOps>,
}
#[derive(Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Resource {
    #[serde(skip_serializing_if = "is_default")]
    method: String,
    #[serde(skip_serializing_if = "is_default")]
    target: String,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Module> {
    let (mut push, mut words) = (Push::default(), Words::new(line));
    let plain = |target: &str| Resource { method: String::new(), target: target.to_owned() };
    if let Some(target) = words.arg() {
        push.resources.push(plain(&target.text));
    }
    let mut block = words.block();
    while let Some(words) = block.next() {
        match words.text() {
            "headers" => headers(push.headers.get_or_insert_default(), words)?,
            method @ ("GET" | "HEAD") => {
                let target = words.need()?.to_owned();
                push.resources.push(Resource { method: method.to_owned(), target });
            }
            target => push.resources.push(plain(target)),
        }
    }
    // An empty block asks for nothing, not even for an object.
    push.headers = push.headers.filter(|ops| *ops != HeaderOps::default());
    Ok(Module::of(Push::NAME, &push))
}
fn headers(ops: &mut HeaderOps, words: &mut Words<'_>) -> Parsed<()> {
    words.none()?;
    let mut block = words.block();
    while let Some(words) = block.next() {
        let field = words.text();
        let args = words.rest();
        let (value, replacement) = match args.as_slice() {
            [] => ("", None),
            [value] => (value.as_str(), None),
            [value, replacement] => (value.as_str(), Some(replacement.as_str())),
            _ => return Err(words.arg_error()),
        };
        ops.add_operation(field, value, replacement).map_err(|error| words.error(error))?;
    }
    Ok(())
}
impl HandlerConfig for Push {
    const NAME: &'static str = "push";
    fn build(self, _: &mut Build) -> Result<Box<dyn Handler>, BuildError> {
        Ok(Box::new(PassOver))
    }
}
#[derive(Debug)]
struct PassOver;
impl Handler for PassOver {
    fn handle<'t: 'x, 'x>(&'t self, _: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        Step::Next.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{caddyfile::testing::Rows, handlers::testing::Site};
    use serde_json::json;

    const ROWS: Rows = Rows { directives: &[PUSH], matchers: &[], modules: &[] };
    #[test]
    fn resources_stand_on_the_line_or_in_the_block() {
        ROWS.adapt_to(&[
            ("push /a.css", r#"[{"match":[{"path":["/a.css"]}],"handle":[{"handler":"push"}]}]"#),
            (
                "push * {\nHEAD /b\nheaders {\nX y\n-Z\nA b c\n}\n}",
                r#"[{"handle":[{"handler":"push","headers":{"delete":["Z"],"replace":{"A":[{"replace":"c","search_regexp":"b"}]},"set":{"X":["y"]}},"resources":[{"method":"HEAD","target":"/b"}]}]}]"#,
            ),
            ("push * /a", r#"[{"handle":[{"handler":"push","resources":[{"target":"/a"}]}]}]"#),
        ]);
    }
    #[test]
    fn what_is_wrong_is_said_in_caddy_s_words() {
        ROWS.fail_with(&[
            ("push {\nGET\n}", "wrong argument count or unexpected line ending after 'GET', at -:3"),
            ("push {\nheaders x\n}", "wrong argument count or unexpected line ending after 'x', at -:3"),
            ("push {\nheaders {\n?X y\n}\n}", "?X: the default header modifier ('?') can only be used on"),
            (
                "push {\nheaders {\na b c d\n}\n}",
                "wrong argument count or unexpected line ending after 'd', at -:4",
            ),
        ]);
    }
    #[tokio::test]
    async fn the_request_goes_on() {
        let site = Site::of(json!([{"handler": "push"}, {"handler": "static_response", "body": "hi"}]));
        assert_eq!(site.get("/", &[]).await.text(), "hi");
    }
}
