//! What a template's dot is: the request, and the response's header.
use super::value::{Object, Outcome, Value};
use crate::{
    config::canonical_header,
    http::{
        Exchange,
        uri::{decode_path, decode_query, encode_path, query_pairs},
    },
};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use std::{cell::RefCell, fmt, rc::Rc};

/// Caddy's `TemplateContext`.
pub(super) struct Context {
    request: Rc<Request>,
    original: Rc<Request>,
    response: Rc<ResponseHeader>,
    host: String,
    remote_ip: String,
    client_ip: String,
    /// Of the handler whose template it is.
    fields: Option<Rc<dyn Object>>,
}
/// The dot: the same for all templates of a response, but for the arguments of those that are included.
struct Dot(Rc<Context>, Value);

impl Context {
    pub(super) fn new(x: &Exchange, fields: Option<Rc<dyn Object>>) -> Rc<Self> {
        let request = |method: &str, target: &str| {
            Rc::new(Request {
                method: method.into(),
                target: target.into(),
                host: x.hostport().into(),
                proto: x.text("http.request.proto").into_owned(),
                remote: x.text("http.request.remote").into_owned(),
                headers: x.request.headers.clone(),
                tls: x.connection.tls.as_ref().map(|tls| tls.server_name.to_string()),
            })
        };
        Rc::new(Self {
            request: request(x.request.method.as_str(), &x.uri()),
            original: request(x.original_method().as_str(), x.original_target()),
            response: Rc::new(ResponseHeader(RefCell::new(x.headers.clone()))),
            host: x.host().into(),
            remote_ip: x.text("http.request.remote.host").into_owned(),
            client_ip: x.text("http.vars.client_ip").into_owned(),
            fields,
        })
    }
    pub(super) fn dot(self: &Rc<Self>, args: Value) -> Value {
        Value::Object(Rc::new(Dot(self.clone(), args)))
    }
    /// The response's header, as the template has left it.
    pub(super) fn headers(&self) -> HeaderMap {
        self.response.0.borrow().clone()
    }
}
impl Object for Dot {
    fn get(&self, name: &str, args: &[Value]) -> Option<Outcome> {
        let context = &self.0;
        Some(Ok(match (name, args) {
            ("Req", []) => Value::Object(context.request.clone()),
            ("OriginalReq", []) => Value::Object(context.original.clone()),
            ("RespHeader", []) => Value::Object(context.response.clone()),
            ("Host", []) => context.host.as_str().into(),
            ("RemoteIP", []) => context.remote_ip.as_str().into(),
            ("ClientIP", []) => context.client_ip.as_str().into(),
            ("Args", []) => self.1.clone(),
            ("Cookie", [Value::Str(name)]) => {
                cookie(&context.request.headers, name).unwrap_or_default().into()
            }
            _ => return context.fields.as_ref()?.get(name, args),
        }))
    }
}
fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).map(str::trim).filter(|pair| pair.contains('='))
}
fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut pairs = cookies(headers).filter_map(|pair| pair.split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value.trim_matches('"').to_owned())
}
/// Go's `http.Request`, as far as templates look at it.
struct Request {
    method: String,
    target: String,
    host: String,
    proto: String,
    remote: String,
    headers: HeaderMap,
    /// The name of the handshake.
    tls: Option<String>,
}
impl Object for Request {
    fn get(&self, name: &str, args: &[Value]) -> Option<Outcome> {
        let field = |name: HeaderName| first(&self.headers, &name).into();
        Some(Ok(match (name, args) {
            ("Method", []) => self.method.as_str().into(),
            ("Host", []) => self.host.as_str().into(),
            ("Proto", []) => self.proto.as_str().into(),
            ("RemoteAddr", []) => self.remote.as_str().into(),
            ("RequestURI", []) => self.target.as_str().into(),
            ("URL", []) => Value::Object(Rc::new(Url(self.target.clone()))),
            ("Header", []) => Value::Object(Rc::new(RequestHeader(self.headers.clone()))),
            ("UserAgent", []) => field(header::USER_AGENT),
            ("Referer", []) => field(header::REFERER),
            ("ContentLength", []) => {
                Value::Int(first(&self.headers, &header::CONTENT_LENGTH).parse().unwrap_or(0))
            }
            ("TLS", []) => match &self.tls {
                None => Value::Nil,
                Some(name) => Value::map([("ServerName".to_owned(), name.as_str().into())]),
            },
            ("FormValue", [Value::Str(name)]) => query_value(&self.target, name).into(),
            ("PathValue" | "PostFormValue", [_]) => "".into(),
            ("Pattern", []) => "".into(),
            ("ProtoMajor", []) => Value::Int(if self.proto.starts_with("HTTP/2") { 2 } else { 1 }),
            ("ProtoMinor", []) => Value::Int(i64::from(self.proto == "HTTP/1.1")),
            ("Form" | "PostForm" | "Trailer", []) => Value::map([]),
            ("TransferEncoding", []) => Value::list([]),
            ("Cookies", []) => Value::list(cookies(&self.headers).map(Value::from)),
            _ => return None,
        }))
    }
}
fn first(headers: &HeaderMap, name: &HeaderName) -> String {
    headers.get(name).map_or_else(String::new, |value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}
fn query_of(target: &str) -> &str {
    target.split_once('?').map_or("", |(_, query)| query)
}
fn query_value(target: &str, name: &str) -> String {
    let mut pairs = query_pairs(query_of(target)).flatten();
    pairs.find(|(key, _)| key == name).map_or_else(String::new, |(_, value)| value.into_owned())
}
/// Go's `url.URL`.
struct Url(String);
impl Object for Url {
    fn get(&self, name: &str, args: &[Value]) -> Option<Outcome> {
        let path = self.0.split('?').next().unwrap_or_default();
        Some(Ok(match (name, args) {
            ("Path", []) => decode_path(path).into_owned().into(),
            ("RawPath", []) => {
                let decoded = decode_path(path);
                if encode_path(&decoded) == path { "".into() } else { path.into() }
            }
            ("EscapedPath", []) => path.into(),
            ("RawQuery", []) => query_of(&self.0).into(),
            ("RequestURI" | "String", []) => self.0.as_str().into(),
            ("Host" | "Scheme" | "Fragment" | "Hostname" | "Port" | "User" | "Opaque", []) => "".into(),
            ("IsAbs", []) => false.into(),
            ("Query", []) => Value::Object(Rc::new(Query(query_of(&self.0).into()))),
            _ => return None,
        }))
    }
    fn text(&self) -> String {
        self.0.clone()
    }
}
/// Go's `url.Values`.
struct Query(String);
impl Object for Query {
    fn get(&self, name: &str, args: &[Value]) -> Option<Outcome> {
        let target = format!("?{}", self.0);
        Some(Ok(match (name, args) {
            ("Get", [Value::Str(key)]) => query_value(&target, key).into(),
            ("Has", [Value::Str(key)]) => {
                query_pairs(&self.0).flatten().any(|(known, _)| known == **key).into()
            }
            ("Encode", []) => decode_query(&self.0).map_or_else(String::new, |_| self.0.clone()).into(),
            ("Values", [Value::Str(key)]) => {
                let values = query_pairs(&self.0).flatten().filter(|(known, _)| known == &**key);
                Value::list(values.map(|(_, value)| Value::from(value.into_owned())))
            }
            // A key that is a name: `.Req.URL.Query.a`.
            (key, []) => {
                let values = query_pairs(&self.0).flatten().filter(|(known, _)| known == key);
                Value::list(values.map(|(_, value)| Value::from(value.into_owned())))
            }
            _ => return None,
        }))
    }
}
/// Go's `http.Header`.
struct RequestHeader(HeaderMap);
impl Object for RequestHeader {
    fn get(&self, name: &str, args: &[Value]) -> Option<Outcome> {
        let values = |name: &str| {
            // Go keeps it elsewhere.
            let values = self.0.get_all(name).iter().filter(|_| !name.eq_ignore_ascii_case("host"));
            Value::list(values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned().into()))
        };
        Some(Ok(match (name, args) {
            ("Get", [Value::Str(name)]) => match &values(name) {
                Value::List(items) => items.first().cloned().unwrap_or_else(|| "".into()),
                _ => "".into(),
            },
            ("Values", [Value::Str(name)]) => values(name),
            (name, []) if canonical_header(name) == name => values(name),
            _ => return None,
        }))
    }
    fn text(&self) -> String {
        let pairs = self.0.keys().filter(|name| *name != header::HOST).map(|name| {
            let values: Vec<_> =
                self.0.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
            format!("{}:[{}]", canonical_header(name.as_str()), values.join(" "))
        });
        let mut pairs: Vec<_> = pairs.collect();
        pairs.sort();
        format!("map[{}]", pairs.join(" "))
    }
}
/// The header of the response, which templates may change.
struct ResponseHeader(RefCell<HeaderMap>);
impl Object for ResponseHeader {
    fn get(&self, name: &str, args: &[Value]) -> Option<Outcome> {
        let mut headers = self.0.borrow_mut();
        let [Value::Str(field), value @ ..] = args else { return None };
        let Ok(field) = field.parse::<HeaderName>() else { return Some(Ok("".into())) };
        let value = value.first().map(Value::shown).and_then(|value| HeaderValue::from_str(&value).ok());
        match (name, value) {
            ("Add", Some(value)) => _ = headers.append(field, value),
            ("Set", Some(value)) => _ = headers.insert(field, value),
            ("Del", None) => _ = headers.remove(field),
            ("Get", None) => return Some(Ok(first(&headers, &field).into())),
            _ => return None,
        }
        Some(Ok("".into()))
    }
}
macro_rules! unshown {
    ($($name:ty),*) => { $(impl fmt::Debug for $name {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(stringify!($name))
        }
    })* };
}
unshown!(Dot, Request, Url, Query, RequestHeader, ResponseHeader);
