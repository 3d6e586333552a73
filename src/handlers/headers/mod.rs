//! `header`, `request_header`: change header fields.
//!
//! ```caddyfile
//! header [<matcher>] [[+|-|?|>]<field> [<value>|<find> [<replace>]]] {
//!     [+|-|?|>]<field> [<value>|<find> [<replace>]]
//!     defer
//!     match [header <field> <value>] | [status <code...>]
//! }
//! request_header [<matcher>] [+|-]<field> [<value>|<find> [<replace>]]
//! ```
//!
//! Example: `header >Set-Cookie (.*) "$1; Secure"` adds to each cookie that leaves.
mod ops;
mod syntax;
#[cfg(test)]
mod tests;
pub use ops::{Operations, header_value};

use crate::{
    caddyfile::{Directive, Order, Parse, Support},
    config::{self, is_default},
    http::{
        Build, BuildError, Exchange, Flow, Handler, HandlerConfig, HandlerModule, Response, ResponseMatcher,
        Rise, Step,
    },
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub const HEADER: Directive = Directive {
    name: "header",
    docs: "header [<matcher>] [[+|-|?|>]<field> [<value>|<find> [<replace>]]]: changes header fields of the response.",
    order: Order::ByRow,
    support: Support::Full,
    parse: Parse::Matched(syntax::header),
};
pub const REQUEST_HEADER: Directive = Directive {
    name: "request_header",
    docs: "request_header [<matcher>] [+|-]<field> [<value>|<find> [<replace>]]: changes a header field of the request.",
    order: Order::ByRow,
    support: Support::Full,
    parse: Parse::Handler(syntax::request_header),
};
pub const MODULE: HandlerModule = HandlerModule::of::<Headers>();
const NAME: &str = "headers";

/// JSON: `http.handlers.headers`.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Headers {
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<HeaderOps>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<ResponseOps>,
}
/// Changes of header fields. Names and values may hold placeholders.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeaderOps {
    /// Beside what is there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub add: BTreeMap<String, Vec<String>>,
    /// Instead of what is there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, Vec<String>>,
    /// Names; with `*` at the start, at the end, or both, all names that end, begin or go on so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub delete: Vec<String>,
    /// By name; `*` for all fields.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub replace: BTreeMap<String, Vec<Replacement>>,
}
/// A replacement within the values of a field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Replacement {
    /// A text to search for.
    #[serde(skip_serializing_if = "is_default")]
    pub search: String,
    /// Or an expression, whose groups are `$1`, `${name}` in `replace`.
    #[serde(skip_serializing_if = "is_default")]
    pub search_regexp: String,
    #[serde(skip_serializing_if = "is_default")]
    pub replace: String,
}
/// Changes of a response's header fields.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResponseOps {
    #[serde(flatten)]
    pub ops: HeaderOps,
    /// Apply when the response is written, and only if it matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require: Option<config::ResponseMatcher>,
    /// Apply when the response is written.
    #[serde(skip_serializing_if = "is_default")]
    pub deferred: bool,
}
impl HandlerConfig for Headers {
    const NAME: &'static str = NAME;
    fn build(self, _: &mut Build) -> Result<Box<dyn Handler>, BuildError> {
        let response = self.response.unwrap_or_default();
        Ok(Box::new(ChangeHeaders {
            request: Operations::compile(self.request.unwrap_or_default())?,
            deferred: response.deferred || response.require.is_some(),
            response: Operations::compile(response.ops)?,
            require: response.require.map(ResponseMatcher::build).transpose()?,
        }))
    }
}
#[derive(Debug)]
struct ChangeHeaders {
    request: Operations,
    response: Operations,
    deferred: bool,
    require: Option<ResponseMatcher>,
}
impl Handler for ChangeHeaders {
    fn handle<'t: 'x, 'x>(&'t self, x: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        self.request.apply_to_request(x);
        if self.deferred {
            return Step::Wrap.into();
        }
        self.response.apply_to_response(x);
        Step::Next.into()
    }
    fn finish<'t: 'x, 'x>(&'t self, x: &'x mut Exchange, response: Response) -> Flow<'x, Rise<'t>> {
        let required = self.require.as_ref();
        if required.is_none_or(|required| required.matches(response.status, &x.headers)) {
            self.response.apply_to_response(x);
        }
        Rise::Pass(response).into()
    }
}
