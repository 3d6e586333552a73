//! The arrows of the house: a folder may use what stands to its left, never what stands to its right.
use std::{fs, path::Path};
/// Low to high. What shares a floor may not use each other: `caddyfile` and `http` above all.
const FLOORS: &[&[&str]] = &[
    &["environment"],
    &["net", "state", "storage"],
    &["config"],
    &["caddyfile", "http", "tls", "logging", "metrics", "toml"],
    &[
        "dns",
        "encoders",
        "handlers",
        "ip_sources",
        "issuers",
        "listeners",
        "matchers",
        "network_proxy",
        "options",
        "server",
        "sites",
        "stores",
        "trust",
        "writers",
    ],
    &["table"],
    &["admin"],
    &["cli"],
    &["main"],
];
const LONGEST: usize = 600;
fn floor(name: &str) -> usize {
    FLOORS
        .iter()
        .position(|f| f.contains(&name))
        .unwrap_or_else(|| panic!("src/{name} stands on no floor: give it one in tests/architecture.rs"))
}
fn visit(dir: &Path, see: &mut impl FnMut(&Path, &str)) {
    for e in fs::read_dir(dir).unwrap() {
        let p = e.unwrap().path();
        if p.is_dir() {
            visit(&p, see)
        } else if p.extension().is_some_and(|e| e == "rs") {
            see(&p, &fs::read_to_string(&p).unwrap())
        }
    }
}
#[test]
fn arrows_run_one_way() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = vec![];
    visit(&src, &mut |path, text| {
        let rel = path.strip_prefix(&src).unwrap();
        let from = rel.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        if from == "lib" {
            return;
        }
        for to in uses(text) {
            if FLOORS.iter().any(|f| f.contains(&to)) && from != to && floor(to) >= floor(from) {
                wrong.push(format!("{} uses {to}", rel.display()))
            }
        }
    });
    assert!(wrong.is_empty(), "arrows that run up:\n{}", wrong.join("\n"));
}
#[test]
fn no_file_is_too_long() {
    let mut long = vec![];
    visit(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut |p, t| {
        if t.lines().count() > LONGEST {
            long.push(p.display().to_string())
        }
    });
    assert!(long.is_empty(), "{long:?}");
}
/// First path segment after `crate::`, also inside `use crate::{a::…, b}`.
fn uses(text: &str) -> Vec<&str> {
    let mut out = vec![];
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + 7..];
        if let Some(group) = rest.strip_prefix('{') {
            let (mut depth, mut start) = (0, 0);
            for (i, c) in group.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => {
                        out.push(head(&group[start..i]));
                        break;
                    }
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        out.push(head(&group[start..i]));
                        start = i + 1
                    }
                    _ => {}
                }
            }
        } else {
            out.push(head(rest))
        }
    }
    out
}
fn head(path: &str) -> &str {
    let path = path.trim();
    &path[..path.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(path.len())]
}
