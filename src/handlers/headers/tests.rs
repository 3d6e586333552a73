use super::*;
use crate::caddyfile::testing::Rows;

const ROWS: Rows = Rows { directives: &[HEADER, REQUEST_HEADER], matchers: &[], modules: &[] };

#[test]
fn a_header_line_is_one_handler() {
    ROWS.adapt_to(&[
        ("header X-A b", r#"[{"handle":[{"handler":"headers","response":{"set":{"X-A":["b"]}}}]}]"#),
        ("header x-a", r#"[{"handle":[{"handler":"headers","response":{"set":{"X-A":[""]}}}]}]"#),
        (
            "header /p* X-A b",
            r#"[{"match":[{"path":["/p*"]}],"handle":[{"handler":"headers","response":{"set":{"X-A":["b"]}}}]}]"#,
        ),
        (
            "header +X-A b",
            r#"[{"handle":[{"handler":"headers","response":{"add":{"X-A":["b"]}}}]}]"#,
        ),
        (
            "header >X-A b",
            r#"[{"handle":[{"handler":"headers","response":{"deferred":true,"set":{"X-A":["b"]}}}]}]"#,
        ),
        (
            "header -X-A",
            r#"[{"handle":[{"handler":"headers","response":{"deferred":true,"delete":["X-A"]}}]}]"#,
        ),
        (
            "header ?X-A b",
            r#"[{"handle":[{"handler":"headers","response":{"require":{"headers":{"X-A":null}},"set":{"X-A":["b"]}}}]}]"#,
        ),
        (
            "header X-A old new",
            r#"[{"handle":[{"handler":"headers","response":{"replace":{"X-A":[{"replace":"new","search_regexp":"old"}]}}}]}]"#,
        ),
        (
            "header >x-a old new",
            r#"[{"handle":[{"handler":"headers","response":{"deferred":true,"replace":{"x-a":[{"replace":"new","search_regexp":"old"}]}}}]}]"#,
        ),
        ("header", "[]"),
    ]);
}
#[test]
fn a_header_block_is_one_handler_and_one_for_what_is_absent() {
    ROWS.adapt_to(&[
        (
            "header {\nX-A b\n+X-B c\n-Server\n?X-D e\n>X-E f\nX-F re new\ndefer\n}",
            r#"[{"handle":[{"handler":"headers","response":{"add":{"X-B":["c"]},"deferred":true,"delete":["Server"],"replace":{"X-F":[{"replace":"new","search_regexp":"re"}]},"set":{"X-A":["b"],"X-E":["f"]}}},{"handler":"headers","response":{"require":{"headers":{"X-D":null}},"set":{"X-D":["e"]}}}]}]"#,
        ),
        (
            "header {\nmatch status 404\nX-A: b\n}",
            r#"[{"handle":[{"handler":"headers","response":{"require":{"status_code":[404]},"set":{"X-A":["b"]}}}]}]"#,
        ),
        (
            "header {\nmatch {\nstatus 2xx 404\nheader Content-Type text/*\nheader !x-b\n}\nX-A b\n}",
            r#"[{"handle":[{"handler":"headers","response":{"require":{"headers":{"Content-Type":["text/*"],"x-b":null},"status_code":[2,404]},"set":{"X-A":["b"]}}}]}]"#,
        ),
    ]);
}
#[test]
fn a_request_header_line_is_one_handler() {
    ROWS.adapt_to(&[
        ("request_header X-A: b", r#"[{"handle":[{"handler":"headers","request":{"set":{"X-A":["b"]}}}]}]"#),
        ("request_header -X-*", r#"[{"handle":[{"handler":"headers","request":{"delete":["X-*"]}}]}]"#),
        ("request_header +X-A b", r#"[{"handle":[{"handler":"headers","request":{"add":{"X-A":["b"]}}}]}]"#),
        (
            "request_header X-A re new",
            r#"[{"handle":[{"handler":"headers","request":{"replace":{"X-A":[{"replace":"new","search_regexp":"re"}]}}}]}]"#,
        ),
    ]);
}
#[test]
fn what_is_wrong_is_said_in_caddy_s_words() {
    ROWS.fail_with(&[
        ("header X {\nY z\n}", "cannot specify headers in both arguments and block, at -:3"),
        (
            "header {\nmatch status x\n}",
            "bad status value 'x': strconv.Atoi: parsing \"x\": invalid syntax, at -:3",
        ),
        ("header {\nmatch nope\n}", "unrecognized response matcher nope, at -:3"),
        ("header {\nmatch header X\n}", "malformed header matcher: expected both field and value, at -:3"),
        ("request_header", "wrong argument count or unexpected line ending after 'request_header', at -:2"),
        ("request_header a b c d", "wrong argument count or unexpected line ending after 'd', at -:2"),
        (
            "request_header ?X y",
            "?X: the default header modifier ('?') can only be used on response headers; for conditional \
             manipulation of request headers, use matchers, at -:2",
        ),
    ]);
}
