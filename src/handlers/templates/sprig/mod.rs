//! The functions of the Sprig library, which Caddy's templates have. Those that make keys and certificates, look up
//! names are not here.
mod convert;
mod dates;
mod dicts;
mod encode;
mod lists;
mod numbers;
mod semver;
mod strings;
use super::value::{Failure, Outcome, Value};

const MISSING: &[&str] = &[
    "getHostByName",
    "genPrivateKey",
    "derivePassword",
    "buildCustomCert",
    "genCA",
    "genCAWithKey",
    "genSelfSignedCert",
    "genSelfSignedCertWithKey",
    "genSignedCert",
    "genSignedCertWithKey",
    "encryptAES",
    "decryptAES",
];
/// `None`: there is none of that name.
pub(super) fn call(name: &str, args: &[Value]) -> Option<Outcome> {
    if MISSING.contains(&name) {
        return Some(Err("this function is not supported".into()));
    }
    // `mustX` is `X` whose failures are told; mostly all are.
    let plain = name.strip_prefix("must").map(|rest| {
        let mut letters = rest.trim_start_matches('_').chars();
        letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
    });
    let called = plain_call(plain.as_deref().unwrap_or(name), args)?;
    Some(called.or_else(|failure| silent(name, args).ok_or(failure)))
}
fn plain_call(name: &str, args: &[Value]) -> Option<Outcome> {
    strings::call(name, args)
        .or_else(|| numbers::call(name, args))
        .or_else(|| lists::call(name, args))
        .or_else(|| dicts::call(name, args))
        .or_else(|| convert::call(name, args))
        .or_else(|| encode::call(name, args))
        .or_else(|| dates::call(name, args))
        .or_else(|| semver::call(name, args))
}
/// What functions give that keep their failures for themselves.
fn silent(name: &str, args: &[Value]) -> Option<Value> {
    Some(match (name, args) {
        ("toDate", [Value::Str(_), Value::Str(_)]) => Value::Time(super::time::zero()),
        ("dateModify" | "date_modify", [Value::Str(_), Value::Time(time)]) => Value::Time(*time),
        ("fromJson", [Value::Str(_)]) => Value::Nil,
        ("regexMatch", [Value::Str(_), Value::Str(_)]) => false.into(),
        _ => return None,
    })
}
/// Reads arguments one by one.
struct Args<'a>(&'a [Value]);
impl<'a> Args<'a> {
    fn next(&mut self) -> Result<&'a Value, Failure> {
        let (first, rest) = self.0.split_first().ok_or("wrong number of args: too few")?;
        self.0 = rest;
        Ok(first)
    }
    fn text(&mut self) -> Result<&'a str, Failure> {
        match self.next()? {
            Value::Str(text) => Ok(text),
            other => Err(format!("wrong type for value; expected string; got {}", other.type_name()).into()),
        }
    }
    /// Whatever can be taken for a whole number: sprig's `toInt64`.
    fn int(&mut self) -> Result<i64, Failure> {
        Ok(numbers::to_int(self.next()?))
    }
    fn size(&mut self) -> Result<usize, Failure> {
        Ok(usize::try_from(self.int()?).unwrap_or(0))
    }
    fn list(&mut self) -> Result<Vec<Value>, Failure> {
        match self.next()? {
            Value::List(items) => Ok(items.to_vec()),
            other => Err(format!("expected a list, got {}", other.type_name()).into()),
        }
    }
    fn map(&mut self) -> Result<&'a std::rc::Rc<std::cell::RefCell<super::value::Map>>, Failure> {
        match self.next()? {
            Value::Map(map) => Ok(map),
            other => Err(format!(
                "wrong type for value; expected map[string]interface {{}}; got {}",
                other.type_name()
            )
            .into()),
        }
    }
    fn rest(&mut self) -> &'a [Value] {
        std::mem::take(&mut self.0)
    }
}
/// A list of texts, of whatever the items are.
fn texts(items: &[Value]) -> Vec<String> {
    items.iter().filter(|item| !matches!(item, Value::Nil)).map(Value::shown).collect()
}
fn text_list(items: impl IntoIterator<Item = impl Into<String>>) -> Value {
    Value::list(items.into_iter().map(|item| Value::from(item.into())))
}
