//! How most matchers are written: words on a line, more of them on further lines, and no block.
use crate::caddyfile::{Parsed, Words};
use grammar::Line;
use serde_json::Value;

/// The words of all lines; `null` if there is none.
///
/// # Errors
/// A line with a block.
pub(super) fn words(name: &str, lines: &[&Line]) -> Parsed<Value> {
    let mut all = vec![];
    each(lines, |words| {
        all.extend(words.rest());
        no_block(name, words)
    })?;
    Ok(if all.is_empty() { Value::Null } else { all.into() })
}
/// Reads every line, standing on its name. As Caddy does, it takes what is left of a line for another one: the first
/// word that was not read stands for the name.
///
/// # Errors
/// Those of `read`.
pub(super) fn each(lines: &[&Line], mut read: impl FnMut(&mut Words<'_>) -> Parsed<()>) -> Parsed<()> {
    for line in lines {
        let mut words = Words::new(line);
        read(&mut words)?;
        while words.arg().is_some() {
            read(&mut words)?;
        }
    }
    Ok(())
}
/// # Errors
/// A block behind what was read, unless it is empty.
pub(super) fn no_block(name: &str, words: &mut Words<'_>) -> Parsed<()> {
    match words.block().next() {
        Some(first) => Err(first.error(format!("malformed {name} matcher: blocks are not supported"))),
        None => Ok(()),
    }
}
