//! Every spelling of every matcher: what it adapts to, and what is wrong with others. Recorded from Caddy.
use crate::caddyfile::{Directive, MatcherSyntax, Order, Parse, Support, testing::Rows};
use crate::config::Module;
use serde_json::json;

static ROWS: Rows = Rows {
    directives: &[Directive {
        name: "abort",
        docs: "",
        order: Order::ByRow,
        parse: Parse::Handler(|_, _| Ok(Module::of("abort", &json!({})))),
        support: Support::Full,
    }],
    matchers: MATCHERS,
    modules: &[],
};
const MATCHERS: &[MatcherSyntax] = &[
    super::expression::SYNTAX,
    super::file::SYNTAX,
    super::header::SYNTAX,
    super::header_regexp::SYNTAX,
    super::host::SYNTAX,
    super::ip::CLIENT_IP_SYNTAX,
    super::ip::REMOTE_IP_SYNTAX,
    super::method::SYNTAX,
    super::not::SYNTAX,
    super::path::SYNTAX,
    super::path_regexp::SYNTAX,
    super::protocol::SYNTAX,
    super::query::SYNTAX,
    super::tls::SYNTAX,
    super::url_pattern::SYNTAX,
    super::vars::SYNTAX,
    super::vars::REGEXP_SYNTAX,
];

#[test]
fn matchers_adapt_to_caddys_json() {
    let cases = [
        ("@m host a.com *.b.com", r#"{"host":["a.com","*.b.com"]}"#),
        ("@m path /a /b/*", r#"{"path":["/a","/b/*"]}"#),
        (r#"@m path_regexp ^/x(\d+)$"#, r#"{"path_regexp":{"name":"m","pattern":"^/x(\\d+)$"}}"#),
        ("@m path_regexp nm ^/x", r#"{"path_regexp":{"name":"nm","pattern":"^/x"}}"#),
        ("@m method get POST", r#"{"method":["get","POST"]}"#),
        ("@m query a=b c=* a=d", r#"{"query":{"a":["b","d"],"c":["*"]}}"#),
        (r#"@m query """#, r#"{"query":{}}"#),
        ("@m header X-A b*", r#"{"header":{"X-A":["b*"]}}"#),
        ("@m header x-a b", r#"{"header":{"X-A":["b"]}}"#),
        ("@m header !X-A", r#"{"header":{"X-A":null}}"#),
        ("@m header !x-a", r#"{"header":{"x-a":null}}"#),
        ("@m header_regexp X-A ^v", r#"{"header_regexp":{"X-A":{"name":"m","pattern":"^v"}}}"#),
        ("@m header_regexp nm x-a ^v", r#"{"header_regexp":{"x-a":{"name":"nm","pattern":"^v"}}}"#),
        ("@m protocol https", r#"{"protocol":"https"}"#),
        ("@m protocol http/2+", r#"{"protocol":"http/2+"}"#),
        (
            "@m remote_ip 10.0.0.0/8 private_ranges",
            r#"{"remote_ip":{"ranges":["10.0.0.0/8","192.168.0.0/16","172.16.0.0/12","10.0.0.0/8","127.0.0.1/8","fd00::/8","::1"]}}"#,
        ),
        ("@m remote_ip", r#"{"remote_ip":{}}"#),
        ("@m client_ip 1.2.3.4 ::1", r#"{"client_ip":{"ranges":["1.2.3.4","::1"]}}"#),
        ("@m client_ip forwarded 1.1.1.1", r#"{"client_ip":{"ranges":["forwarded","1.1.1.1"]}}"#),
        (
            r#"@m expression {path} == '/a' && {method} == "GET""#,
            r#"{"expression":"{http.request.uri.path} == '/a' && {http.request.method} == \"GET\""}"#,
        ),
        (
            "@m expression `path('/a*') || header({'X':'y'})`",
            r#"{"expression":{"expr":"path('/a*') || header({'X':'y'})","name":"m"}}"#,
        ),
        (
            r#"@m `{query.a} == "1"`"#,
            r#"{"expression":{"expr":"{http.request.uri.query.a} == \"1\"","name":"m"}}"#,
        ),
        (r#"@m "{host} == 'x'""#, r#"{"expression":{"expr":"{http.request.host} == 'x'","name":"m"}}"#),
        ("@m file", r#"{"file":{}}"#),
        ("@m file /a {path}.html", r#"{"file":{"try_files":["/a","{http.request.uri.path}.html"]}}"#),
        ("@m not path /a /b", r#"{"not":[{"path":["/a","/b"]}]}"#),
        ("@m not", r#"{"not":[{}]}"#),
        ("@m not `path('/x')`", r#"{"not":[{"expression":"path('/x')"}]}"#),
        ("@m not path_regexp ^/x", r#"{"not":[{"path_regexp":{"pattern":"^/x"}}]}"#),
        ("@m not not path /a", r#"{"not":[{"not":[{"path":["/a"]}]}]}"#),
        ("@m vars a b c", r#"{"vars":{"a":["b","c"]}}"#),
        ("@m vars {header.X} y", r#"{"vars":{"{http.request.header.X}":["y"]}}"#),
        ("@m vars_regexp nm a ^b", r#"{"vars_regexp":{"a":{"name":"nm","pattern":"^b"}}}"#),
        ("@m vars_regexp a ^b", r#"{"vars_regexp":{"a":{"name":"m","pattern":"^b"}}}"#),
        ("@m tls", r#"{"tls":{}}"#),
        ("@m tls early_data", r#"{"tls":{"handshake_complete":false}}"#),
        ("@m url_pattern /a/:id", r#"{"url_pattern":{"pattern":"/a/:id"}}"#),
        ("@m host", r#"{"host":null}"#),
        ("@m path", r#"{"path":null}"#),
        ("@m method", r#"{"method":null}"#),
        ("@m {\n host a.com\n host b.com c.com\n}", r#"{"host":["a.com","b.com","c.com"]}"#),
        ("@m {\n path /a\n method GET\n path /b\n}", r#"{"method":["GET"],"path":["/a","/b"]}"#),
        ("@m {\n not path /a\n not method GET\n}", r#"{"not":[{"path":["/a"]},{"method":["GET"]}]}"#),
        ("@m {\n not {\n  path /a\n  method GET\n }\n}", r#"{"not":[{"method":["GET"],"path":["/a"]}]}"#),
        ("@m {\n header X-A a\n header x-a b\n header !X-B\n}", r#"{"header":{"X-A":["a","b"],"X-B":null}}"#),
        (
            "@m {\n header_regexp X a\n header_regexp Y b\n}",
            r#"{"header_regexp":{"X":{"name":"m","pattern":"a"},"Y":{"name":"m","pattern":"b"}}}"#,
        ),
        (
            "@m {\n vars_regexp X a\n vars_regexp X b\n}",
            r#"{"vars_regexp":{"X":{"name":"m","pattern":"b"}}}"#,
        ),
        ("@m {\n vars a b\n vars a c\n vars d e\n}", r#"{"vars":{"a":["b","c"],"d":["e"]}}"#),
        ("@m {\n query a=b\n query a=c d=e\n}", r#"{"query":{"a":["b","c"],"d":["e"]}}"#),
        ("@m {\n protocol http\n protocol https\n}", r#"{"protocol":"https"}"#),
        (
            "@m {\n remote_ip 1.1.1.1\n remote_ip 2.2.2.2\n}",
            r#"{"remote_ip":{"ranges":["1.1.1.1","2.2.2.2"]}}"#,
        ),
        (
            "@m {\n file {\n  root /r\n  try_files {path} /i.html\n  try_policy smallest_size\n  split_path .php\n }\n}",
            r#"{"file":{"root":"/r","try_files":["{http.request.uri.path}","/i.html"],"try_policy":"smallest_size","split_path":[".php"]}}"#,
        ),
        (
            "@m {\n file /a {\n  try_files /b /c\n }\n file /d\n}",
            r#"{"file":{"try_files":["/a","/b","/c","/d"]}}"#,
        ),
        ("@m {\n file /x {\n  try_files\n }\n}", r#"{"file":{"try_files":["/x"]}}"#),
        (
            "@m {\n url_pattern /a {\n  base_url http://x\n  ignore_case\n }\n}",
            r#"{"url_pattern":{"pattern":"/a","base_url":"http://x","ignore_case":true}}"#,
        ),
        ("@m {\n path /a {\n }\n}", r#"{"path":["/a"]}"#),
        (
            "@m {\n expression {path} == \"/a\"\n expression {path} == \"/b\"\n}",
            r#"{"expression":"{http.request.uri.path} == \"/a\""}"#,
        ),
        (
            "@m {\n expression `a == 1`\n method GET\n}",
            r#"{"expression":{"expr":"a == 1","name":"m"},"method":["GET"]}"#,
        ),
        (r#"@m expression "a b" 'c'"#, r#"{"expression":"\"a b\" 'c'"}"#),
        (
            "@m path_regexp re_name ^/(?P<x>.*)$",
            r#"{"path_regexp":{"name":"re_name","pattern":"^/(?P<x>.*)$"}}"#,
        ),
    ];
    for (definition, set) in cases {
        let routes =
            ROWS.routes(&format!("{definition}\nabort @m")).unwrap_or_else(|e| panic!("{definition}: {e}"));
        // A host matcher stands deeper, lest automatic HTTPS should see it.
        let deeper = &routes[0]["handle"][0]["routes"][0]["match"][0];
        let found = if deeper.is_null() { &routes[0]["match"][0] } else { deeper };
        assert_eq!(found.to_string(), set, "{definition}");
    }
}
#[test]
fn errors_are_those_of_caddy() {
    let cases = [
        ("@m path_regexp", "wrong argument count or unexpected line ending after 'path_regexp', at -:2"),
        ("@m path_regexp a b c", "wrong argument count or unexpected line ending after 'c', at -:2"),
        ("@m query a", "malformed query matcher token: a; must be in param=val format, at -:2"),
        ("@m query a=b c", "malformed query matcher token: c; must be in param=val format, at -:2"),
        ("@m header !", "malformed header matcher: must have field name following ! character, at -:2"),
        (
            "@m header !X b",
            "malformed header matcher: null matching headers cannot have a field value, at -:2",
        ),
        ("@m header X-A", "malformed header matcher: expected both field and value, at -:2"),
        ("@m header", "malformed header matcher: expected field, at -:2"),
        ("@m header X-A b c", "malformed header matcher: expected field, at -:2"),
        ("@m header_regexp x", "wrong argument count or unexpected line ending after 'x', at -:2"),
        ("@m header_regexp a b c d", "wrong argument count or unexpected line ending after 'd', at -:2"),
        ("@m protocol", "expected exactly one protocol, at -:2"),
        ("@m protocol a b", "expected exactly one protocol, at -:2"),
        (
            "@m remote_ip forwarded",
            "the 'forwarded' option is no longer supported; use the 'client_ip' matcher instead, at -:2",
        ),
        ("@m expression", "wrong argument count or unexpected line ending after 'expression', at -:2"),
        ("@m not nope x", "getting matcher module 'nope': module not registered: http.matchers.nope, at -:2"),
        ("@m vars a", "malformed vars matcher: expected at least one value to match against, at -:2"),
        ("@m vars", "malformed vars matcher: expected field name, at -:2"),
        ("@m vars_regexp a", "wrong argument count or unexpected line ending after 'a', at -:2"),
        ("@m tls x", "unrecognized option 'x', at -:2"),
        ("@m tls early_data x", "wrong argument count or unexpected line ending after 'x', at -:2"),
        ("@m url_pattern", "expected exactly one URL pattern, at -:2"),
        ("@m url_pattern /a b", "expected exactly one URL pattern, at -:2"),
        ("@m nope x", "getting matcher module 'nope': module not registered: http.matchers.nope"),
        ("@m {\n header {\n  X-A b\n }\n}", "malformed header matcher: expected field, at -:3"),
        ("@m {\n header X a {\n  b\n }\n}", "malformed header matcher: blocks are not supported, at -:4"),
        (
            "@m {\n header_regexp X a\n header_regexp X b\n}",
            "header_regexp matcher can only be used once per named matcher, per header field: X, at -:4",
        ),
        (
            "@m {\n path_regexp a\n path_regexp b\n}",
            "regular expression can only be used once per named matcher, at -:4",
        ),
        ("@m {\n file {\n  nope x\n }\n}", "unrecognized subdirective: nope, at -:4"),
        (
            "@m {\n file {\n  root\n }\n}",
            "wrong argument count or unexpected line ending after 'root', at -:4",
        ),
        (
            "@m {\n file {\n  try_files\n }\n}",
            "wrong argument count or unexpected line ending after 'try_files', at -:4",
        ),
        (
            "@m {\n file {\n  split_path\n }\n}",
            "wrong argument count or unexpected line ending after 'split_path', at -:4",
        ),
        ("@m {\n file {\n  root /a /b\n }\n}", "unrecognized subdirective: /b, at -:4"),
        ("@m {\n url_pattern /a {\n  nope\n }\n}", "unrecognized url_pattern option 'nope', at -:4"),
        (
            "@m {\n url_pattern /a {\n  ignore_case x\n }\n}",
            "wrong argument count or unexpected line ending after 'x', at -:4",
        ),
        ("@m {\n path /a {\n  b\n }\n}", "malformed path matcher: blocks are not supported, at -:4"),
        ("@m {\n tls {\n  a\n }\n}", "malformed tls matcher: blocks are not supported yet, at -:4"),
        (
            "@m {\n `path('/a')`\n method GET\n}",
            "getting matcher module 'path('/a')': module not registered: http.matchers.path('/a')",
        ),
    ];
    for (definition, error) in cases {
        let found = ROWS.routes(&format!("{definition}\nabort @m")).expect_err(definition);
        // Where Caddy names no place we do.
        assert!(found == error || found.starts_with(&format!("{error}, at ")), "{definition}: {found}");
    }
}
