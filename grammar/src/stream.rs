//! Tokens in a row and one who walks along it, as Caddy's dispenser: he knows lines and blocks, and nothing else.
use crate::{
    ast::{Error, Quote, Span, Token},
    place::newlines,
};
use std::{borrow::Borrow, rc::Rc, sync::Arc};

/// A token on its way through imports.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) token: Token,
    /// The snippet in whose definition it stands.
    pub(crate) snippet: Option<Arc<str>>,
}
pub(crate) type Pieces = Vec<Rc<Piece>>;

impl Piece {
    pub(crate) fn text(&self) -> &str {
        &self.token.text
    }
    pub(crate) fn span(&self) -> &Span {
        &self.token.span
    }
    /// A brace that opens a block: one in quotes is a word like others.
    pub(crate) fn opens(&self) -> bool {
        self.is_bare("{")
    }
    pub(crate) fn closes(&self) -> bool {
        self.is_bare("}")
    }
    pub(crate) fn is_bare(&self, text: &str) -> bool {
        self.token.quote == Quote::None && self.token.text == text
    }
    /// Whether `next` stands on another line. What came by another import always does.
    pub(crate) fn ends_line_before(&self, next: &Self) -> bool {
        let (this, that) = (self.span(), next.span());
        if !same(&this.file, &that.file) || !same(&this.imports, &that.imports) {
            return true;
        }
        if this.line >= that.line {
            return false;
        }
        let breaks = newlines(self.text()) + if self.token.quote == Quote::Heredoc { 2 } else { 0 };
        this.line.saturating_add(breaks) < that.line
    }
}
fn same<T: PartialEq + ?Sized>(a: &Arc<T>, b: &Arc<T>) -> bool {
    Arc::ptr_eq(a, b) || a == b
}

pub(crate) struct Stream {
    /// What is still to come, the next one last.
    ahead: Pieces,
    current: Option<Rc<Piece>>,
    previous: Option<Rc<Piece>>,
}
impl Stream {
    pub(crate) fn new(mut pieces: Pieces) -> Self {
        pieces.reverse();
        Self { ahead: pieces, current: None, previous: None }
    }
    /// Puts tokens before those to come.
    pub(crate) fn splice(&mut self, pieces: Pieces) {
        self.ahead.extend(pieces.into_iter().rev());
    }
    /// One token back: the current one comes next again.
    pub(crate) fn back(&mut self) {
        self.ahead.extend(self.current.take());
        self.current = self.previous.take();
    }
    /// Makes `piece` the current token, with what comes as it is.
    pub(crate) fn stand_at(&mut self, piece: Option<Rc<Piece>>) {
        self.current = piece;
    }
    pub(crate) fn current(&self) -> Option<&Rc<Piece>> {
        self.current.as_ref()
    }
    pub(crate) fn previous(&self) -> Option<&Rc<Piece>> {
        self.previous.as_ref()
    }
    /// The next token, or `None` at the end: then the last one stays the current one.
    pub(crate) fn next(&mut self) -> Option<Rc<Piece>> {
        let next = self.ahead.pop()?;
        self.previous = self.current.replace(next.clone());
        Some(next)
    }
    /// The next token if it stands on the line of the current one.
    fn next_on_line(&mut self) -> Option<Rc<Piece>> {
        if self.ends_line() { None } else { self.next() }
    }
    /// Whether the current token begins a line.
    pub(crate) fn begins_line(&self) -> bool {
        match (&self.previous, &self.current) {
            (Some(previous), Some(current)) => previous.ends_line_before(current),
            _ => true,
        }
    }
    /// Whether the current token is the last of its line.
    pub(crate) fn ends_line(&self) -> bool {
        match (&self.current, self.ahead.last()) {
            (Some(current), Some(next)) => current.ends_line_before(next),
            (None, Some(_)) => false,
            _ => true,
        }
    }
    /// The next token if it is an argument: on the line and no brace that opens a block.
    pub(crate) fn argument(&mut self) -> Option<Rc<Piece>> {
        if self.ahead.last().is_some_and(|next| next.opens()) { None } else { self.next_on_line() }
    }
    pub(crate) fn arguments(&mut self) -> Pieces {
        std::iter::from_fn(|| self.argument()).collect()
    }
    /// Whether a block opens on this line.
    pub(crate) fn opens(&self) -> bool {
        !self.ends_line() && self.ahead.last().is_some_and(|next| next.opens())
    }
    /// If a block opens on this line, passes its brace.
    pub(crate) fn open(&mut self) -> bool {
        self.opens() && self.next().is_some()
    }
    /// The next token in a block.
    pub(crate) fn inside(&mut self) -> Option<Inside<Rc<Piece>>> {
        let piece = self.next()?;
        Some(Inside::of(piece, || self.next_on_line()))
    }
    /// All tokens of the block that opens on this line, without its braces; none if no block does. At the end of the file
    /// the brace itself is left, as in Caddy.
    pub(crate) fn block(&mut self) -> Pieces {
        let mut found = vec![];
        if !self.open() {
            return found;
        }
        let Some(first) = self.next() else { return self.current.iter().cloned().collect() };
        if first.closes() {
            return found;
        }
        found.push(first);
        let mut depth = 1;
        while let Some(inside) = self.inside() {
            let piece = match inside {
                Inside::Word(piece) => piece,
                Inside::Open(piece) => {
                    depth += 1;
                    piece
                }
                Inside::Close(piece) => {
                    depth -= 1;
                    piece
                }
            };
            if depth == 0 {
                break;
            }
            found.push(piece);
        }
        found
    }
    /// An error at the current token.
    pub(crate) fn error(&self, message: impl Into<String>) -> Error {
        match &self.current {
            Some(piece) => piece.token.error(message),
            None => Error::plain(format!("{}, at :0", message.into())),
        }
    }
    /// Caddy's `SyntaxErr`, which names its place itself.
    pub(crate) fn unexpected(&self, expected: char) -> Error {
        let Some(piece) = &self.current else { return self.error("unexpected EOF") };
        let Span { file, line, imports, .. } = piece.span();
        let message = format!(
            "syntax error: unexpected token '{}', expecting '{expected}', at {file}:{line} import chain: ['{}']",
            piece.text(),
            imports.join("','")
        );
        piece.token.error(message).placed()
    }
}
/// A token met inside a block.
pub(crate) enum Inside<P> {
    Word(P),
    Open(P),
    Close(P),
}
impl<P: Borrow<Piece>> Inside<P> {
    /// What `piece` is, with what stands behind it on its line. A brace opens or closes a block only if nothing does;
    /// else Caddy reads over it.
    pub(crate) fn of(piece: P, behind: impl FnOnce() -> Option<P>) -> Self {
        let (opens, closes) = (piece.borrow().opens(), piece.borrow().closes());
        if !opens && !closes {
            return Self::Word(piece);
        }
        match behind() {
            Some(next) => Self::Word(next),
            None if opens => Self::Open(piece),
            None => Self::Close(piece),
        }
    }
}
