//! Dictionaries.
use super::{Args, Failure, text_list};
use crate::handlers::templates::value::{Map, Outcome, Value};

pub(super) fn call(name: &str, args: &[Value]) -> Option<Outcome> {
    apply(name, &mut Args(args)).transpose()
}
fn apply(name: &str, a: &mut Args<'_>) -> Result<Option<Value>, Failure> {
    Ok(Some(match name {
        "dict" => {
            let pairs = a
                .rest()
                .chunks(2)
                .map(|pair| (pair[0].shown(), pair.get(1).cloned().unwrap_or_else(|| "".into())));
            Value::map(pairs)
        }
        "get" => {
            let map = a.map()?;
            map.borrow().get(a.text()?).cloned().unwrap_or_else(|| "".into())
        }
        "set" => {
            let map = a.map()?;
            let key = a.text()?.to_owned();
            let value = a.next()?.clone();
            if matches!(&value, Value::Map(inner) if std::rc::Rc::ptr_eq(inner, map)) {
                return Err("a dictionary cannot hold itself".into());
            }
            map.borrow_mut().insert(key, value);
            Value::Map(map.clone())
        }
        "unset" => {
            let map = a.map()?;
            map.borrow_mut().remove(a.text()?);
            Value::Map(map.clone())
        }
        "hasKey" => {
            let map = a.map()?;
            map.borrow().contains_key(a.text()?).into()
        }
        "pluck" => {
            let key = a.text()?;
            let mut found = vec![];
            while !a.0.is_empty() {
                found.extend(a.map()?.borrow().get(key).cloned());
            }
            Value::list(found)
        }
        "dig" => dig(a.rest())?,
        "keys" => {
            let mut keys = vec![];
            while !a.0.is_empty() {
                keys.extend(a.map()?.borrow().keys().cloned());
            }
            text_list(keys)
        }
        "values" => Value::list(a.map()?.borrow().values().cloned().collect::<Vec<_>>()),
        "pick" | "omit" => {
            let map = a.map()?.borrow();
            let keys = super::texts(a.rest());
            let kept = map.iter().filter(|(key, _)| keys.contains(key) == (name == "pick"));
            Value::map(kept.map(|(key, value)| (key.clone(), value.clone())))
        }
        "merge" | "mergeOverwrite" => {
            let target = a.map()?;
            while !a.0.is_empty() {
                let source = deep_copy(&Value::Map(a.map()?.clone()), 0)?;
                if let Value::Map(source) = source {
                    merge(&mut target.borrow_mut(), &source.borrow(), name == "mergeOverwrite");
                }
            }
            Value::Map(target.clone())
        }
        "deepCopy" => deep_copy(a.next()?, 0)?,
        _ => return Ok(None),
    }))
}
/// `dig "a" "b" "default" dict`.
fn dig(args: &[Value]) -> Outcome {
    let [path @ .., default, dict] = args else { return Err("dig needs at least three arguments".into()) };
    let mut value = dict.clone();
    for key in path {
        let next = match &value {
            Value::Map(map) => map.borrow().get(&key.shown()).cloned(),
            _ => None,
        };
        let Some(next) = next else { return Ok(default.clone()) };
        value = next;
    }
    Ok(value)
}
fn merge(target: &mut Map, source: &Map, overwrites: bool) {
    for (key, value) in source {
        match (target.get(key), value) {
            (Some(Value::Map(inner)), Value::Map(more)) => {
                merge(&mut inner.borrow_mut(), &more.borrow(), overwrites)
            }
            (Some(known), _) if known.is_true() && !overwrites => {}
            _ => _ = target.insert(key.clone(), value.clone()),
        }
    }
}
fn deep_copy(value: &Value, depth: usize) -> Outcome {
    if depth > 100 {
        return Err("nested too deeply".into());
    }
    Ok(match value {
        Value::List(items) => {
            Value::list(items.iter().map(|item| deep_copy(item, depth + 1)).collect::<Result<Vec<_>, _>>()?)
        }
        Value::Map(map) => {
            let pairs = map
                .borrow()
                .iter()
                .map(|(key, value)| Ok((key.clone(), deep_copy(value, depth + 1)?)))
                .collect::<Result<Vec<_>, Failure>>()?;
            Value::map(pairs)
        }
        other => other.clone(),
    })
}
