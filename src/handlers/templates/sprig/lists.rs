//! Lists.
use super::{Args, Failure, text_list, texts};
use crate::handlers::templates::{
    builtins,
    value::{Outcome, Value},
};

pub(super) fn call(name: &str, args: &[Value]) -> Option<Outcome> {
    apply(name, &mut Args(args)).transpose()
}
fn apply(name: &str, a: &mut Args<'_>) -> Result<Option<Value>, Failure> {
    Ok(Some(match name {
        "list" | "tuple" => Value::list(a.rest().iter().cloned()),
        "first" => a.list()?.first().cloned().unwrap_or_default(),
        "last" => a.list()?.last().cloned().unwrap_or_default(),
        "rest" => Value::list(a.list()?.into_iter().skip(1)),
        "initial" => {
            let mut items = a.list()?;
            items.pop();
            Value::list(items)
        }
        "append" | "push" => {
            let mut items = a.list()?;
            items.push(a.next()?.clone());
            Value::list(items)
        }
        "prepend" => {
            let mut items = a.list()?;
            items.insert(0, a.next()?.clone());
            Value::list(items)
        }
        "concat" => {
            let mut items = vec![];
            while !a.0.is_empty() {
                items.extend(a.list()?);
            }
            Value::list(items)
        }
        "reverse" => Value::list(a.list()?.into_iter().rev()),
        "uniq" => {
            let mut items: Vec<Value> = vec![];
            for item in a.list()? {
                if !items.iter().any(|known| known.same(&item)) {
                    items.push(item);
                }
            }
            Value::list(items)
        }
        "without" => {
            let items = a.list()?;
            let unwanted = a.rest();
            Value::list(items.into_iter().filter(|item| !unwanted.iter().any(|other| other.same(item))))
        }
        "has" => {
            let wanted = a.next()?;
            match a.next()? {
                Value::List(items) => items.iter().any(|item| item.same(wanted)).into(),
                _ => false.into(),
            }
        }
        "compact" => Value::list(a.list()?.into_iter().filter(Value::is_true)),
        "chunk" => {
            let size = a.size()?.max(1);
            let items = a.list()?;
            Value::list(items.chunks(size).map(|part| Value::list(part.iter().cloned())))
        }
        "slice" => return builtins::call(name, a.rest()).transpose(),
        "sortAlpha" => {
            let mut items = match a.next()? {
                Value::List(items) => texts(items),
                other => vec![other.shown()],
            };
            items.sort();
            text_list(items)
        }
        _ => return Ok(None),
    }))
}
