//! How most matchers are written: words on a line, more of them on further lines, and no block.
use crate::caddyfile::{Parsed, Words};
use grammar::Line;

/// The words of all lines.
///
/// # Errors
/// A line with a block.
pub(super) fn words(name: &str, lines: &[&Line]) -> Parsed<Vec<String>> {
    let mut all = vec![];
    for line in lines {
        let mut words = Words::new(line);
        all.extend(words.rest());
        no_block(name, &mut words)?;
    }
    Ok(all)
}
/// # Errors
/// A block behind what was read, unless it is empty.
pub(super) fn no_block(name: &str, words: &mut Words<'_>) -> Parsed<()> {
    match words.block().next() {
        Some(first) => Err(first.error(format!("malformed {name} matcher: blocks are not supported"))),
        None => Ok(()),
    }
}
