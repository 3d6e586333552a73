//! Where the lexer stands.
use crate::ast::Span;
use std::sync::Arc;

/// Lines as Caddy counts them: what a backslash continues stays on its first line. The column counts from there too.
pub(crate) struct Place {
    /// Physical lines passed.
    passed: u32,
    /// Newlines since the line began that did not end it.
    continued: u32,
    /// From 1, in characters since the line began.
    column: u32,
}
impl Default for Place {
    fn default() -> Self {
        Self { passed: 1, continued: 0, column: 1 }
    }
}
impl Place {
    /// From 1.
    pub(crate) fn line(&self) -> u32 {
        self.passed - self.continued
    }
    /// From 1: the line in the file as an editor counts it.
    pub(crate) fn physical_line(&self) -> u32 {
        self.passed
    }
    /// What starts here and is so many characters long.
    pub(crate) fn span(&self, file: &Arc<str>, imports: &Arc<[Box<str>]>, length: u32) -> Span {
        Span { file: file.clone(), line: self.line(), column: self.column, length, imports: imports.clone() }
    }
    /// Passes text that has no newline in it.
    pub(crate) fn pass(&mut self, source: &str) {
        self.column += characters(source);
    }
    pub(crate) fn end_line(&mut self) {
        *self = Self { passed: self.passed + 1, ..Self::default() };
    }
    /// Passes a newline that does not end the line, and what stands before it.
    pub(crate) fn continue_line(&mut self, source: &str) {
        self.passed += 1;
        self.continued += 1;
        self.column += characters(source);
    }
    /// Passes a token of so many characters, which may go over several lines.
    pub(crate) fn pass_token(&mut self, source: &str, length: u32) {
        match source.bytes().rposition(|byte| byte == b'\n') {
            None => self.column += length,
            Some(last) => {
                let breaks = newlines(source);
                *self = Self {
                    passed: self.passed + breaks,
                    continued: 0,
                    column: 1 + characters(&source[last + 1..]),
                };
            }
        }
    }
}
pub(crate) fn characters(text: &str) -> u32 {
    let count = if text.is_ascii() { text.len() } else { text.chars().count() };
    u32::try_from(count).unwrap_or(u32::MAX)
}
pub(crate) fn newlines(text: &str) -> u32 {
    u32::try_from(text.bytes().filter(|byte| *byte == b'\n').count()).unwrap_or(u32::MAX)
}
