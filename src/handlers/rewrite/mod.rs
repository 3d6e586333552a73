//! `rewrite`, `uri`, `method`, `try_files`: change the request for everything that follows.
//!
//! ```caddyfile
//! rewrite [<matcher>] <to>
//! method  [<matcher>] <method>
//! uri     [<matcher>] strip_prefix <prefix>
//! uri     [<matcher>] strip_suffix <suffix>
//! uri     [<matcher>] replace <find> <replace> [<limit>]
//! uri     [<matcher>] path_regexp <find> <replace>
//! uri     [<matcher>] query [-|+]<param> [<value>] {
//!     <param>  <value>
//!     +<param> <value>
//!     -<param>
//!     <param>><renamed>
//!     <param>  <find> <replace>
//! }
//! try_files <files...> {
//!     policy first_exist|first_exist_fallback|smallest_size|largest_size|most_recently_modified
//! }
//! ```
//!
//! Example: `uri strip_prefix /api`. (`handle_path`, which strips too, is the adapter's: see `subroute`.)
mod path;
mod query;
mod syntax;
#[cfg(test)]
mod tests;

use crate::{
    caddyfile::{Directive, Order, Parse, Support},
    config::{go_regex, is_default},
    http::{
        Build, BuildError, Exchange, Flow, Handler, HandlerConfig, HandlerModule, HttpError, Result, Step,
        Text,
    },
};
use http::{Method, Uri};
use path::{PathChange, RawUri, Target};
use query::{QueryChanges, QueryOps};
use serde::{Deserialize, Serialize};

pub const REWRITE: Directive = Directive {
    name: "rewrite",
    docs: "rewrite [<matcher>] <to>: changes path, query or both for what follows.",
    order: Order::ByRow,
    support: Support::Full,
    parse: Parse::Own(syntax::rewrite),
};
pub const METHOD: Directive = Directive {
    name: "method",
    docs: "method [<matcher>] <method>: changes the method for what follows.",
    order: Order::ByRow,
    support: Support::Full,
    parse: Parse::Handler(syntax::method),
};
pub const URI: Directive = Directive {
    name: "uri",
    docs: "uri [<matcher>] strip_prefix|strip_suffix|replace|path_regexp|query …: changes parts of the URI.",
    order: Order::ByRow,
    support: Support::Full,
    parse: Parse::Handler(syntax::uri),
};
pub const TRY_FILES: Directive = Directive {
    name: "try_files",
    docs: "try_files <files...> { policy <policy> }: rewrites to the first of some files that exists.",
    order: Order::ByRow,
    support: Support::Full,
    parse: Parse::Own(syntax::try_files),
};
pub const MODULE: HandlerModule = HandlerModule::of::<Rewrite>();

/// JSON: `http.handlers.rewrite`. What it says is done in the order of its fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rewrite {
    #[serde(skip_serializing_if = "is_default")]
    pub method: String,
    /// A part of it that is missing, path or query, stays as it is; a lone `?` clears the query.
    #[serde(skip_serializing_if = "is_default")]
    pub uri: String,
    /// Without case; compared decoded, but for what it says in percent encoding itself.
    #[serde(skip_serializing_if = "is_default")]
    pub strip_path_prefix: String,
    #[serde(skip_serializing_if = "is_default")]
    pub strip_path_suffix: String,
    /// In path and query.
    #[serde(skip_serializing_if = "is_default")]
    pub uri_substring: Vec<Substring>,
    /// In the path, as it is in the request line.
    #[serde(skip_serializing_if = "is_default")]
    pub path_regexp: Vec<PathRegexp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<QueryOps>,
}
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Substring {
    #[serde(skip_serializing_if = "is_default")]
    pub find: String,
    #[serde(skip_serializing_if = "is_default")]
    pub replace: String,
    /// How often at most; zero and less: always.
    #[serde(skip_serializing_if = "is_default")]
    pub limit: i64,
}
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PathRegexp {
    #[serde(skip_serializing_if = "is_default")]
    pub find: String,
    #[serde(skip_serializing_if = "is_default")]
    pub replace: String,
}
impl HandlerConfig for Rewrite {
    const NAME: &'static str = "rewrite";
    fn build(self, _: &mut Build) -> std::result::Result<Box<dyn Handler>, BuildError> {
        Ok(Box::new(self.compile()?))
    }
}
impl Rewrite {
    /// # Errors
    /// An expression that is wrong.
    pub fn compile(self) -> std::result::Result<Change, BuildError> {
        let mut path = vec![];
        if !self.strip_path_prefix.is_empty() {
            path.push(PathChange::StripPrefix(Text::new(&self.strip_path_prefix)));
        }
        if !self.strip_path_suffix.is_empty() {
            path.push(PathChange::StripSuffix(Text::new(&self.strip_path_suffix)));
        }
        path.extend(self.uri_substring.iter().filter(|s| !s.find.is_empty()).map(PathChange::substring));
        for (at, PathRegexp { find, replace }) in self.path_regexp.iter().enumerate() {
            if find.is_empty() {
                return Err("path_regexp find cannot be empty".into());
            }
            let find =
                go_regex(find).map_err(|error| format!("compiling regular expression {at}: {error}"))?;
            path.push(PathChange::Regex(find, Text::new(replace)));
        }
        Ok(Change {
            method: (!self.method.is_empty()).then(|| Text::new(&self.method)),
            target: Target::new(&self.uri),
            path: path.into(),
            query: self.query.map(QueryChanges::compile).transpose()?,
        })
    }
}
/// A rewrite, compiled: also of the request that `reverse_proxy` sends.
#[derive(Debug)]
pub struct Change {
    method: Option<Text>,
    target: Target,
    path: Box<[PathChange]>,
    query: Option<QueryChanges>,
}
impl Handler for Change {
    fn handle<'t: 'x, 'x>(&'t self, x: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        let (method, uri) = match self.apply(x) {
            Ok(changed) => changed,
            Err(error) => return error.into(),
        };
        x.rewrite(method, uri);
        Step::Next.into()
    }
}
impl Change {
    /// The method and the URI that the request is to have, where they differ from what it has.
    ///
    /// # Errors
    /// What comes out is no method or no URI: 500.
    pub fn apply(&self, x: &Exchange) -> Result<(Option<Method>, Option<Uri>)> {
        let method = self.method.as_ref().map(|method| match method.expand(x).to_uppercase().as_str() {
            // Go takes a request without a method for one of these.
            "" => Ok(Method::GET),
            method => method.parse(),
        });
        let method = method.transpose().map_err(HttpError::internal)?;
        if self.target.is_empty() && self.path.is_empty() && self.query.is_none() {
            return Ok((method, None));
        }
        let mut uri = RawUri::of(x);
        self.target.apply(&mut uri, x);
        self.path.iter().for_each(|change| change.apply(&mut uri, x));
        if let Some(query) = &self.query {
            uri.query = query.apply(&uri.query, x);
        }
        Ok((method, Some(uri.finish().map_err(HttpError::internal)?)))
    }
}
