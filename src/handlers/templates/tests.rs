//! The directive, and what templates write.
use super::*;
use crate::caddyfile::testing::Rows;

const ROWS: Rows = Rows { directives: &[TEMPLATES], matchers: &[], modules: &[] };
#[test]
fn each_option_has_its_field() {
    ROWS.adapt_to(&[
        ("templates x", r#"[{"handle":[{"handler":"templates"}]}]"#),
        (
            "templates {\nmime text/html\nbetween [[ ]]\nroot /t\n}",
            r#"[{"handle":[{"delimiters":["[[","]]"],"file_root":"/t","handler":"templates","mime_types":["text/html"]}]}]"#,
        ),
    ]);
}
#[test]
fn what_is_wrong_is_said_in_caddy_s_words() {
    ROWS.fail_with(&[
        ("templates {\nmime\n}", "wrong argument count or unexpected line ending after 'mime', at -:3"),
        ("templates {\nbetween a\n}", "wrong argument count or unexpected line ending after 'a', at -:3"),
        (
            "templates {\nextensions {\nnope\n}\n}",
            "getting module named 'http.handlers.templates.functions.nope': module not registered: \
             http.handlers.templates.functions.nope, at -:4",
        ),
    ]);
}
