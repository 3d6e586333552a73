//! Adapts Caddyfiles that are not ours and compares with what real Caddy made of them.
//!
//! `CADDYFILE_CORPUS=DIR cargo test --test corpus -- --nocapture`. Without the variable nothing is compared.
use grammar::{Line, Source};
use proxy::{
    caddyfile::{Adapted, Cx, ModuleSyntax, Parsed, Support, Syntax, adapt},
    net::Machine,
    table::SYNTAX,
};
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
};

/// How many must hold, so that a step back is seen.
const CADDYTEST_FLOOR: usize = 179;
const REAL_FLOOR: usize = 287;
/// Plugins that are built in here: a file that needs only these is not to be refused for want of one.
const BUILT_IN: &[&str] = &[
    "caddy-ratelimit",
    "brotli encoder",
    "cloudflare",
    "ovh",
    "route53",
    "digitalocean",
    "duckdns",
    "hetzner",
    "gandi",
    "namecheap",
    "porkbun",
    "desec",
    "ionos",
    "googleclouddns",
    "azure",
    "rfc2136",
    "acmedns",
];

#[test]
fn caddyfiles_give_caddys_json() {
    let Some(corpus) = env::var_os("CADDYFILE_CORPUS").map(PathBuf::from) else {
        println!("CADDYFILE_CORPUS is not set: nothing is compared");
        return;
    };
    let corpus = corpus.canonicalize().expect("CADDYFILE_CORPUS names a folder");
    let syntax = with_mocks();
    let caddytest = report("Caddy's adapt tests", caddytest(&corpus.join("caddytest/integration"), &syntax));
    let real = report("real Caddyfiles", real(&corpus.join("real")));
    assert!(
        caddytest >= CADDYTEST_FLOOR,
        "Caddy's adapt tests: {caddytest} hold, there were {CADDYTEST_FLOOR}"
    );
    assert!(real >= REAL_FLOOR, "real Caddyfiles: {real} hold, there were {REAL_FLOOR}");
}
/// A file's name, and what is wrong with what we made of it.
type Outcome = (String, Option<String>);

fn report(what: &str, outcomes: Vec<Outcome>) -> usize {
    let (held, wrong): (Vec<Outcome>, Vec<Outcome>) =
        outcomes.into_iter().partition(|(_, why)| why.is_none());
    for (name, why) in &wrong {
        println!("{name}: {}", why.as_deref().unwrap_or_default());
    }
    println!("{what}: {} of {} hold", held.len(), held.len() + wrong.len());
    held.len()
}
/// As Caddy's own runner: in its folder, the text trimmed, the JSON equal or the error's text contained.
fn caddytest(folder: &Path, syntax: &Syntax) -> Vec<Outcome> {
    env::set_current_dir(folder).expect("the corpus has its folder");
    let one = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a test is readable");
        let (input, wanted) = text.split_once("----------").expect("a test has ten dashes");
        let (input, wanted) = (format!("{}\n", input.trim()), wanted.trim());
        let adapted = adapt("Caddyfile", &input, &World::default(), syntax);
        let why = match (serde_json::from_str::<Value>(wanted), adapted) {
            (Ok(wanted), Ok(adapted)) => difference("", &wanted, &adapted.json),
            (Ok(_), Err(errors)) => Some(format!("refused: {}", errors[0])),
            (Err(_), Ok(_)) => Some(format!("accepted, but wanted: {wanted}")),
            (Err(_), Err(errors)) => {
                let contained = errors.iter().any(|error| error.to_string().contains(wanted));
                (!contained).then(|| format!("error: {}\n    wanted: {wanted}", errors[0]))
            }
        };
        (name(&path), why)
    };
    files(&folder.join("caddyfile_adapt"), "").into_iter().map(one).collect()
}
/// Each adapted as `./Caddyfile`, alone in a folder, with an environment of its own.
fn real(folder: &Path) -> Vec<Outcome> {
    let status = fs::read_to_string(folder.join("status.tsv")).unwrap_or_default();
    // What a refused file is, and the plugins that it needs.
    let classes: BTreeMap<&str, (&str, Vec<&str>)> = status
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .filter(|fields| fields.len() > 4)
        .map(|fields| {
            let plugins = fields[4].split(';').map(str::trim).filter(|plugin| !plugin.is_empty());
            (fields[0], (fields[3], plugins.collect()))
        })
        .collect();
    let mut all = files(folder, "caddyfile");
    all.extend(files(&folder.join("withenv"), "caddyfile"));
    // No dot in its name: what is hidden would hide it.
    let alone = tempfile::Builder::new().prefix("corpus").tempdir().expect("a temporary folder");
    env::set_current_dir(alone.path()).expect("the temporary folder is there");
    all.into_iter().map(|path| (name(&path), real_one(&path, &classes))).collect()
}
fn real_one(path: &Path, classes: &BTreeMap<&str, (&str, Vec<&str>)>) -> Option<String> {
    let text = String::from_utf8_lossy(&fs::read(path).expect("a file is readable")).into_owned();
    let env = fs::read_to_string(path.with_extension("env")).unwrap_or_default();
    let variables = env.lines().filter_map(|line| line.split_once('='));
    let world = World(variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
    let adapted = adapt("Caddyfile", &text, &world, &SYNTAX);
    let beside = |end: &str| Some(path.with_extension(end)).filter(|path| path.exists());
    if let Some(wanted) = beside("plus.json").or_else(|| beside("json")) {
        let wanted: Value =
            serde_json::from_str(&fs::read_to_string(wanted).expect("readable")).expect("JSON");
        return match adapted {
            Ok(adapted) => difference("", &wanted, &adapted.json),
            Err(errors) => Some(format!("refused: {}", errors[0])),
        };
    }
    let number = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if let Some((class, plugins)) = classes.get(number) {
        let own = plugins.iter().all(|plugin| BUILT_IN.iter().any(|known| plugin.contains(known)));
        if *class == "plugin" && !plugins.is_empty() && own && beside("plus.error").is_none() {
            return adapted.err().map(|errors| format!("plugin refused: {}", errors[0]));
        }
        if class.contains("plugin") && !own {
            // A plugin of its own: refused by line, or one that we took in too.
            let errors = adapted.err()?;
            return (!names_a_line(&errors)).then(|| format!("no line: {}", errors[0]));
        }
    }
    let wanted = beside("plus.error").or_else(|| beside("error")).expect("every file has an answer");
    let wanted: Value = serde_json::from_str(&fs::read_to_string(wanted).expect("readable")).expect("JSON");
    let wanted = wanted["msg"].as_str().unwrap_or_default().to_owned();
    refusal(&wanted, adapted)
}
/// We refuse too, and at the same line.
fn refusal(wanted: &str, adapted: Result<Adapted, Vec<grammar::Error>>) -> Option<String> {
    let Err(errors) = adapted else { return Some(format!("accepted, but wanted: {wanted}")) };
    let digits =
        wanted.split_once("Caddyfile:").map(|(_, rest)| rest.split(|c: char| !c.is_ascii_digit()).next());
    let Some(Some(line)) = digits else { return None };
    let place = format!("Caddyfile:{line}");
    let said = |text: &str| {
        let ends = |at: usize| !text[at + place.len()..].starts_with(|c: char| c.is_ascii_digit());
        text.match_indices(&place).any(|(at, _)| ends(at))
    };
    let held = errors.iter().any(|error| said(&error.to_string()));
    (!held).then(|| format!("other line: {}\n    wanted: {wanted}", errors[0]))
}
fn names_a_line(errors: &[grammar::Error]) -> bool {
    errors.iter().any(|error| error.to_string().contains("Caddyfile:"))
}
/// Where two values differ first.
fn difference(path: &str, wanted: &Value, got: &Value) -> Option<String> {
    match (wanted, got) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            keys.into_iter().find_map(|key| {
                let none = Value::Null;
                let (a, b) = (a.get(key).unwrap_or(&none), b.get(key).unwrap_or(&none));
                difference(&format!("{path}.{key}"), a, b)
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let mut pairs = a.iter().zip(b).enumerate();
            pairs.find_map(|(at, (a, b))| difference(&format!("{path}[{at}]"), a, b))
        }
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() => None,
        (a, b) if a == b => None,
        (a, b) => Some(format!("differs at {path}\n    wanted: {}\n    got:    {}", short(a), short(b))),
    }
}
fn short(value: &Value) -> String {
    value.to_string().chars().take(400).collect()
}
fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
/// The files of a folder that end so (or in whatever way), by name.
fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let fits =
        |path: &PathBuf| path.is_file() && (end.is_empty() || path.extension().is_some_and(|e| e == end));
    let mut files: Vec<PathBuf> = entries.filter(fits).collect();
    files.sort();
    files
}

/// This machine's files, and none of its environment.
#[derive(Default)]
struct World(BTreeMap<String, String>);
impl Source for World {
    fn read(&self, path: &str) -> io::Result<String> {
        Machine.read(path)
    }
    fn glob(&self, beside: &str, pattern: &str) -> io::Result<Vec<String>> {
        Machine.glob(beside, pattern)
    }
    fn env(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }
    fn absolute(&self, beside: &str, pattern: &str) -> String {
        Machine.absolute(beside, pattern)
    }
}
/// The table, and the modules that Caddy's own tests bring with them.
fn with_mocks() -> Syntax {
    let known = SYNTAX.modules.iter().map(|row| ModuleSyntax {
        namespace: row.namespace,
        name: row.name,
        docs: row.docs,
        parse: row.parse,
        support: row.support,
    });
    let mock = |namespace, name, parse| ModuleSyntax {
        namespace,
        name,
        docs: "Of Caddy's tests.",
        parse,
        support: Support::Full,
    };
    let mocks =
        [mock("dns.providers", "mock", mock_provider), mock("tls.client_auth.verifier", "dummy", dummy)];
    let modules: Vec<ModuleSyntax> = known.chain(mocks).collect();
    Syntax { modules: modules.leak(), ..SYNTAX }
}
fn mock_provider(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let argument = line.args().first().map(|word| ("argument".to_owned(), word.text.as_str().into()));
    Ok(argument.into_iter().collect())
}
fn dummy(_: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    Ok(Map::new())
}
