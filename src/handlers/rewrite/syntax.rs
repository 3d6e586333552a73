//! `rewrite`, `method`, `uri` and `try_files` lines.
use super::{
    PathRegexp, Rewrite, Substring,
    query::{Param, ParamReplacement, QueryOps},
};
use crate::{
    caddyfile::{Cx, Emit, Parsed, Words, unknown},
    config::{MatcherSet, Module, Route, parse_int},
    http::HandlerConfig,
};
use grammar::Line;
use serde_json::json;

impl Rewrite {
    fn module(&self) -> Module {
        Module::of(Self::NAME, self)
    }
}
/// A lone argument is the URI, even if it starts as a matcher does.
pub(super) fn rewrite(line: &Line, cx: &mut Cx<'_>) -> Parsed<Vec<Emit>> {
    let (matcher, uri) = match line.args() {
        [] => return Err(line.error("too few arguments; must have at least a rewrite URI")),
        [uri] => (None, uri.text.clone()),
        [_, _] => {
            let (matcher, line) = cx.take_matcher(line)?;
            (matcher, Words::new(&line).need()?.to_owned())
        }
        _ => return Err(line.error("too many arguments; should only be a matcher and a URI")),
    };
    let rewrite = Rewrite { uri, ..Rewrite::default() };
    Ok(vec![Emit::Route(Route::of(matcher, rewrite.module()))])
}
pub(super) fn method(line: &Line, _: &mut Cx<'_>) -> Parsed<Module> {
    let mut words = Words::new(line);
    let method = words.need()?.to_owned();
    words.none()?;
    Ok(Rewrite { method, ..Rewrite::default() }.module())
}
pub(super) fn uri(line: &Line, _: &mut Cx<'_>) -> Parsed<Module> {
    let mut words = Words::new(line);
    let args = words.rest();
    let mut rewrite = Rewrite::default();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["strip_prefix", prefix] => rewrite.strip_path_prefix = (*prefix).into(),
        ["strip_suffix", suffix] => rewrite.strip_path_suffix = (*suffix).into(),
        ["replace", find, replace, limit @ ..] if limit.len() < 2 => {
            let limit = limit.first().filter(|limit| !limit.is_empty()).map(|limit| parse_int(limit));
            let limit = limit.transpose();
            let limit = limit
                .map_err(|error| words.error(format!("limit must be an integer; invalid: {error}")))?
                .unwrap_or(0);
            let (find, replace) = ((*find).into(), (*replace).into());
            rewrite.uri_substring.push(Substring { find, replace, limit });
        }
        ["path_regexp", find, replace] => {
            let (find, replace) = ((*find).into(), (*replace).into());
            rewrite.path_regexp.push(PathRegexp { find, replace });
        }
        ["query", params @ ..] if params.len() < 4 => rewrite.query = Some(query(params, &mut words)?),
        [] | ["strip_prefix" | "strip_suffix" | "replace" | "path_regexp" | "query", ..] => {
            return Err(words.arg_error());
        }
        [other, ..] => {
            let known = ["strip_prefix", "strip_suffix", "replace", "path_regexp", "query"];
            let error = unknown(
                line.args().first().unwrap_or(line.name()),
                format!("unrecognized URI manipulation '{other}'"),
                &known,
            );
            return Err(error);
        }
    }
    Ok(rewrite.module())
}
fn query(params: &[&str], words: &mut Words<'_>) -> Parsed<QueryOps> {
    let mut ops = QueryOps::default();
    if let [key, args @ ..] = params {
        query_op(&mut ops, key, args, words)?;
    }
    let mut block = words.block();
    while let Some(words) = block.next() {
        if !params.is_empty() {
            return Err(words.error("Cannot specify uri query rewrites in both argument and block"));
        }
        let key = words.text();
        let args = words.rest();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        query_op(&mut ops, key, &args, words)?;
    }
    Ok(ops)
}
fn query_op(ops: &mut QueryOps, key: &str, args: &[&str], words: &Words<'_>) -> Parsed<()> {
    let param = |key: &str, val: &str| Param { key: key.into(), val: val.into() };
    match args {
        [] if key.starts_with('-') => ops.delete.push(key.trim_start_matches('-').into()),
        [value] if key.starts_with('+') => ops.add.push(param(key.trim_start_matches('+'), value)),
        _ if key.starts_with(['-', '+']) => return Err(words.arg_error()),
        [] if key.contains('>') => {
            let mut names = key.split('>');
            let (from, to) = (names.next().unwrap_or(""), names.next().unwrap_or(""));
            ops.rename.push(param(from, to));
        }
        _ if key.contains('>') => return Err(words.arg_error()),
        [find, replace] => ops.replace.push(ParamReplacement {
            key: key.into(),
            search_regexp: (*find).into(),
            replace: (*replace).into(),
            ..ParamReplacement::default()
        }),
        [value] => ops.set.push(param(key, value)),
        _ => return Err(words.arg_error()),
    }
    Ok(())
}

pub(super) fn try_files(line: &Line, cx: &mut Cx<'_>) -> Parsed<Vec<Emit>> {
    let mut words = Words::new(line);
    let files = words.some()?;
    let mut policy = String::new();
    let mut block = words.block();
    while let Some(words) = block.next() {
        // Caddy passes over everything else.
        if words.text() == "policy" {
            if !policy.is_empty() {
                return Err(words.error("try policy already configured"));
            }
            policy = words.need()?.to_owned();
            if !POLICIES.contains(&policy.as_str()) {
                let message = format!("unrecognized try policy: {policy}");
                return Err(unknown(words.token(), message, POLICIES));
            }
        }
    }
    // What has a query of its own needs a rewrite of its own.
    let mut routes = vec![];
    let mut plain: Vec<&str> = vec![];
    for file in &files {
        match file.find('?') {
            None => plain.push(file),
            Some(at) => {
                let (file, query) = file.split_at(at);
                if !plain.is_empty() {
                    routes.push(try_route(&plain, &policy, ""));
                    plain.clear();
                }
                routes.push(try_route(&[file], &policy, query));
            }
        }
    }
    if !plain.is_empty() {
        routes.push(try_route(&plain, &policy, ""));
    }
    if routes.len() > 1 {
        let group = cx.next_group();
        routes.iter_mut().for_each(|route| route.group = Some(group.clone()));
    }
    Ok(vec![Emit::Bundle(routes)])
}
const POLICIES: &[&str] =
    &["first_exist", "first_exist_fallback", "smallest_size", "largest_size", "most_recently_modified"];
fn try_route(files: &[&str], policy: &str, query: &str) -> Route {
    let mut file = json!({ "try_files": files });
    if !policy.is_empty() {
        file["try_policy"] = policy.into();
    }
    let matcher = MatcherSet::from_iter([("file".to_owned(), file)]);
    let rewrite = Rewrite { uri: format!("{{http.matchers.file.relative}}{query}"), ..Rewrite::default() };
    Route::of(Some(matcher), rewrite.module())
}
