use super::*;
use crate::{
    caddyfile::testing::Rows,
    handlers::testing::{Reply, Site},
};
use serde_json::json;
use std::{
    fs::{self, File},
    path::Path,
    time::{Duration, SystemTime},
};
use tempfile::TempDir;

const ROWS: Rows = Rows { directives: &[FILE_SERVER], matchers: &[], modules: &[] };
#[test]
fn the_caddyfile_is_hidden() {
    ROWS.adapt_to(&[
        ("file_server", r#"[{"handle":[{"handler":"file_server","hide":["./-"]}]}]"#),
        ("file_server browse", r#"[{"handle":[{"browse":{},"handler":"file_server","hide":["./-"]}]}]"#),
        (
            "file_server {\nhide a\nhide *.b -\nprecompressed\n}",
            r#"[{"handle":[{"handler":"file_server","hide":["a","*.b","-"],"precompressed":{"br":{},"gzip":{},"zstd":{}},"precompressed_order":["br","zstd","gzip"]}]}]"#,
        ),
        (
            "file_server /static/* {\nroot /srv\nhide .git *.bak\nindex a.html\nprecompressed zstd br gzip\nbrowse tmpl.html {\nsort size desc\nfile_limit 5\nreveal_symlinks\n}\npass_thru\ndisable_canonical_uris\nstatus 200\netag_file_extensions .sha256\nfs myfs\n}",
            r#"[{"match":[{"path":["/static/*"]}],"handle":[{"browse":{"file_limit":5,"reveal_symlinks":true,"sort":["size","desc"],"template_file":"tmpl.html"},"canonical_uris":false,"etag_file_extensions":[".sha256"],"fs":"myfs","handler":"file_server","hide":[".git","*.bak","./-"],"index_names":["a.html"],"pass_thru":true,"precompressed":{"br":{},"gzip":{},"zstd":{}},"precompressed_order":["zstd","br","gzip"],"root":"/srv","status_code":200}]}]"#,
        ),
    ]);
}
#[test]
fn what_is_wrong_is_said_in_caddy_s_words() {
    let after = |word: &str, line| {
        format!("wrong argument count or unexpected line ending after '{word}', at -:{line}")
    };
    ROWS.fail_with(&[
        ("file_server foo", &after("foo", 2)),
        ("file_server {\nnope\n}", "unknown subdirective 'nope', at -:3"),
        ("file_server {\nhide\n}", &after("hide", 3)),
        ("file_server {\nfs a\nfs b\n}", "file system already specified, at -:4"),
        ("file_server {\nbrowse\nbrowse\n}", "browsing is already configured, at -:4"),
        ("file_server {\nbrowse {\nsort x\n}\n}", "unknown sort option 'x', at -:4"),
        ("file_server {\nbrowse {\nfile_limit\n}\n}", "file_limit should have an integer value, at -:4"),
        ("file_server {\npass_thru x\n}", &after("x", 3)),
        (
            "file_server {\nprecompressed lz4\n}",
            "getting module named 'http.precompressed.lz4': module not registered: http.precompressed.lz4, at -:3",
        ),
    ]);
}
#[test]
fn what_cannot_be_is_not_built() {
    for (config, error) in [
        (json!({"precompressed": {"lz4": {}}}), "unknown module: http.precompressed.lz4"),
        (json!({"browse": {"sort": ["asc"]}}), "the first option must be one of the following: name,"),
        (
            json!({"browse": {"sort": ["name", "x"]}}),
            "the second option must be one of the following: asc, desc",
        ),
    ] {
        let mut handler = config;
        handler["handler"] = "file_server".into();
        let found = Site::build(json!({"routes": [{"handle": [handler]}]})).unwrap_err();
        assert!(found.contains(error), "{found}");
    }
}

/// 2026-01-01 00:00:00, whose entity tags begin with `dfct6ww35s00`.
fn then() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600)
}
fn write(root: &Path, name: &str, content: &[u8]) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    File::options().write(true).open(&path).unwrap().set_modified(then()).unwrap();
}
/// A folder of files.
fn folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    write(root, "a.txt", b"0123456789");
    write(root, "dir/index.html", b"<p>index");
    write(root, "empty", b"");
    write(root, "plain/x.css", b"p{}");
    write(root, "secret/x", b"secret");
    write(root, "p.txt", b"plain text");
    write(root, "p.txt.gz", b"gz");
    write(root, "p.txt.br", b"br");
    write(root, "t.bin", b"tagged");
    write(root, "t.bin.tag", b"\"by\nhand\"\n");
    dir
}
/// What a file server of that folder, with more fields, answers to a GET.
async fn get(dir: &TempDir, config: Value, target: &str, headers: &[(&str, &str)]) -> Reply {
    server(dir, config).get(target, headers).await
}
fn server(dir: &TempDir, mut config: Value) -> Site {
    config["handler"] = "file_server".into();
    config["root"] = dir.path().to_str().unwrap().into();
    Site::of(json!([config]))
}
#[tokio::test]
async fn a_file_has_its_type_its_tag_and_its_time() {
    let reply = get(&folder(), json!({}), "/a.txt", &[]).await;
    assert_eq!((reply.status.as_u16(), reply.text().as_str()), (200, "0123456789"));
    for (field, value) in [
        ("content-type", "text/plain; charset=utf-8"),
        ("etag", "\"dfct6ww35s00-a\""),
        ("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT"),
        ("accept-ranges", "bytes"),
        ("content-length", "10"),
        ("vary", "Accept-Encoding"),
    ] {
        assert_eq!(reply.field(field), value, "{field}");
    }
}
#[tokio::test]
async fn a_file_of_no_known_type_has_none() {
    let reply = get(&folder(), json!({}), "/empty", &[]).await;
    assert_eq!((reply.status.as_u16(), reply.field("content-type").as_str()), (200, ""));
    assert!(reply.exchange.untyped);
}
#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let dir = folder();
    for (target, status) in [
        ("/", 404),
        ("/nope", 404),
        ("/secret/x", 404),
        ("/plain/", 404),
        ("/a.txt/b", 400),
        ("/a%00", 400),
        ("/dir/", 200),
    ] {
        let reply = get(&dir, json!({"hide": ["secret"]}), target, &[]).await;
        assert_eq!(reply.status.as_u16(), status, "{target}");
    }
    let site = json!([
        {"handler": "file_server", "root": dir.path().to_str().unwrap(), "pass_thru": true},
        {"handler": "static_response", "body": "behind"},
    ]);
    assert_eq!(Site::of(site).get("/nope", &[]).await.text(), "behind");
    let reply = get(&dir, json!({"fs": "nope"}), "/a.txt", &[]).await;
    assert_eq!(reply.failure.as_deref(), Some("filesystem not found"));
}
#[tokio::test]
async fn nothing_leads_out_of_the_root() {
    let dir = folder();
    let inner = tempfile::tempdir_in(dir.path()).unwrap();
    write(inner.path(), "in", b"inside");
    let ups =
        ["..", "%2e%2e", "%2E.", ".%2e", "..%00", "..;", "%252e%252e", "...", "..%c0%af", "%c0%ae%c0%ae"];
    let slashes = ["/", "%2f", "%2F", "//", "/./", "%5c", "\\", "%5C..%5C", ";/"];
    for up in ups {
        for slash in slashes {
            for depth in 1..4 {
                let target = format!("/{}a.txt", format!("{up}{slash}").repeat(depth));
                let Ok(_) = target.parse::<http::Uri>() else { continue };
                let reply = get(&inner, json!({}), &target, &[]).await;
                assert_ne!(reply.text(), "0123456789", "{target}");
                assert!(reply.status.is_client_error(), "{target}: {}", reply.status);
            }
        }
    }
}
#[tokio::test]
async fn directories_and_they_alone_end_in_a_slash() {
    let dir = folder();
    for (target, location) in [
        ("/dir", "/dir/"),
        ("/dir?a=b", "/dir/?a=b"),
        ("//dir", "/dir/"),
        ("/a.txt/", "/a.txt"),
        ("/./a.txt/?x", "/a.txt?x"),
    ] {
        let reply = get(&dir, json!({}), target, &[]).await;
        assert_eq!((reply.status.as_u16(), reply.field("location").as_str()), (308, location), "{target}");
        assert_eq!(reply.field("content-type"), "text/html; charset=utf-8");
        assert_eq!(reply.text(), format!("<a href=\"{location}\">Permanent Redirect</a>.\n\n"));
    }
    for target in ["/dir", "/dir/", "/a.txt/"] {
        let reply = get(&dir, json!({"canonical_uris": false}), target, &[]).await;
        assert_eq!(reply.status, 200, "{target}");
    }
    // Who rewrites the name knows what it is to be.
    let rewritten = Site::of(json!([
        {"handler": "rewrite", "uri": "/dir"},
        {"handler": "file_server", "root": dir.path().to_str().unwrap()},
    ]));
    assert_eq!(rewritten.get("/x", &[]).await.text(), "<p>index");
}
#[tokio::test]
async fn index_names_stand_for_a_directory() {
    let dir = folder();
    for (config, status) in [
        (json!({"index_names": ["nope", "x.css"]}), 200),
        (json!({"index_names": ["x.css"], "hide": ["x.css"]}), 404),
        (json!({"index_names": []}), 404),
    ] {
        assert_eq!(get(&dir, config.clone(), "/plain/", &[]).await.status.as_u16(), status, "{config}");
    }
}
#[tokio::test]
async fn only_get_and_head_are_allowed() {
    let dir = folder();
    let request = |method| {
        http::Request::builder().method(method).uri("/a.txt").header("host", "a").body(Body::Empty).unwrap()
    };
    let head = server(&dir, json!({})).send(request(Method::HEAD)).await;
    assert_eq!(
        (head.status.as_u16(), head.text().as_str(), head.field("content-length").as_str()),
        (200, "", "10")
    );
    let post = server(&dir, json!({})).send(request(Method::POST)).await;
    assert_eq!((post.status.as_u16(), post.field("allow").as_str()), (405, "GET, HEAD"));
    assert_eq!(post.field("vary"), "Accept-Encoding");
}
#[tokio::test]
async fn parts_are_sent_as_asked_for() {
    let dir = folder();
    for (range, status, content_range, body) in [
        ("bytes=2-4", 206, "bytes 2-4/10", "234"),
        ("bytes=-3", 206, "bytes 7-9/10", "789"),
        ("bytes=20-", 416, "bytes */10", "invalid range: failed to overlap\n"),
        ("nonsense", 416, "", "invalid range\n"),
    ] {
        let reply = get(&dir, json!({}), "/a.txt", &[("range", range)]).await;
        assert_eq!((reply.status.as_u16(), reply.text().as_str()), (status, body), "{range}");
        assert_eq!(reply.field("content-range"), content_range, "{range}");
    }
    let reply = get(&dir, json!({}), "/a.txt", &[("range", "bytes=0-1,8-")]).await;
    let kind = reply.field("content-type");
    let boundary = kind.strip_prefix("multipart/byteranges; boundary=").unwrap();
    assert_eq!(boundary.len(), 60);
    let part = |range: &str, body: &str| {
        format!(
            "--{boundary}\r\nContent-Range: {range}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n"
        )
    };
    let parts = [part("bytes 0-1/10", "01"), part("bytes 8-9/10", "89"), format!("--{boundary}--\r\n")];
    assert_eq!(reply.text(), parts.concat());
    assert_eq!(reply.field("content-length"), reply.body.len().to_string());
}
#[tokio::test]
async fn what_the_client_has_is_not_sent_again() {
    let dir = folder();
    let tag = ("if-none-match", "\"dfct6ww35s00-a\"");
    let reply = get(&dir, json!({}), "/a.txt", &[tag]).await;
    assert_eq!((reply.status.as_u16(), reply.body.len()), (304, 0));
    assert_eq!(reply.field("etag"), "\"dfct6ww35s00-a\"");
    for absent in ["content-type", "content-length", "last-modified"] {
        assert_eq!(reply.field(absent), "", "{absent}");
    }
    let reply = get(&dir, json!({}), "/a.txt", &[("if-match", "\"x\"")]).await;
    assert_eq!((reply.status.as_u16(), reply.body.len()), (412, 0));
}
#[tokio::test]
async fn sidecars_are_sent_to_those_who_take_them() {
    let dir = folder();
    let config = json!({"precompressed": {"br": {}, "gzip": {}}, "precompressed_order": ["br", "gzip"]});
    for (accepts, encoding, body) in [
        ("", "", "plain text"),
        ("gzip", "gzip", "gz"),
        ("gzip, br", "br", "br"),
        ("gzip, br;q=0.5", "gzip", "gz"),
        ("zstd", "", "plain text"),
    ] {
        let reply = get(&dir, config.clone(), "/p.txt", &[("accept-encoding", accepts)]).await;
        assert_eq!(
            (reply.field("content-encoding").as_str(), reply.text().as_str()),
            (encoding, body),
            "{accepts}"
        );
        assert_eq!(reply.field("content-type"), "text/plain; charset=utf-8");
        assert_eq!(reply.field("content-length"), body.len().to_string());
    }
    let accepts = [("accept-encoding", "gzip"), ("range", "bytes=0-9")];
    let reply = get(&dir, config.clone(), "/p.txt", &accepts).await;
    assert_eq!((reply.status.as_u16(), reply.field("content-range").as_str()), (206, "bytes 0-1/2"));
    assert_eq!(reply.field("etag"), "\"dfct6ww35s00-2\"");
    let reply = get(&dir, config, "/a.txt", &accepts).await;
    assert_eq!(reply.field("content-range"), "bytes 0-9/10");
}
#[tokio::test]
async fn a_file_beside_it_may_hold_the_tag() {
    let dir = folder();
    let config = json!({"etag_file_extensions": [".nope", ".tag"]});
    assert_eq!(get(&dir, config.clone(), "/t.bin", &[]).await.field("etag"), "\"byhand\"");
    assert_eq!(get(&dir, config, "/a.txt", &[]).await.field("etag"), "\"dfct6ww35s00-a\"");
}
#[tokio::test]
async fn the_status_is_the_error_s_or_what_is_said() {
    let dir = folder();
    let reply = get(&dir, json!({"status_code": "{http.request.header.S}"}), "/a.txt", &[("s", "410")]).await;
    assert_eq!((reply.status.as_u16(), reply.text().as_str()), (410, "0123456789"));
    let site = Site::build(json!({
        "routes": [{"handle": [{"handler": "error", "status_code": 403}]}],
        "errors": {"routes": [{"handle": [
            {"handler": "rewrite", "uri": "/a.txt"},
            {"handler": "file_server", "root": dir.path().to_str().unwrap()},
        ]}]},
    }));
    let request = http::Request::post("/").header("host", "a").body(Body::Empty).unwrap();
    let reply = site.unwrap().send(request).await;
    assert_eq!((reply.status.as_u16(), reply.text().as_str()), (403, "0123456789"));
}
#[tokio::test]
async fn times_that_tell_nothing_are_not_told() {
    let dir = folder();
    let file = File::options().write(true).open(dir.path().join("a.txt")).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1)).unwrap();
    let reply = get(&dir, json!({}), "/a.txt", &[]).await;
    assert_eq!([reply.field("etag"), reply.field("last-modified")], ["", ""]);
}
#[tokio::test]
async fn a_large_file_is_sent_in_parts() {
    let dir = folder();
    let content: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
    write(dir.path(), "large", &content);
    let reply = get(&dir, json!({}), "/large", &[]).await;
    assert_eq!(reply.field("content-length"), "1000000");
    assert!(reply.body == content);
}
