//! What a file becomes; what is wrong with one is in `testdata/toml/broken.txt`, which `tests/toml.rs` goes through too.
use super::*;
use grammar::Memory;
use serde_json::{Value, json};

const DOCUMENTS: &str = include_str!("../../testdata/config.example.toml");
const ROUTE: &str = "[[routes]]\nhost = \"a.example.com\"\nbackends = [\"http://a:80\"]\n";

fn adapted(text: &str) -> Value {
    adapt("config.toml", text, &Memory::default()).unwrap_or_else(|errors| panic!("{text}\n{errors:?}")).json
}
/// The routes of a server.
fn routes(json: &Value, server: &str) -> Vec<Value> {
    json["apps"]["http"]["servers"][server]["routes"].as_array().unwrap().clone()
}
/// The first handler of that name, with the route it is in.
fn handler<'r>(routes: &'r [Value], name: &str) -> Option<(&'r Value, &'r Value)> {
    let mut all =
        routes.iter().flat_map(|route| route["handle"].as_array().unwrap().iter().map(move |h| (route, h)));
    all.find(|(_, handler)| handler["handler"] == name)
}
#[test]
fn a_broken_file_is_told_with_key_and_line() {
    for case in include_str!("../../testdata/toml/broken.txt").split("==========\n") {
        let (text, expected) = case.split_once("----------\n").unwrap();
        let errors = adapt("config.toml", text, &Memory::default()).expect_err(text);
        let said = errors.iter().map(|error| match &error.hint {
            Some(hint) => format!("{error}\n{hint}"),
            None => error.to_string(),
        });
        let said = said.collect::<Vec<_>>().join("\n");
        assert!(said.contains(expected.trim_end()), "{text}\nwants {expected}\ngets  {said}");
    }
}
#[test]
fn all_that_is_wrong_is_told_at_once_in_the_order_of_the_text() {
    let text =
        "[server]\nhttp_port = 0\n[logging]\nlevl = \"info\"\n[[routes]]\nhost = 1\nbackends = [\"x\"]\n";
    let errors = adapt("f", text, &Memory::default()).unwrap_err();
    let lines: Vec<u32> = errors.iter().map(|error| error.span.as_ref().unwrap().line).collect();
    assert_eq!(lines, [2, 4, 6, 7]);
    let span = errors[1].span.as_ref().unwrap();
    assert_eq!((span.column, span.length), (1, 4));
}
#[test]
fn both_spellings_of_the_limits_are_the_same() {
    let one = "[ratelimit]\nrequests_per_second = 5\nburst = 6\nwhitelist = [\"10.0.0.0/8\"]\n";
    let other =
        "[ratelimit]\nglobal_requests_per_second = 5\nglobal_burst = 6\nwhitelist_ips = [\"10.0.0.0/8\"]\n";
    let [one, other] = [one, other].map(|limits| adapted(&format!("{limits}{ROUTE}")));
    assert_eq!(one, other);
    let routes = routes(&one, "http");
    let (route, limits) = handler(&routes, "token_bucket").unwrap();
    assert_eq!(route["match"], json!([{"not": [{"client_ip": {"ranges": ["10.0.0.0/8"]}}]}]));
    assert_eq!(limits["zones"], json!([{"name": "global", "rate": 5, "per": 1_000_000_000_u64, "burst": 6}]));
}
#[test]
fn a_burst_is_the_rate_unless_it_says_otherwise() {
    let json = adapted(&format!("[ratelimit]\nper_ip_requests_per_minute = 7\n{ROUTE}"));
    let routes = routes(&json, "http");
    let (_, limits) = handler(&routes, "token_bucket").unwrap();
    assert_eq!(
        limits["zones"],
        json!([{"name": "per_ip", "key": "{http.vars.client_ip}", "rate": 7, "per": 60_000_000_000_u64, "burst": 7}])
    );
}
#[test]
fn what_a_file_does_not_speak_of_is_off() {
    let json = adapted(ROUTE);
    assert_eq!(json["apps"]["http"]["servers"].as_object().unwrap().keys().collect::<Vec<_>>(), ["http"]);
    assert!(json["apps"].get("tls").is_none() && json.get("storage").is_none());
    let routes = routes(&json, "http");
    assert!(handler(&routes, "encode").is_none() && handler(&routes, "token_bucket").is_none());
    let (_, headers) = handler(&routes, "headers").unwrap();
    assert_eq!(headers["response"]["set"].as_object().unwrap().keys().collect::<Vec<_>>(), ["X-Request-Id"]);
    assert_eq!(json["logging"]["logs"]["default"]["level"], "INFO");
}
#[test]
fn enabled_false_is_as_if_the_section_were_not_there() {
    let off = "[tls]\nenabled = false\n[ratelimit]\nenabled = false\nburst = 1\nrequests_per_second = 1\n\
               [security]\nadd_security_headers = false\nenable_compression = false\n[health]\nenabled = false\n\
               [metrics]\nenabled = false\nprometheus_port = 80\n";
    assert_eq!(adapted(&format!("{off}{ROUTE}")), adapted(ROUTE));
}
#[test]
fn the_documents_file_listens_on_three_ports() {
    let json = adapted(DOCUMENTS);
    let servers = json["apps"]["http"]["servers"].as_object().unwrap();
    let listen: Vec<_> =
        servers.iter().map(|(name, server)| (name.as_str(), server["listen"].clone())).collect();
    assert_eq!(
        listen,
        [
            ("http", json!(["0.0.0.0:80"])),
            ("https", json!(["0.0.0.0:443"])),
            ("metrics", json!(["0.0.0.0:9090"]))
        ]
    );
    assert_eq!(json["storage"], json!({"module": "host_folders", "root": "/etc/proxy/certs"}));
}
#[test]
fn routes_with_a_prefix_come_first_in_the_order_of_the_file() {
    let route = |host: &str, prefix: &str| {
        let prefix = if prefix.is_empty() { String::new() } else { format!("path_prefix = \"{prefix}\"\n") };
        format!("[[routes]]\nhost = \"{host}\"\n{prefix}backends = [\"http://x\"]\n")
    };
    let text =
        [("a", ""), ("a", "/api"), ("b", "/"), ("a", "/v1.0/")].map(|(host, prefix)| route(host, prefix));
    let found: Vec<Value> = routes(&adapted(&text.concat()), "http")
        .into_iter()
        .filter(|route| route["match"][0].get("host").is_some())
        .map(|route| route["match"][0].clone())
        .collect();
    assert_eq!(
        found,
        [
            json!({"host": ["a"], "path_regexp": {"pattern": "^/api(?:/|$)"}}),
            json!({"host": ["b"]}),
            json!({"host": ["a"], "path_regexp": {"pattern": "^/v1\\.0(?:/|$)"}}),
            json!({"host": ["a"]}),
        ]
    );
}
#[test]
fn a_route_that_no_request_reaches_is_warned_of() {
    let text = "[[routes]]\nhost = \"a\"\npath_prefix = \"/api\"\nbackends = [\"http://x\"]\n\
                [[routes]]\nhost = \"a\"\npath_prefix = \"/api/v2\"\nbackends = [\"http://y\"]\n\
                [[routes]]\nhost = \"a\"\npath_prefix = \"/apiary\"\nbackends = [\"http://z\"]\n";
    let warnings = adapt("f", text, &Memory::default()).unwrap().warnings;
    let said: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        ["routes[1].path_prefix: no request comes here, since routes[0] takes them all, at f:7"]
    );
}
#[test]
fn several_backends_take_turns_by_weight_and_clients_stay_if_they_are_to() {
    let proxy = |more: &str| {
        let text = format!("[[routes]]\nhost = \"a\"\nbackends = [\"https://x\", \"https://y:1\"]\n{more}");
        let routes = routes(&adapted(&text), "http");
        handler(&routes, "reverse_proxy").unwrap().1.clone()
    };
    let plain = proxy("");
    assert_eq!(plain["upstreams"], json!([{"dial": "x:443"}, {"dial": "y:1"}]));
    assert_eq!(plain["transport"], json!({"protocol": "http", "tls": {}}));
    assert_eq!(plain["load_balancing"], json!({"retries": 1, "selection_policy": {"policy": "round_robin"}}));
    let weighted = proxy("weights = [3, 1]\nsticky = \"id\"\n");
    assert_eq!(
        weighted["load_balancing"]["selection_policy"],
        json!({"policy": "cookie", "name": "id", "fallback": {"policy": "weighted_round_robin", "weights": [3, 1]}})
    );
    assert_eq!(proxy("sticky = true\n")["load_balancing"]["selection_policy"]["name"], "lb");
}
#[test]
fn health_is_checked_where_a_route_says_how() {
    let text = format!("{ROUTE}health_path = \"/up?x=1\"\n[health]\ntimeout_seconds = 1\n");
    let routes = routes(&adapted(&text), "http");
    assert_eq!(
        handler(&routes, "reverse_proxy").unwrap().1["health_checks"]["active"],
        json!({"uri": "/up?x=1", "expect_status": 2, "fails": 3, "passes": 2, "interval": 10_000_000_000_u64, "timeout": 1_000_000_000})
    );
}
#[test]
fn a_circuit_breaker_is_on_by_a_key() {
    let breaker = |more: &str| {
        let routes = routes(&adapted(&format!("[health]\n{more}\n{ROUTE}")), "http");
        handler(&routes, "reverse_proxy").unwrap().1.get("circuit_breaker").cloned()
    };
    assert_eq!(breaker("circuit_breaker = true"), Some(json!({"type": "error_rate"})));
    assert_eq!(breaker("circuit_breaker = true\nenabled = false"), None);
    assert_eq!(breaker(""), None);
}
#[test]
fn upgrades_are_refused_where_websocket_is_false() {
    let refusal = |more: &str| {
        let routes = routes(&adapted(&format!("{ROUTE}{more}")), "http");
        handler(&routes, "subroute").map(|(_, subroute)| subroute["routes"][0].clone())
    };
    let route = refusal("websocket = false\n").unwrap();
    assert_eq!(route["handle"], json!([{"handler": "error", "status_code": 403}]));
    assert_eq!(route["match"][1], json!({"method": ["CONNECT"]}));
    assert_eq!((refusal("websocket = true\n"), refusal("")), (None, None));
}
#[test]
fn rust_log_comes_before_the_file() {
    let level = |wanted: &str| {
        let source = Memory::default().variable("RUST_LOG", wanted);
        let adapted = adapt("f", &format!("{ROUTE}[logging]\nlevel = \"warn\"\n"), &source).unwrap();
        (adapted.json["logging"]["logs"]["default"]["level"].clone(), adapted.warnings.len())
    };
    assert_eq!(level("debug"), (json!("DEBUG"), 0));
    assert_eq!(level("hyper=trace, ERROR"), (json!("ERROR"), 1));
    assert_eq!(level(""), (json!("WARN"), 0));
}
