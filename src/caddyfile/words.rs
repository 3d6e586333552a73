//! Reads a line word by word, as Caddy's dispenser does.
//!
//! Most lines of a block say one thing each, and [`Line::one`] and its like read them. But Caddy reads a block as a run
//! of words: what a sub-directive leaves unread on its line is the next sub-directive (`idle 1s write 2s` is two), and
//! its complaints name the word that was read last. Who reads with [`Words`] and [`Block`] accepts what Caddy accepts
//! and complains where Caddy complains.
use super::Parsed;
use grammar::{Error, Line, Token};
use std::slice;

/// What Caddy says of a block in the place of a word.
const BRACE: &str = "unexpected token '{', expecting argument";

/// A line and where its reader stands: at first on the line's name.
#[derive(Clone)]
pub struct Words<'l> {
    line: &'l Line,
    at: usize,
    place: Place,
}
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// On a word; the block, if there is one, is still to be read.
    Word,
    /// On the brace that opens a block which nobody asked for.
    Brace,
    /// Behind the block.
    End,
}
/// The sub-directives of a block.
pub struct Block<'l> {
    lines: slice::Iter<'l, Line>,
    current: Option<Words<'l>>,
}

impl<'l> Words<'l> {
    pub fn new(line: &'l Line) -> Self {
        Self { line, at: 0, place: Place::Word }
    }
    /// The word last read, or the brace behind a block that has been read.
    pub fn token(&self) -> &'l Token {
        match self.place {
            Place::End => self.line.end(),
            Place::Word | Place::Brace => self.line.words.get(self.at).unwrap_or_else(|| self.line.last()),
        }
    }
    /// The text of the word last read; `{` for a block where none belongs.
    pub fn text(&self) -> &'l str {
        if self.place == Place::Brace { "{" } else { &self.token().text }
    }
    /// The next word of the line, if there is one.
    pub fn arg(&mut self) -> Option<&'l Token> {
        if self.place != Place::Word || self.left() == 0 {
            return None;
        }
        self.at += 1;
        Some(self.token())
    }
    /// The next word of the line. What follows it is left for whoever reads on.
    ///
    /// # Errors
    /// There is none.
    pub fn need(&mut self) -> Parsed<&'l str> {
        match self.arg() {
            Some(token) => Ok(&token.text),
            None => Err(self.arg_error()),
        }
    }
    /// The one word that is left.
    ///
    /// # Errors
    /// There is none, or another behind it: the error stands at the first.
    pub fn one(&mut self) -> Parsed<&'l str> {
        let text = self.need()?;
        if self.left() > 0 { Err(self.arg_error()) } else { Ok(text) }
    }
    /// The next word, if there is one.
    ///
    /// # Errors
    /// There are two.
    pub fn at_most_one(&mut self) -> Parsed<Option<&'l str>> {
        let text = self.arg().map(|token| token.text.as_str());
        self.none()?;
        Ok(text)
    }
    /// Nothing is left on the line.
    ///
    /// # Errors
    /// Something is.
    pub fn none(&mut self) -> Parsed<()> {
        if self.arg().is_some() { Err(self.arg_error()) } else { Ok(()) }
    }
    /// No block follows.
    ///
    /// # Errors
    /// One does.
    pub fn no_block(&self) -> Parsed<()> {
        let brace = self.place == Place::Word && self.line.block.is_some();
        if brace { Err(self.error(BRACE)) } else { Ok(()) }
    }
    /// All words that are left.
    pub fn rest(&mut self) -> Vec<String> {
        self.tokens().iter().map(|token| token.text.clone()).collect()
    }
    /// All words that are left, with their quotes and places.
    pub fn tokens(&mut self) -> &'l [Token] {
        let from = self.at + 1;
        self.at += self.left();
        self.line.words.get(from..).unwrap_or_default()
    }
    /// All words that are left, at least one.
    ///
    /// # Errors
    /// There is none.
    pub fn some(&mut self) -> Parsed<Vec<String>> {
        let rest = self.rest();
        if rest.is_empty() { Err(self.arg_error()) } else { Ok(rest) }
    }
    /// All words that are left, exactly `N`.
    ///
    /// # Errors
    /// There are fewer or more: the error stands at the last.
    pub fn exactly<const N: usize>(&mut self) -> Parsed<[String; N]> {
        self.rest().try_into().map_err(|_| self.arg_error())
    }
    /// How many words are left.
    pub fn left(&self) -> usize {
        self.line.words.len().saturating_sub(self.at + 1)
    }
    /// The block behind the words; empty if there is none or if words are still unread, as then Caddy sees no block.
    pub fn block(&mut self) -> Block<'l> {
        let lines = match &self.line.block {
            Some(lines) if self.place == Place::Word && self.left() == 0 => {
                self.place = Place::End;
                lines.as_slice()
            }
            _ => &[],
        };
        Block { lines: lines.iter(), current: None }
    }
    /// The line from the word last read on, block and all: what a module is given to read.
    pub fn segment(&mut self) -> Line {
        let words = self.line.words.get(self.at..).unwrap_or_default().to_vec();
        self.at = self.line.words.len().saturating_sub(1);
        self.place = if self.line.block.is_some() { Place::End } else { Place::Word };
        Line { words, block: self.line.block.clone(), close: self.line.close.clone() }
    }
    /// An error at the word last read.
    pub fn error(&self, message: impl Into<String>) -> Error {
        self.token().error(message)
    }
    /// Caddy's `ArgErr` at the word last read.
    pub fn arg_error(&self) -> Error {
        if self.place == Place::Brace {
            return self.error(BRACE);
        }
        self.token().arg_error()
    }
    /// Before a brace that ends the block within the line, such as `close }`: to read words it is one of them.
    fn at_close(&mut self) -> bool {
        let brace = |token: &Token| !token.quoted() && token.is("}");
        self.place == Place::Word && self.left() == 1 && self.line.block.is_none() && brace(self.line.last())
    }
    /// On the brace of a block that was not asked for.
    fn at_brace(&mut self) -> bool {
        let unread = self.place == Place::Word && self.line.block.is_some();
        if unread {
            self.at = self.line.words.len().saturating_sub(1);
            self.place = Place::Brace;
        }
        unread
    }
}
impl<'l> Block<'l> {
    /// The next sub-directive: what is left of the current line, else the next line.
    // Not an iterator: what it gives is lent, and where that was left decides what comes next.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Option<&mut Words<'l>> {
        if self.current.as_mut().is_some_and(Words::at_close) {
            self.lines = [].iter();
            self.current = None;
        }
        let goes_on = self.current.as_mut().is_some_and(|words| words.arg().is_some() || words.at_brace());
        if !goes_on {
            self.current = Some(Words::new(self.lines.next()?));
        }
        self.current.as_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use grammar::Span;

    fn token(text: &str, line: u32) -> Token {
        let span = Span { file: "-".into(), line, column: 1, length: 1, imports: [].into() };
        Token { text: text.into(), quote: Default::default(), span }
    }
    fn line(at: u32, words: &[&str]) -> Line {
        Line { words: words.iter().map(|w| token(w, at)).collect(), ..Line::default() }
    }
    fn block(name: &str, lines: Vec<Line>) -> Line {
        let close = token("}", lines.len() as u32 + 2);
        Line { words: vec![token(name, 1)], block: Some(lines), close: Some(close) }
    }
    /// The names of the sub-directives of `line`, each having read `args` words.
    fn names(line: &Line, args: usize) -> Vec<&str> {
        let (mut found, mut block) = (vec![], Words::new(line).block());
        while let Some(sub) = block.next() {
            found.push(sub.text());
            (0..args).for_each(|_| _ = sub.arg());
        }
        found
    }

    #[test]
    fn a_sub_directive_begins_where_the_last_one_stopped() {
        let timeouts =
            block("timeouts", vec![line(2, &["idle", "1s", "write", "2s"]), line(3, &["read", "3s"])]);
        assert_eq!(names(&timeouts, 1), ["idle", "write", "read"]);
        assert_eq!(names(&timeouts, 9), ["idle", "read"]);
    }
    #[test]
    fn a_block_that_nobody_reads_shows_its_brace() {
        let inner = Line { block: Some(vec![line(3, &["x"])]), ..line(2, &["a"]) };
        assert_eq!(names(&block("b", vec![inner, line(5, &["c"])]), 0), ["a", "{", "c"]);
    }
    #[test]
    fn a_brace_behind_unread_words_ends_the_block() {
        let outer = block("b", vec![line(2, &["flag", "}"]), line(3, &["x"])]);
        assert_eq!(names(&outer, 0), ["flag"]);
        assert_eq!(names(&outer, 1), ["flag", "x"]);
    }
    #[test]
    fn a_block_behind_unread_words_is_not_seen() {
        let mut outer = block("b", vec![line(2, &["a"])]);
        outer.words.push(token("unread", 1));
        let mut words = Words::new(&outer);
        assert!(words.block().next().is_none());
        words.rest();
        assert!(words.block().next().is_some());
    }
    #[test]
    fn errors_name_the_word_last_read() {
        let of = |read: fn(&mut Words<'_>) -> Parsed<()>, words: &[&str]| {
            read(&mut Words::new(&line(7, words))).unwrap_err().to_string()
        };
        let after = |word| format!("wrong argument count or unexpected line ending after '{word}', at -:7");
        assert_eq!(of(|w| w.need().map(drop), &["a"]), after("a"));
        assert_eq!(of(|w| w.one().map(drop), &["a", "b", "c"]), after("b"));
        assert_eq!(of(|w| w.at_most_one().map(drop), &["a", "b", "c"]), after("c"));
        assert_eq!(of(|w| w.none(), &["a", "b", "c"]), after("b"));
        assert_eq!(of(|w| w.some().map(drop), &["a"]), after("a"));
        assert_eq!(of(|w| w.exactly::<1>().map(drop), &["a", "b", "c"]), after("c"));
    }
    #[test]
    fn behind_a_block_errors_stand_at_its_closing_brace() {
        let outer = block("b", vec![line(2, &["a"])]);
        let mut words = Words::new(&outer);
        while words.block().next().is_some() {}
        assert_eq!(words.error("missing").to_string(), "missing, at -:3");
    }
    #[test]
    fn a_segment_takes_the_rest_of_the_line_and_its_block() {
        let mut outer = block("issuer", vec![line(2, &["x"])]);
        outer.words.push(token("acme", 1));
        let mut words = Words::new(&outer);
        words.arg();
        let segment = words.segment();
        assert_eq!((segment.name().text.as_str(), segment.lines().len()), ("acme", 1));
        assert!(words.arg().is_none() && words.block().next().is_none());
    }
}
