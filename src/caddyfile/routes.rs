//! Blocks of directives as routes.
use super::{
    Cx, Directive, Emit, Parsed,
    order::{self, Found, normal_name},
};
use crate::config::Route;
use grammar::{Error, Line, Token};

/// Directives of which only the first that matches is to run: their routes share a group.
const EXCLUSIVE: [&str; 3] = ["handle", "rewrite", "root"];

impl Cx<'_> {
    /// A block of directives as routes in the directives' order: of `handle`, `handle_errors`, `handle_response`. `line`
    /// is the one that opens the block; it must have no words left.
    ///
    /// # Errors
    /// There are words left. What is wrong within the block is collected, so that all of it is reported at once.
    pub fn sorted_block(&mut self, line: &Line) -> Parsed<Vec<Route>> {
        self.block(line, true)
    }
    /// A block of directives as routes in the order of the text: of `route`.
    ///
    /// # Errors
    /// As [`sorted_block`](Self::sorted_block).
    pub fn ordered_block(&mut self, line: &Line) -> Parsed<Vec<Route>> {
        self.block(line, false)
    }
    fn block(&mut self, line: &Line, sorted: bool) -> Parsed<Vec<Route>> {
        if let [_, first, ..] = line.words.as_slice() {
            return Err(first.arg_error());
        }
        Ok(self.lines(line.lines(), Some(line.end()), sorted))
    }
    /// `end` is where Caddy's reader stands once it has read the block: errors within name that place too.
    fn lines(&mut self, lines: &[Line], end: Option<&Token>, sorted: bool) -> Vec<Route> {
        let mut defined = vec![];
        for line in lines.iter().filter(|line| is_definition(line)) {
            match self.define_matcher(line) {
                Ok(()) => defined.push(line.name().text.as_str()),
                Err(error) => self.errors.push(error),
            }
        }
        let mut given = vec![];
        for line in lines.iter().filter(|line| !is_definition(line)) {
            let inner = self.errors.len();
            match self.directive(line) {
                Ok((directive, emits)) => given.extend(emits.into_iter().map(|emit| (directive, emit, line))),
                Err(error) => self.errors.push(error),
            }
            for error in &mut self.errors[inner..] {
                error.around.extend(end.map(|end| end.span.clone()));
            }
        }
        for name in defined {
            self.matchers.remove(name);
        }
        let mut found = vec![];
        for (directive, emit, line) in given {
            self.accept(directive, emit, line, end, sorted, &mut found);
        }
        if sorted {
            order::sort(&mut found);
        }
        self.group(found)
    }
    /// Puts what a directive within a block has given among what was found, if it may be there.
    fn accept(
        &mut self,
        directive: &'static str,
        emit: Emit,
        line: &Line,
        end: Option<&Token>,
        sorted: bool,
        found: &mut Vec<Found>,
    ) {
        let rank = self.ranks.of(directive);
        let is_route = matches!(emit, Emit::Route(_) | Emit::Bundle(_));
        match rank {
            None if sorted => self.errors.push(unordered(directive, line)),
            _ if !sorted && !is_route => {
                let message = format!(
                    "{directive} directive returned something other than an HTTP route or subroute: {} (only \
                     handler directives can be used in routes)",
                    emit.kind()
                );
                self.errors.push(end.unwrap_or(line.name()).error(message));
            }
            rank => found.push(Found::new(directive, rank.unwrap_or_default(), emit)),
        }
    }
    /// Reads a line within a block.
    fn directive(&mut self, line: &Line) -> Parsed<(&'static str, Vec<Emit>)> {
        let name = line.name();
        let Some(directive) = self.find(&name.text) else {
            let message = format!(
                "unrecognized directive: {} - are you sure your Caddyfile structure (nesting and braces) is correct?",
                name.text
            );
            let all: Vec<&str> = self.directive_names().collect();
            let error = super::unknown(name, message, &all).placed();
            return Err(super::plugins::or_instead(error, super::plugins::directive(&name.text)));
        };
        Ok((normal_name(directive.name), self.parse(directive, line)?))
    }
    pub(super) fn find(&self, name: &str) -> Option<&'static Directive> {
        self.syntax.directives.iter().find(|directive| directive.name == name)
    }
    /// Routes out of what was found, in its order: with groups, and with neighbours joined that match alike.
    pub(super) fn group(&mut self, found: Vec<Found>) -> Vec<Route> {
        let groups = EXCLUSIVE.map(|name| {
            let count = found.iter().filter(|found| found.directive == name).count();
            // A rewrite always has a group, so that it is never joined with its neighbours.
            (count > 1 || name == "rewrite").then(|| self.next_group())
        });
        let mut routes: Vec<Route> = vec![];
        for found in found {
            let exclusive = EXCLUSIVE.iter().position(|name| *name == found.directive);
            match found.emit {
                Emit::Route(mut route) => {
                    if let Some(group) = exclusive.and_then(|at| groups[at].clone()) {
                        route.group = Some(group);
                    }
                    join(&mut routes, route);
                }
                Emit::Bundle(bundle) => bundle.into_iter().for_each(|route| join(&mut routes, route)),
                _ => {}
            }
        }
        routes
    }
}
pub(super) fn is_definition(line: &Line) -> bool {
    line.name().text.starts_with('@')
}
/// A directive that makes handlers, where only those with a place may be.
pub(super) fn unordered(directive: &str, line: &Line) -> Error {
    line.error(format!(
        "directive '{directive}' is not an ordered HTTP handler, so it cannot be used here - try placing within a \
         route block or using the order global option"
    ))
}
/// Adds a route; one that matches exactly as the last one gives its handlers to that.
pub(super) fn join(routes: &mut Vec<Route>, route: Route) {
    match routes.last_mut() {
        Some(last)
            if last.matchers == route.matchers
                && last.terminal == route.terminal
                && last.group == route.group =>
        {
            last.handlers.extend(route.handlers);
        }
        _ => routes.push(route),
    }
}
