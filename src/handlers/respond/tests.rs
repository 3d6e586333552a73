use super::*;
use crate::caddyfile::testing::Rows;

const ROWS: Rows = Rows { directives: &[REDIR, ABORT, RESPOND], matchers: &[], modules: &[] };

#[test]
fn respond_takes_a_status_a_body_or_both() {
    ROWS.adapt_to(&[
        ("respond hi", r#"[{"handle":[{"body":"hi","handler":"static_response"}]}]"#),
        ("respond 204", r#"[{"handle":[{"handler":"static_response","status_code":204}]}]"#),
        ("respond 0404", r#"[{"handle":[{"body":"0404","handler":"static_response"}]}]"#),
        (r#"respond "hi" 201"#, r#"[{"handle":[{"body":"hi","handler":"static_response","status_code":201}]}]"#),
        (
            "respond hi {http.vars.x}",
            r#"[{"handle":[{"body":"hi","handler":"static_response","status_code":"{http.vars.x}"}]}]"#,
        ),
        (
            "respond /x 404 {\nbody \"b\"\nclose\n}",
            r#"[{"match":[{"path":["/x"]}],"handle":[{"body":"b","close":true,"handler":"static_response","status_code":404}]}]"#,
        ),
        ("abort /x", r#"[{"match":[{"path":["/x"]}],"handle":[{"abort":true,"handler":"static_response"}]}]"#),
    ]);
}
#[test]
fn redir_takes_a_code_by_number_or_name() {
    ROWS.adapt_to(&[
        (
            "redir https://x.com{http.request.uri}",
            r#"[{"handle":[{"handler":"static_response","headers":{"Location":["https://x.com{http.request.uri}"]},"status_code":302}]}]"#,
        ),
        (
            "redir /a /b permanent",
            r#"[{"match":[{"path":["/a"]}],"handle":[{"handler":"static_response","headers":{"Location":["/b"]},"status_code":301}]}]"#,
        ),
        ("redir x 401", r#"[{"handle":[{"handler":"static_response","headers":{"Location":["x"]},"status_code":401}]}]"#),
        (
            "redir x {http.vars.c}",
            r#"[{"handle":[{"handler":"static_response","headers":{"Location":["x"]},"status_code":"{http.vars.c}"}]}]"#,
        ),
        (
            "redir /a '/b html",
            r#"[{"match":[{"path":["/a"]}],"handle":[{"body":"\u003c!DOCTYPE html\u003e\n\u003chtml\u003e\n\t\u003chead\u003e\n\t\t\u003ctitle\u003eRedirecting...\u003c/title\u003e\n\t\t\u003cscript\u003ewindow.location.replace(\"\u0026#39;/b\");\u003c/script\u003e\n\t\t\u003cmeta http-equiv=\"refresh\" content=\"0; URL='\u0026#39;/b'\"\u003e\n\t\u003c/head\u003e\n\t\u003cbody\u003eRedirecting to \u003ca href=\"\u0026#39;/b\"\u003e\u0026#39;/b\u003c/a\u003e...\u003c/body\u003e\n\u003c/html\u003e\n","handler":"static_response","headers":{"Content-Type":["text/html; charset=utf-8"]},"status_code":200}]}]"#,
        ),
    ]);
}
#[test]
fn what_is_wrong_is_said_in_caddy_s_words() {
    let after = |word: &str| format!("wrong argument count or unexpected line ending after '{word}', at -:2");
    ROWS.fail_with(&[
        ("respond", &after("respond")),
        ("respond a b c d", &after("d")),
        ("respond a {\nbody b\n}", "body already specified, at -:3"),
        ("respond 200 {\nclose\nclose\n}", "close already specified, at -:4"),
        ("respond 200 {\nnope\n}", "unrecognized subdirective 'nope', at -:3"),
        ("redir", &after("redir")),
        ("redir /a /b 200", "Redir code not in the 3xx range or 401: '200', at -:2"),
        ("redir /a /b x", "Not a supported redir code type or not valid integer: 'x', at -:2"),
        ("abort x", &after("x")),
    ]);
}
