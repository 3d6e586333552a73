//! Expressions on requests, and what is wrong with others: the errors are those of Caddy.
use crate::{
    http::Connection,
    matchers::tests::{ask, build_error, exchange, get},
};
use serde_json::json;

/// A request for `/a/b?q=1` with `X-A: x`, in the error routes of a 429 if `failed`.
fn holds(text: &str) -> bool {
    let request = get("/a/b?q=1").header("Host", "h.com").header("X-A", "x");
    let mut x = exchange(request, Connection { remote: "10.0.0.1:5".parse().ok(), ..Connection::default() });
    x.set("n", 5_i64);
    x.set("list", vec!["a".to_owned(), "b".to_owned()]);
    x.set("yes", true);
    x.set("half", 0.5);
    ask(json!({"expression": {"expr": text, "name": "name"}}), &mut x).handled
}
#[test]
fn comparisons_know_the_types_of_placeholders() {
    let cases = [
        ("{http.request.method} == 'GET'", true),
        (r#"{http.request.method} != "GET""#, false),
        ("'GET' == {http.request.method}", true),
        ("{n.n} == 5", false),
        ("ph(req, 'n') == 5", true),
        ("ph(req, 'n') == 5.0", true),
        ("ph(req, 'n') == '5'", false),
        ("ph(req, 'n') >= 5 && ph(req, 'n') < 6", true),
        ("ph(req, 'half') < 1", true),
        ("ph(req, 'yes') == true", true),
        ("ph(req, 'yes') && true", true),
        ("!ph(req, 'yes') || false", false),
        ("{no.such} == null", true),
        ("{no.such} == ''", false),
        ("{http.request.uri.path} > '/a' && {http.request.uri.path} <= '/a/b'", true),
        ("{http.request.port} == ''", true),
        ("ph(req, 'n') in [1, 5]", true),
        ("{http.request.host} in ['a.com', 'h.com']", true),
        ("'b' in ph(req, 'list')", true),
        ("{http.request.uri.path}.startsWith('/a')", true),
        ("{http.request.uri.path}.endsWith('/a')", false),
        ("{http.request.uri.path}.contains('/')", true),
        (r"{http.request.uri.path}.matches('^/\\w/b$')", true),
    ];
    for (text, expected) in cases {
        assert_eq!(holds(text), expected, "{text}");
    }
}
#[test]
fn everything_else_is_cels() {
    let cases = [
        ("ph(req, 'n') + 1 == 6", true),
        ("size({http.request.uri.path}) == 4", true),
        ("{http.request.uri.path}.size() > 9", false),
        ("int({http.request.uri.query.q}) == 1", true),
        ("ph(req, 'yes') ? 1 == 1 : false", true),
        ("dyn(ph(req, 'list')).exists(x, x == 'b')", true),
        ("['a', 'b'].all(x, x in ph(req, 'list'))", true),
        ("has({http.request.host}.a)", false),
        ("ph(req, 'list')[0] == 'a'", true),
        ("has({'k': ph(req, 'n')}.k)", true),
        ("{'k': ph(req, 'n')}['k'] == 5", true),
        ("{http.request.host}.split('.')[1] == 'com'", true),
        ("{http.request.host}.upperAscii() == 'H.COM'", true),
        ("{http.request.host}.replace('h', 'i') == 'i.com'", true),
        ("math.greatest(ph(req, 'n'), 3) == 5", true),
        ("cel.bind(p, {http.request.uri.path}, p + p == '/a/b/a/b')", true),
        ("type(ph(req, 'n')) == int", true),
        ("string(ph(req, 'n')) == '5'", true),
        ("timestamp('2020-01-01T00:00:00Z') < timestamp('2021-01-01T00:00:00Z')", true),
        ("duration('1m') == duration('60s')", true),
        ("{time.now} > timestamp('2020-01-01T00:00:00Z')", true),
        ("{http.request.duration} < duration('1m')", true),
        ("path('/a/*') == true", true),
        ("(path('/z') ? 1 : 2) == 2", true),
        ("[path('/a/*'), true].all(m, m)", true),
    ];
    for (text, expected) in cases {
        assert_eq!(holds(text), expected, "{text}");
    }
}
#[test]
fn every_matcher_is_a_function() {
    let cases = [
        ("path('/z', '/a/*')", true),
        ("path({http.request.uri.path})", true),
        ("path({http.request.uri.path} + 'x')", false),
        ("path('/' + 'a' + '*')", true),
        (r"path('\{http.request.uri.path}')", true),
        ("host('H.com')", true),
        ("host({http.request.header.X-A} + '.com')", false),
        ("method('POST', 'get')", true),
        ("header({'X-A': 'x'})", true),
        ("header({'X-A': ['y', {http.request.header.X-A}]})", true),
        ("header_regexp('X-A', '^(.)$')", true),
        ("header_regexp('n', 'X-A', 'y')", false),
        ("query({'q': '1'}) && query({'q': ['2', '*']})", true),
        ("protocol('HTTP')", true),
        ("remote_ip('10.0.0.0/8', '::1')", true),
        ("client_ip('11.0.0.0/8')", false),
        (r"vars({'\{http.request.method}': ['GET']})", true),
        (r"vars_regexp('\{http.request.method}', '^G')", true),
        ("path_regexp('^/a')", true),
        ("!path('/a/*') || method('GET') && !host('x')", true),
    ];
    for (text, expected) in cases {
        assert_eq!(holds(text), expected, "{text}");
    }
}
#[test]
fn what_a_request_brings_is_no_placeholder_to_a_matcher() {
    let ask = |text: &str| {
        let request = get("/").header("X-A", "{http.request.method}").header("X-B", "GET");
        ask(json!({"expression": text}), &mut exchange(request, Connection::default())).handled
    };
    assert!(!ask("header({'X-B': {http.request.header.X-A}})"));
    assert!(ask("header({'X-A': {http.request.header.X-A}})"));
}
#[test]
fn regular_expressions_have_the_name_of_the_expression() {
    let mut x = exchange(get("/a/b"), Connection::default());
    let text = "path_regexp('^/(a)') && path_regexp('own', '/(b)$')";
    assert!(ask(json!({"expression": {"expr": text, "name": "name"}}), &mut x).handled);
    assert_eq!((x.text("http.regexp.name.1"), x.text("http.regexp.own.1")), ("a".into(), "b".into()));
}
#[test]
fn one_side_settles_what_the_other_cannot() {
    // The left side compares a text with a number: that fails.
    let fails = "{http.request.method} > 1";
    assert!(holds(&format!("{fails} || true")));
    assert!(!holds(&format!("{fails} && false")));
    let answer = |text: &str| {
        let mut x = exchange(get("/"), Connection::default());
        ask(json!({"expression": text}), &mut x)
    };
    let failed = answer(&format!("{fails} || false")).failure.unwrap().error;
    assert_eq!((failed.status, failed.message.as_str()), (None, "no such overload: _>_"));
    assert_eq!(answer(fails).response.status, 500);
}
#[test]
fn what_is_no_condition_is_refused() {
    let not_bool = |text: &str, result: &str| {
        let error = build_error(json!({"expression": text}));
        let wanted =
            format!("provision expression: CEL request matcher expects return type of bool, not {result}");
        assert!(error.ends_with(&wanted), "{text}: {error}");
    };
    not_bool("{http.vars.x}", "google.protobuf.Any");
    not_bool("true ? {a.b} : true", "google.protobuf.Any");
    not_bool("{a.b}.c", "dyn");
    not_bool("1", "int");
    not_bool("'a' + 'b'", "string");
    not_bool("[1,2]", "list(int)");
    not_bool("true ? 1 : 2", "int");
}
#[test]
fn errors_are_those_of_caddy() {
    let cases = [
        (
            r#"1 + "a""#,
            "ERROR: <input>:1:3: found no matching overload for '_+_' applied to '(int, string)'\n | 1 + \"a\"\n | ..^",
        ),
        ("foo()", "ERROR: <input>:1:4: undeclared reference to 'foo' (in container '')\n | foo()\n | ...^"),
        ("foo", "ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')\n | foo\n | ^"),
        ("path(1)", "ERROR: <input>:1:6: matcher arguments must be string constants\n | path(1)\n | .....^"),
        ("path()", "ERROR: <input>:-1:0: matcher requires at least one argument"),
        (
            r#"{a.b} > "x" && 1 == "a""#,
            "ERROR: <input>:1:27: found no matching overload for '_==_' applied to '(int, string)'\n \
             | ph(req, \"a.b\") > \"x\" && 1 == \"a\"\n | ..........................^",
        ),
        (
            r#"header("a")"#,
            "ERROR: <input>:1:8: matcher requires a map literal argument\n | header(\"a\")\n | .......^",
        ),
        (
            r#"header({"a": 1})"#,
            "ERROR: <input>:1:14: matcher map values must be string or list literals\n \
             | header({\"a\": 1})\n | .............^",
        ),
        (
            r#"path("/a", "/b") == 1"#,
            "ERROR: <input>:1:18: found no matching overload for '_==_' applied to '(bool, int)'\n \
             | path(\"/a\", \"/b\") == 1\n | .................^",
        ),
        (
            r#""a".foo()"#,
            "ERROR: <input>:1:8: undeclared reference to 'foo' (in container '')\n | \"a\".foo()\n | .......^",
        ),
        (
            r#"protocol("a","b")"#,
            "ERROR: <input>:1:9: undeclared reference to 'protocol' (in container '')\n \
             | protocol(\"a\",\"b\")\n | ........^",
        ),
        (
            "req.foo",
            "ERROR: <input>:1:4: unexpected failed resolution of 'http.Request'\n | req.foo\n | ...^",
        ),
        (
            r#"int({a.b}) == "a""#,
            "ERROR: <input>:1:21: found no matching overload for '_==_' applied to '(int, string)'\n \
             | int(ph(req, \"a.b\")) == \"a\"\n | ....................^",
        ),
        (
            "{a.b}.startsWith(1)",
            "ERROR: <input>:1:26: found no matching overload for 'startsWith' applied to 'any.(int)'\n \
             | ph(req, \"a.b\").startsWith(1)\n | .........................^",
        ),
        (
            r#""a".startsWith(1)"#,
            "ERROR: <input>:1:15: found no matching overload for 'startsWith' applied to 'string.(int)'\n \
             | \"a\".startsWith(1)\n | ..............^",
        ),
    ];
    for (text, expected) in cases {
        let error = build_error(json!({"expression": text}));
        let of_program = error.split_once("compiling CEL program: ").map(|(_, rest)| rest);
        assert_eq!(of_program, Some(expected), "{text}: {error}");
    }
}
#[test]
fn errors_of_syntax_and_of_matchers_are_found_when_it_is_loaded() {
    let cases = [
        (
            r#"path("/a") &&"#,
            "compiling CEL program: ERROR: <input>:1:14: Syntax error: mismatched input '<EOF>'",
        ),
        (r#"path_regexp("(")"#, "compiling matcher regexp (: error parsing regexp: "),
        (r#"host("a","a")"#, "host at index 0 is repeated at index 1: a"),
        (r#"{a.b}.matches("(")"#, "error parsing regexp: "),
        (r#"remote_ip("x")"#, "invalid IP address: 'x'"),
    ];
    for (text, part) in cases {
        let error = build_error(json!({"expression": text}));
        assert!(error.contains(part), "{text}: {error}");
    }
}
