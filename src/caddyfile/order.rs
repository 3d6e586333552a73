//! In which order the routes of a block stand.
use super::{Cx, Emit, Options, Order, Parsed, Syntax};
use crate::config::Route;
use grammar::Line;
use std::collections::HashMap;

/// The place of each directive that has one.
pub(super) struct Ranks(HashMap<String, usize>);
impl Ranks {
    /// From the names in `order`, or, if that is empty, from the table's rows.
    pub(super) fn new(syntax: &Syntax, order: &[String]) -> Self {
        let names = if order.is_empty() { default_order(syntax) } else { order.to_vec() };
        Self(names.into_iter().zip(0..).collect())
    }
    pub(super) fn of(&self, directive: &str) -> Option<usize> {
        self.0.get(directive).copied()
    }
}
fn default_order(syntax: &Syntax) -> Vec<String> {
    let rows = syntax.directives.iter().filter(|directive| directive.order == Order::ByRow);
    rows.map(|directive| directive.name.to_owned()).collect()
}
/// The name under which a directive is sorted and grouped: `handle_path` counts as `handle`.
pub(super) fn normal_name(directive: &'static str) -> &'static str {
    if directive == "handle_path" { "handle" } else { directive }
}
/// Reads `order <directive> first|last` and `order <directive> before|after <other>`.
///
/// # Errors
/// A directive or a position that there isn't.
pub fn read_order(line: &Line, options: &mut Options, cx: &Cx<'_>) -> Parsed<()> {
    let syntax = cx.syntax;
    let args = line.args();
    let [name, rest @ ..] = args else { return Err(line.arg_error()) };
    if syntax.directives.iter().all(|directive| directive.name != name.text) {
        let all: Vec<&str> = syntax.directives.iter().map(|directive| directive.name).collect();
        let error = super::unknown(name, format!("{} is not a registered directive", name.text), &all);
        return Err(super::plugins::or_instead(error, super::plugins::directive(&name.text)));
    }
    let [position, rest @ ..] = rest else { return Err(line.arg_error()) };
    let mut order =
        if options.order.is_empty() { default_order(syntax) } else { std::mem::take(&mut options.order) };
    order.retain(|known| *known != name.text);
    let at = match (position.text.as_str(), rest) {
        ("first", []) => 0,
        ("last", []) => order.len(),
        ("first" | "last", [more, ..]) => return Err(more.arg_error()),
        (position @ ("before" | "after"), [other]) => {
            let found = order.iter().position(|known| *known == other.text);
            let missing = || {
                let all: Vec<&str> = order.iter().map(String::as_str).collect();
                super::unknown(other, format!("directive '{}' not found", other.text), &all)
            };
            found.ok_or_else(missing)? + usize::from(position == "after")
        }
        ("before" | "after", []) => return Err(position.arg_error()),
        ("before" | "after", [_, more, ..]) => return Err(more.arg_error()),
        (other, _) => return Err(position.error(format!("unknown positional '{other}'"))),
    };
    order.insert(at, name.text.clone());
    options.order = order;
    Ok(())
}

/// What a directive has given, and where it stands among the others.
#[derive(Clone)]
pub(super) struct Found {
    /// See [`normal_name`].
    pub(super) directive: &'static str,
    rank: usize,
    pub(super) emit: Emit,
    specific: Specific,
}
/// How closely a route's matcher looks.
#[derive(Clone)]
enum Specific {
    /// It is not a single route.
    Bundle,
    /// It has no matcher.
    All,
    /// It has matchers, and no single path among them.
    Some,
    /// It has one matcher set with just one path, not empty.
    Path(String),
}
impl Found {
    pub(super) fn new(directive: &'static str, rank: usize, emit: Emit) -> Self {
        let specific = match &emit {
            Emit::Route(route) => Specific::of(route),
            _ => Specific::Bundle,
        };
        Self { directive, rank, emit, specific }
    }
}
impl Specific {
    fn of(route: &Route) -> Self {
        match route.matchers.as_slice() {
            [] => Self::All,
            [set] => match set.get("path").and_then(|paths| paths.as_array()).map(Vec::as_slice) {
                Some([path]) => match path.as_str() {
                    Some(path) if !path.is_empty() => Self::Path(path.to_owned()),
                    _ => Self::Some,
                },
                _ => Self::Some,
            },
            _ => Self::Some,
        }
    }
    /// Whether it looks more closely than `other`.
    fn before(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Path(a), Self::Path(b)) => {
                let (short_a, short_b) = (a.strip_suffix('*').unwrap_or(a), b.strip_suffix('*').unwrap_or(b));
                if short_a == short_b {
                    a.len() < b.len()
                } else if short_a.len() == short_b.len() {
                    short_a < short_b
                } else {
                    short_a.len() > short_b.len()
                }
            }
            (Self::Path(_) | Self::Some, Self::All) => true,
            _ => false,
        }
    }
}
/// Sorts as Caddy sorts the routes of a site.
pub(super) fn sort(found: &mut [Found]) {
    super::sort::stable(found, |a, b| {
        if a.rank != b.rank {
            return a.rank < b.rank;
        }
        if matches!((&a.specific, &b.specific), (Specific::Bundle, _) | (_, Specific::Bundle)) {
            return false;
        }
        // `vars` overwrite each other: the closest look comes last.
        a.specific.before(&b.specific) != (a.directive == "vars")
    });
}
