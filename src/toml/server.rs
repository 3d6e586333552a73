//! What becomes of requests: the routes of the servers.
use super::{
    routes::Route as Settled,
    settings::{Bucket, Health, Limits, Settings},
};
use crate::config::{Duration, ErrorRoutes, MatcherSet, Module, Route};
use regex::escape;
use serde_json::{Map, Value, json};
use std::time;

/// Names a request in both logs, to the backend and to the client.
const REQUEST_ID: &str = "X-Request-Id";
const REQUEST_ID_VALUE: &str = "req_{http.request.uuid}";

/// Of the server with the file's routes.
pub(super) fn routes(settings: &Settings) -> Vec<Route> {
    let mut routes = vec![always(headers(settings))];
    routes.extend(log_fields(settings));
    routes.extend(gate(settings));
    routes.extend(settings.limits.as_ref().and_then(limits));
    if settings.security.compression {
        routes.push(always(encode()));
    }
    // By the document, those with a prefix come first, whatever their place.
    let (with_prefix, without): (Vec<&Settled>, Vec<&Settled>) =
        settings.routes.iter().partition(|route| route.prefix.is_some());
    routes.extend(with_prefix.into_iter().chain(without).map(|route| proxied(route, settings)));
    routes.push(always(error(404)));
    routes
}
/// Of the server that sends plain HTTP on to HTTPS.
pub(super) fn redirects(settings: &Settings) -> Vec<Route> {
    let port = match settings.server.https_port {
        443 => String::new(),
        port => format!(":{port}"),
    };
    let location = format!("https://{{http.request.host}}{port}{{http.request.uri}}");
    let redirect = json!({ "headers": { "Location": [location] }, "status_code": 308 });
    let mut routes = vec![always(headers(settings))];
    routes.extend(log_fields(settings));
    routes.extend(gate(settings));
    // Of what an authority asks for, that is answered already which there is an answer to.
    routes.push(Route::of(matcher("path", json!(["/.well-known/acme-challenge/*"])), error(404)));
    routes.push(always(Module::of("static_response", &redirect)));
    routes
}
/// Of the server for Prometheus.
pub(super) fn metrics() -> Vec<Route> {
    let not_found = json!({ "body": "404 Not Found\n", "status_code": 404 });
    vec![
        Route::of(matcher("path", json!(["/metrics"])), Module::of("metrics", &json!({}))),
        always(Module::of("static_response", &not_found)),
    ]
}
/// What is said of failures.
pub(super) fn errors(settings: &Settings) -> ErrorRoutes {
    let status = |status: &str| matcher("vars", json!({ "{http.error.status_code}": [status] }));
    let limited = json!({
        "body": "{\"error\": \"Rate limit exceeded\"}",
        "headers": { "Content-Type": ["application/json"] },
        "status_code": 429,
    });
    let other = json!({
        "body": "{http.error.status_code} {http.error.status_text}\n",
        "headers": { "Content-Type": ["text/plain; charset=utf-8"] },
        "status_code": "{http.error.status_code}",
    });
    // Only what is our side's fault is worth a line.
    let said = [
        ("500", ""),
        ("502", "Backend connection failed"),
        ("503", "No backend is available"),
        ("504", "Backend timed out"),
    ];
    let log = said.map(|(code, message)| {
        Route::of(status(code), Module::of("log_error", &json!({ "message": message })))
    });
    // Those of a request that is refused before it comes to any route have not been set yet.
    let mut routes = vec![always(headers(settings))];
    routes.extend(log);
    routes.extend([
        Route::of(status("429"), Module::of("static_response", &limited)),
        always(Module::of("static_response", &other)),
    ]);
    ErrorRoutes { routes }
}
fn always(handler: Module) -> Route {
    Route::of(None, handler)
}
fn matcher(name: &str, value: Value) -> Option<MatcherSet> {
    Some(Map::from_iter([(name.to_owned(), value)]))
}
fn error(status: u16) -> Module {
    Module::of("error", &json!({ "status_code": status }))
}
/// Header fields that every response has, in the upstream's place.
fn fields(settings: &Settings) -> Vec<(&'static str, String)> {
    let mut fields = vec![(REQUEST_ID, REQUEST_ID_VALUE.to_owned())];
    if let Some(max_age) = settings.security.headers {
        fields.extend([
            ("Strict-Transport-Security", format!("max-age={max_age}; includeSubDomains")),
            ("X-Frame-Options", "DENY".to_owned()),
            ("X-Content-Type-Options", "nosniff".to_owned()),
            ("X-XSS-Protection", "1; mode=block".to_owned()),
            ("Content-Security-Policy", "default-src 'self'".to_owned()),
            ("Referrer-Policy", "strict-origin-when-cross-origin".to_owned()),
        ]);
    }
    fields
}
fn headers(settings: &Settings) -> Module {
    let fields = fields(settings).into_iter().map(|(name, value)| (canonical(name), json!([value])));
    let fields: Map<String, Value> = fields.collect();
    Module::of(
        "headers",
        &json!({ "request": { "set": { REQUEST_ID: [REQUEST_ID_VALUE] } }, "response": { "set": fields } }),
    )
}
fn canonical(name: &str) -> String {
    crate::config::canonical_header(name)
}
/// What the access log says beside what it always does.
fn log_fields(settings: &Settings) -> Option<Route> {
    let field = |key: &str, value: &str| Module::of("log_append", &json!({ "key": key, "value": value }));
    settings.logging.access.then(|| Route {
        handlers: vec![
            field("request_id", "{http.request.header.X-Request-Id}"),
            field("backend", "{http.reverse_proxy.upstream.hostport}"),
            field("backend_scheme", "{http.vars.backend_scheme}"),
        ],
        ..Route::default()
    })
}
/// `deny_ips`, then `allow_ips`.
fn gate(settings: &Settings) -> Vec<Route> {
    let within = |ranges: &[String]| json!({ "client_ip": { "ranges": ranges } });
    let (deny, allow) = (&settings.security.deny, &settings.security.allow);
    let mut routes = vec![];
    if !deny.is_empty() {
        routes.push(Route::of(matcher("client_ip", json!({ "ranges": deny })), error(403)));
    }
    if !allow.is_empty() {
        routes.push(Route::of(matcher("not", json!([within(allow)])), error(403)));
    }
    routes
}
/// A client's own bucket first, so that one who has emptied it takes nothing from the others.
fn limits(limits: &Limits) -> Option<Route> {
    let zone = |name: &str, key: &str, bucket: &Bucket| {
        let per = Duration::from(time::Duration::from_secs(bucket.per_seconds.into()));
        let mut zone = json!({ "name": name, "rate": bucket.rate, "per": per, "burst": bucket.burst });
        if !key.is_empty() {
            zone["key"] = json!(key);
        }
        zone
    };
    let per_ip = limits.per_ip.as_ref().map(|bucket| zone("per_ip", "{http.vars.client_ip}", bucket));
    let global = limits.global.as_ref().map(|bucket| zone("global", "", bucket));
    let zones: Vec<Value> = [per_ip, global].into_iter().flatten().collect();
    if zones.is_empty() {
        return None;
    }
    let others = (!limits.exempt.is_empty())
        .then(|| matcher("not", json!([{ "client_ip": { "ranges": limits.exempt } }])))
        .flatten();
    Some(Route::of(others, Module::of("token_bucket", &json!({ "zones": zones }))))
}
fn encode() -> Module {
    Module::of("encode", &json!({ "encodings": { "br": {}, "gzip": {} }, "prefer": ["br", "gzip"] }))
}
/// One of the file's routes.
fn proxied(route: &Settled, settings: &Settings) -> Route {
    let mut matchers = Map::from_iter([("host".to_owned(), json!([route.host]))]);
    if let Some(prefix) = route.prefix.as_deref().filter(|prefix| !prefix.is_empty()) {
        // Not the `path` matcher, to which capitals are the same.
        let pattern = format!("^{}(?:/|$)", escape(prefix));
        matchers.insert("path_regexp".to_owned(), json!({ "pattern": pattern }));
    }
    let name = format!("{}{}", route.host, route.prefix.as_deref().unwrap_or_default());
    let scheme = if route.tls { "https" } else { "http" };
    let mut handlers = vec![Module::of("vars", &json!({ "backend_scheme": scheme, "route": name }))];
    if !route.websocket {
        let refused = Route { matchers: upgrades(), handlers: vec![error(403)], ..Route::default() };
        handlers.push(Module::subroute(vec![refused]));
    }
    handlers.push(reverse_proxy(route, settings));
    Route { matchers: vec![matchers], handlers, terminal: true, ..Route::default() }
}
/// Requests for another protocol, over HTTP/1.1 or HTTP/2 (RFC 8441); one for HTTP/2 in plain text does not insist.
fn upgrades() -> Vec<MatcherSet> {
    let h2c = json!({ "header_regexp": { "Upgrade": { "pattern": "(?i)^h2c$" } } });
    let http1 = [("header".to_owned(), json!({ "Upgrade": ["*"] })), ("not".to_owned(), json!([h2c]))];
    let http2 = [("method".to_owned(), json!(["CONNECT"]))];
    vec![Map::from_iter(http1), Map::from_iter(http2)]
}
fn reverse_proxy(route: &Settled, settings: &Settings) -> Module {
    let upstreams: Vec<Value> = route.backends.iter().map(|dial| json!({ "dial": dial })).collect();
    let ours: Vec<String> = fields(settings).into_iter().map(|(name, _)| canonical(name)).collect();
    let mut proxy = json!({ "headers": { "response": { "delete": ours } }, "upstreams": upstreams });
    if route.backends.len() > 1 {
        proxy["load_balancing"] = json!({
            // A backend that cannot be reached leaves the request to another.
            "retries": route.backends.len() - 1,
            "selection_policy": policy(route),
        });
    }
    if let (Some(health), Some(path)) = (&settings.health, &route.health_path) {
        proxy["health_checks"] = json!({ "active": checks(health, path) });
    }
    if settings.health.as_ref().is_some_and(|health| health.circuit_breaker) {
        proxy["circuit_breaker"] = json!({ "type": "error_rate" });
    }
    if route.tls {
        proxy["transport"] = json!({ "protocol": "http", "tls": {} });
    }
    Module::of("reverse_proxy", &proxy)
}
fn policy(route: &Settled) -> Value {
    let even = match route.weights.as_slice() {
        [] => json!({ "policy": "round_robin" }),
        weights => json!({ "policy": "weighted_round_robin", "weights": weights }),
    };
    match &route.sticky {
        Some(cookie) => json!({ "fallback": even, "name": cookie, "policy": "cookie" }),
        None => even,
    }
}
fn checks(health: &Health, path: &str) -> Value {
    let seconds = |seconds: u32| Duration::from(time::Duration::from_secs(seconds.into()));
    json!({
        // Any success.
        "expect_status": 2,
        "fails": health.fails,
        "interval": seconds(health.interval_seconds),
        "passes": health.passes,
        "timeout": seconds(health.timeout_seconds),
        "uri": path,
    })
}
