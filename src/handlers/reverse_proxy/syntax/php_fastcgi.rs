//! `php_fastcgi`: a reverse proxy for PHP, with the routes around it that PHP applications expect.
//!
//! ```caddyfile
//! php_fastcgi [<matcher>] <php-fpm_gateways...> {
//!     root                 <path>
//!     split                <substrings...>
//!     index                <filename>|off
//!     try_files            <files...>
//!     env                  <key> <value>
//!     resolve_root_symlink
//!     capture_stderr
//!     dial_timeout         <duration>
//!     read_timeout         <duration>
//!     write_timeout        <duration>
//!     <any other reverse_proxy subdirectives...>
//! }
//! ```
use super::fastcgi;
use crate::{
    caddyfile::{Cx, Directive, Emit, Order, Parse, Parsed, Support, Words, subroute},
    config::{MatcherSet, Module, Route, fields},
    handlers::reverse_proxy::config::{FastCgiTransport, ReverseProxy},
};
use grammar::Line;
use serde_json::{Value, json};

pub const PHP_FASTCGI: Directive = Directive {
    name: "php_fastcgi",
    docs: "php_fastcgi [<matcher>] <gateways...> { … }: passes requests for PHP on, the others are left to what follows.",
    order: Order::ByRow,
    support: Support::Full,
    parse: Parse::Matched(parse),
};

/// What the directive says beyond `reverse_proxy`.
struct Php {
    transport: FastCgiTransport,
    index: String,
    try_files: Vec<String>,
    /// Of which files a path's PHP part may end with.
    extensions: Vec<String>,
}
fn parse(line: &Line, matcher: Option<MatcherSet>, cx: &mut Cx<'_>) -> Parsed<Vec<Emit>> {
    let (php, rest) = Php::take(line)?;
    let mut routes = php.routes();
    let mut transport = fields(&php.transport);
    transport.insert("protocol".into(), "fastcgi".into());
    let proxy = ReverseProxy { transport: Some(Value::Object(transport)), ..ReverseProxy::default() };
    let proxy = super::read(&rest, proxy, cx)?;
    let paths: Vec<String> = php.extensions.iter().map(|extension| format!("*{extension}")).collect();
    routes.push(Route::of(Some(set("path", json!(paths))), proxy));
    Ok(vec![match matcher {
        Some(matcher) => Emit::Route(Route::of(Some(matcher), subroute(routes))),
        None => Emit::Bundle(routes),
    }])
}
fn set(name: &str, value: Value) -> MatcherSet {
    MatcherSet::from_iter([(name.to_owned(), value)])
}
impl Php {
    /// Takes out of the block what `reverse_proxy` does not know.
    fn take(line: &Line) -> Parsed<(Self, Line)> {
        let mut php = Self {
            transport: FastCgiTransport::default(),
            index: "index.php".into(),
            try_files: vec![],
            extensions: vec![".php".into()],
        };
        let rest = super::without(line, |words| php.option(words))?;
        php.transport.split_path.clone_from(&php.extensions);
        Ok((php, rest))
    }
    fn option(&mut self, words: &mut Words<'_>) -> Parsed<bool> {
        match words.text() {
            "split" => self.extensions = words.some()?,
            "index" => [self.index] = words.exactly()?,
            "try_files" => self.try_files = words.some()?,
            "resolve_root_symlink" => {
                words.rest();
                self.transport.resolve_root_symlink = true;
            }
            "capture_stderr" => {
                words.rest();
                self.transport.capture_stderr = true;
            }
            _ => return fastcgi::setting(&mut self.transport, words),
        }
        Ok(true)
    }
    /// What comes before the proxy: folders get their slash, other paths the file that is there.
    fn routes(&self) -> Vec<Route> {
        if self.index == "off" {
            return vec![];
        }
        let folder = format!("{{http.request.uri.path}}/{}", self.index);
        let standard = vec!["{http.request.uri.path}".to_owned(), folder.clone(), self.index.clone()];
        let files = if self.try_files.is_empty() { &standard } else { &self.try_files };
        let mut routes = vec![];
        if files.contains(&folder) {
            let mut matcher = set("file", json!({ "try_files": [folder] }));
            matcher.extend(set("not", json!([{ "path": ["*/"] }])));
            let slash = json!({
                "headers": { "Location": ["{http.request.orig_uri.path}/{http.request.orig_uri.prefixed_query}"] },
                "status_code": 308,
            });
            routes.push(Route::of(Some(matcher), Module::of("static_response", &slash)));
        }
        let mut file = json!({ "try_files": files });
        if files.last().is_some_and(|last| self.try_files.is_empty() || last.ends_with(".php")) {
            file["try_policy"] = "first_exist_fallback".into();
        }
        file["split_path"] = json!(self.extensions);
        let rewrite = Module::of("rewrite", &json!({ "uri": "{http.matchers.file.relative}" }));
        routes.push(Route::of(Some(set("file", file)), rewrite));
        routes
    }
}
