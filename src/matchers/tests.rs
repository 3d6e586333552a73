//! Every matcher on requests: what it takes and what it leaves. The vectors of `path` were recorded from Caddy.
use crate::{
    config,
    http::{
        Answer, Body, Connection, Exchange, Flow, Handler, HandlerModule, Modules, Response, Step, TlsInfo,
        answer, build,
    },
    state::State,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Debug, Deserialize)]
struct Hit {}
impl Handler for Hit {
    fn handle<'t: 'x, 'x>(&'t self, _: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        Step::Done(Response::default()).into()
    }
}
static MODULES: Modules = Modules {
    handlers: &[HandlerModule::plain::<Hit>("hit")],
    matchers: &[
        super::expression::MODULE,
        super::file::MODULE,
        super::header::MODULE,
        super::header_regexp::MODULE,
        super::host::MODULE,
        super::ip::CLIENT_IP,
        super::ip::REMOTE_IP,
        super::method::MODULE,
        super::not::MODULE,
        super::path::MODULE,
        super::path_regexp::MODULE,
        super::protocol::MODULE,
        super::query::MODULE,
        super::tls::MODULE,
        super::url_pattern::MODULE,
        super::vars::MODULE,
        super::vars::REGEXP_MODULE,
    ],
    ip_sources: &[],
};
/// A request for a target, to change at will.
pub(super) fn get(target: &str) -> http::request::Builder {
    http::Request::get(target)
}
pub(super) fn exchange(request: http::request::Builder, connection: Connection) -> Exchange {
    let (mut head, ()) = request.body(()).unwrap().into_parts();
    head.headers.entry("host").or_insert(http::HeaderValue::from_static("localhost"));
    Exchange::new(head, Body::Empty, Arc::new(connection))
}
/// The server whose only route has this matcher set.
fn server(set: Value) -> Result<crate::http::Server, String> {
    let server = json!({"routes": [{"match": [set], "handle": [{"handler": "hit"}]}]});
    let server: config::Server = serde_json::from_value(server).unwrap();
    let built = build(server, &MODULES, Arc::new(State::default()));
    built.map(|compiled| compiled.server).map_err(|error| error.to_string())
}
#[tokio::main(flavor = "current_thread")]
pub(super) async fn ask(set: Value, x: &mut Exchange) -> Answer {
    answer(&server(set).unwrap(), x).await
}
pub(super) fn matches(set: Value, request: http::request::Builder) -> bool {
    ask(set, &mut exchange(request, Connection::default())).handled
}
pub(super) fn build_error(set: Value) -> String {
    server(set).unwrap_err()
}

#[test]
fn path_knows_the_same_path_in_all_its_spellings() {
    // pattern, what it takes, what it leaves
    let cases: &[(&str, &[&str], &[&str])] = &[
        ("/a", &["/a", "/A", "/%61", "/a?x", "//a", "/./a", "/b/../a"], &["/a/", "/ab", "/a/b"]),
        ("/a*", &["/a", "/ab", "/a/b", "/A/B"], &["/b"]),
        ("/a/*", &["/a/", "/a/b", "/a//b", "/a/b/c"], &["/a"]),
        ("*.php", &["/x.php", "/d/x.PHP", "/x.php?y"], &["/x.php/", "/x.php%00"]),
        ("*foo*", &["/xfooy", "/foo"], &["/f/oo"]),
        ("/a*b", &["/axb", "/ab"], &["/a/b", "/axxb/"]),
        ("/a/*/c", &["/a/b/c"], &["/a/b/d/c", "/a//c"]),
        ("/a?c", &["/abc"], &["/a/c", "/ac"]),
        ("/[ab]", &["/a", "/b"], &["/c"]),
        ("/a//b", &["/a//b"], &["/a/b", "/a///b"]),
        ("/a%2Fb", &["/a%2Fb", "/a%2fb"], &["/a/b", "/a%2fbc", "/a%2f"]),
        ("/a%*b", &["/a%2Fb", "/axb"], &["/a/b"]),
        ("/café", &["/caf%C3%A9", "/caf%c3%a9", "/CAF%C3%A9"], &["/cafe"]),
        ("/a b", &["/a%20b"], &["/a+b"]),
        ("*", &["/", "/x"], &[]),
        ("/", &["/", "//"], &["/x"]),
        ("**", &["/", "/x"], &[]),
        ("/a[", &[], &["/a[", "/a"]),
    ];
    for (pattern, taken, left) in cases {
        for target in *taken {
            assert!(matches(json!({"path": [pattern]}), get(target)), "{pattern} takes {target}");
        }
        for target in *left {
            assert!(!matches(json!({"path": [pattern]}), get(target)), "{pattern} leaves {target}");
        }
    }
}
#[test]
fn path_takes_placeholders_and_several_patterns() {
    let pattern = json!({"path": ["{http.request.header.X-P}"]});
    assert!(matches(pattern.clone(), get("/pp").header("X-P", "/pp")));
    assert!(!matches(pattern, get("/qq").header("X-P", "/pp")));
    assert!(matches(json!({"path": ["/a", "/b/*"]}), get("/b/c")));
    assert!(matches(json!({"path": ["/a", "*"]}), get("/z")));
    assert!(!matches(json!({"path": []}), get("/")));
}
#[test]
fn path_regexp_captures_from_the_clean_path() {
    let set = json!({"path_regexp": {"name": "n", "pattern": r"^/x/(\d+)/(?P<last>\w+)$"}});
    let mut x = exchange(get("//x/12/./ab"), Connection::default());
    assert!(ask(set.clone(), &mut x).handled);
    let known = [
        ("http.regexp.n.0", "/x/12/ab"),
        ("http.regexp.n.1", "12"),
        ("http.regexp.1", "12"),
        ("http.regexp.n.last", "ab"),
        ("http.regexp.last", "ab"),
        ("http.regexp.2", "ab"),
    ];
    for (key, value) in known {
        assert_eq!(x.text(key), value, "{key}");
    }
    assert!(!matches(set, get("/X/12/ab")));
}
#[test]
fn method_is_compared_in_upper_case() {
    let post = || http::Request::post("/");
    assert!(matches(json!({"method": ["get", "POST"]}), post()));
    assert!(!matches(json!({"method": ["GET"]}), post()));
    assert!(!matches(json!({"method": ["GET"]}), get("/").method("get")));
}
#[test]
fn host_knows_labels_ports_and_brackets() {
    let cases: &[(&str, &[&str], &[&str])] = &[
        ("a.com", &["a.com", "A.com", "a.com:8080"], &["b.a.com", "a.com.", "a.co"]),
        ("A.com", &["a.com"], &[]),
        ("*.a.com", &["b.a.com", "B.A.COM:1"], &["a.com", "c.b.a.com"]),
        ("*.*.com", &["b.a.com"], &["a.com"]),
        ("a.*.com", &["a.b.com"], &["b.a.com"]),
        ("*", &["localhost"], &["a.com"]),
        ("::1", &["[::1]", "[::1]:80"], &["[::2]"]),
        ("café.fr", &["xn--caf-dma.fr", "XN--CAF-dma.fr"], &["cafe.fr"]),
        ("{http.request.header.X-H}", &["h.com"], &["i.com"]),
        ("*.{http.request.header.X-H}", &["x.h.com"], &["h.com"]),
    ];
    for (pattern, taken, left) in cases {
        let ask = |host: &str| {
            let request = get("/").header("X-H", "h.com").header("Host", host);
            matches(json!({"host": [pattern]}), request)
        };
        taken.iter().for_each(|host| assert!(ask(host), "{pattern} takes {host}"));
        left.iter().for_each(|host| assert!(!ask(host), "{pattern} leaves {host}"));
    }
    assert!(matches(json!({"host": ["b.com"]}), get("http://b.com:80/").header("Host", "a.com")));
}
#[test]
fn header_takes_any_of_its_values_and_all_of_its_fields() {
    let request = || get("/").header("X-A", "one").header("X-A", "two").header("X-B", "abc");
    let cases = [
        (json!({"X-A": ["one"]}), true),
        (json!({"x-a": ["two"]}), true),
        (json!({"X-A": ["One"]}), false),
        (json!({"X-A": ["no", "t*"]}), true),
        (json!({"X-B": ["*c"]}), true),
        (json!({"X-B": ["*b*"]}), true),
        (json!({"X-B": ["*"]}), true),
        (json!({"X-C": ["*"]}), false),
        (json!({"X-B": []}), true),
        (json!({"X-C": []}), false),
        (json!({"X-C": null}), true),
        (json!({"X-B": null}), false),
        (json!({"X-A": ["one"], "X-B": ["no"]}), false),
        (json!({"X-A": ["{http.request.header.X-B}"]}), false),
        (json!({"X-B": ["{http.request.header.X-B}"]}), true),
        (json!({"no field": null}), true),
    ];
    for (fields, expected) in cases {
        assert_eq!(matches(json!({"header": fields}), request()), expected, "{fields}");
    }
    assert!(matches(json!({"header": {"Host": ["a.com*"]}}), get("/").header("Host", "a.com:80")));
}
#[test]
fn header_regexp_captures_from_the_value_that_matches() {
    let set = json!({"header_regexp": {"Cookie": {"name": "c", "pattern": r"sid=(\w+)"}}});
    let mut x = exchange(get("/").header("Cookie", "a=b").header("Cookie", "sid=42"), Connection::default());
    assert!(ask(set.clone(), &mut x).handled);
    assert_eq!(x.text("http.regexp.c.1"), "42");
    assert!(!matches(set, get("/")));
}
#[test]
fn query_takes_any_of_the_values_of_all_keys() {
    let cases = [
        (json!({"a": ["1"]}), "/?a=1", true),
        (json!({"a": ["1"]}), "/?a=2&a=1", true),
        (json!({"a": ["1", "2"]}), "/?a=2", true),
        (json!({"a": ["1"], "b": ["*"]}), "/?a=1", false),
        (json!({"a": ["1"], "b": ["*"]}), "/?a=1&b", true),
        (json!({"a": ["x*"]}), "/?a=xy", false),
        (json!({"a": [""]}), "/?a", true),
        (json!({"a": ["x y"]}), "/?a=x+y", true),
        (json!({"a": ["1"]}), "/?a=1&b=%zz", false),
        (json!({"a": ["1"]}), "/?a=1;b=2", false),
        (json!({}), "/", true),
        (json!({}), "/?a", false),
        (json!({}), "/?;", true),
        (json!({"{http.request.header.X-K}": ["{http.request.header.X-V}"]}), "/?k=v", true),
    ];
    for (parameters, target, expected) in cases {
        let request = get(target).header("X-K", "k").header("X-V", "v");
        assert_eq!(matches(json!({"query": parameters}), request), expected, "{parameters} on {target}");
    }
}
#[test]
fn protocol_knows_schemes_versions_and_grpc() {
    use http::Version;
    let ask = |name: &str, version: Version, tls: bool| {
        let connection = Connection { tls: tls.then(TlsInfo::default), ..Connection::default() };
        let request = get("/").version(version).header("Content-Type", "application/grpc+proto");
        super::tests::ask(json!({"protocol": name}), &mut exchange(request, connection)).handled
    };
    let cases = [
        ("http", Version::HTTP_11, false, true),
        ("http", Version::HTTP_11, true, false),
        ("https", Version::HTTP_2, true, true),
        ("grpc", Version::HTTP_2, false, true),
        ("http/1.1", Version::HTTP_11, false, true),
        ("http/1.1", Version::HTTP_2, false, false),
        ("http/1.1+", Version::HTTP_2, false, true),
        ("http/1.1+", Version::HTTP_10, false, false),
        ("http/1.0", Version::HTTP_10, false, true),
        ("http/2+", Version::HTTP_3, true, true),
        ("http/3", Version::HTTP_2, true, false),
        ("HTTPS", Version::HTTP_2, true, false),
        ("gopher", Version::HTTP_11, false, false),
    ];
    for (name, version, tls, expected) in cases {
        assert_eq!(ask(name, version, tls), expected, "{name} on {version:?}");
    }
}
#[test]
fn tls_asks_for_the_connection_and_its_handshake() {
    let ask = |config: Value, tls: Option<TlsInfo>| {
        let connection = Connection { tls, ..Connection::default() };
        super::tests::ask(json!({"tls": config}), &mut exchange(get("/"), connection)).handled
    };
    let early = || Some(TlsInfo { early: true, ..TlsInfo::default() });
    let complete = || Some(TlsInfo::default());
    assert!(!ask(json!({}), None));
    assert!(ask(json!({}), complete()) && ask(json!({}), early()));
    assert!(ask(json!({"handshake_complete": false}), early()));
    assert!(!ask(json!({"handshake_complete": false}), complete()));
    assert!(ask(json!({"handshake_complete": true}), complete()));
}
#[test]
fn addresses_match_by_range() {
    let ask = |name: &str, ranges: Value, peer: &str| {
        let connection = Connection { remote: Some(peer.parse().unwrap()), ..Connection::default() };
        super::tests::ask(json!({name: {"ranges": ranges}}), &mut exchange(get("/"), connection)).handled
    };
    let cases = [
        (json!(["10.0.0.0/8"]), "10.1.2.3:1", true),
        (json!(["10.0.0.0/8"]), "11.1.2.3:1", false),
        (json!(["192.168.1.7/16"]), "192.168.9.9:1", true),
        (json!(["1.2.3.4", "::1"]), "[::1]:1", true),
        (json!(["fe80::/10"]), "[fe80::1%1]:1", true),
        (json!(["fe80::/10%1"]), "[fe80::1%1]:1", true),
        (json!(["fe80::/10%lo"]), "[fe80::1%1]:1", true),
        (json!(["fe80::/10%2"]), "[fe80::1%1]:1", false),
        (json!([]), "1.2.3.4:1", false),
    ];
    for (ranges, peer, expected) in cases {
        assert_eq!(ask("remote_ip", ranges.clone(), peer), expected, "{ranges} on {peer}");
    }
    assert!(ask("client_ip", json!(["10.0.0.0/8"]), "10.1.2.3:1"));
}
#[test]
fn addresses_are_not_trusted_before_the_handshake_ends() {
    let tls = Some(TlsInfo { early: true, ..TlsInfo::default() });
    let remote = Some("10.0.0.1:1".parse().unwrap());
    let connection = Connection { tls, remote, ..Connection::default() };
    let answer = ask(json!({"remote_ip": {"ranges": ["10.0.0.0/8"]}}), &mut exchange(get("/"), connection));
    assert_eq!(answer.response.status, 425);
}
#[test]
fn vars_are_alternatives() {
    let cases = [
        (json!({"{http.request.method}": ["GET"]}), true),
        (json!({"{http.request.method}": ["POST"]}), false),
        (json!({"{http.request.method}": ["POST"], "none": [""]}), true),
        (json!({"none": ["x"]}), false),
        (json!({"trusted_proxy": ["false"]}), true),
        (json!({"client_ip": ["@"]}), true),
        (json!({"{http.request.header.X-A}": ["{http.request.header.X-A}"]}), true),
        // The value of a variable is not expanded once more.
        (json!({"{http.request.header.X-A}": ["GET"]}), false),
        (json!({}), true),
    ];
    for (variables, expected) in cases {
        let request = get("/").header("X-A", "{http.request.method}");
        assert_eq!(matches(json!({"vars": variables}), request), expected, "{variables}");
    }
}
#[test]
fn vars_regexp_captures() {
    let set = json!({"vars_regexp": {"{http.request.uri.query}": {"name": "q", "pattern": "b=(.)"}}});
    let mut x = exchange(get("/?a=1&b=2"), Connection::default());
    assert!(ask(set, &mut x).handled);
    assert_eq!(x.text("http.regexp.q.1"), "2");
    assert!(!matches(json!({"vars_regexp": {"none": {"pattern": "x"}}}), get("/")));
    assert!(matches(json!({"vars_regexp": {"none": {"pattern": "^$"}}}), get("/")));
}
#[test]
fn not_negates_all_of_its_sets() {
    let set = json!({"not": [{"path": ["/a"], "method": ["GET"]}, {"path": ["/b"]}]});
    let cases = [("/a", false), ("/b", false), ("/c", true)];
    for (target, expected) in cases {
        assert_eq!(matches(set.clone(), get(target)), expected, "{target}");
    }
    assert!(matches(set, http::Request::post("/a")));
    assert!(!matches(json!({"not": [{"not": [{"path": ["/a"]}]}]}), get("/b")));
    assert!(matches(json!({"not": []}), get("/")));
}
#[test]
fn what_does_not_build_says_what_and_where() {
    let cases = [
        (json!({"nope": 1}), "loading module 'nope': unknown module: http.matchers.nope"),
        (
            json!({"host": ["a.com", "b.com", "A.com"]}),
            "loading module 'host': provision host: host at index 0 is repeated at index 2: A.com",
        ),
        (
            json!({"path_regexp": {"pattern": "("}}),
            "loading module 'path_regexp': provision path_regexp: compiling matcher regexp (: \
             error parsing regexp: unclosed group: `(`",
        ),
        (
            json!({"path_regexp": {"name": "!", "pattern": "a"}}),
            "loading module 'path_regexp': provision path_regexp: \
             invalid regexp name (must contain only word characters): !",
        ),
        (
            json!({"remote_ip": {"ranges": ["300.0.0.1"]}}),
            "loading module 'remote_ip': provision remote_ip: invalid IP address: '300.0.0.1': \
             invalid IP address syntax",
        ),
        (
            json!({"remote_ip": {"forwarded": true}}),
            "loading module 'remote_ip': decoding module config: json: unknown field \"forwarded\"",
        ),
        (
            json!({"not": [{"path": ["/"]}, {"nope": 1}]}),
            "match[1]: loading module 'nope': unknown module: http.matchers.nope",
        ),
    ];
    for (set, expected) in cases {
        let error = build_error(set);
        let places = ["routes[0].match[0]: ", "routes[0].match[0]."];
        let without_place = places.iter().find_map(|place| error.strip_prefix(place));
        assert_eq!(without_place, Some(expected), "{error}");
    }
}
#[test]
fn url_pattern_captures_from_every_component() {
    let set = json!({"url_pattern": {"pattern": r"http://:sub.localhost:*/a/:id\?q=*"}});
    let mut x = exchange(get("/a/7?q=x").header("Host", "s.localhost"), Connection::default());
    assert!(ask(set, &mut x).handled);
    let known =
        ["hostname.sub", "pathname.id", "search.0"].map(|key| x.text(&format!("http.url_pattern.{key}")));
    assert_eq!(known, ["s", "7", "x"]);
    let wrong = build_error(json!({"url_pattern": {"pattern": "/a/(", "base_url": ""}}));
    assert!(wrong.contains("unable to parse URL pattern: "), "{wrong}");
    let expression =
        json!({"expression": "url_pattern('/a/:id') && !url_pattern('/a/:id', 'https://other.com')"});
    assert!(matches(expression, get("/a/7")));
}
