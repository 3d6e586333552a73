//! Evaluates a compiled expression.
use super::{calls::Call, source::ENV};
use crate::http::{Exchange, HttpError, Matcher, Modules, Placeholder, Result, Value};
use cel::{Context, Value as Cel, common::ast::IdedExpr};
use regex::Regex;
use std::{cmp::Ordering, future::Future, pin::Pin, sync::Arc};

#[derive(Debug)]
pub(super) enum Node {
    Always(bool),
    Matcher(Box<dyn Matcher>),
    /// A matcher whose arguments the request says: it is built for each.
    Dynamic {
        call: Call,
        modules: &'static Modules,
        waits: bool,
    },
    Not(Box<Node>),
    All(Box<[Node]>),
    Any(Box<[Node]>),
    Compare(Compare),
    /// `name` on a text.
    Text {
        name: Box<str>,
        on: Placeholder,
        test: TextTest,
    },
    General(Box<General>),
}
impl Node {
    pub(super) fn waits(&self) -> bool {
        match self {
            Self::Matcher(matcher) => matcher.waits(),
            Self::Dynamic { waits, .. } => *waits,
            Self::Not(node) => node.waits(),
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().any(Self::waits),
            Self::General(general) => general.conditions.iter().any(|(_, node)| node.waits()),
            Self::Always(_) | Self::Compare(_) | Self::Text { .. } => false,
        }
    }
    /// For those that do not wait.
    pub(super) fn now(&self, x: &mut Exchange) -> Result<bool> {
        match self {
            Self::Not(node) => node.now(x).map(|value| !value),
            Self::All(nodes) => settle(false, nodes.iter().map(|node| node.now(x))),
            Self::Any(nodes) => settle(true, nodes.iter().map(|node| node.now(x))),
            Self::Matcher(matcher) => matcher.matches(x).at_once(),
            Self::Dynamic { call, modules, .. } => built(call, modules, x)?.matches(x).at_once(),
            Self::General(general) => {
                let mut conditions = vec![];
                for (name, node) in &general.conditions {
                    conditions.push((name.as_str(), node.now(x)?));
                }
                general.evaluate(conditions, x)
            }
            simple => simple.simple(x),
        }
    }
    pub(super) fn later<'x>(
        &'x self,
        x: &'x mut Exchange,
    ) -> Pin<Box<dyn Future<Output = Result<bool>> + Send + 'x>> {
        Box::pin(async move {
            match self {
                Self::Not(node) => node.later(x).await.map(|value| !value),
                Self::All(nodes) => Self::settle_later(false, nodes, x).await,
                Self::Any(nodes) => Self::settle_later(true, nodes, x).await,
                Self::Matcher(matcher) => matcher.matches(x).result().await,
                Self::Dynamic { call, modules, .. } => {
                    let built = built(call, modules, x)?;
                    built.matches(x).result().await
                }
                Self::General(general) => {
                    let mut conditions = vec![];
                    for (name, node) in &general.conditions {
                        conditions.push((name.as_str(), node.later(x).await?));
                    }
                    general.evaluate(conditions, x)
                }
                simple => simple.simple(x),
            }
        })
    }
    async fn settle_later(by: bool, nodes: &[Self], x: &mut Exchange) -> Result<bool> {
        let mut failed = None;
        for node in nodes {
            match node.later(x).await {
                Ok(value) if value == by => return Ok(by),
                Ok(_) => {}
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(!by), Err)
    }
    /// Of those that only look.
    fn simple(&self, x: &Exchange) -> Result<bool> {
        match self {
            Self::Always(value) => Ok(*value),
            Self::Compare(compare) => compare.evaluate(x),
            Self::Text { name, on, test } => match on.value(x) {
                Some(Value::Text(text)) => Ok(test.evaluate(&text)),
                _ => Err(no_overload(name)),
            },
            _ => Ok(false),
        }
    }
}
/// What one of the values settles, whatever the others are: in CEL even if they fail.
fn settle(by: bool, values: impl Iterator<Item = Result<bool>>) -> Result<bool> {
    let mut failed = None;
    for value in values {
        match value {
            Ok(value) if value == by => return Ok(by),
            Ok(_) => {}
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(!by), Err)
}
fn built(call: &Call, modules: &'static Modules, x: &Exchange) -> Result<Box<dyn Matcher>> {
    let built = modules.matcher(&call.name, call.config(Some(x)));
    built.map_err(|error| HttpError::without_status(error.to_string()))
}
fn no_overload(name: &str) -> Box<HttpError> {
    HttpError::without_status(format!("no such overload: {name}"))
}
/// A failure is logged, and as in Caddy has no status, not even that of a matcher (`file` with `=404`).
pub(super) fn failed(error: &HttpError) -> Box<HttpError> {
    let message = error.whole();
    tracing::error!(target: "http.matchers.expression", error = %message, "evaluating expression");
    HttpError::without_status(message)
}

#[derive(Debug)]
pub(super) struct Compare {
    pub(super) left: Operand,
    pub(super) relation: Relation,
    pub(super) right: Option<Operand>,
}
#[derive(Debug)]
pub(super) enum Operand {
    Placeholder(Placeholder),
    Literal(Literal),
}
#[derive(Debug)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Box<str>),
}
#[derive(Debug)]
pub(super) enum Relation {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In(Box<[Literal]>),
}
impl Operand {
    fn value<'a>(&'a self, x: &'a Exchange) -> Value<'a> {
        match self {
            Self::Placeholder(key) => key.value(x).unwrap_or_default(),
            Self::Literal(literal) => literal.value(),
        }
    }
}
impl Literal {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Float(value) => Value::Float(*value),
            Self::Text(text) => text.as_ref().into(),
        }
    }
}
impl Compare {
    fn evaluate(&self, x: &Exchange) -> Result<bool> {
        let left = self.left.value(x);
        if let Relation::In(items) = &self.relation {
            return Ok(items.iter().any(|item| equal(&left, &item.value())));
        }
        let right = self.right.as_ref().map_or(Value::Null, |right| right.value(x));
        let ordered = |name: &str, fits: fn(Ordering) -> bool| match order(&left, &right) {
            Ok(ordering) => Ok(ordering.is_some_and(fits)),
            Err(NotComparable) => Err(no_overload(name)),
        };
        match self.relation {
            Relation::Equal => Ok(equal(&left, &right)),
            Relation::NotEqual => Ok(!equal(&left, &right)),
            Relation::Less => ordered("_<_", Ordering::is_lt),
            Relation::LessOrEqual => ordered("_<=_", Ordering::is_le),
            Relation::Greater => ordered("_>_", Ordering::is_gt),
            Relation::GreaterOrEqual => ordered("_>=_", Ordering::is_ge),
            Relation::In(_) => Ok(false),
        }
    }
}
/// Values of different types are not equal, but for numbers.
fn equal(a: &Value<'_>, b: &Value<'_>) -> bool {
    match (a, b) {
        (Value::Int(a), Value::Float(b)) | (Value::Float(b), Value::Int(a)) => *a as f64 == *b,
        (a, b) => a == b,
    }
}
struct NotComparable;
fn order(a: &Value<'_>, b: &Value<'_>) -> std::result::Result<Option<Ordering>, NotComparable> {
    Ok(match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
        (Value::Int(a), Value::Float(b)) => (*a as f64).partial_cmp(b),
        (Value::Float(a), Value::Int(b)) => a.partial_cmp(&(*b as f64)),
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
        (Value::Duration(a), Value::Duration(b)) => Some(a.cmp(b)),
        _ => return Err(NotComparable),
    })
}
#[derive(Debug)]
pub(super) enum TextTest {
    StartsWith(Box<str>),
    EndsWith(Box<str>),
    Contains(Box<str>),
    Matches(Regex),
}
impl TextTest {
    fn evaluate(&self, text: &str) -> bool {
        match self {
            Self::StartsWith(start) => text.starts_with(&**start),
            Self::EndsWith(end) => text.ends_with(&**end),
            Self::Contains(part) => text.contains(&**part),
            Self::Matches(regex) => regex.is_match(text),
        }
    }
}

/// What is left to CEL's interpreter.
#[derive(Debug)]
pub(super) struct General {
    pub(super) tree: IdedExpr,
    /// The variables of the tree that stand for placeholders.
    pub(super) placeholders: Vec<(String, Placeholder)>,
    /// Those that stand for matchers.
    pub(super) conditions: Vec<(String, Node)>,
}
impl General {
    fn evaluate(&self, conditions: Vec<(&str, bool)>, x: &Exchange) -> Result<bool> {
        let mut context = Context::with_env(Arc::clone(&ENV));
        for (name, value) in conditions {
            context.add_variable_from_value(name, value);
        }
        for (name, key) in &self.placeholders {
            context.add_variable_from_value(name, cel_value(key.value(x).unwrap_or_default()));
        }
        match context.resolve(&self.tree) {
            Ok(Cel::Bool(value)) => Ok(value),
            // Of a type that the check could not know.
            Ok(_) => Err(no_overload("bool")),
            Err(error) => Err(HttpError::without_status(error.to_string())),
        }
    }
}
fn cel_value(value: Value<'_>) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(value) => Cel::Bool(value),
        Value::Int(value) => Cel::Int(value),
        Value::Float(value) => Cel::Float(value),
        Value::Text(text) => Cel::String(Arc::new(text.into_owned())),
        Value::List(items) => items.into(),
        Value::Time(time) => Cel::Timestamp(chrono::DateTime::<chrono::Utc>::from(time).fixed_offset()),
        Value::Duration(time) => Cel::Duration(chrono::TimeDelta::from_std(time).unwrap_or_default()),
    }
}
