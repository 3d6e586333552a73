//! The configuration as a tree that the API reads and changes piece by piece: Caddy's rules of `/config/…`.
use super::Refused;
use http::{Method, StatusCode};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What the whole configuration is under.
pub(super) const ROOT: &str = "config";
/// Names an object, so that `/id/…` finds it.
const ID: &str = "@id";

/// What stands at `path`; the last key may be missing, which is `null`.
///
/// # Errors
/// There is no way there.
pub(super) fn read(root: &Map<String, Value>, path: &str) -> Result<Value, Refused> {
    // Reading goes the way of writing, which is where the rules are.
    let mut copy = Value::Object(root.clone());
    access(&mut copy, &Method::GET, path, None)
}
/// Changes what stands at `path`.
///
/// # Errors
/// There is no way there, or the method does not fit what is there. The tree may be changed in part.
pub(super) fn write(
    root: &mut Map<String, Value>,
    method: &Method,
    path: &str,
    body: Option<Value>,
) -> Result<(), Refused> {
    let mut whole = Value::Object(std::mem::take(root));
    let outcome = access(&mut whole, method, path, body);
    if let Value::Object(changed) = whole {
        *root = changed;
    }
    outcome.map(drop)
}
fn access(root: &mut Value, method: &Method, path: &str, body: Option<Value>) -> Result<Value, Refused> {
    let clean = path.trim_matches('/');
    if clean.is_empty() {
        return Err(Refused::internal("no traversable path"));
    }
    let mut parts: Vec<&str> = clean.split('/').collect();
    // `…/...` appends the elements of the array that is sent.
    let spread = parts.pop_if(|last| *last == "...").is_some();
    let to = Destination { method, path, spread };
    let mut place = root;
    for (i, part) in parts.iter().enumerate() {
        let so_far = || parts.iter().take(i + 1).copied().collect::<Vec<_>>().join("/");
        match place {
            Value::Object(object) => {
                if i + 2 == parts.len()
                    && let (Some(Value::Array(array)), Some(index)) = (object.get_mut(*part), parts.last())
                {
                    return to.element(array, index, body);
                }
                if i + 1 == parts.len() {
                    return to.member(object, part, body);
                }
                // A new object's way is made as it is gone.
                let missing = object.get(*part).is_none_or(Value::is_null);
                if missing && method == Method::PUT {
                    object.insert((*part).to_owned(), Value::Object(Map::new()));
                }
                place = match object.get_mut(*part) {
                    Some(next) => next,
                    None => {
                        let next = parts.iter().take(i + 2).copied().collect::<Vec<_>>().join("/");
                        return Err(Refused::internal(format!("invalid traversal path at: {next}")));
                    }
                };
            }
            Value::Array(array) => {
                let bad = |why: String| Refused::internal(format!("[/{}] {why}", so_far()));
                let at = index(part).map_err(|why| bad(format!("invalid array index '{part}': {why}")))?;
                let found = usize::try_from(at).ok().and_then(|at| array.get_mut(at));
                place = found.ok_or_else(|| bad(format!("array index out of bounds: {part}")))?;
            }
            _ => return Err(Refused::internal(format!("invalid traversal path at: {}", so_far()))),
        }
    }
    Ok(Value::Null)
}
/// What is to happen at the end of the way.
struct Destination<'a> {
    method: &'a Method,
    path: &'a str,
    spread: bool,
}
impl Destination<'_> {
    fn element(&self, array: &mut Vec<Value>, shown: &str, body: Option<Value>) -> Result<Value, Refused> {
        if self.method == Method::POST {
            return self.append(array, body);
        }
        let bad = |why: String| Refused::internal(format!("[{}] {why}", self.path));
        let at = index(shown).map_err(|why| bad(format!("invalid array index '{shown}': {why}")))?;
        let out_of_bounds = || bad(format!("array index out of bounds: {shown}"));
        let at = usize::try_from(at).map_err(|_| out_of_bounds())?;
        let value = body.unwrap_or_default();
        match self.method.as_str() {
            "PUT" if at <= array.len() => array.insert(at, value),
            "GET" => return array.get(at).cloned().ok_or_else(out_of_bounds),
            "PATCH" => *array.get_mut(at).ok_or_else(out_of_bounds)? = value,
            "DELETE" if at < array.len() => drop(array.remove(at)),
            _ => return Err(out_of_bounds()),
        }
        Ok(Value::Null)
    }
    fn member(
        &self,
        object: &mut Map<String, Value>,
        key: &str,
        body: Option<Value>,
    ) -> Result<Value, Refused> {
        let known = object.contains_key(key);
        let path = self.path;
        let unknown = || Refused::new(StatusCode::NOT_FOUND, format!("[{path}] key does not exist: {key}"));
        let value = body.unwrap_or_default();
        match self.method.as_str() {
            "GET" => return Ok(object.get(key).cloned().unwrap_or_default()),
            "POST" => {
                if let Some(Value::Array(array)) = object.get_mut(key) {
                    return self.append(array, Some(value));
                }
                object.insert(key.to_owned(), value);
            }
            "PUT" if known => {
                let message = format!("[{path}] key already exists: {key}");
                return Err(Refused::new(StatusCode::CONFLICT, message));
            }
            "PATCH" if !known => return Err(unknown()),
            "PUT" | "PATCH" => drop(object.insert(key.to_owned(), value)),
            _ => drop(object.shift_remove(key).ok_or_else(unknown)?),
        }
        Ok(Value::Null)
    }
    fn append(&self, array: &mut Vec<Value>, body: Option<Value>) -> Result<Value, Refused> {
        match body.unwrap_or_default() {
            Value::Array(elements) if self.spread => array.extend(elements),
            _ if self.spread => return Err(Refused::internal("final element is not an array")),
            element => array.push(element),
        }
        Ok(Value::Null)
    }
}
/// An index in its one spelling.
fn index(text: &str) -> Result<i64, String> {
    if text.is_empty() {
        return Err("empty index".into());
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("strconv.Atoi: parsing {text:?}: invalid syntax"));
    }
    let Ok(number) = text.parse::<i64>() else {
        return Err(format!("strconv.Atoi: parsing {text:?}: value out of range"));
    };
    if number.to_string() == text { Ok(number) } else { Err("non-canonical array index".into()) }
}

/// Where each `@id` is.
///
/// # Errors
/// One that is no text or number, or that is there twice.
pub(super) fn ids(config: &Value) -> Result<BTreeMap<String, String>, String> {
    let mut found = BTreeMap::new();
    collect(config, &format!("/{ROOT}"), &mut found)?;
    Ok(found)
}
fn collect(value: &Value, path: &str, found: &mut BTreeMap<String, String>) -> Result<(), String> {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                if key != ID {
                    collect(value, &format!("{path}/{key}"), found)?;
                    continue;
                }
                let id = match value {
                    Value::String(id) => id.clone(),
                    Value::Number(id) => id.to_string(),
                    _ => return Err(format!("{path}: {ID} field must be a string or number")),
                };
                if let Some(other) = found.insert(id.clone(), path.to_owned()) {
                    return Err(format!("duplicate ID '{id}' found at {other} and {path}"));
                }
            }
        }
        Value::Array(array) => {
            for (i, value) in array.iter().enumerate() {
                collect(value, &format!("{path}/{i}"), found)?;
            }
        }
        _ => {}
    }
    Ok(())
}
/// Takes every `@id` out: no part of the configuration knows it.
pub(super) fn without_ids(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.shift_remove(ID);
            object.values_mut().for_each(without_ids);
        }
        Value::Array(array) => array.iter_mut().for_each(without_ids),
        _ => {}
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn root() -> Map<String, Value> {
        let Value::Object(root) = json!({"config": {"a": {"list": [1, 2], "n": null, "x": "y"}}}) else {
            unreachable!("it is an object")
        };
        root
    }
    /// The tree after a change, or status and text.
    fn change(method: Method, path: &str, body: Value) -> Result<Value, (u16, String)> {
        let mut root = root();
        write(&mut root, &method, path, Some(body)).map_err(|why| (why.status.as_u16(), why.message))?;
        Ok(root["config"]["a"].clone())
    }
    #[test]
    fn values_are_set_appended_inserted_and_removed() {
        for (method, path, body, after) in [
            (Method::POST, "/config/a/list", json!(3), json!({"list": [1, 2, 3], "n": null, "x": "y"})),
            (Method::POST, "/config/a/list/...", json!([3]), json!({"list": [1, 2, 3], "n": null, "x": "y"})),
            (Method::POST, "/config/a/list/0", json!(3), json!({"list": [1, 2, 3], "n": null, "x": "y"})),
            (Method::PUT, "/config/a/list/0", json!(3), json!({"list": [3, 1, 2], "n": null, "x": "y"})),
            (Method::PUT, "/config/a/list/2", json!(3), json!({"list": [1, 2, 3], "n": null, "x": "y"})),
            (Method::PATCH, "/config/a/list/1", json!(3), json!({"list": [1, 3], "n": null, "x": "y"})),
            (Method::DELETE, "/config/a/list/0", json!(null), json!({"list": [2], "n": null, "x": "y"})),
            (Method::DELETE, "/config/a/x", json!(null), json!({"list": [1, 2], "n": null})),
            (Method::POST, "/config/a/x/", json!(1), json!({"list": [1, 2], "n": null, "x": 1})),
            (
                Method::PUT,
                "/config/a/n/o/p",
                json!(1),
                json!({"list": [1, 2], "n": {"o": {"p": 1}}, "x": "y"}),
            ),
        ] {
            assert_eq!(change(method, path, body), Ok(after), "{path}");
        }
    }
    #[test]
    fn what_does_not_fit_is_refused_in_caddys_words() {
        for (method, path, status, message) in [
            (Method::PUT, "/config/a/x", 409, "[/config/a/x] key already exists: x"),
            (Method::PATCH, "/config/a/z", 404, "[/config/a/z] key does not exist: z"),
            (Method::DELETE, "/config/a/z", 404, "[/config/a/z] key does not exist: z"),
            (
                Method::PATCH,
                "/config/a/list/01",
                500,
                "[/config/a/list/01] invalid array index '01': non-canonical array index",
            ),
            (Method::PATCH, "/config/a/list/2", 500, "[/config/a/list/2] array index out of bounds: 2"),
            (Method::PUT, "/config/a/list/3", 500, "[/config/a/list/3] array index out of bounds: 3"),
            (Method::DELETE, "/config/a/list/-1", 500, "[/config/a/list/-1] array index out of bounds: -1"),
            (
                Method::PATCH,
                "/config/a/list/b",
                500,
                "[/config/a/list/b] invalid array index 'b': strconv.Atoi: parsing \"b\": invalid syntax",
            ),
            (Method::POST, "/config/a/list/...", 500, "final element is not an array"),
            (Method::POST, "/config/a/x/y/z", 500, "invalid traversal path at: config/a/x/y"),
            (Method::POST, "/config/b/c", 500, "invalid traversal path at: config/b/c"),
            (Method::POST, "/", 500, "no traversable path"),
        ] {
            assert_eq!(change(method, path, json!(1)), Err((status, message.to_owned())), "{path}");
        }
    }
    #[test]
    fn reading_finds_values_and_gives_null_for_a_missing_last_key() {
        let root = root();
        assert_eq!(read(&root, "/config/a/list/1").unwrap(), json!(2));
        assert_eq!(read(&root, "/config/a/nothing").unwrap(), json!(null));
        assert_eq!(read(&root, "/config/b/c").unwrap_err().message, "invalid traversal path at: config/b/c");
    }
    #[test]
    fn ids_are_indexed_and_taken_out() {
        let mut config = json!({"a": [{"@id": "x", "b": {"@id": 7}}]});
        let found = ids(&config).unwrap();
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            [("7".to_owned(), "/config/a/0/b".to_owned()), ("x".to_owned(), "/config/a/0".to_owned()),]
        );
        without_ids(&mut config);
        assert_eq!(config, json!({"a": [{"b": {}}]}));
        assert_eq!(
            ids(&json!({"a": {"@id": "x"}, "b": {"@id": "x"}})).unwrap_err(),
            "duplicate ID 'x' found at /config/a and /config/b"
        );
        assert_eq!(ids(&json!({"@id": []})).unwrap_err(), "/config: @id field must be a string or number");
    }
}
