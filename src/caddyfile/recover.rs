//! More than one mistake within one directive: what is wrong is left out, and the rest is read again.
use super::Parsed;
use grammar::{Error, Line, Span};

/// So many mistakes of one directive are enough.
const MOST: usize = 20;

/// What is wrong with one directive: at least one thing.
#[derive(Debug)]
pub(super) struct Mistakes {
    pub(super) before: Vec<Error>,
    pub(super) last: Error,
}
/// Reads a line with `read`, which is called again, without the lines that it found wrong, as long as it finds more.
///
/// # Errors
/// All that it found, in order. What only became wrong as something was left out is not among them.
pub(super) fn read_all<T>(line: &Line, mut read: impl FnMut(&Line) -> Parsed<T>) -> Result<T, Mistakes> {
    let mut last = match read(line) {
        Ok(read) => return Ok(read),
        Err(error) => error,
    };
    let (mut before, mut left) = (vec![], line.clone());
    while before.len() < MOST
        && let Some(span) = last.span.clone()
        && leave_out(left.block.as_mut(), &span)
    {
        match read(&left) {
            Err(next) if next.span.as_ref().is_some_and(|next| is_behind(next, &span, &left)) => {
                before.push(std::mem::replace(&mut last, next));
            }
            _ => break,
        }
    }
    Err(Mistakes { before, last })
}
/// Takes the innermost line with a word at `span`, or that ends there, out of a block. False if there is none.
fn leave_out(block: Option<&mut Vec<Line>>, span: &Span) -> bool {
    let Some(lines) = block else { return false };
    if lines.iter_mut().any(|line| leave_out(line.block.as_mut(), span)) {
        return true;
    }
    let before = lines.len();
    lines.retain(|line| {
        let ends = line.close.as_ref().is_some_and(|brace| brace.span == *span);
        !ends && line.words.iter().all(|word| word.span != *span)
    });
    lines.len() < before
}
/// Whether a mistake is one of its own: in a word of the block, and in a line below the one before.
fn is_behind(next: &Span, before: &Span, line: &Line) -> bool {
    fn is_word(lines: &[Line], span: &Span) -> bool {
        lines
            .iter()
            .any(|line| line.words.iter().any(|word| word.span == *span) || is_word(line.lines(), span))
    }
    let below = next.file != before.file || next.line > before.line;
    below && is_word(line.lines(), next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use grammar::{Memory, parse};

    /// The lines of a block that begin with `x` are wrong, and so is a block without any `a`.
    fn read(line: &Line) -> Parsed<()> {
        for sub in line.lines() {
            read_one(sub)?;
        }
        if line.lines().iter().any(|line| line.is("a")) { Ok(()) } else { Err(line.end().error("no a")) }
    }
    fn read_one(line: &Line) -> Parsed<()> {
        line.lines().iter().try_for_each(read_one)?;
        if line.is("x") { Err(line.error("x")) } else { Ok(()) }
    }
    fn found(block: &str) -> Vec<String> {
        let file = parse("-", &format!(":80 {{\nd {{\n{block}}}\n}}\n"), &Memory::default()).unwrap();
        let Err(Mistakes { before, last }) = read_all(&file.sites[0].lines[0], read) else { return vec![] };
        before.iter().chain([&last]).map(ToString::to_string).collect()
    }
    #[test]
    fn all_that_is_wrong_is_found() {
        assert_eq!(found("a\nx\nb\nx\nc {\nx\n}\n"), ["x, at -:4", "x, at -:6", "x, at -:8"]);
        assert_eq!(found("a\n"), [""; 0]);
    }
    #[test]
    fn what_is_missing_is_told_only_if_nothing_was_left_out() {
        assert_eq!(found("b\n"), ["no a, at -:4"]);
        assert_eq!(found("x\n"), ["x, at -:3"]);
    }
}
