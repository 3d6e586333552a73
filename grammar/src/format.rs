//! `caddy fmt`, byte for byte: blank space and braces are laid out anew, all else stays as it was written.
//!
//! It reads characters, not tokens, since comments and quotes must survive; what Caddy's does with odd text, such as
//! braces inside of words, ours does too.
use crate::heredoc::is_marker;

/// Formats a Caddyfile as `caddy fmt` does.
pub(crate) fn format(text: &str) -> String {
    let mut layout = Layout { out: String::with_capacity(text.len() + 1), ..Layout::default() };
    let mut rest = text.trim();
    while let Some(c) = rest.chars().next() {
        let run = layout.run(rest);
        let (done, after) = rest.split_at(run.max(c.len_utf8()));
        if run == 0 {
            layout.read(c)
        } else {
            layout.copy(done)
        }
        rest = after;
    }
    layout.finish();
    let mut out = layout.out.trim().to_owned();
    out.push('\n');
    out
}

/// Deeper blocks are indented no further.
const MAX_INDENT: usize = 10;
/// Newlines in a row, one blank line.
const MAX_NEWLINES: usize = 2;

/// An opening brace is written only once it is known what follows it.
#[derive(Clone, Copy, PartialEq)]
enum Brace {
    None,
    Seen {
        /// Behind a blank.
        space: bool,
        own_line: bool,
    },
    /// Written as part of a word.
    InWord,
}
#[derive(Clone, Copy, PartialEq)]
enum Quotes {
    None,
    Double,
    Back,
    /// A backquote within double quotes.
    DoubleBack,
}
enum Heredoc {
    None,
    /// Behind `<<`, with the marker as far as it goes.
    Opening(String),
    /// With its marker, and where the current line starts in the output.
    Open(String, usize),
}
struct Layout {
    out: String,
    last: Option<char>,
    /// The character before was a blank, as the beginning of the text is.
    space: bool,
    line_start: bool,
    brace: Brace,
    /// Read and not yet written.
    newlines: usize,
    comment: bool,
    quotes: Quotes,
    escaped: bool,
    heredoc: Heredoc,
    /// The word cannot open a heredoc any more.
    no_heredoc: bool,
    depth: usize,
    word: String,
    /// The first word of the line.
    first_word: String,
    /// The line before was an `import` between sites: a brace below it opens the global options.
    after_import: bool,
}
impl Default for Layout {
    fn default() -> Self {
        Self {
            out: String::new(),
            last: None,
            space: true,
            line_start: true,
            brace: Brace::None,
            newlines: 0,
            comment: false,
            quotes: Quotes::None,
            escaped: false,
            heredoc: Heredoc::None,
            no_heredoc: false,
            depth: 0,
            word: String::new(),
            first_word: String::new(),
            after_import: false,
        }
    }
}
impl Layout {
    /// How many bytes of `rest` are written as they are and change nothing else: most of a word, a comment or a quotation.
    /// None where [`read`](Self::read) has to look at the next character.
    fn run(&self, rest: &str) -> usize {
        if !matches!(self.heredoc, Heredoc::None) || self.escaped || self.last == Some('<') {
            return 0;
        }
        let end = |stops: fn(u8) -> bool| rest.bytes().position(stops).unwrap_or(rest.len());
        match self.quotes {
            _ if self.comment => end(|byte| matches!(byte, b'\n' | b'<')),
            Quotes::Double => end(|byte| matches!(byte, b'"' | b'`' | b'\\' | b'<')),
            Quotes::None if self.in_word() => end(|byte| {
                !byte.is_ascii_graphic() || matches!(byte, b'"' | b'`' | b'\\' | b'<' | b'#' | b'{' | b'}')
            }),
            _ => 0,
        }
    }
    /// Behind the first character of a word, with nothing left to be written before the next one.
    fn in_word(&self) -> bool {
        !self.space && !self.line_start && self.newlines == 0 && !matches!(self.brace, Brace::Seen { .. })
    }
    /// Writes a run.
    fn copy(&mut self, run: &str) {
        if !self.comment && self.quotes == Quotes::None {
            self.word.push_str(run);
        }
        self.out.push_str(run);
        self.last = run.chars().next_back();
    }
    fn read(&mut self, c: char) {
        if self.in_heredoc(c) {
            return;
        }
        if self.last == Some('<') {
            self.space = false;
        }
        if self.in_comment(c) || self.in_escape(c) || self.in_quotes(c) {
            return;
        }
        if c.is_whitespace() {
            self.blank(c);
        } else {
            self.text(c);
        }
    }

    /// A brace at the very end opens a block too.
    fn finish(&mut self) {
        if let Brace::Seen { space, own_line } = self.brace {
            self.open_block(space, own_line);
        }
    }
    /// Heredocs stay as they are. True if the character is done.
    fn in_heredoc(&mut self, c: char) -> bool {
        match &mut self.heredoc {
            Heredoc::None => {
                let opens = c == '<' && self.last == Some('<') && self.space;
                if !opens || self.no_heredoc || self.quotes != Quotes::None {
                    return false;
                }
                self.heredoc = Heredoc::Opening(String::new());
                self.space = false;
                self.write(c);
                true
            }
            Heredoc::Opening(marker) if c == '\n' => {
                if is_marker(marker) {
                    self.heredoc = Heredoc::Open(std::mem::take(marker), self.out.len() + 1);
                    self.write(c);
                } else {
                    self.heredoc = Heredoc::None;
                    self.next_line();
                }
                true
            }
            Heredoc::Opening(_) if c.is_whitespace() => {
                self.heredoc = Heredoc::None;
                false
            }
            Heredoc::Opening(marker) => {
                marker.push(c);
                self.write(c);
                true
            }
            Heredoc::Open(marker, line) => {
                if c.is_whitespace()
                    && self.out.get(*line..).is_some_and(|line| line.ends_with(marker.as_str()))
                {
                    self.heredoc = Heredoc::None;
                    return false;
                }
                if c == '\n' {
                    *line = self.out.len() + 1;
                }
                self.write(c);
                true
            }
        }
    }
    fn in_comment(&mut self, c: char) -> bool {
        if !self.comment {
            return false;
        }
        if c == '\n' {
            self.comment = false;
            self.space = true;
            self.next_line();
        } else {
            self.write(c);
        }
        true
    }
    fn in_escape(&mut self, c: char) -> bool {
        if self.escaped {
            self.no_heredoc |= c == '<';
            self.escaped = false;
            self.write(c);
            return true;
        }
        if c == '\\' {
            if self.space {
                self.write(' ');
                self.space = false;
            }
            self.escaped = true;
            self.write(c);
        }
        self.escaped
    }
    fn in_quotes(&mut self, c: char) -> bool {
        if c == '`' {
            self.quotes = match self.quotes {
                Quotes::None => Quotes::Back,
                Quotes::Back => Quotes::None,
                Quotes::Double => Quotes::DoubleBack,
                Quotes::DoubleBack => Quotes::Double,
            };
        }
        if self.quotes == Quotes::Double {
            if c == '"' {
                self.quotes = Quotes::None;
            }
            self.write(c);
            return true;
        }
        if c == '"' {
            self.quotes = match self.quotes {
                Quotes::None if self.space => Quotes::Double,
                Quotes::DoubleBack => Quotes::None,
                other => other,
            };
        }
        if matches!(self.quotes, Quotes::Back | Quotes::DoubleBack) {
            if c == '`' && self.space && !self.line_start {
                self.write(' ');
            }
            self.write(c);
            self.space = false;
            return true;
        }
        false
    }
    fn blank(&mut self, c: char) {
        self.end_word();
        self.space = true;
        self.no_heredoc = false;
        if c == '\n' {
            self.end_line();
            self.newlines += 1;
        }
    }
    fn text(&mut self, c: char) {
        let space = std::mem::replace(&mut self.space, false);
        if c == '#' {
            self.comment = true;
        }
        if let Brace::Seen { space: brace_space, own_line } = self.brace
            && (space || c == '{')
        {
            self.open_block(brace_space, own_line);
        }
        match c {
            '{' => {
                self.end_word();
                self.brace = Brace::Seen { space: space && !self.line_start, own_line: self.newlines > 0 };
                if space && !self.line_start && self.newlines == 0 {
                    self.write(' ');
                }
            }
            '}' if space || self.brace == Brace::None => {
                self.end_word();
                self.close_block();
            }
            _ => self.word(c, space),
        }
    }
    fn open_block(&mut self, space: bool, own_line: bool) {
        if self.depth == 0 && self.last == Some('}') {
            self.next_line();
            self.next_line();
        }
        if own_line && self.after_import {
            if self.last != Some('\n') {
                self.next_line();
            }
            self.indent();
        } else if self.line_start {
            self.indent();
        } else if !space || !self.last.is_some_and(char::is_whitespace) {
            self.write(' ');
        }
        self.write('{');
        self.brace = Brace::None;
        self.next_line();
        self.newlines = 0;
        if self.depth < MAX_INDENT {
            self.depth += 1;
        }
    }
    fn close_block(&mut self) {
        if self.last != Some('\n') {
            self.next_line();
        }
        self.depth = self.depth.saturating_sub(1);
        self.indent();
        self.write('}');
        self.newlines = 0;
    }
    fn word(&mut self, c: char, space: bool) {
        for _ in 0..self.newlines.min(MAX_NEWLINES) {
            self.next_line();
        }
        self.newlines = 0;
        if self.line_start {
            self.indent();
            if self.depth == 0 && self.last == Some('}') {
                self.next_line();
                self.next_line();
            }
        }
        if !self.line_start && space {
            self.write(' ');
        }
        if matches!(self.brace, Brace::Seen { .. }) {
            self.write('{');
            self.brace = Brace::InWord;
        }
        if space && c == '<' {
            self.space = true;
        }
        self.word.push(c);
        self.write(c);
        self.line_start = false;
    }

    fn end_word(&mut self) {
        if self.first_word.is_empty() {
            std::mem::swap(&mut self.first_word, &mut self.word);
        }
        self.word.clear();
    }
    fn end_line(&mut self) {
        if !self.first_word.is_empty() {
            self.after_import = self.depth == 0 && self.first_word == "import";
        } else if !matches!(self.brace, Brace::Seen { own_line: true, .. }) {
            self.after_import = false;
        }
        self.first_word.clear();
    }
    fn write(&mut self, c: char) {
        self.out.push(c);
        self.last = Some(c);
    }
    fn next_line(&mut self) {
        self.write('\n');
        self.line_start = true;
    }
    fn indent(&mut self) {
        for _ in 0..self.depth {
            self.write('\t');
        }
    }
}
