//! The API's routes: what a request asks of the instance, and what it is told.
use super::{
    Refused,
    adapters::{Warning, by_content_type},
    guard::Guard,
    instance::{Change, Instance, Source, tag},
    views,
};
use crate::{
    config::compact,
    logging::{Fields, Level, Object, write_headers},
    net::canonical,
};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri,
    header::{self, CONTENT_TYPE},
};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use serde::Serialize;
use serde_json::json;
use std::{net::SocketAddr, sync::Arc};

/// The largest configuration, in bytes.
const LARGEST: usize = 100 << 20;
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// What a request is answered with.
#[derive(Debug, Default)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}
impl Reply {
    pub(super) fn of(content_type: HeaderValue, body: impl Into<Bytes>) -> Self {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, content_type)]);
        Self { headers, body: body.into(), ..Self::default() }
    }
    pub(super) fn json(value: &impl Serialize) -> Self {
        Self::of(JSON, compact(value) + "\n")
    }
}
/// A refusal, with what an adapter had to say besides.
struct Failure {
    refused: Refused,
    warnings: Vec<Warning>,
}
impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self { refused, warnings: vec![] }
    }
}
type Outcome = Result<Reply, Failure>;

/// A request whose body has been read.
struct Asked<'a> {
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    body: Bytes,
}
impl Asked<'_> {
    fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }
    fn forces(&self) -> bool {
        self.header(header::CACHE_CONTROL) == "must-revalidate"
    }
    fn source(&self) -> Source {
        let header = |name: &str| self.header(name).to_owned();
        Source { file: header("caddy-config-source-file"), adapter: header("caddy-config-source-adapter") }
    }
}

/// Answers a request.
pub(super) async fn respond(
    instance: &Arc<Instance>,
    guard: &Guard,
    from: Option<SocketAddr>,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let level = if head.uri == "/metrics" { Level::Debug } else { Level::Info };
    let received = Received { head: &head, from };
    instance.logs.logs().write(level, "admin.api", "received request", &received);
    let body = Limited::new(body, LARGEST).collect().await.map(|body| body.to_bytes());
    let (pattern, reply) = match body {
        Ok(body) => {
            let asked = Asked { method: &head.method, uri: &head.uri, headers: &head.headers, body };
            route(instance, guard, &asked).await
        }
        Err(error) => {
            let refused = Refused::bad(format!("reading request body: {error}"));
            ("", refusal(&head.method, &refused, &[]))
        }
    };
    if !pattern.is_empty() {
        instance.metrics.admin_request(pattern, reply.status.as_u16(), &head.method);
    }
    let mut response = Response::new(Full::new(reply.body));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    response
}
/// The route that a request takes, by Caddy's pattern, and the answer.
async fn route(instance: &Arc<Instance>, guard: &Guard, asked: &Asked<'_>) -> (&'static str, Reply) {
    let allowed = match guard.check(asked.method, asked.headers) {
        Ok(allowed) => allowed,
        Err(refused) => return ("", refusal(asked.method, &refused, &[])),
    };
    let path = percent_encoding::percent_decode_str(asked.uri.path()).decode_utf8_lossy();
    if let Some(moved) = moved(asked, &path) {
        return ("", moved);
    }
    let Some((pattern, outcome)) = dispatch(instance, asked, &path).await else {
        let mut reply = Reply::of(PLAIN, "404 page not found\n");
        reply.status = StatusCode::NOT_FOUND;
        reply.headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        reply.headers.extend(allowed);
        return ("", reply);
    };
    let mut reply = match outcome {
        Ok(reply) => reply,
        Err(Failure { refused, warnings }) => {
            instance.metrics.admin_error(pattern, asked.method);
            refusal(asked.method, &refused, &warnings)
        }
    };
    reply.headers.extend(allowed);
    (pattern, reply)
}
async fn dispatch(
    instance: &Arc<Instance>,
    asked: &Asked<'_>,
    path: &str,
) -> Option<(&'static str, Outcome)> {
    Some(match path {
        "/load" => ("/load", load(instance, asked).await),
        "/adapt" => ("/adapt", adapt_only(asked)),
        "/stop" => ("/stop", stop(instance, asked)),
        "/metrics" => ("/metrics", Ok(views::metrics(instance))),
        "/reverse_proxy/upstreams" => {
            ("/reverse_proxy/upstreams", views::upstreams(instance, asked.method).map_err(Into::into))
        }
        path if path.starts_with("/config/") => ("/config/", config(instance, asked, path).await),
        path if path.starts_with("/id/") => ("/id/", by_id(instance, asked, path).await),
        path if path.starts_with("/pki/") => {
            ("/pki/", views::pki(instance, asked.method, path).await.map_err(Into::into))
        }
        _ => return None,
    })
}
/// What Go's mux does with a path that is not in its one form.
fn moved(asked: &Asked<'_>, path: &str) -> Option<Reply> {
    let mut clean = clean(path);
    if matches!(clean.as_str(), "/config" | "/id" | "/pki") {
        clean.push('/');
    }
    if clean == path {
        return None;
    }
    let query = asked.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let target = format!("{clean}{query}");
    let body = match *asked.method {
        Method::GET => format!("<a href=\"{}\">Temporary Redirect</a>.\n\n", escape(&target)),
        _ => String::new(),
    };
    let mut reply = Reply { status: StatusCode::TEMPORARY_REDIRECT, body: body.into(), ..Reply::default() };
    reply.headers.insert(header::LOCATION, HeaderValue::from_str(&target).ok()?);
    if matches!(*asked.method, Method::GET | Method::HEAD) {
        reply.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    }
    Some(reply)
}
/// Without `.`, `..` and doubled slashes.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = vec![];
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let slash = path.ends_with('/') && !parts.is_empty();
    format!("/{}{}", parts.join("/"), if slash { "/" } else { "" })
}
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&#34;")
        .replace('\'', "&#39;")
}
fn refusal(method: &Method, refused: &Refused, warnings: &[Warning]) -> Reply {
    let status_code = refused.status.as_u16();
    tracing::error!(target: "admin.api", error = refused.message, status_code, "request error");
    let mut body = json!({ "error": refused.message });
    if !warnings.is_empty() {
        body["warnings"] = json!(warnings);
    }
    let mut reply = Reply::json(&body);
    reply.status = refused.status;
    if *method == Method::HEAD {
        reply.headers.insert(header::CONTENT_LENGTH, reply.body.len().into());
        reply.body = Bytes::new();
    }
    reply
}
pub(super) fn method_not_allowed() -> Refused {
    Refused::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed")
}

async fn config(instance: &Arc<Instance>, asked: &Asked<'_>, path: &str) -> Outcome {
    match *asked.method {
        Method::GET => {
            let text = instance.read(path).await;
            // Whatever is wrong with it, it is the client's fault.
            let text = text.map_err(|refused| Refused { status: StatusCode::BAD_REQUEST, ..refused })?;
            let tag = HeaderValue::from_str(&tag(path, &text));
            let mut reply = Reply::of(JSON, text);
            if let Ok(tag) = tag {
                reply.headers.insert(header::ETAG, tag);
            }
            Ok(reply)
        }
        Method::POST | Method::PUT | Method::PATCH | Method::DELETE => {
            let deletes = *asked.method == Method::DELETE;
            let content_type = asked.header(CONTENT_TYPE);
            if !deletes && !content_type.contains("/json") {
                let why = format!("unacceptable content-type: {content_type}; 'application/json' required");
                return Err(Refused::bad(why).into());
            }
            let change = Change {
                method: asked.method,
                path,
                body: if deletes { &[] } else { &asked.body },
                only_if: Some(asked.header(header::IF_MATCH)).filter(|header| !header.is_empty()),
                force: asked.forces(),
            };
            instance.change(&change).await?;
            instance.keep_source_if(&asked.source());
            Ok(Reply::default())
        }
        ref other => {
            let why = format!("method {other} not allowed");
            Err(Refused::new(StatusCode::METHOD_NOT_ALLOWED, why).into())
        }
    }
}
async fn by_id(instance: &Arc<Instance>, asked: &Asked<'_>, path: &str) -> Outcome {
    let (id, rest) =
        path.strip_prefix("/id/").map(|rest| rest.split_once('/').unwrap_or((rest, ""))).unwrap_or_default();
    if id.is_empty() {
        return Err(Refused::bad("request path is missing object ID").into());
    }
    let Some(place) = instance.find(id).await else {
        return Err(Refused::new(StatusCode::NOT_FOUND, format!("unknown object ID '{id}'")).into());
    };
    config(instance, asked, clean(&format!("{place}/{rest}")).trim_end_matches('/')).await
}
async fn load(instance: &Arc<Instance>, asked: &Asked<'_>) -> Outcome {
    if *asked.method != Method::POST {
        return Err(method_not_allowed().into());
    }
    let (json, warnings) = by_content_type(asked.header(CONTENT_TYPE), asked.body.clone(), true)?;
    let loaded = instance.load(&json, asked.forces()).await;
    loaded.map_err(|refused| {
        let refused = Refused::bad(format!("loading config: {refused}"));
        Failure { refused, warnings: warnings.clone() }
    })?;
    instance.keep_source_if(&asked.source());
    tracing::info!(target: "admin.api", "load complete");
    if warnings.is_empty() {
        return Ok(Reply::default());
    }
    Ok(Reply::of(PLAIN, compact(&json!({ "warnings": warnings })) + "\n"))
}
fn adapt_only(asked: &Asked<'_>) -> Outcome {
    if *asked.method != Method::POST {
        return Err(method_not_allowed().into());
    }
    let (json, warnings) = by_content_type(asked.header(CONTENT_TYPE), asked.body.clone(), false)?;
    let result = super::json::compact_text(&json).map_err(|why| {
        let why = why.message;
        Refused::internal(format!("json: error calling MarshalJSON for type json.RawMessage: {why}"))
    })?;
    let warnings = match &warnings[..] {
        [] => String::new(),
        warnings => format!("\"warnings\":{},", compact(&warnings)),
    };
    Ok(Reply::of(JSON, format!("{{{warnings}\"result\":{result}}}\n")))
}
fn stop(instance: &Arc<Instance>, asked: &Asked<'_>) -> Outcome {
    if *asked.method != Method::POST {
        return Err(method_not_allowed().into());
    }
    instance.ask_to_stop();
    Ok(Reply::default())
}

/// A request, for the log.
struct Received<'a> {
    head: &'a http::request::Parts,
    from: Option<SocketAddr>,
}
impl Fields for Received<'_> {
    fn write(&self, into: &mut Object<'_>) {
        let headers = &self.head.headers;
        into.text("method", self.head.method.as_str());
        into.bytes("host", headers.get(header::HOST).map_or(b"", HeaderValue::as_bytes));
        into.display("uri", &self.head.uri);
        match self.from {
            Some(from) => {
                into.display("remote_ip", from.ip());
                into.display("remote_port", from.port());
            }
            None => {
                into.text("remote_ip", "@");
                into.text("remote_port", "");
            }
        }
        let shown = headers.iter().filter(|(name, _)| *name != header::HOST);
        let spelt: Vec<(String, &[u8])> =
            shown.map(|(name, value)| (canonical(name.as_str()), value.as_bytes())).collect();
        let shown = spelt.iter().map(|(name, value)| (name.as_str(), *value));
        into.object("headers", |into| write_headers(shown, false, into));
    }
}
