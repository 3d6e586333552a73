//! `respond`, `redir` and `abort` lines.
use super::{NAME, StaticResponse};
use crate::{
    caddyfile::{Cx, Parsed, Words, unknown},
    config::{Module, WeakString, parse_int},
};
use grammar::Line;
use std::collections::BTreeMap;

pub(super) fn respond(line: &Line, _: &mut Cx<'_>) -> Parsed<Module> {
    let mut words = Words::new(line);
    let (status_code, body) = status_and_text(&mut words)?;
    let mut response = StaticResponse { status_code, body, ..StaticResponse::default() };
    let mut block = words.block();
    while let Some(words) = block.next() {
        match words.text() {
            "body" if !response.body.is_empty() => return Err(words.error("body already specified")),
            "body" => response.body = words.one()?.to_owned(),
            "close" if response.close => return Err(words.error("close already specified")),
            "close" => response.close = true,
            other => {
                let message = format!("unrecognized subdirective '{other}'");
                return Err(unknown(words.token(), message, &["body", "close"]));
            }
        }
    }
    Ok(Module::of(NAME, &response))
}
/// `<status>|<text> [<status>]`, of `respond` and `error`: a lone word of three characters that is a positive number is
/// a status.
///
/// # Errors
/// There is no word, or there are more than two.
pub fn status_and_text(words: &mut Words<'_>) -> Parsed<(WeakString, String)> {
    let args = words.rest();
    match args.as_slice() {
        [word] if word.len() == 3 && word.parse::<i64>().is_ok_and(|n| n > 0) => {
            Ok((WeakString(word.clone()), String::new()))
        }
        [text] => Ok((WeakString::default(), text.clone())),
        [text, status] => Ok((WeakString(status.clone()), text.clone())),
        _ => Err(words.arg_error()),
    }
}
pub(super) fn abort(line: &Line, _: &mut Cx<'_>) -> Parsed<Module> {
    let mut words = Words::new(line);
    words.none()?;
    if line.block.is_some() {
        return Err(line.last().error("unexpected token '{', expecting argument"));
    }
    Ok(Module::of(NAME, &StaticResponse { abort: true, ..StaticResponse::default() }))
}
pub(super) fn redir(line: &Line, _: &mut Cx<'_>) -> Parsed<Module> {
    let mut words = Words::new(line);
    let to = words.need()?.to_owned();
    let code = words.arg().map_or("", |word| &word.text);
    let (field, value, status, body) = match code {
        "html" => ("Content-Type", "text/html; charset=utf-8".to_owned(), "200", page(&to)),
        "permanent" => ("Location", to, "301", String::new()),
        "temporary" | "" => ("Location", to, "302", String::new()),
        // A placeholder gives the code with each request.
        code if code.starts_with('{') => ("Location", to, code, String::new()),
        code => {
            let number = parse_int(code).map_err(|_| {
                words.error(format!("Not a supported redir code type or not valid integer: '{code}'"))
            })?;
            // With a 401, scripts can read the Location that they would never see with a 3xx.
            if !(300..400).contains(&number) && number != 401 {
                return Err(words.error(format!("Redir code not in the 3xx range or 401: '{number}'")));
            }
            ("Location", to, code, String::new())
        }
    };
    let headers = BTreeMap::from([(field.to_owned(), vec![value])]);
    let response = StaticResponse { status_code: status.into(), headers, body, ..StaticResponse::default() };
    Ok(Module::of(NAME, &response))
}
/// Goes on to `to` by script, by refresh or by a link, for clients that are browsers.
fn page(to: &str) -> String {
    let to = escape_html(to);
    [
        "<!DOCTYPE html>\n<html>\n\t<head>\n\t\t<title>Redirecting...</title>\n",
        &format!("\t\t<script>window.location.replace(\"{to}\");</script>\n"),
        &format!("\t\t<meta http-equiv=\"refresh\" content=\"0; URL='{to}'\">\n"),
        &format!("\t</head>\n\t<body>Redirecting to <a href=\"{to}\">{to}</a>...</body>\n</html>\n"),
    ]
    .concat()
}
/// Go's `html.EscapeString`.
fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '\'' => out.push_str("&#39;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            _ => out.push(c),
        }
    }
    out
}
