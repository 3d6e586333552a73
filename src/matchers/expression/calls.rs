//! Matchers as functions of an expression: `path('/a*')`, `header({'X-A': ['b', 'c']})`.
use super::source::{PLACEHOLDER, Parsed};
use crate::http::{Exchange, Placeholder};
use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedEntryExpr, IdedExpr, LiteralValue, operators as op};
use serde_json::{Map, Value, json};

/// Whether a function of that many arguments is a matcher.
pub(super) fn is_matcher(name: &str, arguments: usize) -> bool {
    match name {
        "host" | "path" | "method" | "remote_ip" | "client_ip" | "file" => true,
        "protocol" | "query" | "header" | "vars" => arguments == 1,
        "path_regexp" | "url_pattern" => arguments == 1 || arguments == 2,
        "header_regexp" | "vars_regexp" => arguments == 2 || arguments == 3,
        _ => false,
    }
}
/// A matcher and its arguments.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) name: Box<str>,
    arguments: Box<[Argument]>,
    /// The expression's name, which its regular expressions have where they have none.
    expression: Box<str>,
}
#[derive(Debug)]
enum Argument {
    Text(Box<[Piece]>),
    List(Box<[Argument]>),
    Map(Box<[(Argument, Argument)]>),
}
/// Texts may be put together with `+`.
#[derive(Debug)]
enum Piece {
    Literal(Box<str>),
    Placeholder(Placeholder),
}
impl Call {
    /// # Errors
    /// An argument that is none of what Caddy takes, in its words.
    pub(super) fn new(parsed: &Parsed, call: &CallExpr, name: &str) -> Result<Self, String> {
        let args = &call.args;
        let function = call.func_name.as_str();
        let texts = |message: &str| {
            let text = |arg| text(arg).ok_or_else(|| parsed.error(arg.id, message));
            args.iter().map(text).collect::<Result<Box<[_]>, _>>()
        };
        let arguments = match (function, args.as_slice()) {
            ("query" | "header" | "vars", [arg]) => [map(parsed, arg)?].into(),
            ("file", [arg]) if matches!(arg.expr, Expr::Map(_)) => {
                let wrong =
                    || parsed.error(arg.id, "matcher requires either a map or string literal argument");
                [file_options(arg).ok_or_else(wrong)?].into()
            }
            ("file", [_]) => texts("matcher requires either a map or string literal argument")?,
            ("file", _) => texts("matcher only supports repeated string literal arguments")?,
            ("protocol" | "path_regexp" | "url_pattern", [_]) => {
                texts("matcher argument must be a string literal")?
            }
            (_, []) => return Err("ERROR: <input>:-1:0: matcher requires at least one argument".to_owned()),
            _ => texts("matcher arguments must be string constants")?,
        };
        Ok(Self { name: function.into(), arguments, expression: name.into() })
    }
    /// Whether nothing in it depends on the request.
    pub(super) fn is_fixed(&self) -> bool {
        self.arguments.iter().all(Argument::is_fixed)
    }
    /// The matcher's JSON. Without a request, placeholders are empty.
    pub(super) fn config(&self, x: Option<&Exchange>) -> Value {
        let mut arguments: Vec<Value> = self.arguments.iter().map(|argument| argument.json(x)).collect();
        match &*self.name {
            "remote_ip" | "client_ip" => json!({ "ranges": arguments }),
            "protocol" => match arguments.pop() {
                Some(Value::String(name)) => name.to_lowercase().into(),
                other => other.unwrap_or_default(),
            },
            "query" | "header" | "vars" => arguments.pop().unwrap_or_default(),
            "path_regexp" => self.regexp(arguments),
            "header_regexp" | "vars_regexp" => {
                let field = arguments.remove(arguments.len() - 2);
                let field = field.as_str().unwrap_or_default().to_owned();
                json!({ field: self.regexp(arguments) })
            }
            "file" => match arguments.as_slice() {
                [] => json!({}),
                [Value::Object(_)] => arguments.pop().unwrap_or_default(),
                _ => json!({ "try_files": arguments }),
            },
            "url_pattern" => {
                let keys = ["pattern", "base_url"].map(str::to_owned);
                Value::Object(keys.into_iter().zip(arguments).collect())
            }
            _ => arguments.into(),
        }
    }
    /// Of `[name,] pattern`.
    fn regexp(&self, mut arguments: Vec<Value>) -> Value {
        let pattern = arguments.pop().unwrap_or_default();
        let name = arguments.pop().filter(|name| name != "");
        json!({ "name": name.unwrap_or_else(|| (*self.expression).into()), "pattern": pattern })
    }
}
impl Argument {
    fn is_fixed(&self) -> bool {
        match self {
            Self::Text(pieces) => pieces.iter().all(|piece| matches!(piece, Piece::Literal(_))),
            Self::List(items) => items.iter().all(Self::is_fixed),
            Self::Map(entries) => entries.iter().all(|(key, value)| key.is_fixed() && value.is_fixed()),
        }
    }
    fn json(&self, x: Option<&Exchange>) -> Value {
        match self {
            Self::Text(pieces) => pieces.iter().map(|piece| piece.text(x)).collect::<String>().into(),
            Self::List(items) => items.iter().map(|item| item.json(x)).collect(),
            Self::Map(entries) => {
                let entry = |(key, value): &(Self, Self)| {
                    (key.json(x).as_str().unwrap_or_default().to_owned(), value.json(x))
                };
                Value::Object(entries.iter().map(entry).collect::<Map<_, _>>())
            }
        }
    }
}
impl Piece {
    /// What a matcher is to read. It expands placeholders itself: what a request brings must not be taken for one.
    fn text(&self, x: Option<&Exchange>) -> String {
        match (self, x) {
            (Self::Literal(text), _) => text.to_string(),
            (Self::Placeholder(key), Some(x)) => {
                let value = key.value(x).unwrap_or_default().into_text();
                value.replace('{', r"\{").replace('}', r"\}")
            }
            (Self::Placeholder(_), None) => String::new(),
        }
    }
}
/// `None` if it is not a text, a placeholder, or a sum of them.
fn text(node: &IdedExpr) -> Option<Argument> {
    let mut pieces = vec![];
    collect(node, &mut pieces)?;
    Some(Argument::Text(pieces.into()))
}
fn collect(node: &IdedExpr, pieces: &mut Vec<Piece>) -> Option<()> {
    match &node.expr {
        Expr::Literal(LiteralValue::String(text)) => pieces.push(Piece::Literal(text.inner().into())),
        Expr::Call(call) if call.target.is_none() && call.func_name == op::ADD => {
            call.args.iter().try_for_each(|arg| collect(arg, pieces))?;
        }
        _ => pieces.push(Piece::Placeholder(Placeholder::new(placeholder(node)?))),
    }
    Some(())
}
/// The key of a call of `ph`.
pub(super) fn placeholder(node: &IdedExpr) -> Option<&str> {
    let Expr::Call(CallExpr { func_name, target: None, args }) = &node.expr else { return None };
    match args.as_slice() {
        [_, IdedExpr { expr: Expr::Literal(LiteralValue::String(key)), .. }] if func_name == PLACEHOLDER => {
            Some(key.inner())
        }
        _ => None,
    }
}
fn list(node: &IdedExpr) -> Option<Argument> {
    let Expr::List(list) = &node.expr else { return None };
    let items: Option<Box<[_]>> = list.elements.iter().map(text).collect();
    items.map(Argument::List)
}
/// By key a text or several: each is a list to the matcher.
fn map(parsed: &Parsed, node: &IdedExpr) -> Result<Argument, String> {
    let Expr::Map(map) = &node.expr else {
        return Err(parsed.error(node.id, "matcher requires a map literal argument"));
    };
    let entry = |entry: &IdedEntryExpr| {
        let EntryExpr::MapEntry(pair) = &entry.expr else {
            return Err(parsed.error(entry.id, "matcher map keys must be string literals"));
        };
        let key = text(&pair.key)
            .ok_or_else(|| parsed.error(entry.id, "matcher map keys must be string literals"))?;
        let value = text(&pair.value).map(|one| Argument::List([one].into())).or_else(|| list(&pair.value));
        let wrong = || parsed.error(pair.value.id, "matcher map values must be string or list literals");
        Ok((key, value.ok_or_else(wrong)?))
    };
    Ok(Argument::Map(map.entries.iter().map(entry).collect::<Result<_, String>>()?))
}
/// `{'root': …, 'try_files': […], 'try_policy': …, 'split_path': […]}`.
fn file_options(node: &IdedExpr) -> Option<Argument> {
    let Expr::Map(map) = &node.expr else { return None };
    let entry = |entry: &IdedEntryExpr| {
        let EntryExpr::MapEntry(pair) = &entry.expr else { return None };
        let Expr::Literal(LiteralValue::String(key)) = &pair.key.expr else { return None };
        let value = match key.inner() {
            "try_files" | "split_path" => list(&pair.value)?,
            "try_policy" | "root" => text(&pair.value)?,
            _ => return None,
        };
        Some((text(&pair.key)?, value))
    };
    map.entries.iter().map(entry).collect::<Option<Box<[_]>>>().map(Argument::Map)
}
