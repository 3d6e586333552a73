//! `{$NAME}` and `{$NAME:default}`, filled in before anything else is read: in comments and quotes too.
use crate::Source;
use std::borrow::Cow;

const OPEN: &str = "{$";
const CLOSE: char = '}';

/// A default counts only where the variable is not set at all. What is filled in is not looked through again.
pub(crate) fn expand<'t>(text: &'t str, source: &dyn Source) -> Cow<'t, str> {
    if !text.contains(OPEN) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, variable)) = rest.split_once(OPEN) {
        let Some((variable, after)) = variable.split_once(CLOSE) else { break };
        out.push_str(before);
        out.push_str(&value(variable, source));
        rest = after;
    }
    Cow::Owned(out + rest)
}
fn value(variable: &str, source: &dyn Source) -> String {
    if variable.is_empty() {
        return format!("{OPEN}{CLOSE}");
    }
    let (name, default) = variable.split_once(':').unwrap_or((variable, ""));
    source.env(name).unwrap_or_else(|| default.to_owned())
}
