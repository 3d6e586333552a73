//! Every Caddyfile of a folder: `CADDYFILE_CORPUS=DIR cargo test -p grammar --test corpus`. What Caddy adapts must parse.
use grammar::Memory;
use std::{fs, path::Path};

#[test]
fn what_caddy_accepts_parses() {
    let Some(corpus) = std::env::var_os("CADDYFILE_CORPUS") else { return };
    let real = Path::new(&corpus).join("real");
    let mut count = 0;
    let mut wrong = vec![];
    for entry in fs::read_dir(&real).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|kind| kind != "caddyfile") || !path.with_extension("json").exists() {
            continue;
        }
        count += 1;
        let text = fs::read_to_string(&path).unwrap();
        if let Err(error) = grammar::parse("Caddyfile", &text, &Memory::default()) {
            wrong.push(format!("{}: {error}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    println!("{count} files parse");
}
