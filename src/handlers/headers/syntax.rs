//! `header` and `request_header` lines.
use super::{HeaderOps, Headers, NAME, Replacement, ResponseOps};
use crate::{
    caddyfile::{Cx, Emit, Parsed, Words, response_matcher},
    config::{MatcherSet, Module, ResponseMatcher, Route, canonical_header},
};
use grammar::Line;

/// What the words of one operation say: `<field> [<value|regexp> [<replacement>]]`.
struct Operation<'l> {
    field: &'l str,
    value: String,
    replacement: Option<String>,
}
impl<'l> Operation<'l> {
    /// Reads what stands behind the field. More than two words are left for whoever reads on.
    fn read(field: &'l str, words: &mut Words<'_>) -> Self {
        let value = words.arg().map(|word| word.text.clone()).unwrap_or_default();
        let replacement = words.arg().map(|word| word.text.clone());
        Self { field, value, replacement }
    }
}

pub(super) fn header(line: &Line, matcher: Option<MatcherSet>, _: &mut Cx<'_>) -> Parsed<Vec<Emit>> {
    let (mut plain, mut absent) = (ResponseOps::default(), ResponseOps::default());
    let mut words = Words::new(line);
    let field = words.arg();
    if let Some(field) = field {
        let operation = Operation::read(&field.text, &mut words);
        change_response(&mut plain, operation).map_err(|error| words.error(error))?;
        plain.deferred |= !plain.ops.delete.is_empty();
    }
    let mut block = words.block();
    while let Some(words) = block.next() {
        match words.text() {
            "defer" => plain.deferred = true,
            "match" => plain.require = Some(response_matcher(&words.segment())?),
            _ if field.is_some() => {
                return Err(words.error("cannot specify headers in both arguments and block"));
            }
            name => {
                // Some write a colon behind the name, as they would for curl.
                let field = name.strip_suffix(':').unwrap_or(name);
                let ops = if field.starts_with('?') { &mut absent } else { &mut plain };
                let operation = Operation::read(field, words);
                change_response(ops, operation).map_err(|error| words.error(error))?;
            }
        }
    }
    let used = [plain, absent].into_iter().filter(|ops| *ops != ResponseOps::default());
    let route = |ops| Route::of(matcher.clone(), Headers { request: None, response: Some(ops) }.module());
    Ok(used.map(|ops| Emit::Route(route(ops))).collect())
}
pub(super) fn request_header(line: &Line, _: &mut Cx<'_>) -> Parsed<Module> {
    let mut words = Words::new(line);
    let name = words.need()?;
    let operation = Operation::read(name.strip_suffix(':').unwrap_or(name), &mut words);
    words.none()?;
    let mut ops = HeaderOps::default();
    change(&mut ops, operation).map_err(|error| words.error(error))?;
    Ok(Headers { request: Some(ops), response: None }.module())
}
impl Headers {
    fn module(&self) -> Module {
        Module::of(NAME, self)
    }
}

impl HeaderOps {
    /// Adds the operation that `field` with its prefix, a value and a replacement stand for: of `header_up`,
    /// `header_down`, `push` and the like.
    ///
    /// # Errors
    /// In Caddy's words, without a place.
    pub fn add_operation(
        &mut self,
        field: &str,
        value: &str,
        replacement: Option<&str>,
    ) -> Result<(), String> {
        let replacement = replacement.map(str::to_owned);
        change(self, Operation { field, value: value.to_owned(), replacement })
    }
}
fn change_response(response: &mut ResponseOps, operation: Operation<'_>) -> Result<(), String> {
    if let Some(field) = operation.field.strip_prefix('?') {
        let require = response.require.get_or_insert_with(ResponseMatcher::default);
        require.headers.insert(field.to_owned(), None);
        response.ops.set.insert(canonical_header(field), vec![operation.value]);
        return Ok(());
    }
    response.deferred |= operation.field.starts_with(['-', '>']);
    change(&mut response.ops, operation)
}
fn change(ops: &mut HeaderOps, operation: Operation<'_>) -> Result<(), String> {
    let Operation { field, value, replacement } = operation;
    if let Some(name) = field.strip_prefix('+') {
        ops.add.entry(canonical_header(name)).or_default().push(value);
    } else if let Some(name) = field.strip_prefix('-') {
        ops.delete.push(name.to_owned());
    } else if field.starts_with('?') {
        return Err(format!(
            "{field}: the default header modifier ('?') can only be used on response headers; for conditional \
             manipulation of request headers, use matchers"
        ));
    } else if let Some(replace) = replacement {
        let name = field.trim_start_matches(['+', '-', '?', '>']);
        let replacement = Replacement { search_regexp: value, replace, ..Replacement::default() };
        ops.replace.entry(name.to_owned()).or_default().push(replacement);
    } else {
        let name = field.strip_prefix('>').unwrap_or(field);
        ops.set.insert(canonical_header(name), vec![value]);
    }
    Ok(())
}
