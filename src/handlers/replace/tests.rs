//! The directive, and what becomes of bodies.
use super::*;
use crate::{caddyfile::testing::Rows, handlers::testing::Site};
use http_body::Frame;
use http_body_util::StreamBody;
use serde_json::{Value, json};

const ROWS: Rows = Rows { directives: &[REPLACE], matchers: &[], modules: &[] };

#[test]
fn it_has_no_place_of_its_own() {
    ROWS.fail_with(&[("replace a b", "directive 'replace' is not an ordered HTTP handler")]);
}
#[test]
fn what_does_not_build_is_said_in_the_plugin_s_words() {
    for (replacements, error) in [
        (json!([]), "no replacements configured"),
        (json!([{"replace": "x"}]), "replacement 0: no search or search_regexp configured"),
        (
            json!([{"search": "a"}, {"search": "a", "search_regexp": "b"}]),
            "replacement 1: cannot specify both search and search_regexp in same replacement",
        ),
        (json!([{"search_regexp": "("}]), "replacement 0: error parsing regexp"),
    ] {
        let handler = json!({"handler": "replace_response", "replacements": replacements});
        let built = Site::build(json!({"routes": [{"handle": [handler]}]}));
        let said = built.unwrap_err();
        assert!(said.contains(error), "{said}");
    }
}
fn site(replacements: &Value, body: &str) -> Site {
    Site::of(json!([
        {"handler": "replace_response", "replacements": replacements},
        {"handler": "static_response", "body": body, "headers": {"Content-Length": [body.len().to_string()]}},
    ]))
}
#[tokio::test]
async fn one_replacement_follows_the_other() {
    for (replacements, body, expected) in [
        (json!([{"search": "ana", "replace": "<>"}]), "banana", "b<>na"),
        (json!([{"search": "a", "replace": "b"}, {"search": "bb", "replace": "c"}]), "ab a", "c b"),
        (json!([{"search_regexp": "(\\w+) (\\w+)", "replace": "$2 ${1}$$"}]), "one two", "two one$"),
        (json!([{"search_regexp": "o*", "replace": "-"}]), "foot", "-f-t-"),
    ] {
        let reply = site(&replacements, body).get("/", &[]).await;
        assert_eq!(reply.text(), expected);
        assert_eq!(reply.field("content-length"), expected.len().to_string());
    }
}
/// A body whose pieces come one by one.
async fn streamed(replacements: &Value, pieces: &[&str]) -> Vec<String> {
    let stages = serde_json::from_value::<Vec<Replacement>>(replacements.clone()).unwrap();
    let stages = stages.into_iter().map(|from| from.stage().unwrap()).collect();
    let pieces: Vec<_> = pieces.iter().map(|p| Ok(Frame::data(p.as_bytes().to_vec().into()))).collect();
    let body = Body::boxed(StreamBody::new(futures_util::stream::iter(pieces)));
    let (mut body, mut out) = (Replaced::new(body, stages), vec![]);
    while let Some(frame) = body.frame().await {
        out.push(String::from_utf8(frame.unwrap().into_data().unwrap().to_vec()).unwrap());
    }
    out
}
#[tokio::test]
async fn a_match_may_lie_across_pieces() {
    let cases: [(Value, &[&str], &[&str]); 4] = [
        (
            json!([{"search": "hello", "replace": "bye"}]),
            &["say hel", "lo to", " all"],
            &["say", " ", "bye", " ", "to all"],
        ),
        (json!([{"search_regexp": "o+", "replace": "0"}]), &["fo", "o b", "ar"], &["f0 bar"]),
        (json!([{"search": "a", "replace": "b"}, {"search": "b", "replace": "c"}]), &["a", "b"], &["c", "c"]),
        (json!([{"search": "a", "replace": ""}]), &["a", "a"], &[]),
    ];
    for (replacements, pieces, expected) in cases {
        let out = streamed(&replacements, pieces).await;
        assert_eq!(out.concat(), expected.concat(), "{pieces:?}");
    }
}
#[tokio::test]
async fn of_a_regular_expression_no_more_is_held_than_its_longest_match() {
    let long = "x".repeat(5000);
    let out = streamed(&json!([{"search_regexp": "o+", "replace": "0"}]), &[&long, "foo"]).await;
    assert_eq!(out.iter().map(String::len).collect::<Vec<_>>(), [5000 - LONGEST, LONGEST + 1, 1]);
    assert_eq!(out.concat(), long + "f0");
}
const LONGEST: usize = 2048;
