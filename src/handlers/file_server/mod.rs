//! `file_server`: answers with files.
//!
//! ```caddyfile
//! file_server [<matcher>] [browse] {
//!     fs            <file system>
//!     root          <path>
//!     hide          <files...>
//!     index         <files...>
//!     browse        [<template>] {
//!         reveal_symlinks
//!         sort       name|namedirfirst|size|time [asc|desc]
//!         file_limit <number>
//!     }
//!     precompressed [br|zstd|gzip...]
//!     status        <code>
//!     disable_canonical_uris
//!     pass_thru
//!     etag_file_extensions <extensions...>
//! }
//! ```
//!
//! Example: `root /srv/www` and `file_server`. Nothing below the root is hidden unless `hide` says so, and what a link
//! points to may lie elsewhere; paths lead nowhere else.
mod body;
mod browse;
mod condition;
mod find;
mod hide;
mod syntax;
#[cfg(test)]
mod tests;
mod types;

use super::{encode::Preference, respond::Status};
use crate::{
    caddyfile::{Directive, Order, Parse, Support},
    config::{WeakString, is_default},
    http::{
        Body, Build, BuildError, Exchange, Flow, Handler, HandlerConfig, HandlerModule, HttpError, OwnServer,
        Response, Result, Step, Text,
        fs::clean,
        uri::{decode_path, encode_path},
    },
};
use body::{FileBody, Piece};
use browse::ListingOptions;
pub(in crate::handlers) use browse::file_mode;
pub use browse::human_size;
use condition::{NO_OVERLAP, Part, Validators, Wanted, wanted};
use find::{Found, Opened, Request, find};
use hide::Hide;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{
        ACCEPT_RANGES, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
        ETAG, LAST_MODIFIED, LOCATION, RANGE, RETRY_AFTER, VARY, X_CONTENT_TYPE_OPTIONS,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;

pub const FILE_SERVER: Directive = Directive {
    name: "file_server",
    docs: "file_server [<matcher>] [browse] { root, hide, index, browse, precompressed, … }: answers with files.",
    order: Order::ByRow,
    support: Support::Full,
    parse: Parse::Handler(syntax::parse),
};
pub const MODULE: HandlerModule = HandlerModule::of::<FileServer>();

/// JSON: `http.handlers.file_server`.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct FileServer {
    /// `{http.vars.fs}`, if it is empty; the disk, if that is too.
    #[serde(skip_serializing_if = "is_default")]
    fs: String,
    /// `{http.vars.root}`, if it is empty; the current directory, if that is too.
    #[serde(skip_serializing_if = "is_default")]
    root: String,
    /// Names and patterns of names, paths and patterns of paths; may hold placeholders.
    #[serde(skip_serializing_if = "is_default")]
    hide: Vec<String>,
    /// What stands for a directory: `index.html` or `index.txt`, if there is none.
    #[serde(skip_serializing_if = "is_default")]
    index_names: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    browse: Option<Browse>,
    /// Whether to redirect so that directories, and they alone, end in a slash.
    #[serde(skip_serializing_if = "Option::is_none")]
    canonical_uris: Option<bool>,
    #[serde(skip_serializing_if = "is_default")]
    status_code: WeakString,
    /// Let the request pass where there is no file.
    #[serde(skip_serializing_if = "is_default")]
    pass_thru: bool,
    /// Modules of `http.precompressed`, by name.
    #[serde(skip_serializing_if = "Map::is_empty")]
    precompressed: Map<String, Value>,
    #[serde(skip_serializing_if = "is_default")]
    precompressed_order: Vec<String>,
    /// Ends of the names of files that hold the entity tag of the file without them.
    #[serde(skip_serializing_if = "is_default")]
    etag_file_extensions: Vec<String>,
}
/// Lists of directories.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Browse {
    #[serde(skip_serializing_if = "is_default")]
    template_file: String,
    /// Say what symbolic links point to.
    #[serde(skip_serializing_if = "is_default")]
    reveal_symlinks: bool,
    /// A key and an order.
    #[serde(skip_serializing_if = "is_default")]
    sort: Vec<String>,
    /// 10,000, if it is zero.
    #[serde(skip_serializing_if = "is_default")]
    file_limit: i64,
}
impl HandlerConfig for FileServer {
    const NAME: &'static str = "file_server";
    fn build(self, cx: &mut Build) -> std::result::Result<Box<dyn Handler>, BuildError> {
        let others: Vec<String> = self.precompressed.keys().cloned().collect();
        let order = self.precompressed_order;
        let (preferred, others): (Vec<_>, Vec<_>) = (
            order.iter().filter(|name| others.contains(name)).cloned().collect(),
            others.iter().filter(|name| !order.contains(name)).cloned().collect(),
        );
        let precompressed = Preference::new(&preferred, &others);
        let sidecars = precompressed.names().map(sidecar).collect::<std::result::Result<_, _>>()?;
        let browse = self.browse.map(ListingOptions::build).transpose()?;
        let text = |text: &str, default| Text::new(if text.is_empty() { default } else { text });
        let index_names = self.index_names.unwrap_or_else(|| vec!["index.html".into(), "index.txt".into()]);
        Ok(Box::new(Serve {
            fs: text(&self.fs, "{http.vars.fs}"),
            root: text(&self.root, "{http.vars.root}"),
            hide: Hide::new(&self.hide),
            index: index_names.iter().map(|name| Text::new(name)).collect(),
            browse,
            canonical: self.canonical_uris.unwrap_or(true),
            status: Status::new(&self.status_code),
            pass_thru: self.pass_thru,
            precompressed,
            sidecars,
            etag_extensions: self.etag_file_extensions.into(),
            server: cx.own_server(),
        }))
    }
}
/// What a format's files are named, and what their encoding is called.
#[derive(Debug)]
struct Sidecar {
    suffix: &'static str,
    encoding: HeaderValue,
}
fn sidecar(format: &str) -> std::result::Result<Sidecar, BuildError> {
    let (suffix, encoding) = match format {
        "br" => (".br", "br"),
        "zstd" => (".zst", "zstd"),
        "gzip" => (".gz", "gzip"),
        _ => {
            let id = format!("http.precompressed.{format}");
            return Err(format!("loading encoder modules: unknown module: {id}").into());
        }
    };
    Ok(Sidecar { suffix, encoding: HeaderValue::from_static(encoding) })
}
#[derive(Debug)]
struct Serve {
    fs: Text,
    root: Text,
    hide: Hide,
    index: Box<[Text]>,
    browse: Option<ListingOptions>,
    canonical: bool,
    status: Status,
    pass_thru: bool,
    precompressed: Preference,
    /// In the order of the preference's names.
    sidecars: Box<[Sidecar]>,
    etag_extensions: Box<[String]>,
    /// Whom templates of lists may ask.
    server: OwnServer,
}
impl Handler for Serve {
    fn handle<'t: 'x, 'x>(&'t self, x: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        // There are no file system modules: Caddy has none of its own either.
        if !matches!(&*self.fs.expand(x), "" | "default") {
            return HttpError::new(StatusCode::NOT_FOUND, "filesystem not found").into();
        }
        Flow::wait(self.serve(x))
    }
}
impl Serve {
    async fn serve<'t>(&'t self, x: &mut Exchange) -> Result<Step<'t>> {
        let accepted = self.precompressed.accepted(&x.request.headers);
        let request = self.request(x, &accepted);
        let root = request.root.clone();
        let found = tokio::task::spawn_blocking(move || find(&request)).await;
        match found.map_err(HttpError::internal)? {
            Found::Nothing if self.pass_thru => Ok(Step::Next),
            Found::Nothing => Err(HttpError::bare(StatusCode::NOT_FOUND)),
            Found::Invalid(error) => Err(HttpError::new(StatusCode::BAD_REQUEST, error.to_string())),
            Found::Forbidden(error) => Err(HttpError::new(StatusCode::FORBIDDEN, error.to_string())),
            Found::Failed(error) => Err(HttpError::internal(error)),
            Found::NoTag(error) => Err(HttpError::internal(error)),
            Found::Busy(error) => {
                x.headers.insert(RETRY_AFTER, HeaderValue::from(fastrand::u16(2..5)));
                Err(HttpError::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))
            }
            Found::Redirect { slash } => Ok(Step::Done(redirect(x, slash)?)),
            Found::Listing(listing) => {
                vary(x, "Accept, Accept-Encoding");
                browse::answer(x, *listing, root, &self.server).await.map(Step::Done)
            }
            Found::File(opened) => {
                vary(x, "Accept-Encoding");
                let sidecar = opened.sidecar.and_then(|at| self.sidecars.get(*accepted.get(at)?));
                if let Some(sidecar) = sidecar {
                    x.headers.insert(CONTENT_ENCODING, sidecar.encoding.clone());
                }
                self.answer(x, *opened).map(Step::Done)
            }
        }
    }
    fn request(&self, x: &Exchange, accepted: &[usize]) -> Request {
        let root = self.root.expand(x);
        let headers = &x.request.headers;
        let conditional =
            headers.contains_key(RANGE) || headers.keys().any(|n| n.as_str().starts_with("if-"));
        let slash = ends_in_slash(x);
        Request {
            root: if root.is_empty() { ".".into() } else { root.into_owned() },
            path: x.path().into_owned(),
            hidden: self.hide.expand(x),
            index: self.index.iter().map(|name| name.expand(x).into_owned()).collect(),
            canonical: self.canonical.then_some(slash).flatten(),
            redirect_listing: slash == Some(false),
            sidecars: accepted.iter().filter_map(|at| self.sidecars.get(*at)).map(|s| s.suffix).collect(),
            etag_extensions: self.etag_extensions.clone(),
            at_once: x.request.method == Method::GET && !conditional,
            browse: self.browse.clone(),
        }
    }
    fn answer(&self, x: &mut Exchange, opened: Opened) -> Result<Response> {
        let reads = matches!(x.request.method, Method::GET | Method::HEAD);
        if !reads && x.error.is_none() {
            x.headers.append(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return Err(HttpError::bare(StatusCode::METHOD_NOT_ALLOWED));
        }
        let Opened { file, size, modified, tag, name, content, .. } = opened;
        let headers = &mut x.headers;
        if !headers.contains_key(ETAG) && !tag.is_empty() {
            set(headers, ETAG, &tag);
        }
        if !headers.contains_key(CONTENT_TYPE) {
            match types::content_type(&name) {
                Some(kind) => _ = headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind)),
                None => x.untyped = true,
            }
        }
        let own = self.status(x)?;
        let headers = &mut x.headers;
        if let Some(modified) = modified {
            set(headers, LAST_MODIFIED, &httpdate::fmt_http_date(modified));
        }
        let tag = headers.get(ETAG).and_then(|tag| tag.to_str().ok()).unwrap_or("").to_owned();
        let validators = Validators { tag: &tag, modified, size };
        let wanted = wanted(&x.request.headers, reads, &validators);
        let (status, body) = respond(x, wanted, size, file, content);
        let body = if x.request.method == Method::HEAD { Body::Empty } else { body };
        Ok(Response { status: own.unwrap_or(status), body })
    }
    /// Instead of what the file and the request ask for: what `status` says, or in error routes the error's.
    fn status(&self, x: &Exchange) -> Result<Option<StatusCode>> {
        match &self.status {
            Status::Default => Ok(x.error.as_ref().map(|error| error.status_or_500())),
            status => status.of(x).map(Some),
        }
    }
}
/// What is sent of a file, and how; sets the header fields that go with it.
fn respond(
    x: &mut Exchange,
    wanted: Wanted,
    size: u64,
    file: std::fs::File,
    content: Option<bytes::Bytes>,
) -> (StatusCode, Body) {
    let headers = &mut x.headers;
    let is_encoded = headers.contains_key(CONTENT_ENCODING);
    let all = |content: Option<bytes::Bytes>, file| match content {
        Some(content) => Body::Bytes(content),
        None => Body::boxed(FileBody::new(file, [Piece::File(Part { start: 0, length: size })])),
    };
    match wanted {
        Wanted::NotModified => {
            for name in [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING] {
                headers.remove(name);
            }
            if headers.contains_key(ETAG) {
                headers.remove(LAST_MODIFIED);
            }
            (StatusCode::NOT_MODIFIED, Body::Empty)
        }
        Wanted::PreconditionFailed => (StatusCode::PRECONDITION_FAILED, Body::Empty),
        Wanted::Unsatisfiable(why) => {
            if why == NO_OVERLAP {
                set(headers, CONTENT_RANGE, &format!("bytes */{size}"));
            }
            for name in [CONTENT_LENGTH, CACHE_CONTROL, CONTENT_ENCODING, ETAG, LAST_MODIFIED] {
                headers.remove(name);
            }
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
            headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            (StatusCode::RANGE_NOT_SATISFIABLE, Body::from(format!("{why}\n")))
        }
        Wanted::All => {
            headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
            // Of a sidecar Caddy says the length only to those who do not ask for a part.
            if !is_encoded || !x.request.headers.contains_key(RANGE) {
                headers.insert(CONTENT_LENGTH, HeaderValue::from(size));
            }
            (StatusCode::OK, all(content, file))
        }
        Wanted::Parts(parts) => {
            headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
            let pieces = match parts.as_slice() {
                [part] => {
                    set(headers, CONTENT_RANGE, &part.content_range(size));
                    vec![Piece::File(*part)]
                }
                parts => multipart(headers, parts, size),
            };
            let body = FileBody::new(file, pieces);
            let length = http_body::Body::size_hint(&body).lower();
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
            (StatusCode::PARTIAL_CONTENT, Body::boxed(body))
        }
    }
}
/// `multipart/byteranges` (RFC 9110, section 14.6), as Go writes it.
fn multipart(headers: &mut HeaderMap, parts: &[Part], size: u64) -> Vec<Piece> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("").to_owned();
    let boundary: String = (0..60).map(|_| fastrand::digit(16)).collect();
    let mut pieces = vec![];
    for (at, part) in parts.iter().enumerate() {
        let start = if at == 0 { "" } else { "\r\n" };
        let range = part.content_range(size);
        let head = format!("{start}--{boundary}\r\nContent-Range: {range}\r\nContent-Type: {kind}\r\n\r\n");
        pieces.push(Piece::Text(head.into()));
        pieces.push(Piece::File(*part));
    }
    pieces.push(Piece::Text(format!("\r\n--{boundary}--\r\n").into()));
    set(headers, CONTENT_TYPE, &format!("multipart/byteranges; boundary={boundary}"));
    pieces
}
/// Whether the client's path ends in a slash. `None` if the name that it ends in was rewritten: whoever did so knows.
fn ends_in_slash(x: &Exchange) -> Option<bool> {
    let original = decode_path(x.original_uri().path());
    (base(&original) == base(&x.path())).then(|| original.ends_with('/'))
}
/// Go's `path.Base`.
fn base(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() {
        return if path.is_empty() { "." } else { "/" };
    }
    trimmed.rsplit('/').next().unwrap_or(trimmed)
}
/// To the path as it came, with a slash at the end or without.
fn redirect(x: &mut Exchange, slash: bool) -> Result<Response> {
    let original = decode_path(x.original_uri().path());
    let path = if slash { format!("{original}/") } else { original[..original.len() - 1].to_owned() };
    // Two slashes would begin a host.
    let path = format!("/{}", path.trim_start_matches('/'));
    let end = if path.ends_with('/') && path.len() > 1 { "/" } else { "" };
    let cleaned = clean(&path);
    let mut to: Cow<'_, str> = encode_path(&cleaned).into_owned().into();
    if cleaned != "/" {
        to.to_mut().push_str(end);
    }
    if !x.query().is_empty() {
        to = format!("{to}?{}", x.query()).into();
    }
    let location = HeaderValue::from_str(&to).map_err(HttpError::internal)?;
    x.headers.insert(LOCATION, location);
    let status = StatusCode::PERMANENT_REDIRECT;
    if x.headers.contains_key(CONTENT_TYPE) {
        return Ok(Response::empty(status));
    }
    let mut body = Body::Empty;
    if matches!(x.request.method, Method::GET | Method::HEAD) {
        x.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    }
    if x.request.method == Method::GET {
        body = format!("<a href=\"{}\">Permanent Redirect</a>.\n\n", browse::escape(&to)).into();
    }
    Ok(Response { status, body })
}
fn vary(x: &mut Exchange, names: &'static str) {
    x.headers.append(VARY, HeaderValue::from_static(names));
}
/// What cannot stand in a header is left out.
fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
