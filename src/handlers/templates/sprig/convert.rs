//! Defaults, types, JSON, paths.
use super::{Args, Failure};
use crate::{
    config::compact,
    handlers::templates::value::{Outcome, Value},
    http::fs::clean,
};

pub(super) fn call(name: &str, args: &[Value]) -> Option<Outcome> {
    apply(name, &mut Args(args)).transpose()
}
fn apply(name: &str, a: &mut Args<'_>) -> Result<Option<Value>, Failure> {
    let json = |value: &Value| serde_json::Value::from(value);
    Ok(Some(match name {
        "default" => {
            let default = a.next()?;
            a.0.first().filter(|value| value.is_true()).unwrap_or(default).clone()
        }
        "empty" => (!a.next()?.is_true()).into(),
        "coalesce" => a.rest().iter().find(|value| value.is_true()).cloned().unwrap_or_default(),
        "all" => a.rest().iter().all(Value::is_true).into(),
        "any" => a.rest().iter().any(Value::is_true).into(),
        "ternary" => {
            let (yes, no) = (a.next()?, a.next()?);
            match a.next()? {
                Value::Bool(true) => yes.clone(),
                Value::Bool(false) => no.clone(),
                other => {
                    return Err(
                        format!("wrong type for value; expected bool; got {}", other.type_name()).into()
                    );
                }
            }
        }
        "fail" => return Err(a.text()?.into()),
        "typeOf" => a.next()?.type_name().into(),
        "kindOf" => a.next()?.kind().into(),
        "typeIs" | "typeIsLike" => {
            let wanted = a.text()?;
            (a.next()?.type_name() == wanted.trim_start_matches('*')).into()
        }
        "kindIs" => {
            let wanted = a.text()?;
            (a.next()?.kind() == wanted).into()
        }
        "deepEqual" => a.next()?.same(a.next()?).into(),
        "toJson" => escaped(&compact(&json(a.next()?))).into(),
        "toRawJson" => serde_json::to_string(&json(a.next()?)).map_err(|error| error.to_string())?.into(),
        "toPrettyJson" => {
            escaped(&serde_json::to_string_pretty(&json(a.next()?)).map_err(|error| error.to_string())?)
                .into()
        }
        "fromJson" => {
            let value: serde_json::Value =
                serde_json::from_str(a.text()?).map_err(|error| error.to_string())?;
            value.into()
        }
        "env" => std::env::var(a.text()?).unwrap_or_default().into(),
        "expandenv" => expand_env(a.text()?).into(),
        "base" | "osBase" => base(a.text()?).into(),
        "dir" | "osDir" => {
            let path = a.text()?;
            clean(path.rfind('/').map_or("", |slash| &path[..=slash])).into_owned().into()
        }
        "clean" | "osClean" => clean(a.text()?).into_owned().into(),
        "ext" | "osExt" => {
            let name = a.text()?;
            let name = name.rsplit('/').next().unwrap_or_default();
            name.rfind('.').map_or("", |dot| &name[dot..]).into()
        }
        "isAbs" | "osIsAbs" => a.text()?.starts_with('/').into(),
        "hello" => "Hello!".into(),
        _ => return Ok(None),
    }))
}
/// As Go writes JSON that may stand in a page.
fn escaped(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}
fn base(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" if path.is_empty() => ".",
        "" => "/",
        trimmed => trimmed.rsplit('/').next().unwrap_or(trimmed),
    }
}
/// `$NAME` and `${NAME}`.
fn expand_env(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, behind)) = rest.split_once('$') {
        out.push_str(before);
        let (name, next) = match behind.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some(split) => split,
            None => {
                let end =
                    behind.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(behind.len());
                behind.split_at(end)
            }
        };
        out.push_str(&std::env::var(name).unwrap_or_default());
        rest = next;
    }
    out + rest
}
