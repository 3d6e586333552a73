//! The functions that Caddy adds: files, placeholders, Markdown, errors.
use super::{
    context::Context,
    exec::{Functions, execute},
    front_matter, markdown,
    parse::{Named, parse},
    sprig, time,
    value::{Failure, Need, Outcome, Value},
};
use crate::{
    handlers::file_server::{file_mode, human_size},
    http::{Body, Exchange, fs::path_within, uri::encode_path},
};
use std::{fs, io, rc::Rc, time::SystemTime};

/// One response while its templates are executed.
pub(super) struct Page<'x> {
    pub(super) x: &'x Exchange,
    pub(super) context: Rc<Context>,
    pub(super) root: &'x str,
    pub(super) delimiters: (&'x str, &'x str),
    /// How deep files include each other.
    pub(super) depth: usize,
    /// What `httpInclude` has got so far, call by call.
    pub(super) included: &'x [Included],
    /// How often it has been called.
    pub(super) calls: usize,
    /// Of the template that is being executed.
    pub(super) args: Value,
}
/// What came back for a URI.
#[derive(Debug)]
pub(super) struct Included {
    pub(super) uri: String,
    /// Or what is to be said of its failure.
    pub(super) text: Result<String, String>,
}
/// Deeper than any page that is meant well.
const DEEPEST: usize = 20;
/// Calls of `httpInclude`: for each one the template begins anew.
const MOST_INCLUDED: usize = 100;

impl Page<'_> {
    /// # Errors
    /// What is no template, or fails.
    pub(super) fn run(&mut self, text: &str) -> Result<String, Failure> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("files include each other without end".into());
        }
        let mut named = Named::new();
        let nodes = parse(text, self.delimiters, &mut named)?;
        let dot = self.context.dot(self.args.clone());
        let written = execute(&nodes, &dot, self, &mut named);
        self.depth -= 1;
        written
    }
    fn path(&self, name: &str) -> String {
        path_within(self.root, name)
    }
    fn read(&self, name: &str) -> Result<String, Failure> {
        let text = fs::read(self.path(name)).map_err(|error| of_file(name, &error))?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
    fn include(&mut self, name: &str, args: &[Value]) -> Outcome {
        let text = self.read(name)?;
        let outer = std::mem::replace(&mut self.args, Value::list(args.iter().cloned()));
        let written = self.run(&text)?;
        self.args = outer;
        Ok(written.into())
    }
    /// What has not been asked for yet is asked for, and the template begins anew.
    fn http_include(&mut self, uri: &str) -> Outcome {
        let included = self.included;
        let known = included.get(self.calls).filter(|known| known.uri == uri);
        self.calls += 1;
        match known.map(|known| &known.text) {
            None if self.calls > MOST_INCLUDED => Err("too many calls for one page".into()),
            None => Err(Failure::Needs(Need::Included(uri.into()))),
            Some(Ok(text)) => self.run(text).map(Value::from),
            Some(Err(why)) => Err(why.as_str().into()),
        }
    }
    fn import(&self, name: &str, named: &mut Named) -> Outcome {
        let text = self.read(name)?;
        parse(&text, self.delimiters, named)?;
        Ok("".into())
    }
    fn placeholder(&self, name: &str) -> Outcome {
        // Files are read with functions that know the root.
        if name.starts_with("file.") {
            return Ok("".into());
        }
        let is_body = ["http.request.body", "http.request.body_base64"].contains(&name);
        if is_body && !matches!(self.x.body, Body::Empty | Body::Bytes(_)) {
            return Err(Failure::Needs(Need::Body));
        }
        Ok(self.x.text(name).into_owned().into())
    }
    fn list(&self, name: &str) -> Outcome {
        let entries = fs::read_dir(self.path(name)).map_err(|error| of_file(name, &error))?;
        let names = entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()));
        let mut names: Vec<String> = names.collect();
        names.sort();
        Ok(Value::list(names.into_iter().map(Value::from)))
    }
    fn stat(&self, name: &str) -> Outcome {
        let info = fs::metadata(self.path(name)).map_err(|error| of_file(name, &error))?;
        let modified = info.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let base = name.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let modified = chrono::DateTime::<chrono::Local>::from(modified).fixed_offset();
        Ok(Value::map([
            ("Name".to_owned(), base.into()),
            ("Size".to_owned(), Value::Int(i64::try_from(info.len()).unwrap_or(i64::MAX))),
            ("IsDir".to_owned(), info.is_dir().into()),
            ("ModTime".to_owned(), Value::Time(modified)),
            ("Mode".to_owned(), file_mode(&info)),
        ]))
    }
}
fn of_file(name: &str, error: &io::Error) -> Failure {
    let why = if error.kind() == io::ErrorKind::NotFound {
        "no such file or directory".into()
    } else {
        error.to_string()
    };
    format!("open {name}: {why}").into()
}
impl Functions for Page<'_> {
    fn call(&mut self, name: &str, args: &[Value], named: &mut Named) -> Option<Outcome> {
        Some(match (name, args) {
            ("include", [Value::Str(file), args @ ..]) => self.include(file, args),
            ("import", [Value::Str(file)]) => self.import(file, named),
            ("readFile", [Value::Str(file)]) => self.read(file).map(Value::from),
            ("listFiles", [Value::Str(file)]) => self.list(file),
            ("fileExists", [Value::Str(file)]) => Ok(fs::metadata(self.path(file)).is_ok().into()),
            ("fileStat", [Value::Str(file)]) => self.stat(file),
            ("httpInclude", [Value::Str(uri)]) => self.http_include(uri),
            ("markdown", [text]) => Ok(markdown::html(&text.shown()).into()),
            ("splitFrontMatter", [text]) => front_matter::split(&text.shown()),
            ("env", [Value::Str(name)]) => Ok(std::env::var(&**name).unwrap_or_default().into()),
            ("placeholder" | "ph", [Value::Str(name)]) => self.placeholder(name),
            ("stripHTML", [text]) => Ok(strip_html(&text.shown()).into()),
            ("pathEscape", [text]) => Ok(encode_path(&text.shown()).replace('/', "%2F").into()),
            ("httpError", [Value::Int(status)]) => {
                Err(Failure::Status(u16::try_from(*status).unwrap_or(500)))
            }
            ("humanize", [Value::Str(what), Value::Str(value)]) => humanize(what, value),
            // There are no extensions that could have a function.
            ("maybe", [_, ..]) => Ok("".into()),
            (
                "include" | "import" | "readFile" | "listFiles" | "fileExists" | "fileStat" | "httpInclude"
                | "markdown" | "splitFrontMatter" | "placeholder" | "ph" | "stripHTML" | "pathEscape"
                | "httpError" | "humanize" | "maybe",
                _,
            ) => Err("wrong number or type of arguments".into()),
            _ => return sprig::call(name, args),
        })
    }
}
fn humanize(what: &str, value: &str) -> Outcome {
    let (what, layout) = what.split_once(':').unwrap_or((what, ""));
    match (what, value) {
        ("size", value) => {
            let bytes = value.parse::<u64>().map_err(|_| "humanize: size cannot be parsed")?;
            Ok(human_size(bytes, 1000.0, ["B", "kB", "MB", "GB", "TB", "PB", "EB"]).into())
        }
        ("time", value) => {
            let layout = if layout.is_empty() { time::RFC1123Z } else { layout };
            let time = time::parse(layout, value).ok_or("humanize: time cannot be parsed")?;
            Ok(time::relative(&time).into())
        }
        _ => Err(format!("no know function was given: {what}").into()),
    }
}
/// Without tags, also those that never end. A `>` within quotes ends none.
fn strip_html(text: &str) -> String {
    let (mut out, mut depth, mut quote) = (String::new(), 0_usize, None);
    for c in text.chars() {
        match (depth, quote, c) {
            (1.., None, '"' | '\'') => quote = Some(c),
            (1.., Some(open), c) if c == open => quote = None,
            (_, None, '<') => depth += 1,
            (1.., None, '>') => depth -= 1,
            (0, _, c) => out.push(c),
            _ => {}
        }
    }
    out
}
