use crate::{
    http::Connection,
    matchers::tests::{ask, build_error, exchange, get},
};
use serde_json::{Value, json};
use std::fs;

/// `a.txt` (1 byte), `b.txt` (3), `empty` (0), `sub/index.php`, `we[i]rd`.
fn root() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| fs::write(root.path().join(name), content).unwrap();
    fs::create_dir(root.path().join("sub")).unwrap();
    write("a.txt", "a");
    write("b.txt", "bbb");
    write("empty", "");
    write("sub/index.php", "php");
    write("we[i]rd", "w");
    root
}
/// What is found of a request, by its relative path, type and remainder; or the status of a failure.
fn find(mut config: Value, target: &str) -> Result<Option<(String, String, String)>, u16> {
    let root = root();
    config["root"] = root.path().to_str().unwrap().into();
    let mut x = exchange(get(target), Connection::default());
    let answer = ask(json!({"file": config}), &mut x);
    if let Some(failure) = answer.failure {
        return Err(failure.error.status_or_500().as_u16());
    }
    let known = |key: &str| x.text(&format!("http.matchers.file.{key}")).into_owned();
    assert!(
        !answer.handled || known("absolute") == format!("{}{}", root.path().display(), known("relative"))
    );
    Ok(answer.handled.then(|| (known("relative"), known("type"), known("remainder"))))
}
fn found(path: &str) -> Result<Option<(String, String, String)>, u16> {
    let kind = if path.ends_with('/') { "directory" } else { "file" };
    Ok(Some((path.to_owned(), kind.to_owned(), String::new())))
}
#[test]
fn the_first_file_that_exists_is_taken() {
    assert_eq!(find(json!({}), "/a.txt"), found("/a.txt"));
    assert_eq!(find(json!({}), "/none"), Ok(None));
    assert_eq!(find(json!({}), "/sub"), Ok(None));
    assert_eq!(find(json!({}), "/../a.txt"), found("/a.txt"));
    assert_eq!(find(json!({}), "/we%5Bi%5Drd"), found("/we[i]rd"));
    let files = json!({"try_files": ["{http.request.uri.path}", "{http.request.uri.path}/", "/b.txt"]});
    assert_eq!(find(files.clone(), "/sub"), found("/sub/"));
    assert_eq!(find(files.clone(), "/sub/"), found("/sub/"));
    assert_eq!(find(files, "/none"), found("/b.txt"));
}
#[test]
fn wildcards_are_those_of_the_configuration_alone() {
    assert_eq!(find(json!({"try_files": ["/*.txt"]}), "/"), found("/a.txt"));
    assert_eq!(find(json!({"try_files": ["/*/index.*"]}), "/"), found("/sub/index.php"));
    assert_eq!(find(json!({"try_files": ["/[b-z].txt"]}), "/"), found("/b.txt"));
    assert_eq!(find(json!({}), "/*.txt"), Ok(None));
}
#[test]
fn a_status_fails_in_its_place() {
    let files = json!({"try_files": ["{http.request.uri.path}", "=404", "/a.txt"]});
    assert_eq!(find(files.clone(), "/b.txt"), found("/b.txt"));
    assert_eq!(find(files, "/none"), Err(404));
    assert_eq!(find(json!({"try_files": ["=99"]}), "/"), Ok(None));
}
#[test]
fn policies_choose_among_those_that_exist() {
    let with = |policy: &str, files: Value| find(json!({"try_policy": policy, "try_files": files}), "/");
    let all = json!(["/none", "/b.txt", "/a.txt"]);
    assert_eq!(with("first_exist", all.clone()), found("/b.txt"));
    assert_eq!(with("smallest_size", all.clone()), found("/a.txt"));
    assert_eq!(with("largest_size", all), found("/b.txt"));
    assert_eq!(with("largest_size", json!(["/empty"])), Ok(None));
    assert_eq!(with("smallest_size", json!(["/empty", "/b.txt"])), found("/b.txt"));
    assert_eq!(with("most_recently_modified", json!(["/none"])), Ok(None));
    let (_, kind, _) = with("first_exist_fallback", json!(["/none", "/sub"])).unwrap().unwrap();
    assert_eq!(kind, "file");
    assert_eq!(with("first_exist_fallback", json!(["/none"])), Ok(None));
}
#[test]
fn a_path_is_split_behind_a_name() {
    let split = json!({"split_path": [".php"]});
    let index = |rest: &str| Ok(Some(("/sub/index.php".to_owned(), "file".to_owned(), rest.to_owned())));
    assert_eq!(find(split.clone(), "/sub/index.php/rest/of"), index("/rest/of"));
    assert_eq!(find(split.clone(), "/sub/index.php"), index(""));
    assert_eq!(find(split, "/sub/index.phpx/rest"), Ok(None));
}
#[test]
fn an_unknown_policy_is_refused() {
    let error = build_error(json!({"file": {"try_policy": "best"}}));
    assert!(error.ends_with("provision file: unknown try policy best"), "{error}");
}
