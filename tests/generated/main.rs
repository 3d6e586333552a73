//! Caddyfiles that a grammar gives, with a fixed seed each, against what Caddy 2.11.7 (with its plugins) makes of them.
//!
//! `testdata/generated/answers.txt` keeps, for each seed, Caddy's error or a hash of its JSON, and a hash of what its `fmt`
//! makes of the text. With `CADDY=<binary> cargo test --test generated -- --ignored compare` Caddy itself is asked, for the
//! seeds in `SEEDS=<from>..<to>`, and differences are shown in full; `--ignored record` writes the answers anew.
mod file;
mod grammar;
mod random;

use grammar::Grammar;
use proxy::{caddyfile, config, net::Machine, table::SYNTAX};
use std::{
    collections::HashMap,
    env, fs, io,
    ops::Range,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};
use tempfile::TempDir;
use xxhash_rust::xxh64::xxh64;

/// Those whose answers are kept.
const SEEDS: Range<u64> = 0..600;
/// A brace that follows a line continuation ends the block in Caddy, or is a word of the line, as its directive reads on;
/// here it is a word, so that further places that an error names are other ones.
const PLACED_ELSEWHERE: [u64; 1] = [332];

fn testdata() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/generated")
}
fn the_grammar() -> Grammar {
    Grammar::parse(&fs::read_to_string(testdata().join("grammar.txt")).unwrap())
}
/// A folder with what the Caddyfiles import.
fn folder() -> TempDir {
    // No dot in its name: what is hidden would hide it.
    let folder = tempfile::Builder::new().prefix("generated").tempdir().unwrap();
    fs::create_dir_all(folder.path().join("files/d")).unwrap();
    for within in ["files", "files/d"] {
        for entry in fs::read_dir(testdata().join(within)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::copy(&path, folder.path().join(within).join(path.file_name().unwrap())).unwrap();
            }
        }
    }
    folder
}
/// The folder's path is written `FOLDER`.
fn without(folder: &Path, text: &str) -> String {
    let real = folder.canonicalize().unwrap();
    text.replace(&*real.to_string_lossy(), "FOLDER").replace(&*folder.to_string_lossy(), "FOLDER")
}

/// What is made of a Caddyfile.
#[derive(Debug)]
struct Answer {
    /// Its JSON, or its errors.
    adapted: Result<String, Vec<String>>,
    formatted: String,
}
/// Files beside the Caddyfile, and no environment.
struct World(PathBuf);
impl World {
    fn beside(&self, beside: &str) -> String {
        if beside.starts_with('/') {
            beside.to_owned()
        } else {
            self.0.join(beside).to_string_lossy().into_owned()
        }
    }
}
impl ::grammar::Source for World {
    fn read(&self, path: &str) -> io::Result<String> {
        Machine.read(&self.0.join(path).to_string_lossy())
    }
    fn glob(&self, beside: &str, pattern: &str) -> io::Result<Vec<String>> {
        Machine.glob(&self.beside(beside), pattern)
    }
    fn env(&self, _: &str) -> Option<String> {
        None
    }
    fn absolute(&self, beside: &str, pattern: &str) -> String {
        Machine.absolute(&self.beside(beside), pattern)
    }
}
fn proxy(text: &str, folder: &Path) -> Answer {
    let world = World(folder.canonicalize().unwrap());
    let adapted = match caddyfile::adapt("Caddyfile", text, &world, &SYNTAX) {
        Ok(adapted) => Ok(without(folder, &config::compact(&adapted.json))),
        Err(errors) => Err(errors.iter().map(|error| without(folder, &error.to_string())).collect()),
    };
    Answer { adapted, formatted: ::grammar::format(text) }
}
fn caddy(binary: &str, text: &str, folder: &Path) -> Answer {
    fs::write(folder.join("Caddyfile"), text).unwrap();
    let run = |args: &[&str]| {
        let mut command = Command::new(binary);
        command.args(args).current_dir(folder).env_clear().env("HOME", folder).output().unwrap()
    };
    let output = run(&["adapt", "--config", "Caddyfile", "--adapter", "caddyfile"]);
    let adapted = if output.status.success() {
        Ok(without(folder, String::from_utf8(output.stdout).unwrap().trim_end()))
    } else {
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        let last: serde_json::Value = serde_json::from_str(log.lines().last().unwrap()).unwrap_or_default();
        Err(vec![without(folder, last["msg"].as_str().unwrap_or(&log))])
    };
    // It says with its exit code that the text was not formatted.
    let formatted = String::from_utf8_lossy(&run(&["fmt", "Caddyfile"]).stdout).into_owned();
    Answer { adapted, formatted }
}
/// Ours may name a place where Caddy names none, and other mistakes before Caddy's.
fn same_error(caddys: &str, ours: &[String]) -> bool {
    let caddys = without_dump(caddys.trim_end());
    ours.iter().any(|error| {
        let error = without_dump(error.trim_end());
        let placed = error.strip_prefix(&caddys).is_some_and(|more| more.starts_with(", at "));
        placed || error == caddys
    })
}
/// Without what Caddy shows of its memory.
fn without_dump(error: &str) -> String {
    if let Some((before, _)) = error.split_once(" an HTTP route or subroute: ")
        && let Some((_, after)) = error.split_once(" (only handler")
    {
        return format!("{before} a route{after}");
    }
    let conflicts = [" conflicting client auth configuration: ", " the two are in conflict: "];
    conflicts.iter().fold(error, |error, end| error.split(end).next().unwrap_or_default()).to_owned()
}
/// What differs, if anything does.
fn difference(caddys: &Answer, ours: &Answer) -> Option<String> {
    let mut differs = vec![];
    let same = match (&caddys.adapted, &ours.adapted) {
        (Ok(caddys), Ok(ours)) => caddys == ours,
        (Err(caddys), Err(ours)) => same_error(&caddys[0], ours),
        _ => false,
    };
    if !same {
        differs.push(format!("caddy: {:?}\nproxy: {:?}", caddys.adapted, ours.adapted));
    }
    if caddys.formatted != ours.formatted {
        differs.push(format!("caddy fmt:\n{}\nproxy fmt:\n{}", caddys.formatted, ours.formatted));
    }
    (!differs.is_empty()).then(|| differs.join("\n"))
}
fn hash(text: &str) -> String {
    format!("{:016x}", xxh64(text.as_bytes(), 0))
}

#[test]
fn generated_caddyfiles_get_caddys_json_or_caddys_error() {
    let (grammar, folder) = (the_grammar(), folder());
    let answers = fs::read_to_string(testdata().join("answers.txt")).unwrap();
    let answers: HashMap<u64, (&str, &str)> = answers
        .lines()
        .map(|line| {
            let mut parts = line.splitn(3, '\t');
            let mut part = || parts.next().unwrap();
            (part().parse().unwrap(), (part(), part()))
        })
        .collect();
    let mut wrong = vec![];
    for seed in SEEDS.filter(|seed| !PLACED_ELSEWHERE.contains(seed)) {
        let text = file::generate(&grammar, seed);
        let (formatted, adapted) = answers[&seed];
        let ours = proxy(&text, folder.path());
        let same = match (&ours.adapted, adapted.strip_prefix("error: ")) {
            (Ok(json), None) => hash(json) == adapted,
            (Err(errors), Some(caddys)) => same_error(&caddys.replace("\\n", "\n"), errors),
            _ => false,
        };
        if !same || hash(&ours.formatted) != formatted {
            wrong.push(format!("seed {seed}\n{text}caddy: {adapted}\nproxy: {:?}\n", ours.adapted));
        }
    }
    let all = SEEDS.end - SEEDS.start;
    assert!(wrong.is_empty(), "{} of {all} differ:\n{}", wrong.len(), wrong.join("\n"));
}
/// Caddy knows nothing of these: they are what config.toml needs beyond its model.
const OURS: [&str; 3] = ["log_error", "token_bucket", "host_folders"];
#[test]
fn every_name_of_the_table_is_drawn() {
    let grammar = fs::read_to_string(testdata().join("grammar.txt")).unwrap();
    let words: std::collections::HashSet<&str> =
        grammar.split_whitespace().map(|word| word.trim_start_matches('!')).collect();
    let directives = SYNTAX.directives.iter().map(|row| row.name);
    let matchers = SYNTAX.matchers.iter().map(|row| row.name);
    let options = SYNTAX.options.iter().map(|row| row.name);
    let modules = SYNTAX.modules.iter().map(|row| row.name);
    let missing: Vec<&str> = directives
        .chain(matchers)
        .chain(options)
        .chain(modules)
        .filter(|name| !words.contains(name) && !OURS.contains(name))
        .collect();
    assert!(missing.is_empty(), "the grammar does not have {missing:?}");
}
/// Asks Caddy and us about each of the seeds, on two threads.
fn ask(seeds: Range<u64>, told: impl Fn(u64, &str, &Answer, &Answer) + Sync) {
    let binary = env::var("CADDY").expect("CADDY names the binary");
    let grammar = the_grammar();
    let next = AtomicU64::new(seeds.start);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let folder = folder();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    let text = file::generate(&grammar, seed);
                    told(seed, &text, &caddy(&binary, &text, folder.path()), &proxy(&text, folder.path()));
                }
            });
        }
    });
}
#[test]
#[ignore = "needs Caddy with the plugins, its path in the variable CADDY"]
fn compare() {
    let seeds = env::var("SEEDS").ok().and_then(|seeds| {
        let (from, to) = seeds.split_once("..")?;
        Some(from.parse().ok()?..to.parse().ok()?)
    });
    let (wrong, refused) = (Mutex::new(0), AtomicU64::new(0));
    let seeds = seeds.unwrap_or(SEEDS);
    ask(seeds.clone(), |seed, text, caddys, ours| {
        refused.fetch_add(u64::from(caddys.adapted.is_err()), Ordering::Relaxed);
        if let Some(difference) = difference(caddys, ours) {
            println!("==== seed {seed}\n{text}----\n{difference}");
            *wrong.lock().unwrap() += 1;
        }
    });
    let (wrong, all) = (*wrong.lock().unwrap(), seeds.end - seeds.start);
    println!("{all} files, {} of them refused by Caddy, {wrong} differ", refused.into_inner());
    assert_eq!(wrong, 0);
}
#[test]
#[ignore = "needs Caddy with the plugins, its path in the variable CADDY"]
fn record() {
    let lines = Mutex::new(vec![]);
    ask(SEEDS, |seed, _, caddys, _| {
        let adapted = match &caddys.adapted {
            Ok(json) => hash(json),
            Err(errors) => format!("error: {}", errors[0].replace('\n', "\\n")),
        };
        lines.lock().unwrap().push((seed, format!("{seed}\t{}\t{adapted}\n", hash(&caddys.formatted))));
    });
    let mut lines = lines.into_inner().unwrap();
    lines.sort();
    let lines: String = lines.into_iter().map(|(_, line)| line).collect();
    fs::write(testdata().join("answers.txt"), lines).unwrap();
}
