use crate::handlers::testing::{Reply, Site};
use serde_json::{Value, json};
use std::{
    fs::{self, File},
    os::unix::fs::symlink,
    time::{Duration, SystemTime},
};
use tempfile::TempDir;

/// Files whose names are hard to show, of different sizes and times.
fn folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("sub")).unwrap();
    for (at, (name, size)) in
        [("b.txt", 20), ("A.txt", 3000), ("<i>\"'&.txt", 1), ("line\nbreak", 2), ("ab%2f?#.txt", 3)]
            .iter()
            .enumerate()
    {
        let path = dir.path().join(name);
        fs::write(&path, vec![b'x'; *size]).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::new(1_767_225_600 - at as u64, 500_000_000);
        File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    }
    symlink("sub", dir.path().join("to-sub")).unwrap();
    symlink("nowhere", dir.path().join("to-nowhere")).unwrap();
    dir
}
async fn get(dir: &TempDir, browse: Value, target: &str, headers: &[(&str, &str)]) -> Reply {
    let root = dir.path().to_str().unwrap();
    let handler = json!({"handler": "file_server", "root": root, "browse": browse, "hide": ["b.txt"]});
    Site::of(json!([handler])).get(target, headers).await
}
const JSON: (&str, &str) = ("accept", "application/json");

/// The names in a list, as JSON has it.
async fn names(dir: &TempDir, browse: Value, target: &str, cookie: &str) -> Vec<String> {
    let reply = get(dir, browse, target, &[JSON, ("cookie", cookie)]).await;
    assert_eq!(reply.field("content-type"), "application/json; charset=utf-8");
    let items: Vec<Value> = serde_json::from_slice(&reply.body).unwrap();
    items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}
#[tokio::test]
async fn an_item_says_what_it_is() {
    let reply = get(&folder(), json!({}), "/", &[JSON]).await;
    assert!(reply.text().ends_with("]\n"));
    let items: Vec<Value> = serde_json::from_slice(&reply.body).unwrap();
    let item = |name: &str| items.iter().find(|item| item["name"] == name).unwrap().clone();
    assert_eq!(
        item("A.txt"),
        json!({
            "name": "A.txt", "size": 3000, "url": "./A.txt", "mod_time": "2025-12-31T23:59:59.5Z",
            "mode": 0o644, "is_dir": false, "is_symlink": false,
        })
    );
    assert_eq!(item("ab%2f?#.txt")["url"], "./ab%252f%3F%23.txt");
    assert_eq!(item("line\nbreak")["url"], "./line%0Abreak");
    let link = item("to-sub/");
    assert_eq!(
        [&link["is_dir"], &link["is_symlink"], &link["url"], &link["symlink_path"]],
        [&json!(true), &json!(true), &json!("./to-sub/"), &Value::Null]
    );
    assert_eq!(item("to-nowhere")["is_dir"], false);
    assert_eq!(link["mode"].as_u64().unwrap() >> 27, 1);
    let revealed = get(&folder(), json!({"reveal_symlinks": true}), "/", &[JSON]).await;
    assert!(revealed.text().contains(r#""symlink_path":"sub""#));
}
#[tokio::test]
async fn items_are_sorted_as_asked_for() {
    let dir = folder();
    let default = ["sub/", "to-sub/", "<i>\"'&.txt", "A.txt", "ab%2f?#.txt", "line\nbreak", "to-nowhere"];
    assert_eq!(names(&dir, json!({}), "/", "").await, default);
    assert_eq!(names(&dir, json!({}), "/?sort=nonsense&order=x", "").await.len(), default.len());
    let reversed: Vec<&str> = default.into_iter().rev().collect();
    assert_eq!(names(&dir, json!({}), "/?order=desc", "").await, reversed);
    assert_eq!(names(&dir, json!({}), "/", "sort=namedirfirst; order=desc").await, reversed);
    assert_eq!(names(&dir, json!({"sort": ["namedirfirst", "desc"]}), "/", "").await, reversed);
    assert_eq!(
        names(&dir, json!({"sort": ["size", "desc"]}), "/?sort=name&order=asc", "").await[0],
        "<i>\"'&.txt"
    );
    assert_eq!(names(&dir, json!({}), "/?sort=size&order=desc", "").await[0], "A.txt");
    assert_eq!(names(&dir, json!({}), "/?sort=size", "").await[..3], ["sub/", "to-sub/", "<i>\"'&.txt"]);
    assert_eq!(names(&dir, json!({}), "/?sort=time", "").await[0], "ab%2f?#.txt");
    assert_eq!(names(&dir, json!({}), "/?offset=1&limit=2", "").await, default[1..3]);
    assert_eq!(names(&dir, json!({}), "/?offset=99&limit=99", "").await, default);
    // What is hidden counts too.
    assert!((1..=2).contains(&names(&dir, json!({"file_limit": 2}), "/", "").await.len()));
}
#[tokio::test]
async fn cookies_remember_what_was_asked_for() {
    let reply = get(&folder(), json!({}), "/?sort=size&order=desc", &[]).await;
    assert_eq!(
        reply.field("set-cookie"),
        "sort=size; HttpOnly; SameSite=Lax | order=desc; HttpOnly; SameSite=Lax"
    );
    let reply = get(&folder(), json!({}), "/?sort=nonsense", &[]).await;
    assert_eq!(reply.field("set-cookie"), "");
}
#[tokio::test]
async fn the_page_shows_names_as_text() {
    let reply = get(&folder(), json!({}), "/", &[]).await;
    assert_eq!(reply.field("content-type"), "text/html; charset=utf-8");
    assert_eq!(reply.field("vary"), "Accept, Accept-Encoding");
    let page = reply.text();
    assert!(page.contains("<bdi>&lt;i&gt;&#34;&#39;&amp;.txt</bdi>"));
    assert!(page.contains("href=\"./%3Ci%3E%22%27&amp;.txt\""));
    assert!(page.contains("2 directories, 5 files, 2.9 KiB"));
    assert!(!page.contains("<i>") && !page.contains("b.txt\""));
    assert!(!page.contains("href=\"../\""));
}
#[tokio::test]
async fn the_page_of_a_directory_leads_up() {
    let dir = folder();
    let page = get(&dir, json!({}), "/sub/", &[]).await.text();
    assert!(page.contains("href=\"../\""));
    assert!(page.contains("aria-current=\"page\">sub</bdi>"));
    let reply = get(&dir, json!({}), "/sub?a=b", &[]).await;
    assert_eq!((reply.status.as_u16(), reply.field("location").as_str()), (308, "/sub/?a=b"));
}
#[tokio::test]
async fn plain_text_has_columns() {
    let reply =
        get(&folder(), json!({}), "/?sort=size&order=desc&limit=1", &[("accept", "text/plain")]).await;
    assert_eq!(
        reply.text(),
        "Name\tSize\tModified\n----\t----\t--------\nA.txt\t2.9 KiB\tDecember 31, 2025 at 23:59:59\n"
    );
}
#[tokio::test]
async fn what_has_not_changed_is_not_listed_again() {
    let dir = folder();
    let first = get(&dir, json!({}), "/", &[]).await;
    let modified = first.field("last-modified");
    let again = get(&dir, json!({}), "/", &[("if-modified-since", &modified)]).await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
}
