//! `header`, `request_header`: change header fields.
//!
//! ```caddyfile
//! header [>]<field> <value>
//! ```
use crate::{
    caddyfile::{Directive, Order, Parse, Support},
    config::{Module, ResponseMatcher as Require},
    http::{
        Build, BuildError, Exchange, Flow, Handler, HandlerConfig, HandlerModule, Response, ResponseMatcher,
        Rise, Step, Text,
    },
};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub const HEADER: Directive = Directive {
    name: "header",
    docs: "Sets response headers.",
    order: Order::ByRow,
    support: Support::Full,
    parse: Parse::Handler(|line, _| {
        let [field, value] = line.exactly()?;
        let (field, value) = (field.text.as_str(), value.text.as_str());
        let (deferred, name) = field.strip_prefix('>').map_or((false, field), |name| (true, name));
        let mut response = ResponseOps { deferred, ..Default::default() };
        response.ops.set.insert(name.into(), vec![value.into()]);
        let config = Headers { request: None, response: Some(response) };
        Ok(Module::of(Headers::NAME, &config))
    }),
};
pub const MODULE: HandlerModule = HandlerModule::of::<Headers>();

/// JSON: `http.handlers.headers`.
#[derive(Deserialize, Serialize)]
struct Headers {
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Ops>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<ResponseOps>,
}
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct ResponseOps {
    #[serde(flatten)]
    ops: Ops,
    /// Apply when the response is written, and only if it matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    require: Option<Require>,
    /// Apply when the response is written.
    deferred: bool,
}
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct Ops {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    add: BTreeMap<String, Vec<String>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    set: BTreeMap<String, Vec<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    delete: Vec<String>,
}
impl HandlerConfig for Headers {
    const NAME: &'static str = "headers";
    fn build(self, _: &mut Build) -> Result<Box<dyn Handler>, BuildError> {
        let response = self.response.unwrap_or_default();
        Ok(Box::new(ChangeHeaders {
            request: self.request.unwrap_or_default().compile()?,
            deferred: response.deferred || response.require.is_some(),
            response: response.ops.compile()?,
            require: response.require.map(ResponseMatcher::build).transpose()?,
        }))
    }
}
#[derive(Debug)]
struct ChangeHeaders {
    request: Changes,
    response: Changes,
    deferred: bool,
    require: Option<ResponseMatcher>,
}
impl Handler for ChangeHeaders {
    fn handle<'t: 'x, 'x>(&'t self, x: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        self.request.apply(x, |x| &mut x.request.headers);
        if self.deferred {
            return Step::Wrap.into();
        }
        self.response.apply(x, |x| &mut x.headers);
        Step::Next.into()
    }
    fn finish<'t: 'x, 'x>(&'t self, x: &'x mut Exchange, response: Response) -> Flow<'x, Rise<'t>> {
        let required = self.require.as_ref();
        if required.is_none_or(|required| required.matches(response.status, &x.headers)) {
            self.response.apply(x, |x| &mut x.headers);
        }
        Rise::Pass(response).into()
    }
}

/// In the order of their application.
#[derive(Debug)]
struct Changes(Box<[Change]>);
#[derive(Debug)]
enum Change {
    Add(HeaderName, Value),
    Set(HeaderName, Value),
    Delete(HeaderName),
}
/// A value without placeholders is made once; a clone of it allocates nothing.
#[derive(Debug)]
enum Value {
    Fixed(HeaderValue),
    Text(Text),
}
impl Ops {
    fn compile(self) -> Result<Changes, BuildError> {
        let mut changes = vec![];
        for (name, values) in self.add {
            for value in values {
                changes.push(Change::Add(name.parse()?, Value::new(&value)?));
            }
        }
        for (name, values) in self.set {
            changes.push(Change::Set(name.parse()?, Value::new(&values.join(","))?));
        }
        for name in self.delete {
            changes.push(Change::Delete(name.parse()?));
        }
        Ok(Changes(changes.into()))
    }
}
impl Changes {
    /// To the header fields that `of` picks. A value that cannot stand in a header is left out.
    fn apply(&self, x: &mut Exchange, of: impl Fn(&mut Exchange) -> &mut HeaderMap) {
        for change in &self.0 {
            match change {
                Change::Add(name, value) => {
                    let value = value.expand(x);
                    value.map(|value| of(x).append(name, value));
                }
                Change::Set(name, value) => {
                    let value = value.expand(x);
                    value.map(|value| of(x).insert(name, value));
                }
                Change::Delete(name) => {
                    of(x).remove(name);
                }
            }
        }
    }
}
impl Value {
    fn new(value: &str) -> Result<Self, BuildError> {
        let text = Text::new(value);
        Ok(match text.literal() {
            Some(literal) => Self::Fixed(literal.parse()?),
            None => Self::Text(text),
        })
    }
    fn expand(&self, x: &Exchange) -> Option<HeaderValue> {
        match self {
            Self::Fixed(value) => Some(value.clone()),
            Self::Text(text) => HeaderValue::from_str(&text.expand_known(x)).ok(),
        }
    }
}
