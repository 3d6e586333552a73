use super::*;
use crate::caddyfile::testing::Rows;

const ROWS: Rows = Rows { directives: &[METHOD, REWRITE, URI, TRY_FILES], matchers: &[], modules: &[] };

fn handler(fields: &str) -> String {
    format!(r#"[{{"handle":[{{"handler":"rewrite",{fields}}}]}}]"#)
}
#[test]
fn uri_takes_each_of_its_forms() {
    for (body, fields) in [
        ("method PUT", r#""method":"PUT""#),
        ("uri strip_prefix /a", r#""strip_path_prefix":"/a""#),
        ("uri strip_suffix .html", r#""strip_path_suffix":".html""#),
        ("uri replace a b", r#""uri_substring":[{"find":"a","replace":"b"}]"#),
        ("uri replace a b 1", r#""uri_substring":[{"find":"a","limit":1,"replace":"b"}]"#),
        ("uri path_regexp /{2,} /", r#""path_regexp":[{"find":"/{2,}","replace":"/"}]"#),
        ("uri query -a", r#""query":{"delete":["a"]}"#),
        ("uri query +a b", r#""query":{"add":[{"key":"a","val":"b"}]}"#),
        ("uri query a>b", r#""query":{"rename":[{"key":"a","val":"b"}]}"#),
        (
            "uri query {\na b\n+c d\ne f g\n}",
            r#""query":{"add":[{"key":"c","val":"d"}],"replace":[{"key":"e","replace":"g","search_regexp":"f"}],"set":[{"key":"a","val":"b"}]}"#,
        ),
    ] {
        ROWS.adapt_to(&[(body, &handler(fields))]);
    }
}
#[test]
fn try_files_splits_where_a_file_has_a_query() {
    ROWS.adapt_to(&[
        (
            "try_files {http.request.uri.path} /index.html =404 {\npolicy smallest_size\n}",
            r#"[{"match":[{"file":{"try_files":["{http.request.uri.path}","/index.html","=404"],"try_policy":"smallest_size"}}],"handle":[{"handler":"rewrite","uri":"{http.matchers.file.relative}"}]}]"#,
        ),
        (
            "try_files {p} /i.php?q={p}",
            r#"[{"group":"group0","match":[{"file":{"try_files":["{p}"]}}],"handle":[{"handler":"rewrite","uri":"{http.matchers.file.relative}"}]},{"group":"group0","match":[{"file":{"try_files":["/i.php"]}}],"handle":[{"handler":"rewrite","uri":"{http.matchers.file.relative}?q={p}"}]}]"#,
        ),
    ]);
}
#[test]
fn what_is_wrong_is_said_in_caddy_s_words() {
    let after = |word: &str| format!("wrong argument count or unexpected line ending after '{word}', at -:2");
    ROWS.fail_with(&[
        ("rewrite", "too few arguments; must have at least a rewrite URI, at -:2"),
        ("rewrite a b c", "too many arguments; should only be a matcher and a URI, at -:2"),
        ("method", &after("method")),
        ("method a b", &after("b")),
        ("uri", &after("uri")),
        ("uri nope x", "unrecognized URI manipulation 'nope', at -:2"),
        ("uri strip_prefix", &after("strip_prefix")),
        (
            "uri replace a b x",
            "limit must be an integer; invalid: strconv.Atoi: parsing \"x\": invalid syntax, at -:2",
        ),
        ("uri query a", &after("a")),
        ("uri query a b {\nc d\n}", "Cannot specify uri query rewrites in both argument and block, at -:3"),
        ("try_files", &after("try_files")),
        ("try_files a {\npolicy x\n}", "unrecognized try policy: x, at -:3"),
    ]);
}

/// What becomes of a request line: `METHOD path uri`.
fn rewritten(rewrite: serde_json::Value, target: &str) -> String {
    let change = serde_json::from_value::<Rewrite>(rewrite).unwrap().compile().unwrap();
    let request = http::Request::get(target).header("x-p", "/h{x}?y=1&&k={z}").body(()).unwrap();
    let mut x = Exchange::new(request.into_parts().0, crate::http::Body::Empty, std::sync::Arc::default());
    assert!(matches!(change.handle(&mut x), Flow::Now(Ok(Step::Next))));
    format!("{} {} {}", x.request.method, x.path(), x.uri())
}
/// Recorded from Caddy 2.11.7.
#[test]
fn requests_are_rewritten_as_by_caddy() {
    use serde_json::json;
    type Case = (serde_json::Value, &'static [(&'static str, &'static str)]);
    let cases: &[Case] = &[
        (
            json!({"strip_path_prefix": "/a"}),
            &[
                ("/a/b?x=1", "GET /b /b?x=1"),
                ("/a", "GET / /"),
                ("/ab", "GET /b /b"),
                ("/A/b", "GET /b /b"),
                ("/%61/b", "GET /b /b"),
                ("//a/b", "GET /b /b"),
                ("/b", "GET /b /b"),
                ("/b//c", "GET /b/c /b/c"),
            ],
        ),
        (json!({"strip_path_prefix": "a"}), &[("/a/b", "GET /b /b")]),
        (json!({"strip_path_prefix": "/é"}), &[("/%C3%A9/b", "GET /é/b /%C3%A9/b")]),
        (json!({"strip_path_prefix": "//x"}), &[("//x/b//c/../d", "GET /b//d /b//d"), ("/x", "GET /x /x")]),
        (
            json!({"strip_path_suffix": ".html"}),
            &[
                ("/x.html", "GET /x /x"),
                ("/x.HTML", "GET /x /x"),
                ("/x.htm", "GET /x.htm /x.htm"),
                ("/x%2Ehtml", "GET /x /x"),
            ],
        ),
        (
            json!({"uri_substring": [{"find": "/o", "replace": "/n"}]}),
            &[("/o/x?o=/o", "GET /n/x /n/x?o=/n"), ("/x/o/o", "GET /x/n/n /x/n/n")],
        ),
        (
            json!({"uri_substring": [{"find": "/o", "replace": "/n", "limit": 1}]}),
            &[("/o/o/o", "GET /n/o/o /n/o/o")],
        ),
        (
            json!({"path_regexp": [{"find": "/{2,}", "replace": "/"}]}),
            &[("/a//b///c", "GET /a/b/c /a/b/c"), ("/a%2F/b", "GET /a//b /a%2F/b")],
        ),
        (
            json!({"path_regexp": [{"find": "^/u/(\\d+)", "replace": "/user/$1"}]}),
            &[("/u/12/x?y", "GET /user/12/x /user/12/x?y")],
        ),
        (
            json!({"query": {"delete": ["k"]}}),
            &[("/?k=1&b=2", "GET / /?b=2"), ("/?b=2&k=1&k=3", "GET / /?b=2"), ("/?b=%zz", "GET / /")],
        ),
        (
            json!({"query": {"add": [{"key": "k", "val": "v"}]}}),
            &[("/?k=1", "GET / /?k=1&k=v"), ("/", "GET / /?k=v")],
        ),
        (
            json!({"query": {"rename": [{"key": "k", "val": "n"}]}}),
            &[("/?k=1&n=2", "GET / /?n=1"), ("/?x=1", "GET / /?x=1")],
        ),
        (
            json!({"query": {"set": [{"key": "k", "val": "v"}]}}),
            &[("/?k=1&k=2&a=b", "GET / /?a=b&k=v"), ("/?a=b", "GET / /?a=b&k=v")],
        ),
        (
            json!({"query": {"replace": [{"key": "k", "search_regexp": "^(.)", "replace": "x$1"}]}}),
            &[("/?k=abc&j=abc", "GET / /?j=abc&k=xabc")],
        ),
        (json!({"uri": "/n"}), &[("/a?b=c", "GET /n /n?b=c"), ("/", "GET /n /n")]),
        (json!({"uri": "/n?z=1"}), &[("/a?b=c", "GET /n /n?z=1")]),
        (json!({"uri": "?q=2"}), &[("/a?b=c", "GET /a /a?q=2")]),
        (json!({"uri": "/n?"}), &[("/a?b=c", "GET /n /n")]),
        (json!({"uri": "/#f"}), &[("/a", "GET / /")]),
        (
            json!({"uri": "/n?{http.request.uri.query}&p={http.request.uri.path}"}),
            &[("/a%20b?b=c", "GET /n /n?b=c&p=%2Fa+b"), ("/a", "GET /n /n?p=%2Fa")],
        ),
        (
            json!({"uri": "/n?x={nope}&z={http.request.header.X-P}"}),
            &[("/", "GET /n /n?x=%3Cnil%3E&z=%2Fh%7Bx%7D%3Fy%3D1%26%26k%3D%7Bz%7D")],
        ),
        (
            json!({"uri": "{http.request.uri.path}x"}),
            &[("/a%2Fb?c", "GET /a/bx /a/bx?c"), ("/%3F", "GET /?x /%3Fx")],
        ),
        (json!({"uri": "/i{http.request.uri}"}), &[("/a%20b?c=d", "GET /i/a b /i/a%20b?c=d")]),
        (json!({"uri": "{http.request.header.X-P}"}), &[("/?b=2", "GET /h{x} /h%7Bx%7D?y=1&k=%7Bz%7D")]),
        (json!({"uri": "{http.request.header.X-P}?z=1"}), &[("/?b=2", "GET /h{x} /h%7Bx%7D?z=1")]),
        (json!({"uri": "/x{http.request.uri.path}y"}), &[("/q(a)%28", "GET /x/q(a)(y /x/q%28a%29%28y")]),
        (json!({"method": "put"}), &[("/a", "PUT /a /a")]),
    ];
    for (rewrite, requests) in cases {
        for (target, expected) in *requests {
            assert_eq!(rewritten(rewrite.clone(), target), *expected, "{rewrite} {target}");
        }
    }
}
#[test]
fn bytes_that_are_no_utf_8_stay() {
    let uri = serde_json::json!({"uri": "/x{http.request.uri.path}y"});
    assert!(rewritten(uri, "/q%E9").ends_with(" /x/q%E9y"));
}
#[test]
fn a_query_cannot_break_the_request_line() {
    let uri = serde_json::json!({"uri": "/a b?c d\"<"});
    assert_eq!(rewritten(uri, "/"), "GET /a b /a%20b?c%20d%22%3C");
}
#[test]
fn an_expression_that_is_wrong_does_not_build() {
    let error = |json| serde_json::from_value::<Rewrite>(json).unwrap().compile().unwrap_err().to_string();
    assert_eq!(
        error(serde_json::json!({"path_regexp": [{"find": "("}]})),
        "compiling regular expression 0: error parsing regexp: unclosed group: `(`"
    );
    assert_eq!(error(serde_json::json!({"path_regexp": [{}]})), "path_regexp find cannot be empty");
}
