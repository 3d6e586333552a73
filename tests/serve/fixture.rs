//! Reads and writes the files of `testdata/serve`.
use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

pub(crate) struct Fixture {
    path: PathBuf,
    /// What stands before the first case.
    head: String,
    pub(crate) cases: Vec<Case>,
}
pub(crate) struct Case {
    pub(crate) name: String,
    config: String,
    pub(crate) requests: Vec<Request>,
}
pub(crate) struct Request {
    pub(crate) text: String,
    /// Lines that begin with `<`.
    pub(crate) answer: String,
}
impl Fixture {
    pub(crate) fn all(folder: &Path) -> Vec<Self> {
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|e| e == "txt")).collect();
        files.sort();
        files.into_iter().map(Self::read).collect()
    }
    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).unwrap();
        let mut fixture = Self { path, head: String::new(), cases: vec![] };
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("=== ") {
                fixture.cases.push(Case { name: name.into(), config: String::new(), requests: vec![] });
                continue;
            }
            let Some(case) = fixture.cases.last_mut() else {
                writeln!(fixture.head, "{line}").unwrap();
                continue;
            };
            if let Some(request) = line.strip_prefix("--- ") {
                case.requests.push(Request { text: request.into(), answer: String::new() });
                continue;
            }
            match case.requests.last_mut() {
                Some(request) if line.starts_with('<') => writeln!(request.answer, "{line}").unwrap(),
                Some(_) => assert!(line.is_empty(), "{}: {line}", case.name),
                None => writeln!(case.config, "{line}").unwrap(),
            }
        }
        fixture
    }
    /// The module that not every Caddy has.
    pub(crate) fn needs(&self) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix("needs "))
    }
    pub(crate) fn write(&self) {
        let mut text = self.head.clone();
        for Case { name, config, requests } in &self.cases {
            write!(text, "=== {name}\n{config}").unwrap();
            for Request { text: request, answer } in requests {
                write!(text, "--- {request}\n{answer}").unwrap();
            }
            text.push('\n');
        }
        fs::write(&self.path, text.trim_end().to_owned() + "\n").unwrap();
    }
}
impl Case {
    pub(crate) fn differs_on_purpose(&self) -> bool {
        self.name.starts_with('(')
    }
    /// The configuration as a file: its text, and whether it is JSON.
    pub(crate) fn caddyfile(&self, fill: &impl Fn(&str) -> String) -> (String, bool) {
        let config = &self.config;
        if config.trim_start().starts_with("{\"") {
            let mut server: serde_json::Value = serde_json::from_str(&fill(config)).unwrap();
            server["listen"] = serde_json::json!([fill(":SITE")]);
            let whole = serde_json::json!({"admin": {"disabled": true}, "apps": {"http": {"servers": {"srv0": server}}}});
            return (whole.to_string(), true);
        }
        if config.contains("SITE") {
            return (fill(config), false);
        }
        // Named routes and snippets stand before the site.
        let (head, body) = config.split_once("###\n").unwrap_or(("", config));
        (fill(&format!("{{\n\tadmin off\n}}\n{head}\nhttp://:SITE {{\n{body}\n}}\n")), false)
    }
}
