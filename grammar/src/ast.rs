//! What a Caddyfile is made of.
use std::{fmt, sync::Arc};

/// Where a token stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// As it was named on the command line; imported files by their absolute path.
    pub file: Arc<str>,
    /// From 1: the line on which the token starts.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// In characters of the source, quotes included; 0 for what has no text there.
    pub length: u32,
    /// The `import`s that brought the token here, the outermost first; empty for the main file.
    pub imports: Arc<[Box<str>]>,
}
/// How a token was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Quote {
    #[default]
    None,
    Double,
    Backtick,
    Heredoc,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Without quotes, escapes resolved, imports' arguments and `{$ENV}` filled in.
    pub text: String,
    pub quote: Quote,
    pub span: Span,
}
/// A line and the block it opens, if it opens one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Never empty: the first is the line's name.
    pub words: Vec<Token>,
    pub block: Option<Vec<Line>>,
    /// The brace that closes the block: where Caddy complains of what a block lacks.
    pub close: Option<Token>,
}
/// `key, key { lines }`, or a whole file of one site without braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Empty where there is a block without a key that isn't the first: an error, but not the parser's.
    pub keys: Vec<Token>,
    pub lines: Vec<Line>,
    pub braces: bool,
}
/// `&(name) { lines }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedRoute {
    /// Without `&(` and `)`.
    pub name: String,
    pub span: Span,
    /// The name and the block.
    pub line: Line,
}
/// A Caddyfile with its imports spliced in and its snippets gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// The block without keys, if there is one.
    pub options: Option<Vec<Line>>,
    pub named_routes: Vec<NamedRoute>,
    pub sites: Vec<Site>,
    /// What is odd but no error, in Caddy's words.
    pub warnings: Vec<Error>,
}
/// What is wrong, and where. Displays as Caddy does: `message, at FILE:LINE import chain […]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub message: String,
    /// `None` where Caddy names no place, or where the message itself names it.
    pub span: Option<Span>,
    pub said: Said,
    /// Further places that Caddy names behind the first: where the blocks around it end, the innermost first.
    pub around: Vec<Span>,
    /// A help of ours beyond Caddy's words, such as the nearest known name.
    pub hint: Option<String>,
}

/// Whether an error's text names its own place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Said {
    #[default]
    Always,
    /// Only where no place around it is named: Caddy does not know it.
    Alone,
    /// The message names it already.
    InMessage,
}

impl Token {
    pub fn is(&self, text: &str) -> bool {
        self.text == text
    }
    pub fn quoted(&self) -> bool {
        self.quote != Quote::None
    }
    pub fn error(&self, message: impl Into<String>) -> Error {
        Error { span: Some(self.span.clone()), ..Error::plain(message) }
    }
    /// Caddy's `ArgErr`: something is missing or too much after this token.
    pub fn arg_error(&self) -> Error {
        self.error(format!("wrong argument count or unexpected line ending after '{}'", self.text))
    }
}
impl Line {
    pub fn name(&self) -> &Token {
        &self.words[0]
    }
    pub fn is(&self, name: &str) -> bool {
        self.name().text == name
    }
    pub fn args(&self) -> &[Token] {
        &self.words[1..]
    }
    /// The lines of the block, none if there is no block.
    pub fn lines(&self) -> &[Line] {
        self.block.as_deref().unwrap_or_default()
    }
    pub fn last(&self) -> &Token {
        self.words.last().unwrap_or(&self.words[0])
    }
    /// The end of it all: the brace that closes the block, or the last word. Where Caddy's dispenser stands once it
    /// has read everything.
    pub fn end(&self) -> &Token {
        self.close.as_ref().unwrap_or_else(|| self.last())
    }
    pub fn error(&self, message: impl Into<String>) -> Error {
        self.name().error(message)
    }
    /// Caddy's `ArgErr` at the last word of the line: where its dispenser stands once it has read the arguments.
    pub fn arg_error(&self) -> Error {
        self.last().arg_error()
    }
    /// Exactly `N` arguments, or Caddy's own complaint.
    pub fn exactly<const N: usize>(&self) -> Result<[&Token; N], Error> {
        let all: Vec<&Token> = self.args().iter().collect();
        all.try_into().map_err(|_| self.arg_error())
    }
    /// The one argument of the line, as text.
    pub fn one(&self) -> Result<&str, Error> {
        self.exactly().map(|[one]| one.text.as_str())
    }
    /// At least one argument.
    pub fn some(&self) -> Result<&[Token], Error> {
        if self.args().is_empty() { Err(self.arg_error()) } else { Ok(self.args()) }
    }
    /// No argument at all.
    pub fn none(&self) -> Result<(), Error> {
        if self.args().is_empty() { Ok(()) } else { Err(self.arg_error()) }
    }
    /// The arguments as owned texts.
    pub fn texts(&self) -> Vec<String> {
        self.args().iter().map(|t| t.text.clone()).collect()
    }
}
impl Error {
    /// An error whose message says itself where it is, or that has no place.
    pub fn plain(message: impl Into<String>) -> Self {
        Self { message: message.into(), span: None, said: Said::Always, around: vec![], hint: None }
    }
    /// The same error of something around it: `context` goes before its message, the place of that behind it.
    pub fn within(mut self, context: &str, place: Option<&Span>) -> Self {
        self.message.insert_str(0, context);
        self.around.extend(place.cloned());
        self
    }
    /// Stands at `token` if it has no place yet, as some of Caddy's have none.
    pub fn or_at(mut self, token: &Token) -> Self {
        if self.around.is_empty() && self.span.is_none() {
            (self.span, self.said) = (Some(token.span.clone()), Said::Alone);
        }
        self
    }
    /// Its own place is said only where no other is.
    pub fn alone(mut self) -> Self {
        self.said = Said::Alone;
        self
    }
    /// For a message that names its place itself.
    pub fn placed(mut self) -> Self {
        self.said = Said::InMessage;
        self
    }
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        if !self.imports.is_empty() {
            write!(f, " import chain ['{}']", self.imports.join("','"))?;
        }
        Ok(())
    }
}
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let own = match self.said {
            Said::Always => true,
            Said::Alone => self.around.is_empty(),
            Said::InMessage => false,
        };
        let own = self.span.iter().filter(|_| own);
        own.chain(&self.around).try_for_each(|span| write!(f, ", at {span}"))
    }
}
impl std::error::Error for Error {}
