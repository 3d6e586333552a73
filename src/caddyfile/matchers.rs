//! Matcher tokens, and the matcher sets they stand for.
use super::{Cx, Parsed, Support};
use crate::config::MatcherSet;
use grammar::{Line, Token};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

impl Cx<'_> {
    /// Of the `@name` whose definition is being read, without the `@`: what a regular expression is called that has no
    /// name of its own. `None` within `not` and in matchers without a name.
    pub fn matcher_name(&self) -> Option<&str> {
        self.matcher_name.as_deref()
    }
    /// The matcher token of a line (`*`, `/path`, `@name`), resolved, and the line without it. `None` matches all.
    pub fn take_matcher(&mut self, line: &Line) -> Parsed<(Option<MatcherSet>, Line)> {
        let (set, line) = self.without_matcher(line)?;
        Ok((set, line.into_owned()))
    }
    /// As [`take_matcher`](Self::take_matcher); a line without a matcher is not copied.
    pub(super) fn without_matcher<'l>(
        &mut self,
        line: &'l Line,
    ) -> Parsed<(Option<MatcherSet>, Cow<'l, Line>)> {
        let Some(first) = line.args().first() else { return Ok((None, Cow::Borrowed(line))) };
        let Some(set) = self.matcher_token(first)? else { return Ok((None, Cow::Borrowed(line))) };
        let mut rest = line.clone();
        rest.words.remove(1);
        Ok((set, Cow::Owned(rest)))
    }
    /// What one word says as a matcher token: `None` if it is none, `Some(None)` for `*`.
    pub fn matcher_token(&self, word: &Token) -> Parsed<Option<Option<MatcherSet>>> {
        let text = word.text.as_str();
        if text == "*" {
            return Ok(Some(None));
        }
        if text.starts_with('/') {
            return Ok(Some(Some(Map::from_iter([("path".to_owned(), json!([text]))]))));
        }
        if text.starts_with('@') {
            let known = self.matchers.get(text).cloned();
            let missing = || {
                let names: Vec<&str> = self.matchers.keys().map(String::as_str).collect();
                super::unknown(word, format!("unrecognized matcher name: {text}"), &names).alone()
            };
            return known.map(|set| Some(Some(set))).ok_or_else(missing);
        }
        Ok(None)
    }
    /// A matcher set without a name, from the lines of a block (or the rest of one line): of `not`, `lb_retry_match`. A
    /// line that is quoted is an expression.
    pub fn matcher_set(&mut self, lines: &[Line]) -> Parsed<MatcherSet> {
        let name = self.matcher_name.take();
        let lines: Vec<Line> = lines.iter().map(as_expression).collect();
        let set = self.set_of(&lines);
        self.matcher_name = name;
        set
    }
    /// Reads `@name …`.
    ///
    /// # Errors
    /// The name is taken, or the first matcher that is wrong.
    pub(super) fn define_matcher(&mut self, line: &Line) -> Parsed<()> {
        let name = line.name();
        if self.matchers.contains_key(&name.text) {
            return Err(name.error(format!("matcher is defined more than once: {}", name.text)).alone());
        }
        self.matcher_name = Some(name.text[1..].to_owned());
        // Even a definition that is wrong makes the name known: one mistake, one error.
        self.matchers.insert(name.text.clone(), MatcherSet::new());
        let set = match line.args() {
            [] => self.set_of(line.lines()),
            [first, ..] => {
                let mut one = Line { words: line.args().to_vec(), ..line.clone() };
                if first.quoted() {
                    one.words.truncate(1);
                    one = as_expression(&one);
                }
                self.set_of(&[one])
            }
        };
        self.matcher_name = None;
        self.matchers.insert(name.text.clone(), set?);
        Ok(())
    }
    /// All lines of one matcher are read together; the set's keys are in alphabetical order.
    fn set_of(&mut self, lines: &[Line]) -> Parsed<MatcherSet> {
        let mut by_name: Vec<(&str, Vec<&Line>)> = vec![];
        for line in lines {
            let name = line.name().text.as_str();
            match by_name.iter_mut().find(|(known, _)| *known == name) {
                Some((_, found)) => found.push(line),
                None => by_name.push((name, vec![line])),
            }
        }
        let (mut set, mut errors) = (MatcherSet::new(), vec![]);
        for (name, lines) in by_name {
            match self.matcher(name, &lines) {
                Ok(value) => drop(set.insert(name.to_owned(), value)),
                Err(error) => errors.push(error),
            }
        }
        let Some(last) = errors.pop() else {
            set.sort_keys();
            return Ok(set);
        };
        self.errors.append(&mut errors);
        Err(last)
    }
    /// All lines of one matcher.
    fn matcher(&mut self, name: &str, lines: &[&Line]) -> Parsed<Value> {
        let known = self.syntax.matchers.iter().find(|m| m.name == name);
        let known = known.ok_or_else(|| {
            let message =
                format!("getting matcher module '{name}': module not registered: http.matchers.{name}");
            let all: Vec<&str> = self.syntax.matchers.iter().map(|m| m.name).collect();
            let error = super::unknown(lines[0].name(), message, &all);
            super::plugins::or_instead(error, super::plugins::matcher(name))
        })?;
        if let Support::NotYet(why) = known.support {
            self.not_yet(lines[0].name(), &format!("matcher {name} ({why})"));
        }
        (known.parse)(lines, self)
    }
}
/// A quoted word where a matcher's name is expected is a CEL expression: as if `expression` stood before it.
fn as_expression(line: &Line) -> Line {
    let mut line = line.clone();
    if line.name().quoted() {
        let mut word = Token { text: "expression".to_owned(), ..line.name().clone() };
        word.quote = grammar::Quote::None;
        line.words.insert(0, word);
    }
    line
}
