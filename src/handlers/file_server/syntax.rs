//! `file_server` lines.
use super::{Browse, FileServer, hide::is_hidden};
use crate::{
    caddyfile::{Cx, Parsed, Words, unknown},
    config::{Module, WeakString, parse_int},
    http::{HandlerConfig, fs::clean},
};
use grammar::Line;
use serde_json::json;

pub(super) const PRECOMPRESSED: [&str; 3] = ["br", "zstd", "gzip"];
const SORTS: [&str; 4] = ["name", "namedirfirst", "size", "time"];
const OPTIONS: &[&str] = &[
    "fs",
    "hide",
    "index",
    "root",
    "browse",
    "precompressed",
    "status",
    "disable_canonical_uris",
    "pass_thru",
    "etag_file_extensions",
];

pub(super) fn parse(line: &Line, cx: &mut Cx<'_>) -> Parsed<Module> {
    let (mut server, mut words) = (FileServer::default(), Words::new(line));
    match words.rest().as_slice() {
        [] => {}
        [browse] if browse == "browse" => server.browse = Some(Browse::default()),
        _ => return Err(words.arg_error()),
    }
    let mut block = words.block();
    while let Some(words) = block.next() {
        option(&mut server, words)?;
    }
    for file in cx.site_files() {
        let file = clean(file).into_owned();
        if !is_hidden(&file, &server.hide) {
            // Without a slash it would hide all files of that name.
            server.hide.push(if file.contains('/') { file } else { format!("./{file}") });
        }
    }
    Ok(Module::of(FileServer::NAME, &server))
}
fn option(server: &mut FileServer, words: &mut Words<'_>) -> Parsed<()> {
    match words.text() {
        "fs" => {
            let name = words.need()?;
            if !server.fs.is_empty() {
                return Err(words.error("file system already specified"));
            }
            server.fs = name.to_owned();
        }
        "hide" => server.hide.extend(words.some()?),
        "index" => server.index_names = Some(words.some()?),
        "root" => server.root = words.need()?.to_owned(),
        "browse" => {
            if server.browse.is_some() {
                return Err(words.error("browsing is already configured"));
            }
            server.browse = Some(browse(words)?);
        }
        "precompressed" => precompressed(server, words)?,
        "status" => server.status_code = WeakString(words.need()?.to_owned()),
        "disable_canonical_uris" => {
            words.none()?;
            server.canonical_uris = Some(false);
        }
        "pass_thru" => {
            words.none()?;
            server.pass_thru = true;
        }
        "etag_file_extensions" => server.etag_file_extensions = words.some()?,
        other => {
            return Err(unknown(words.token(), format!("unknown subdirective '{other}'"), OPTIONS));
        }
    }
    Ok(())
}
fn precompressed(server: &mut FileServer, words: &mut Words<'_>) -> Parsed<()> {
    let mut formats = words.rest();
    if formats.is_empty() {
        formats = PRECOMPRESSED.map(str::to_owned).into();
    }
    for format in &formats {
        if !PRECOMPRESSED.contains(&format.as_str()) {
            let id = format!("http.precompressed.{format}");
            let message = format!("getting module named '{id}': module not registered: {id}");
            return Err(unknown(words.token(), message, &PRECOMPRESSED));
        }
        server.precompressed.insert(format.clone(), json!({}));
    }
    server.precompressed_order = formats;
    Ok(())
}
fn browse(words: &mut Words<'_>) -> Parsed<Browse> {
    let mut browse = Browse::default();
    if let Some(file) = words.arg() {
        browse.template_file = file.text.clone();
    }
    let mut block = words.block();
    while let Some(words) = block.next() {
        match words.text() {
            "reveal_symlinks" if browse.reveal_symlinks => {
                return Err(words.error("Symlinks path reveal is already enabled"));
            }
            "reveal_symlinks" => browse.reveal_symlinks = true,
            "sort" => {
                while let Some(word) = words.arg() {
                    let text = word.text.as_str();
                    if !SORTS.contains(&text) && !matches!(text, "asc" | "desc") {
                        let known = [SORTS.as_slice(), &["asc", "desc"]].concat();
                        return Err(unknown(word, format!("unknown sort option '{text}'"), &known));
                    }
                    browse.sort.push(text.to_owned());
                }
            }
            "file_limit" => {
                let args = words.rest();
                let limit = match args.as_slice() {
                    [limit] => parse_int(limit).ok(),
                    _ => None,
                };
                let limit = limit.ok_or_else(|| words.error("file_limit should have an integer value"))?;
                if browse.file_limit != 0 {
                    return Err(words.error("file_limit is already enabled"));
                }
                browse.file_limit = limit;
            }
            other => {
                let known = ["reveal_symlinks", "sort", "file_limit"];
                return Err(unknown(words.token(), format!("unknown subdirective '{other}'"), &known));
            }
        }
    }
    Ok(browse)
}
/// # Errors
/// In Caddy's words: the first has to be a key, the second an order.
pub(super) fn check_sort(options: &[String]) -> Result<(), String> {
    let [first, rest @ ..] = options else { return Ok(()) };
    if !SORTS.contains(&first.as_str()) {
        return Err(format!(
            "the first option must be one of the following: {}, but got {first}",
            SORTS.join(", ")
        ));
    }
    match rest {
        [] => Ok(()),
        [order, ..] if order != "asc" && order != "desc" => {
            Err(format!("the second option must be one of the following: asc, desc, but got {order}"))
        }
        [_] => Ok(()),
        _ => Err("only max 2 sort options are allowed, but got 3".into()),
    }
}
