//! From the tokens of one directive to its line and the blocks in it.
use crate::{
    ast::{Error, Line, Token},
    stream::{Inside, Piece, Pieces, Stream},
};
use std::rc::Rc;

/// Blocks in blocks: nobody writes so many, and whoever reads the tree may recurse.
pub(crate) const MAX_DEPTH: usize = 100;

/// The line that starts with the first token, with all of its blocks.
///
/// # Errors
/// Blocks that are nested too deeply.
pub(crate) fn line(pieces: Pieces) -> Result<Option<Line>, Error> {
    let mut stream = Stream::new(pieces);
    let Some(first) = stream.next() else { return Ok(None) };
    let (line, opened) = words(first, &mut stream);
    let mut open = vec![line];
    if opened {
        fill(&mut open, &mut stream)?;
    }
    // Blocks that the end of the file left open.
    while open.len() > 1 {
        close(&mut open, None);
    }
    Ok(open.pop())
}
/// Reads until the outermost of the open blocks is closed.
fn fill(open: &mut Vec<Line>, stream: &mut Stream) -> Result<(), Error> {
    while let Some(inside) = stream.inside() {
        match inside {
            Inside::Close(brace) => {
                let brace = Rc::unwrap_or_clone(brace).token;
                if open.len() == 1 {
                    open[0].close = Some(brace);
                    return Ok(());
                }
                close(open, Some(brace));
            }
            Inside::Open(brace) => {
                let words = vec![Rc::unwrap_or_clone(brace).token];
                push(open, Line { words, block: Some(vec![]), close: None })?;
            }
            Inside::Word(first) => {
                let (line, opened) = words(first, stream);
                if opened {
                    push(open, line)?;
                } else if let Some(block) = open.last_mut().and_then(|line| line.block.as_mut()) {
                    block.push(line);
                }
            }
        }
    }
    Ok(())
}
/// The words of a line, and whether it leaves a block open.
fn words(first: Rc<Piece>, stream: &mut Stream) -> (Line, bool) {
    let mut words: Vec<Token> = vec![Rc::unwrap_or_clone(first).token];
    words.extend(stream.arguments().into_iter().map(|piece| Rc::unwrap_or_clone(piece).token));
    if !stream.open() {
        return (Line { words, block: None, close: None }, false);
    }
    let empty = stream.closes();
    let close = empty.then(|| stream.next()).flatten().map(|brace| Rc::unwrap_or_clone(brace).token);
    (Line { words, block: Some(vec![]), close }, !empty)
}
fn push(open: &mut Vec<Line>, line: Line) -> Result<(), Error> {
    if open.len() >= MAX_DEPTH {
        return Err(line.error(format!("blocks are nested too deeply, {MAX_DEPTH} at most")));
    }
    open.push(line);
    Ok(())
}
fn close(open: &mut Vec<Line>, brace: Option<Token>) {
    let Some(mut line) = open.pop() else { return };
    line.close = brace;
    if let Some(block) = open.last_mut().and_then(|outer| outer.block.as_mut()) {
        block.push(line);
    }
}
