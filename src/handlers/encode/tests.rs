use super::*;
use crate::{
    caddyfile::testing::Rows,
    handlers::testing::{Reply, Site},
    http::BoxError,
};
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http_body::{Body as HttpBody, Frame};
use serde_json::json;
use std::{
    collections::VecDeque,
    io::Read,
    pin::Pin,
    task::{Context, Poll, Waker},
};

const ROWS: Rows = Rows { directives: &[ENCODE], matchers: &[], modules: &[BR, GZIP, ZSTD] };
#[test]
fn formats_stand_on_the_line_or_in_the_block() {
    let handler = |fields: &str| format!(r#"[{{"handle":[{{{fields}}}]}}]"#);
    for (body, fields) in [
        ("encode", r#""encodings":{"gzip":{},"zstd":{}},"handler":"encode","prefer":["zstd","gzip"]"#),
        ("encode gzip", r#""encodings":{"gzip":{}},"handler":"encode","prefer":["gzip"]"#),
        ("encode gzip br", r#""encodings":{"br":{},"gzip":{}},"handler":"encode","prefer":["gzip","br"]"#),
        (
            "encode gzip {\nzstd\nbr\n}",
            r#""encodings":{"br":{"level":-1},"gzip":{},"zstd":{}},"handler":"encode","prefer":["zstd","br","gzip"]"#,
        ),
        (
            "encode {\ngzip 6\nzstd better\nminimum_length 1024\nmatch {\nstatus 2xx\nheader Content-Type text/*\n}\n}",
            r#""encodings":{"gzip":{"level":6},"zstd":{"level":"better"}},"handler":"encode","match":{"headers":{"Content-Type":["text/*"]},"status_code":[2]},"minimum_length":1024,"prefer":["gzip","zstd"]"#,
        ),
        (
            "encode {\nzstd {\nlevel best\ndisable_checksum\n}\nmatch status 200\n}",
            r#""encodings":{"zstd":{"checksum":false,"level":"best"}},"handler":"encode","match":{"status_code":[200]},"prefer":["zstd"]"#,
        ),
    ] {
        ROWS.adapt_to(&[(body, &handler(fields))]);
    }
}
#[test]
fn what_is_wrong_is_said_in_caddy_s_words() {
    let level = "unexpected compression level, use one of 'fastest', 'better', 'best', 'default', at -:";
    ROWS.fail_with(&[
        ("encode lz4", "finding encoder module '': module not registered: http.encoders.lz4, at -:2"),
        ("encode {\ngzip x\n}", "strconv.Atoi: parsing \"x\": invalid syntax"),
        ("encode {\nzstd x\n}", &format!("{level}3")),
        ("encode {\nzstd {\nlevel x\n}\n}", &format!("{level}4")),
        ("encode {\nzstd best {\nlevel best\n}\n}", "compression level already specified, at -:4"),
        ("encode {\nzstd {\nnope\n}\n}", "unknown subdirective 'nope', at -:4"),
        (
            "encode {\nlz4\n}",
            "getting module named 'http.encoders.lz4': module not registered: http.encoders.lz4, at -:3",
        ),
        (
            "encode {\nminimum_length\n}",
            "wrong argument count or unexpected line ending after 'minimum_length'",
        ),
        (
            "encode {\nmatch status 200\nmatch status 300\n}",
            "matcher is defined more than once: match, at -:4",
        ),
    ]);
}
#[test]
fn what_cannot_be_is_not_built() {
    for (config, error) in [
        (json!({"encodings": {"lz4": {}}}), "unknown module: http.encoders.lz4"),
        (json!({"encodings": {"gzip": {"level": 10}}}), "quality too high; must be <= 9"),
        (json!({"encodings": {"gzip": {"level": -4}}}), "quality too low; must be >= -3"),
        (json!({"encodings": {"zstd": {"level": "x"}}}), "unexpected compression level"),
        (json!({"encodings": {"gzip": {}}, "prefer": ["br"]}), "encoding br not enabled"),
        (
            json!({"encodings": {"gzip": {}}, "prefer": ["gzip", "gzip"]}),
            "encoding gzip is duplicated in prefer",
        ),
    ] {
        let mut handler = config;
        handler["handler"] = "encode".into();
        let found = Site::build(json!({"routes": [{"handle": [handler]}]})).unwrap_err();
        assert!(found.contains(error), "{found}");
    }
}

/// An answer of that status, length and header fields, behind an `encode` of all formats, to a GET.
async fn get(status: u16, length: usize, fields: Value, request: &[(&str, &str)]) -> Reply {
    let site = Site::of(json!([
        {"handler": "encode", "encodings": {"gzip": {}, "zstd": {}, "br": {}}},
        {"handler": "static_response", "status_code": status, "body": "x".repeat(length), "headers": fields},
    ]));
    site.get("/", request).await
}
const ACCEPT_GZIP: (&str, &str) = ("accept-encoding", "gzip");

fn gunzip(bytes: &[u8]) -> String {
    let mut text = String::new();
    MultiGzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}
#[tokio::test]
async fn what_is_long_enough_is_encoded_as_the_client_likes_it() {
    for (accepts, encoding, magic) in [
        ("gzip", "gzip", &b"\x1f\x8b"[..]),
        ("gzip, zstd", "zstd", b"\x28\xb5\x2f\xfd"),
        ("gzip, br", "br", b""),
        ("br;q=0.5, gzip", "gzip", b"\x1f\x8b"),
    ] {
        let reply = get(200, 3000, json!({}), &[("accept-encoding", accepts)]).await;
        assert_eq!(reply.field("content-encoding"), encoding, "{accepts}");
        assert_eq!(reply.field("vary"), "Accept-Encoding");
        assert!(reply.body.starts_with(magic) && reply.body.len() < 200, "{accepts}");
    }
    let reply = get(200, 3000, json!({}), &[ACCEPT_GZIP]).await;
    assert_eq!(gunzip(&reply.body), "x".repeat(3000));
    let reply = get(200, 200_000, json!({}), &[ACCEPT_GZIP]).await;
    assert_eq!(gunzip(&reply.body), "x".repeat(200_000));
}
#[tokio::test]
async fn what_is_not_to_be_encoded_stays() {
    type Case<'c> = (u16, usize, Value, &'c [(&'c str, &'c str)]);
    let cases: &[Case<'_>] = &[
        (200, 3000, json!({}), &[]),
        (200, 3000, json!({}), &[("accept-encoding", "identity")]),
        (200, 512, json!({}), &[ACCEPT_GZIP]),
        (206, 3000, json!({}), &[ACCEPT_GZIP]),
        (200, 3000, json!({"Content-Type": ["image/png"]}), &[ACCEPT_GZIP]),
        (200, 3000, json!({"Content-Encoding": ["x"]}), &[ACCEPT_GZIP]),
        (200, 3000, json!({"Cache-Control": ["public, no-transform"]}), &[ACCEPT_GZIP]),
        (200, 3000, json!({}), &[ACCEPT_GZIP, ("cache-control", "no-transform")]),
        (200, 3000, json!({}), &[ACCEPT_GZIP, ("sec-websocket-key", "x")]),
    ];
    for (status, length, fields, request) in cases {
        let reply = get(*status, *length, fields.clone(), request).await;
        assert_eq!(reply.text(), "x".repeat(*length), "{status} {length} {fields} {request:?}");
    }
}
#[tokio::test]
async fn fields_say_what_has_become_of_the_body() {
    let fields = json!({"Etag": ["\"t\""], "Accept-Ranges": ["bytes"], "Content-Length": ["3000"]});
    let reply = get(200, 3000, fields, &[ACCEPT_GZIP]).await;
    assert_eq!(reply.field("etag"), "\"t-gzip\"");
    assert_eq!([reply.field("accept-ranges"), reply.field("content-length")], ["", ""]);
    let reply =
        get(200, 3000, json!({"Etag": ["W/\"t\""], "Vary": ["a, accept-encoding"]}), &[ACCEPT_GZIP]).await;
    assert_eq!([reply.field("etag"), reply.field("vary")], ["W/\"t\"", "a, accept-encoding"]);
    let reply = get(304, 0, json!({}), &[ACCEPT_GZIP]).await;
    assert_eq!(reply.field("vary"), "Accept-Encoding");
}
#[tokio::test]
async fn who_made_the_tag_does_not_see_our_suffix() {
    let body = "{http.request.header.If-None-Match}";
    let site = Site::of(json!([
        {"handler": "encode", "encodings": {"gzip": {}}},
        {"handler": "static_response", "body": body},
    ]));
    for (tag, expected) in
        [("\"t-gzip\"", "\"t\""), ("\"t-br\"", "\"t-br\""), ("W/\"t-gzip\"", "W/\"t-gzip\"")]
    {
        assert_eq!(site.get("/", &[ACCEPT_GZIP, ("if-none-match", tag)]).await.text(), expected);
    }
}
#[tokio::test]
async fn a_response_that_fails_is_not_encoded() {
    let site = Site::build(json!({
        "routes": [{"handle": [{"handler": "encode", "encodings": {"gzip": {}}}, {"handler": "error"}]}],
        "errors": {"routes": [{"handle": [{"handler": "static_response", "body": "x".repeat(3000)}]}]},
    }));
    let reply = site.unwrap().get("/", &[ACCEPT_GZIP]).await;
    assert_eq!((reply.body.len(), reply.field("content-encoding").as_str()), (3000, ""));
}
#[tokio::test]
async fn a_matcher_and_a_minimum_of_one_s_own_decide() {
    for (status, length, encodes) in [(404, 11, true), (404, 10, false), (200, 3000, false)] {
        let site = Site::of(json!([
            {"handler": "encode", "encodings": {"gzip": {}}, "minimum_length": 10, "match": {"status_code": [404]}},
            {"handler": "static_response", "status_code": status, "body": "x".repeat(length)},
        ]));
        let reply = site.get("/", &[ACCEPT_GZIP]).await;
        assert_eq!(!reply.field("content-encoding").is_empty(), encodes, "{status} {length}");
    }
}

/// Frames, and between them nothing to read for a while.
struct Slow(VecDeque<Option<Frame<Bytes>>>);
impl HttpBody for Slow {
    type Data = Bytes;
    type Error = BoxError;
    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.0.pop_front() {
            Some(None) => Poll::Pending,
            Some(Some(frame)) => Poll::Ready(Some(Ok(frame))),
            None => Poll::Ready(None),
        }
    }
}
#[test]
fn what_has_come_is_sent_before_more_is_waited_for() {
    for name in ["gzip", "zstd", "br"] {
        let event = |text: &'static str| Some(Frame::data(Bytes::from_static(text.as_bytes())));
        let trailers = Some(Frame::trailers(HeaderMap::from_iter([(ETAG, HeaderValue::from_static("t"))])));
        let frames = [event("data: 1\n\n"), None, event("data: 2\n\n"), event("data: 3\n\n"), None, trailers];
        let coding = Coding::build(name, json!({})).unwrap();
        let mut body = body::encode(&coding, Body::boxed(Slow(frames.into())));
        let mut cx = Context::from_waker(Waker::noop());
        let mut next = || Pin::new(&mut body).poll_frame(&mut cx).map(|frame| frame.map(Result::unwrap));
        let mut encoded = vec![];
        for wanted in ["data: 1\n\n", "data: 1\n\ndata: 2\n\ndata: 3\n\n"] {
            let Poll::Ready(Some(frame)) = next() else { panic!("{name}: {wanted} is not there") };
            encoded.extend(frame.into_data().unwrap());
            if name == "gzip" {
                let mut text = vec![0; wanted.len()];
                MultiGzDecoder::new(&encoded[..]).read_exact(&mut text).unwrap();
                assert_eq!(text, wanted.as_bytes());
            }
        }
        assert!(matches!(next(), Poll::Ready(Some(frame)) if frame.is_data()), "{name}: the end");
        assert!(matches!(next(), Poll::Ready(Some(frame)) if frame.is_trailers()), "{name}: the trailers");
        assert!(matches!(next(), Poll::Ready(None)));
    }
}
#[tokio::test]
async fn a_stream_of_events_is_encoded_however_it_starts() {
    let reply =
        get(200, 10, json!({"Content-Type": ["text/event-stream;charset=utf-8"]}), &[ACCEPT_GZIP]).await;
    assert_eq!(gunzip(&reply.body), "x".repeat(10));
    let reply = get(200, 10, json!({"Content-Type": ["text/event-streams"]}), &[ACCEPT_GZIP]).await;
    assert_eq!(reply.text(), "x".repeat(10));
}
