//! What directives say about responses: matchers of them, and what is to become of those that match.
use super::{Cx, Parsed, Words, unknown};
use crate::config::{ResponseHandler, ResponseMatcher, Route, canonical_header, parse_int};
use grammar::Line;
use serde_json::Value;
use std::collections::BTreeMap;

/// A response matcher; the line's first word is its name, or the sub-directive's.
///
/// ```caddyfile
/// @name {
///     status <code>|<class>xx...
///     header <field> <value>
///     header !<field>
/// }
/// @name status <code>|<class>xx...
/// ```
///
/// # Errors
/// In Caddy's words.
pub fn response_matcher(line: &Line) -> Parsed<ResponseMatcher> {
    let (mut matcher, mut words) = (ResponseMatcher::default(), Words::new(line));
    while words.arg().is_some() {
        criterion(&mut matcher, &mut words)?;
    }
    let mut block = words.block();
    while let Some(words) = block.next() {
        criterion(&mut matcher, words)?;
    }
    Ok(matcher)
}
/// `header …` or `status …`, whichever the word last read names.
fn criterion(matcher: &mut ResponseMatcher, words: &mut Words<'_>) -> Parsed<()> {
    match words.text() {
        "header" => headers(matcher, &words.segment()),
        "status" => {
            for code in words.some()? {
                matcher.status_code.push(status(&code).map_err(|error| words.error(error))?);
            }
            Ok(())
        }
        other => {
            let message = format!("unrecognized response matcher {other}");
            Err(unknown(words.token(), message, &["header", "status"]))
        }
    }
}
fn status(code: &str) -> Result<u16, String> {
    let digits = if code.len() == 3 { code.strip_suffix("xx").unwrap_or(code) } else { code };
    let bad = |error| format!("bad status value '{digits}': {error}");
    let number = parse_int(digits).map_err(bad)?;
    u16::try_from(number).map_err(|_| bad("not a status".into()))
}
/// Caddy reads them as the `header` request matcher: a run of `<name> <field> <value>`.
fn headers(matcher: &mut ResponseMatcher, line: &Line) -> Parsed<()> {
    let mut words = Words::new(line);
    loop {
        let Some(field) = words.arg() else {
            return Err(words.error("malformed header matcher: expected field"));
        };
        match field.text.strip_prefix('!') {
            Some("") => {
                let message = "malformed header matcher: must have field name following ! character";
                return Err(words.error(message));
            }
            Some(absent) => {
                matcher.headers.insert(absent.to_owned(), None);
                if words.arg().is_some() {
                    let message = "malformed header matcher: null matching headers cannot have a field value";
                    return Err(words.error(message));
                }
            }
            None => {
                let Some(value) = words.arg() else {
                    return Err(words.error("malformed header matcher: expected both field and value"));
                };
                let values = matcher.headers.entry(canonical_header(&field.text)).or_default();
                values.get_or_insert_default().push(value.text.clone());
            }
        }
        if words.block().next().is_some() {
            return Err(words.error("malformed header matcher: blocks are not supported"));
        }
        if words.arg().is_none() {
            return Ok(());
        }
    }
}

/// The response matchers of one directive, and what it does about responses: of `reverse_proxy` and `intercept`.
///
/// ```caddyfile
/// @name …
/// replace_status  [@name] <code>
/// handle_response [@name] { <directives...> }
/// ```
#[derive(Debug, Default)]
pub struct ResponseMatchers {
    named: BTreeMap<String, ResponseMatcher>,
    statuses: Vec<ResponseHandler>,
    /// Read once all matchers are known.
    routes: Vec<Line>,
}
impl ResponseMatchers {
    /// Reads the sub-directive that the word last read names, if it is one of these.
    ///
    /// # Errors
    /// In Caddy's words.
    pub fn read(&mut self, words: &mut Words<'_>) -> Parsed<bool> {
        match words.text() {
            name if name.starts_with('@') => {
                let line = words.segment();
                if self.named.contains_key(name) {
                    return Err(line.error(format!("matcher is defined more than once: {name}")));
                }
                self.named.insert(name.to_owned(), response_matcher(&line)?);
            }
            "replace_status" => self.replace_status(words)?,
            "handle_response" => self.routes.push(words.segment()),
            _ => return Ok(false),
        }
        Ok(true)
    }
    fn replace_status(&mut self, words: &mut Words<'_>) -> Parsed<()> {
        let args = words.rest();
        let (matcher, code) = match args.as_slice() {
            [code] => (None, code),
            [name, code] => (Some(self.matcher(name).map_err(|error| words.error(error))?), code),
            _ => {
                let message =
                    "must have one or two arguments: an optional response matcher, and a status code";
                return Err(words.error(message));
            }
        };
        let mut block = words.block();
        if let Some(first) = block.next() {
            let message = "cannot define routes for 'replace_status', use 'handle_response' instead.";
            return Err(first.error(message));
        }
        let status_code = Some(code.parse::<i64>().map_or_else(|_| code.as_str().into(), Value::from));
        self.statuses.push(ResponseHandler { matcher, status_code, routes: None });
        Ok(())
    }
    fn matcher(&self, name: &str) -> Result<ResponseMatcher, String> {
        let Some(plain) = name.strip_prefix('@') else {
            return Err("must use a named response matcher, starting with '@'".into());
        };
        let known = self.named.get(name).cloned();
        known.ok_or_else(|| format!("no named response matcher defined with name '{plain}'"))
    }
    /// What becomes of responses, in Caddy's order: those without a matcher come last.
    ///
    /// # Errors
    /// Of the directives in `handle_response`, or of its arguments.
    pub fn handlers(self, cx: &mut Cx<'_>) -> Parsed<Vec<ResponseHandler>> {
        let mut all = vec![];
        for line in &self.routes {
            let matcher = match line.args() {
                [] => None,
                [name] => Some(self.matcher(&name.text).map_err(|error| name.error(error))?),
                names => {
                    let names: Vec<&str> = names.iter().map(|name| name.text.as_str()).collect();
                    let message = format!(
                        "too many arguments for 'handle_response': only a single response matcher name is \
                         allowed, but got: [{}]",
                        names.join(" ")
                    );
                    return Err(line.last().error(message));
                }
            };
            let block = Line { words: vec![line.name().clone()], ..line.clone() };
            let routes: Vec<Route> = cx.sorted_block(&block)?;
            let routes = (!routes.is_empty()).then_some(routes);
            all.push(ResponseHandler { matcher, status_code: None, routes });
        }
        let (with, without): (Vec<_>, Vec<_>) =
            self.statuses.into_iter().chain(all).partition(|handler| handler.matcher.is_some());
        Ok(with.into_iter().chain(without).collect())
    }
}
