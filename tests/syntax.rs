//! `testdata/syntax/*.txt`: Caddyfiles, each with what Caddy 2.11.7 (with the DNS plugins and the transform encoder)
//! makes of it: its JSON, byte for byte, or its error.
//!
//! A file holds cases between lines of `==`: a Caddyfile, a line of `--`, and one line with JSON or `error: …`. With
//! `CADDY=<binary> cargo test --test syntax -- --ignored` Caddy itself is asked again.
use grammar::Memory;
use proxy::{caddyfile, config, table};
use std::{env, fs, path::PathBuf, process::Command};

struct Case {
    file: String,
    caddyfile: String,
    expected: String,
}
fn cases() -> Vec<Case> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/syntax");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut cases = vec![];
    for path in files {
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        for case in fs::read_to_string(&path).unwrap().split("==\n") {
            let (caddyfile, expected) = case.split_once("--\n").unwrap();
            let (caddyfile, expected) = (caddyfile.to_owned(), expected.trim_end().to_owned());
            cases.push(Case { file: file.clone(), caddyfile, expected });
        }
    }
    cases
}
fn adapt(text: &str) -> String {
    match caddyfile::adapt("Caddyfile", text, &Memory::default(), &table::SYNTAX) {
        Ok(adapted) => config::compact(&adapted.json),
        Err(errors) => format!("error: {}", errors[0]).trim_end().to_owned(),
    }
}
/// Ours may name a place where Caddy names none.
fn agree(expected: &str, got: &str) -> bool {
    let more = got.strip_prefix(expected).is_some_and(|more| more.starts_with(", at Caddyfile:"));
    got == expected || (expected.starts_with("error: ") && more)
}

#[test]
fn every_syntax_gives_caddy_s_json_or_caddy_s_error() {
    let cases = cases();
    let (all, mut wrong) = (cases.len(), vec![]);
    for Case { file, caddyfile, expected } in cases {
        let got = adapt(&caddyfile);
        if !agree(&expected, &got) {
            wrong.push(format!("{file}\n{caddyfile}  caddy: {expected}\n  proxy: {got}\n"));
        }
    }
    assert!(wrong.is_empty(), "{} of {all} differ:\n{}", wrong.len(), wrong.join("\n"));
}
#[test]
#[ignore = "needs Caddy with the plugins, its path in the variable CADDY"]
fn caddy_still_says_the_same() {
    let caddy = env::var("CADDY").expect("CADDY names the binary");
    let folder = tempfile::tempdir().unwrap();
    for Case { file, caddyfile, expected } in cases() {
        fs::write(folder.path().join("Caddyfile"), &caddyfile).unwrap();
        let output = Command::new(&caddy)
            .args(["adapt", "--config", "Caddyfile", "--adapter", "caddyfile"])
            .current_dir(folder.path())
            .env_clear()
            .env("HOME", folder.path())
            .output()
            .unwrap();
        let said = if output.status.success() {
            String::from_utf8(output.stdout).unwrap()
        } else {
            let log = String::from_utf8(output.stderr).unwrap();
            let last: serde_json::Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
            format!("error: {}", last["msg"].as_str().unwrap())
        };
        assert_eq!(said.trim_end(), expected, "{file}\n{caddyfile}");
    }
}
#[test]
fn a_name_of_a_plugin_that_is_not_built_in_says_what_to_use() {
    for (text, instead) in [
        ("a.example {\n\tphp_server\n}\n", "`php_fastcgi`"),
        ("a.example {\n\troute {\n\t\tcoraza_waf\n\t}\n}\n", "coraza-caddy"),
        (
            "a.example {\n\t@a maxmind_geolocation {\n\t\tallow_countries DE\n\t}\n\trespond @a x\n}\n",
            "`client_ip`",
        ),
        ("{\n\tlayer4 {\n\t}\n}\na.example\n", "mholt/caddy-l4"),
        ("{\n\torder cache before rewrite\n}\na.example\n", "cache-handler"),
        ("{\n\tstorage redis {\n\t\thost localhost\n\t}\n}\na.example\n", "file_system"),
        ("{\n\tacme_dns linode t\n}\na.example\n", "`acmedns`"),
    ] {
        let errors = caddyfile::adapt("Caddyfile", text, &Memory::default(), &table::SYNTAX).unwrap_err();
        let hint = errors[0].hint.as_deref().unwrap_or_default();
        assert!(hint.contains(instead), "{text}{errors:?}");
    }
}
