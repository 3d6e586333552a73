//! `expression`: a condition in CEL, Google's Common Expression Language.
//!
//! ```caddyfile
//! expression <cel...>
//! @limited `{err.status_code} == 429 && !path('/api/*')`
//! ```
//! Placeholders stand for their values, with their types; every other matcher is a function: `path('/a', '/b*')`,
//! `header({'X-A': 'b'})`, `path_regexp('name', '^/(.)')`. A quoted word alone where a matcher is named is an expression
//! too. Functions: those of CEL, and of its libraries `strings`, `lists`, `math` and `cel.bind`.
mod calls;
mod check;
mod compile;
mod eval;
mod source;
#[cfg(test)]
mod tests;
mod types;
use crate::{
    caddyfile::{MatcherSyntax, Support, Words},
    http::{Build, BuildError, Exchange, Flow, Matcher, MatcherConfig, MatcherModule},
};
use eval::Node;
use grammar::{Quote, Token};
use serde::Deserialize;
use serde_json::{Value, json};

pub const SYNTAX: MatcherSyntax = MatcherSyntax {
    name: "expression",
    docs: "expression <cel...>\nThe expression, in CEL, is true.",
    parse: |lines, cx| {
        // Caddy reads the first line alone.
        let Some(line) = lines.first() else { return Ok(Value::Null) };
        let mut words = Words::new(line);
        let tokens = words.tokens();
        match tokens {
            [] => Err(words.arg_error()),
            [one] => Ok(match cx.matcher_name() {
                None | Some("") => json!(one.text),
                Some(name) => json!({ "expr": one.text, "name": name }),
            }),
            many => Ok(many.iter().map(raw).collect::<Vec<_>>().join(" ").into()),
        }
    },
    support: Support::Full,
};
pub const MODULE: MatcherModule = MatcherModule::of::<Expression>();

/// A word with the quotes it was written in.
fn raw(word: &Token) -> String {
    match word.quote {
        Quote::None | Quote::Heredoc => word.text.clone(),
        Quote::Double => format!("\"{}\"", word.text),
        Quote::Backtick => format!("`{}`", word.text),
    }
}

/// JSON: `http.matchers.expression`: the text, or with a name for its regular expressions `{"expr": …, "name": …}`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Expression {
    Text(String),
    Named(Named),
}
#[derive(Deserialize)]
struct Named {
    expr: String,
    name: String,
}
impl MatcherConfig for Expression {
    const NAME: &'static str = "expression";
    fn build(self, cx: &mut Build) -> Result<Box<dyn Matcher>, BuildError> {
        let (text, name) = match self {
            Self::Text(text) => (text, String::new()),
            Self::Named(Named { expr, name }) => (expr, name),
        };
        let node = compile::compile(&text, &name, cx)?;
        Ok(Box::new(Condition { waits: node.waits(), node }))
    }
}
#[derive(Debug)]
struct Condition {
    node: Node,
    waits: bool,
}
impl Matcher for Condition {
    fn matches<'x>(&'x self, x: &'x mut Exchange) -> Flow<'x, bool> {
        if self.waits {
            return Flow::wait(async move { self.node.later(x).await.map_err(|error| eval::failed(&error)) });
        }
        Flow::Now(self.node.now(x).map_err(|error| eval::failed(&error)))
    }
    fn waits(&self) -> bool {
        self.waits
    }
}
