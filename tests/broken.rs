//! `testdata/broken/*.txt`: Caddyfiles that are wrong, each with what Caddy 2.11.7 (with its rate limiter) says of it.
//!
//! A file holds cases between lines of `==========`: a Caddyfile, a line of `----------`, the error. `proxy validate` must
//! refuse each with exit code 1, that text, and file and line, also where Caddy names none. What is only found when the
//! configuration is built (`load.txt`) is named by its place in the JSON, and of Caddy's text only the cause is kept. With
//! `CADDY=<binary> cargo test --test broken -- --ignored` Caddy itself is asked again.
use serde_json::Value;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

struct Case {
    file: String,
    caddyfile: String,
    expected: String,
}
fn cases() -> Vec<Case> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/broken");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut cases = vec![];
    for path in files {
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        for case in fs::read_to_string(&path).unwrap().split("==========\n") {
            let (caddyfile, expected) = case.split_once("----------\n").unwrap();
            let (caddyfile, expected) = (caddyfile.to_owned(), expected.trim_end().to_owned());
            cases.push(Case { file: file.clone(), caddyfile, expected });
        }
    }
    cases
}
/// A folder with a Caddyfile and what the cases import.
fn folder(caddyfile: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("Caddyfile", caddyfile);
    write("broken.conf", "handle {} \n");
    write("unclosed.conf", "respond <<END\nhello\n");
    write("itself.conf", "import itself.conf\n");
    fs::create_dir(folder.path().join("folder")).unwrap();
    folder
}
/// The exit code of a program, and the messages of the errors it logs. The folder's path is written `FOLDER`.
fn ask(program: &str, caddyfile: &str) -> (Option<i32>, String) {
    let folder = folder(caddyfile);
    let output = Command::new(program)
        .args(["validate", "--config", "Caddyfile", "--adapter", "caddyfile"])
        .current_dir(folder.path())
        .env_clear()
        .env("HOME", folder.path())
        .output()
        .unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    let errors = log.lines().filter_map(|line| serde_json::from_str(line).ok());
    let errors = errors.filter(|line: &Value| line["level"] == "error");
    let messages: Vec<String> = errors.filter_map(|line| line["msg"].as_str().map(str::to_owned)).collect();
    let messages = if messages.is_empty() { log.clone() } else { messages.join("\n") };
    (output.status.code(), without(folder.path(), &messages))
}
fn without(folder: &Path, text: &str) -> String {
    let real = folder.canonicalize().unwrap();
    text.replace(&*real.to_string_lossy(), "FOLDER").replace(&*folder.to_string_lossy(), "FOLDER")
}
/// Whether a file and a line in it are named.
fn names_a_line(text: &str) -> bool {
    let digit_behind =
        |name| text.split(name).skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    digit_behind("Caddyfile:") || digit_behind(".conf:")
}

#[test]
fn every_broken_file_is_refused_with_its_place() {
    let cases = cases();
    let (all, mut wrong) = (cases.len(), vec![]);
    for Case { file, caddyfile, expected } in cases {
        let (code, said) = ask(env!("CARGO_BIN_EXE_proxy"), &caddyfile);
        let placed = file == "load" || names_a_line(&said);
        if code != Some(1) || !placed || !said.contains(&expected) {
            wrong.push(format!("{file}\n{caddyfile}  caddy: {expected}\n  proxy: {code:?} {said}\n"));
        }
    }
    assert!(wrong.is_empty(), "{} of {all} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(all >= 100, "{all} cases");
}
#[test]
#[ignore = "needs Caddy with its rate limiter, its path in the variable CADDY"]
fn caddy_still_says_the_same() {
    let caddy = env::var("CADDY").expect("CADDY names the binary");
    for Case { file, caddyfile, expected } in cases() {
        let (code, said) = ask(&caddy, &caddyfile);
        assert!(
            code == Some(1) && said.contains(&expected),
            "{file}\n{caddyfile}{expected}\n{code:?} {said}"
        );
    }
}
