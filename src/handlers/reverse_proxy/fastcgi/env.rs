//! What a script is told of its request: the variables of CGI (RFC 3875), and what Caddy adds.
use super::FastCgi;
use crate::http::{Exchange, TlsVersion, fs::path_within, uri::split_host_port};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use percent_encoding::percent_decode_str;
use std::{borrow::Cow, collections::BTreeMap, path::Path};

/// Applications are told of the server whose place this one takes.
const SOFTWARE: &[u8] = b"Caddy/v2.11.7";

/// Values are bytes: paths, queries and header fields need be no UTF-8.
pub(super) type Env = BTreeMap<String, Vec<u8>>;

/// A request as an application is to see it.
pub(super) struct Seen<'a> {
    pub(super) method: &'a Method,
    /// Path and query, as they are passed on.
    pub(super) target: &'a str,
    /// As they are passed on.
    pub(super) fields: &'a HeaderMap,
    /// Of the body, in bytes.
    pub(super) length: u64,
}
impl FastCgi {
    /// # Errors
    /// The root cannot be resolved.
    pub(super) fn env(&self, x: &Exchange, seen: &Seen<'_>) -> Result<Env, String> {
        let (path, query) = seen.target.split_once('?').unwrap_or((seen.target, ""));
        let path: Cow<'_, [u8]> = percent_decode_str(path).into();
        let root = self.root(x)?;
        let split = self.split(&path);
        let (script, info) = path.split_at(split.unwrap_or(path.len()));
        let remainder = x.text("http.matchers.file.remainder");
        let info = if info.is_empty() { remainder.as_bytes() } else { info };
        let mut env = Env::new();
        let mut set = |name: &str, value: &[u8]| _ = env.insert(name.to_owned(), value.to_vec());
        // Some are not used, but the application must not have them from its own environment.
        for name in ["AUTH_TYPE", "REMOTE_IDENT"] {
            set(name, b"");
        }
        set("GATEWAY_INTERFACE", b"CGI/1.1");
        set("SERVER_SOFTWARE", SOFTWARE);
        set("DOCUMENT_ROOT", root.as_bytes());
        set("DOCUMENT_URI", script);
        set("PATH_INFO", info);
        set("SCRIPT_FILENAME", &within(&root, script));
        let slash: &[u8] = if script.is_empty() || script.starts_with(b"/") { b"" } else { b"/" };
        set("SCRIPT_NAME", &[slash, script].concat());
        if !info.is_empty() {
            set("PATH_TRANSLATED", &within(&root, info));
        }
        set("QUERY_STRING", query.as_bytes());
        set("REQUEST_METHOD", seen.method.as_str().as_bytes());
        set("REQUEST_URI", x.original_uri().path_and_query().map_or("/", |uri| uri.as_str()).as_bytes());
        set("REQUEST_SCHEME", x.scheme().as_bytes());
        set("REMOTE_USER", x.text("http.auth.user.id").as_bytes());
        content(&mut env, seen);
        connection(&mut env, x, seen.fields);
        for (name, value) in &self.env {
            env.insert(name.clone(), value.expand(x).into_owned().into_bytes());
        }
        headers(&mut env, seen);
        Ok(env)
    }
    /// Absolute.
    fn root(&self, x: &Exchange) -> Result<String, String> {
        let root = self.root.expand(x);
        let root = if root.is_empty() { ".".into() } else { root };
        let absolute = std::path::absolute(&*root).map_err(|error| error.to_string())?;
        let resolved =
            |path: &Path| path.canonicalize().map_err(|error| format!("{}: {error}", path.display()));
        let absolute = if self.resolve_root_symlink { resolved(&absolute)? } else { absolute };
        Ok(crate::http::fs::clean(&absolute.to_string_lossy()).into_owned())
    }
    /// Where the script's path ends and `PATH_INFO` begins. Only ASCII is compared without its case: other scripts have
    /// letters that grow or shrink with it, so that the place would be another.
    pub(super) fn split(&self, path: &[u8]) -> Option<usize> {
        if self.split_path.is_empty() {
            return Some(0);
        }
        self.split_path.iter().find_map(|split| {
            let found = |part: &[u8]| part.eq_ignore_ascii_case(split.as_bytes());
            path.windows(split.len().max(1)).position(found).map(|at| at + split.len())
        })
    }
}
/// Of paths that need be no UTF-8.
fn within(root: &str, path: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(path) {
        Ok(path) => path_within(root, path).into_bytes(),
        // Byte for byte a letter, and back.
        Err(_) => {
            let letters: String = path.iter().map(|&byte| char::from(byte)).collect();
            let below = path_within("/", &letters);
            let below = below.chars().map(|letter| u8::try_from(letter).unwrap_or(b'?'));
            root.trim_end_matches('/').bytes().chain(below).collect()
        }
    }
}
fn content(env: &mut Env, seen: &Seen<'_>) {
    let named = |name: HeaderName| seen.fields.get(name).map_or(&b""[..], HeaderValue::as_bytes);
    let bodiless = [Method::HEAD, Method::OPTIONS].contains(seen.method);
    let length = if bodiless { 0 } else { seen.length };
    env.insert("CONTENT_LENGTH".into(), length.to_string().into_bytes());
    let mut kind = named(header::CONTENT_TYPE);
    // As browsers mean it.
    if kind.is_empty() && !bodiless && seen.method != Method::GET {
        kind = b"application/x-www-form-urlencoded";
    }
    env.insert("CONTENT_TYPE".into(), kind.to_vec());
}
/// Both ends of it, and TLS as Apache's `mod_ssl` tells of it.
fn connection(env: &mut Env, x: &Exchange, fields: &HeaderMap) {
    let mut set = |name: &str, value: &str| _ = env.insert(name.to_owned(), value.as_bytes().to_vec());
    let (ip, port) = x.connection.remote.map_or(("@".to_owned(), String::new()), |peer| {
        (peer.ip().to_canonical().to_string(), peer.port().to_string())
    });
    set("REMOTE_ADDR", &ip);
    set("REMOTE_HOST", &ip);
    set("REMOTE_PORT", &port);
    let host = fields.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    set("HTTP_HOST", host);
    let standard = if x.connection.tls.is_some() { "443" } else { "80" };
    let (name, port) = split_host_port(host).unwrap_or((host, ""));
    set("SERVER_NAME", name);
    set("SERVER_PORT", if port.is_empty() { standard } else { port });
    if let Some(local) = x.connection.local {
        set("SERVER_ADDR", &local.ip().to_canonical().to_string());
    }
    set("SERVER_PROTOCOL", &x.text("http.request.proto"));
    if let Some(tls) = &x.connection.tls {
        set("HTTPS", "on");
        let version = match tls.version {
            TlsVersion::Tls12 => "TLSv1.2",
            TlsVersion::Tls13 => "TLSv1.3",
        };
        set("SSL_PROTOCOL", version);
        set("SSL_CIPHER", &x.text("http.request.tls.cipher_suite"));
    }
}
/// `HTTP_*`. `Proxy` is not among them: applications would take `HTTP_PROXY` for the proxy of their own requests
/// (CVE-2016-5385).
fn headers(env: &mut Env, seen: &Seen<'_>) {
    let fields = seen.fields;
    for name in fields.keys().filter(|name| *name != header::HOST && *name != "proxy") {
        let mut values = fields.get_all(name).iter().map(HeaderValue::as_bytes);
        let mut joined = values.next().unwrap_or_default().to_vec();
        values.for_each(|value| joined.extend([b", ", value].concat()));
        env.insert(format!("HTTP_{}", name.as_str().to_ascii_uppercase().replace('-', "_")), joined);
    }
    env.insert("HTTP_CONTENT_LENGTH".into(), seen.length.to_string().into_bytes());
}
