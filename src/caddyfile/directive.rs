//! The rows of the table that are read at parse time.
use super::{Cx, Options};
use crate::config::{MatcherSet, Module, Route};
use grammar::{Error, Line};
use serde_json::{Map, Value};

pub type Parsed<T> = Result<T, Error>;

/// One spelling of a directive. Its place in the table is its default order.
pub struct Directive {
    pub name: &'static str,
    /// Syntax block and one sentence.
    pub docs: &'static str,
    pub order: Order,
    pub parse: Parse,
    pub support: Support,
}
pub enum Parse {
    /// `name [<matcher>] …`: the core reads the matcher token and takes it away; what is left makes one handler.
    Handler(fn(&Line, &mut Cx<'_>) -> Parsed<Module>),
    /// As `Handler`, for what needs several routes or a group: the matcher is given, the line is without it.
    Matched(MatchedParser),
    /// Reads the whole line, matcher and all (with [`Cx::take_matcher`], where it wants one).
    Own(fn(&Line, &mut Cx<'_>) -> Parsed<Vec<Emit>>),
}
/// The line without its matcher, and the matcher.
type MatchedParser = fn(&Line, Option<MatcherSet>, &mut Cx<'_>) -> Parsed<Vec<Emit>>;
/// Where a directive stands when a site's directives are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// At its place in the table.
    ByRow,
    /// Makes no handler, so it has no place (`tls`, `bind`, `log`, …).
    None,
    /// Makes a handler but has no place until `order` or `route` gives it one.
    Unordered,
}
/// Whether what parses also runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    Full,
    /// Runs, but not all of it: what is missing is refused by name when it is used.
    Partly(&'static str),
    /// Adapts as Caddy does; `run` and `validate` refuse it by name, with file and line.
    NotYet(&'static str),
}
/// What a directive adds to its site.
#[derive(Clone)]
pub enum Emit {
    Route(Route),
    /// Several routes that stay together in this order, as one entry when the directives are sorted.
    Bundle(Vec<Route>),
    /// Of `handle_errors`.
    ErrorRoute(Route),
    /// Of `bind`.
    Bind(super::Binding),
    /// Of `log`, see `caddyfile::logs`.
    Log(Box<super::CustomLog>),
    /// Of `tls`, see `caddyfile::tls`.
    Tls(Box<super::SiteTls>),
    /// A certificate authority that a directive (`acme_server`) wants in the `pki` app, by id.
    Authority(String),
}
impl Emit {
    /// What it is called in errors.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Route(_) | Self::Bundle(_) => "routes",
            Self::ErrorRoute(_) => "error routes",
            Self::Bind(_) => "listener addresses",
            Self::Log(_) => "a log",
            Self::Tls(_) => "TLS settings",
            Self::Authority(_) => "a certificate authority",
        }
    }
}
/// One spelling of a matcher, in `@name` definitions and inline.
pub struct MatcherSyntax {
    pub name: &'static str,
    pub docs: &'static str,
    /// All lines of one definition that name this matcher, in order: never empty.
    pub parse: fn(&[&Line], &mut Cx<'_>) -> Parsed<Value>,
    pub support: Support,
}
/// One global option.
pub struct GlobalOption {
    pub name: &'static str,
    pub docs: &'static str,
    pub parse: fn(&Line, &mut Options, &mut Cx<'_>) -> Parsed<()>,
    pub support: Support,
}
/// A module that other syntax names: a DNS provider, an issuer, a log writer, a transport, … Caddy's `UnmarshalModule`.
pub struct ModuleSyntax {
    /// Caddy's module id without the name, such as `dns.providers` or `caddy.logging.encoders`.
    pub namespace: &'static str,
    pub name: &'static str,
    pub docs: &'static str,
    /// The line whose *first word* is the module's name. Gives the module's fields without the key that names it.
    pub parse: fn(&Line, &mut Cx<'_>) -> Parsed<Map<String, Value>>,
    pub support: Support,
}
/// All of it: the instance is `table::SYNTAX`.
pub struct Syntax {
    pub directives: &'static [Directive],
    pub matchers: &'static [MatcherSyntax],
    pub options: &'static [GlobalOption],
    pub modules: &'static [ModuleSyntax],
}
