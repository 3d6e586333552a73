//! Places in the text, and what is wrong there.
use grammar::{Error, Span};
use std::{cell::RefCell, ops::Range, sync::Arc};

/// Collects what is wrong with a text.
pub(super) struct Report<'t> {
    file: Arc<str>,
    text: &'t str,
    errors: RefCell<Vec<Error>>,
    warnings: RefCell<Vec<Error>>,
}
impl<'t> Report<'t> {
    pub(super) fn new(file: &str, text: &'t str) -> Self {
        Self { file: file.into(), text, errors: RefCell::default(), warnings: RefCell::default() }
    }
    /// An error at these bytes of the text.
    pub(super) fn error(&self, at: Range<usize>, message: impl Into<String>) {
        self.push(Error { span: Some(self.span(at)), ..Error::plain(message) });
    }
    pub(super) fn push(&self, error: Error) {
        self.errors.borrow_mut().push(error);
    }
    pub(super) fn warn(&self, at: Option<Range<usize>>, message: impl Into<String>) {
        let warning = Error { span: at.map(|at| self.span(at)), ..Error::plain(message) };
        self.warnings.borrow_mut().push(warning);
    }
    /// What the TOML parser says.
    pub(super) fn syntax(&self, error: &toml::de::Error) -> Error {
        let message = format!("not valid TOML: {}", error.message().replace('\n', ", "));
        // At the text's end it points behind the last line.
        let at = error.span().unwrap_or(0..0);
        Error { span: Some(self.span(at)), ..Error::plain(message) }
    }
    /// Errors and warnings, in the order of the text.
    pub(super) fn into_parts(self) -> (Vec<Error>, Vec<Error>) {
        let sorted = |list: RefCell<Vec<Error>>| {
            let mut list = list.into_inner();
            list.sort_by_key(|error| error.span.as_ref().map(|span| (span.line, span.column)));
            list
        };
        (sorted(self.errors), sorted(self.warnings))
    }
    pub(super) fn span(&self, at: Range<usize>) -> Span {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        // Only what is on its first line can be underlined.
        let marked = self.text.get(at).unwrap_or_default();
        let marked = marked.lines().next().unwrap_or_default();
        Span {
            file: self.file.clone(),
            line: count(before.matches('\n').count() + 1),
            column: count(before[line_start..].chars().count() + 1),
            length: count(marked.chars().count()),
            imports: Arc::default(),
        }
    }
}
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
