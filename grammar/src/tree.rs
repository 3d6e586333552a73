//! From the tokens of one directive to its line and the blocks in it.
use crate::{
    ast::{Error, Line, Token},
    stream::{Inside, Piece, Pieces},
};
use std::rc::Rc;

/// Blocks in blocks: nobody writes so many, and whoever reads the tree may recurse.
pub(crate) const MAX_DEPTH: usize = 100;
/// Most lines have no more.
const USUAL_WORDS: usize = 3;

/// The line that starts with the first token, with all of its blocks.
///
/// # Errors
/// Blocks that are nested too deeply.
pub(crate) fn line(pieces: Pieces) -> Result<Option<Line>, Error> {
    let mut walk = Walk::new(pieces);
    let Some(first) = walk.next() else { return Ok(None) };
    let (line, opened) = words(first, &mut walk);
    let mut open = vec![line];
    if opened {
        fill(&mut open, &mut walk)?;
    }
    // Blocks that the end of the file left open.
    while open.len() > 1 {
        close(&mut open, None);
    }
    Ok(open.pop())
}
/// Reads until the outermost of the open blocks is closed.
fn fill(open: &mut Vec<Line>, walk: &mut Walk) -> Result<(), Error> {
    while let Some(inside) = walk.inside() {
        match inside {
            Inside::Close(brace) => {
                if open.len() == 1 {
                    open[0].close = Some(brace.token);
                    return Ok(());
                }
                close(open, Some(brace.token));
            }
            Inside::Open(brace) => {
                push(open, Line { words: vec![brace.token], block: Some(vec![]), close: None })?;
            }
            Inside::Word(first) => {
                let (line, opened) = words(first, walk);
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
fn words(first: Piece, walk: &mut Walk) -> (Line, bool) {
    let mut words: Vec<Token> = Vec::with_capacity(USUAL_WORDS);
    words.push(first.token);
    while let Some(piece) = walk.argument() {
        words.push(piece.token);
    }
    if !walk.open() {
        return (Line { words, block: None, close: None }, false);
    }
    let close = walk.close().map(|brace| brace.token);
    let empty = close.is_some();
    (Line { words, block: Some(vec![]), close }, !empty)
}
/// As [`Stream`](crate::stream::Stream), but only forward: what it gives away it need not copy.
struct Walk {
    /// What is still to come, the next one last.
    ahead: Pieces,
    /// The token given last ends its line.
    ends_line: bool,
}
impl Walk {
    fn new(mut pieces: Pieces) -> Self {
        pieces.reverse();
        Self { ahead: pieces, ends_line: false }
    }
    fn next(&mut self) -> Option<Piece> {
        let piece = self.ahead.pop()?;
        self.ends_line = self.ahead.last().is_none_or(|next| piece.ends_line_before(next));
        Some(Rc::unwrap_or_clone(piece))
    }
    fn next_on_line(&mut self) -> Option<Piece> {
        if self.ends_line { None } else { self.next() }
    }
    fn argument(&mut self) -> Option<Piece> {
        if self.ahead.last().is_some_and(|next| next.opens()) { None } else { self.next_on_line() }
    }
    /// If a block opens on this line, passes its brace.
    fn open(&mut self) -> bool {
        let opens = !self.ends_line && self.ahead.last().is_some_and(|next| next.opens());
        opens && self.next().is_some()
    }
    /// The next token if it closes a block.
    fn close(&mut self) -> Option<Piece> {
        if self.ahead.last().is_some_and(|next| next.closes()) { self.next() } else { None }
    }
    fn inside(&mut self) -> Option<Inside<Piece>> {
        let piece = self.next()?;
        Some(Inside::of(piece, || self.next_on_line()))
    }
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
