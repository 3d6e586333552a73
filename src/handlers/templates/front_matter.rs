//! What may stand before a document: YAML, TOML or JSON.
use super::value::{Failure, Object, Outcome, Value};
use crate::config::Layout;
use chrono::Utc;
use std::rc::Rc;

#[derive(Debug)]
struct Document {
    meta: Value,
    body: Rc<str>,
}
impl Object for Document {
    fn get(&self, name: &str, args: &[Value]) -> Option<Outcome> {
        Some(Ok(match (name, args) {
            ("Meta", []) => self.meta.clone(),
            ("Body", []) => Value::Str(self.body.clone()),
            _ => return None,
        }))
    }
    fn text(&self) -> String {
        format!("{{{} {}}}", self.meta.shown(), self.body)
    }
}
/// `.Meta` and `.Body`.
///
/// # Errors
/// It does not end, or cannot be read.
pub(super) fn split(text: &str) -> Outcome {
    let parts = |meta: Value, body: &str| Ok(Value::Object(Rc::new(Document { meta, body: body.into() })));
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let fence = first.trim_end();
    let (ends, read): (&[&str], fn(&str) -> Outcome) = match fence {
        "---" => (&["---", "..."], yaml),
        "+++" => (&["+++"], toml),
        "{" => (&["}"], |text| json(&format!("{{{text}}}"))),
        _ => return parts(Value::map([]), text),
    };
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        if ends.contains(&line.trim_end()) {
            // The end of this line is the body's.
            return parts(read(&rest[..at])?, &rest[at + line.trim_end().len()..]);
        }
        at += line.len();
    }
    Err("unterminated front matter".into())
}
fn json(text: &str) -> Outcome {
    let value: serde_json::Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    Ok(value.into())
}
fn toml(text: &str) -> Outcome {
    let value: serde_json::Value = ::toml::from_str(text).map_err(|error| error.to_string())?;
    Ok(whole_numbers(value))
}
/// TOML and YAML know whole numbers, other than JSON in Go.
fn whole_numbers(value: serde_json::Value) -> Value {
    match value {
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(int) => Value::Int(int),
            None => number.as_f64().unwrap_or_default().into(),
        },
        serde_json::Value::Array(items) => Value::list(items.into_iter().map(whole_numbers)),
        serde_json::Value::Object(fields) => {
            Value::map(fields.into_iter().map(|(key, value)| (key, whole_numbers(value))))
        }
        other => other.into(),
    }
}

/// A line of YAML that says something: how far it is indented, and what it says.
type Line<'t> = (usize, &'t str);

/// The part of YAML that documents begin with: mappings and lists by indentation, lists in brackets, texts with and
/// without quotes, texts of several lines.
///
/// # Errors
/// Anything else.
fn yaml(text: &str) -> Outcome {
    let lines: Vec<Line<'_>> = text
        .lines()
        .map(|line| (line.len() - line.trim_start_matches(' ').len(), line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let mut reader = Yaml { lines: &lines };
    let indent = lines.first().map_or(0, |(indent, _)| *indent);
    if lines.is_empty() {
        return Ok(Value::Nil);
    }
    let value = reader.block(indent, 0)?;
    match reader.lines.first() {
        None => Ok(value),
        Some((_, line)) => Err(format!("yaml: cannot read {line:?}").into()),
    }
}
struct Yaml<'t> {
    lines: &'t [Line<'t>],
}
impl<'t> Yaml<'t> {
    fn block(&mut self, indent: usize, depth: usize) -> Outcome {
        if depth > 50 {
            return Err("yaml: nested too deeply".into());
        }
        let is_list = self.lines.first().is_some_and(|(_, line)| *line == "-" || line.starts_with("- "));
        let (mut items, mut fields) = (vec![], vec![]);
        while let Some(((at, line), rest)) = self.lines.split_first()
            && *at == indent
        {
            self.lines = rest;
            if is_list {
                let item = line
                    .strip_prefix('-')
                    .ok_or_else(|| format!("yaml: expected an item: {line:?}"))?
                    .trim_start();
                items.push(self.value(item, indent, depth)?);
                continue;
            }
            let (key, value) = pair(line).ok_or_else(|| format!("yaml: expected `key: value`: {line:?}"))?;
            fields.push((key, self.value(value, indent, depth)?));
        }
        Ok(if is_list { Value::list(items) } else { Value::map(fields) })
    }
    fn value(&mut self, text: &'t str, indent: usize, depth: usize) -> Outcome {
        match text {
            "" => match self.lines.first() {
                Some((deeper, line)) if *deeper > indent || *deeper == indent && line.starts_with("- ") => {
                    self.block(*deeper, depth + 1)
                }
                _ => Ok(Value::Nil),
            },
            "|" | "|-" | ">" | ">-" => Ok(self.text(text, indent).into()),
            text => scalar(text),
        }
    }
    /// The lines that follow and are indented deeper.
    fn text(&mut self, style: &str, indent: usize) -> String {
        let mut lines = vec![];
        while let Some(((deeper, line), rest)) = self.lines.split_first()
            && *deeper > indent
        {
            lines.push(*line);
            self.lines = rest;
        }
        let joined = lines.join(if style.starts_with('|') { "\n" } else { " " });
        if style.ends_with('-') { joined } else { joined + "\n" }
    }
}
fn pair(line: &str) -> Option<(String, &str)> {
    if let Some(rest) = line.strip_prefix('"') {
        let (key, rest) = rest.split_once('"')?;
        return Some((key.into(), rest.trim_start().strip_prefix(':')?.trim_start()));
    }
    let at = line.find(": ").or_else(|| line.ends_with(':').then(|| line.len() - 1))?;
    Some((line[..at].trim().into(), line[at + 1..].trim()))
}
fn scalar(text: &str) -> Outcome {
    let complaint = || Failure::from(format!("yaml: cannot read {text:?}"));
    let quoted = |quote: char| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    if let Some(inner) = quoted('\'') {
        return Ok(inner.replace("''", "'").into());
    }
    if text.starts_with('"') {
        return json(text);
    }
    if let Some(inner) = text.strip_prefix('[') {
        let inner = inner.strip_suffix(']').ok_or_else(complaint)?;
        let items = inner.split(',').map(str::trim).filter(|item| !item.is_empty()).map(scalar);
        return Ok(Value::list(items.collect::<Result<Vec<_>, _>>()?));
    }
    if text.starts_with(['{', '&', '*', '!', '|', '>', '@', '`']) {
        return Err(complaint());
    }
    let text = text.split_once(" #").map_or(text, |(text, _)| text.trim_end());
    Ok(match text {
        "true" | "True" | "TRUE" => true.into(),
        "false" | "False" | "FALSE" => false.into(),
        "null" | "~" | "Null" | "NULL" => Value::Nil,
        text => match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(int), _) => Value::Int(int),
            (_, Ok(float)) if text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.') => {
                float.into()
            }
            _ => date(text).unwrap_or_else(|| text.into()),
        },
    })
}
/// `2024-03-05` and what RFC 3339 has are times.
fn date(text: &str) -> Option<Value> {
    if text.len() < 10 || !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let time = chrono::DateTime::parse_from_rfc3339(text).ok();
    time.or_else(|| Layout::new("2006-01-02").parse(text, &Utc)).map(Value::Time)
}

#[cfg(test)]
mod tests {
    use super::*;
    fn meta(text: &str) -> String {
        match split(text) {
            Ok(document) => document.shown(),
            Err(failure) => format!("{failure:?}"),
        }
    }
    #[test]
    fn each_kind_has_its_fence() {
        assert_eq!(meta("---\ntitle: A b # c\nn: 3\n---\nbody"), "{map[n:3 title:A b] \nbody}");
        assert_eq!(
            meta("---\na:\n  - x\n  - 'y: z'\nb: [1, two]\nc:\n  d: true\n...\nbody\n"),
            "{map[a:[x y: z] b:[1 two] c:map[d:true]] \nbody\n}"
        );
        assert_eq!(meta("---\na: |\n  one\n  two\nb: \"x\\ty\"\n---\n"), "{map[a:one\ntwo\n b:x\ty] \n}");
        assert_eq!(meta("+++\ntitle = \"x\"\nn = 3\n+++\nbody"), "{map[n:3 title:x] \nbody}");
        assert_eq!(meta("{\n\"a\": 1.5\n}\nbody"), "{map[a:1.5] \nbody}");
        assert_eq!(meta("no front"), "{map[] no front}");
        assert!(meta("---\na: b\n").contains("unterminated front matter"));
        assert!(meta("---\n&x\n---\n").contains("yaml"));
    }
}
