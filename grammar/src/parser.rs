//! From tokens to sites: the structural rules of `caddyfile.ebnf`, in the same order. Imports are carried out on the way,
//! so that a definition counts for what stands below it.
use crate::{
    Source,
    ast::{Error, File, Line, NamedRoute, Quote, Site, Span, Token},
    env, format,
    import::{self, Budget, Given, Graph},
    lexer,
    stream::{Piece, Pieces, Stream},
    tree,
};
use std::{borrow::Cow, collections::HashMap, io::ErrorKind, rc::Rc, sync::Arc};

type Parsed<T> = Result<T, Error>;

pub(crate) fn parse(name: &str, text: &str, source: &dyn Source) -> Parsed<File> {
    let mut parser = Parser {
        source,
        stream: Stream::new(pieces(lexer::lex(&name.into(), &env::expand(text, source))?)),
        snippets: HashMap::new(),
        graph: Graph::default(),
        budget: Budget::default(),
        warnings: vec![],
    };
    let mut file = File::default();
    let mut first = true;
    while parser.stream.next().is_some() {
        let Some(block) = parser.block()? else { continue };
        match block {
            Block::Route(route) => file.named_routes.push(route),
            Block::Site(site) if first && site.keys.is_empty() => file.options = Some(site.lines),
            Block::Site(site) => file.sites.push(site),
        }
        first = false;
    }
    file.warnings = parser.warnings;
    file.warnings.extend(unformatted(name, text));
    Ok(file)
}
/// Caddy's warning of text that is not as `fmt` would lay it out; it names the first line that differs.
fn unformatted(file: &str, text: &str) -> Option<Error> {
    let text = if text.contains('\r') { Cow::Owned(text.replace("\r\n", "\n")) } else { Cow::Borrowed(text) };
    let formatted = format::format(&text);
    if text == formatted {
        return None;
    }
    let alike = text.bytes().zip(formatted.bytes()).take_while(|(a, b)| a == b);
    let line = 1 + alike.filter(|(a, _)| *a == b'\n').count();
    let span = Span {
        file: file.into(),
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: 1,
        length: 0,
        imports: Arc::from([]),
    };
    let message = "Caddyfile input is not formatted; run 'caddy fmt --overwrite' to fix inconsistencies";
    Some(Error { span: Some(span), ..Error::plain(message) })
}
fn pieces(tokens: Vec<Token>) -> Pieces {
    tokens.into_iter().map(|token| Rc::new(Piece { token, snippet: None })).collect()
}

enum Block {
    Site(Site),
    Route(NamedRoute),
}
struct Keys {
    tokens: Vec<Token>,
    /// A brace stands behind them.
    braces: bool,
    /// The file ends behind them.
    end: bool,
}
struct Parser<'s> {
    source: &'s dyn Source,
    stream: Stream,
    snippets: HashMap<String, Pieces>,
    graph: Graph,
    budget: Budget,
    warnings: Vec<Error>,
}
impl Parser<'_> {
    /// A site, a named route, or `None` for a snippet and for nothing at all. Starts at its first token.
    fn block(&mut self) -> Parsed<Option<Block>> {
        let mut keys = self.keys()?;
        if keys.end {
            let site = Site { keys: keys.tokens, lines: vec![], braces: keys.braces };
            return Ok((!site.keys.is_empty()).then_some(Block::Site(site)));
        }
        if let [only] = keys.tokens.as_mut_slice() {
            if let Some(name) = parenthesized(&only.text, "&(") {
                only.text = name;
                return self.named_route(only).map(|route| Some(Block::Route(route)));
            }
            if let Some(name) = parenthesized(&only.text, "(") {
                self.snippet(&name)?;
                return Ok(None);
            }
        }
        let lines = self.contents()?;
        if keys.tokens.is_empty() && lines.is_empty() {
            return Ok(None);
        }
        Ok(Some(Block::Site(Site { keys: keys.tokens, lines, braces: keys.braces })))
    }

    /// The keys of a block: to the end of the line, or to a brace; a comma at the end of a key goes on to the next.
    fn keys(&mut self) -> Parsed<Keys> {
        let mut keys = Keys { tokens: vec![], braces: false, end: false };
        let mut another = false;
        while let Some(piece) = self.stream.current().cloned() {
            let text = piece.text();
            if text.starts_with('@') {
                return Err(self.stream.error(format!(
                    "request matchers may not be defined globally, they must be in a site block; found {text}"
                )));
            }
            if text == "import" && self.stream.begins_line() {
                self.import(true)?;
                if self.stream.next().is_some() {
                    continue;
                }
                keys.end = true;
                if another {
                    return Err(Error::plain("unexpected EOF, at :0"));
                }
                break;
            }
            if piece.opens() {
                if another {
                    return Err(self.stream.error(format!(
                        "Expected another address but had '{text}' - check for extra comma"
                    )));
                }
                keys.braces = true;
                break;
            }
            if text.ends_with('{') && !piece.token.quoted() {
                return Err(self.stream.error(format!(
                    "Site addresses cannot end with a curly brace: '{text}' - put a space between the token and the brace"
                )));
            }
            if !text.is_empty() {
                another = text.ends_with(',');
                self.key(&piece, &mut keys.tokens)?;
            }
            if self.stream.next().is_none() {
                if another {
                    return Err(self.stream.error("unexpected EOF"));
                }
                keys.end = true;
                break;
            }
            if !another && self.stream.begins_line() {
                break;
            }
        }
        Ok(keys)
    }
    fn key(&self, piece: &Piece, keys: &mut Vec<Token>) -> Parsed<()> {
        let text = piece.text();
        let text = text.strip_suffix(',').unwrap_or(text);
        if text.contains(',') {
            return Err(self.stream.error(format!(
                "Site addresses cannot contain a comma ',': '{text}' - put a space after the comma to separate site \
                 addresses"
            )));
        }
        if !text.is_empty() {
            keys.push(Token { text: text.to_owned(), ..piece.token.clone() });
        }
        Ok(())
    }

    /// What stands behind the keys: a block, or lines to the end of the file.
    fn contents(&mut self) -> Parsed<Vec<Line>> {
        let braces = self.stream.current().is_some_and(|piece| piece.opens());
        if !braces {
            self.stream.back();
        }
        let mut lines = vec![];
        while let Some(piece) = self.stream.next() {
            if piece.closes() {
                break;
            }
            if piece.text() == "import" {
                self.import(false)?;
            } else {
                lines.extend(self.line(piece)?);
            }
        }
        if braces && !self.stream.current().is_some_and(|piece| piece.closes()) {
            return Err(self.stream.unexpected('}'));
        }
        Ok(lines)
    }

    /// A line and the block it opens.
    fn line(&mut self, first: Rc<Piece>) -> Parsed<Option<Line>> {
        let mut found = vec![first];
        let mut depth = 0;
        while let Some(piece) = self.stream.next() {
            if piece.opens() {
                depth += 1;
                if !self.stream.ends_line() {
                    return Err(self.stream.error("Unexpected next token after '{' on same line"));
                }
                if self.stream.begins_line() {
                    return Err(self.stream.error(
                        "Unexpected '{' on a new line; did you mean to place the '{' on the previous line?",
                    ));
                }
            } else if piece.is_bare("{}") {
                if self.stream.ends_line() {
                    return Err(self.stream.error("Unexpected '{}' at end of line"));
                }
            } else if depth == 0 && self.stream.begins_line() {
                self.stream.back();
                break;
            } else if piece.closes() {
                if depth == 0 {
                    return Err(self.stream.error("Unexpected '}' because no matching opening brace"));
                }
                depth -= 1;
            } else if piece.text() == "import" && self.stream.begins_line() {
                self.import(false)?;
                continue;
            }
            found.push(piece);
        }
        if depth > 0 {
            return Err(self.stream.error("unexpected EOF"));
        }
        tree::line(found)
    }

    /// `&(name) { … }`, behind its name.
    fn named_route(&mut self, name: &Token) -> Parsed<NamedRoute> {
        let block = self.raw_block()?;
        let mut found = self.with_imports(block)?;
        // The brace may stand on a line of its own.
        if let Some(brace) = found.first() {
            let head = Token { text: name.text.clone(), quote: Quote::None, span: brace.span().clone() };
            found.insert(0, Rc::new(Piece { token: head, snippet: None }));
        }
        let line = tree::line(found)?;
        Ok(NamedRoute { name: name.text.clone(), span: name.span.clone(), line: line.unwrap_or_default() })
    }
    /// `(name) { … }`, behind its name. Its tokens are kept as they are: they mean something where they are imported.
    fn snippet(&mut self, name: &str) -> Parsed<()> {
        if self.snippets.contains_key(name) {
            return Err(self.stream.error(format!("redeclaration of previously declared snippet {name}")));
        }
        if self.stream.current().is_some_and(|piece| piece.text() == "import") {
            return Err(self.stream.error(
                "global options block must appear before import directives; move the global options block to the top of \
                 the Caddyfile",
            ));
        }
        let mut found = self.raw_block()?;
        // Without its braces.
        found.remove(0);
        found.pop();
        let snippet: Arc<str> = name.into();
        let named = |piece| Rc::new(Piece { snippet: Some(snippet.clone()), ..Rc::unwrap_or_clone(piece) });
        self.snippets.insert(name.to_owned(), found.into_iter().map(named).collect());
        Ok(())
    }
    /// The tokens of the block whose brace is the current token, with its braces.
    fn raw_block(&mut self) -> Parsed<Pieces> {
        let start = self.stream.current().filter(|piece| piece.opens()).cloned();
        let Some(start) = start else { return Err(self.stream.unexpected('{')) };
        let mut depth = 1;
        let mut found = vec![start];
        while let Some(piece) = self.stream.next() {
            if piece.opens() {
                depth += 1;
            } else if piece.closes() {
                depth -= 1;
            }
            found.push(piece);
            if depth == 0 {
                return Ok(found);
            }
        }
        Err(self.stream.unexpected('}'))
    }
    /// Carries out the imports in tokens that were read without.
    fn with_imports(&mut self, block: Pieces) -> Parsed<Pieces> {
        let after = std::mem::replace(&mut self.stream, Stream::new(block));
        let mut found = vec![];
        while let Some(piece) = self.stream.next() {
            if piece.text() == "import" && self.stream.begins_line() {
                self.import(false)?;
            } else {
                found.push(piece);
            }
        }
        self.stream = after;
        Ok(found)
    }

    /// `import PATTERN ARG… { BLOCK }`, from its first word on: the next token is then the first imported one.
    ///
    /// `top`: it stands between sites.
    fn import(&mut self, top: bool) -> Parsed<()> {
        let mut before = self.stream.previous().cloned();
        let Some(pattern) = self.stream.argument() else {
            return Err(self.stream.error("wrong argument count or unexpected line ending after 'import'"));
        };
        if pattern.text().is_empty() {
            return Err(self.stream.error("Import requires a non-empty filepath"));
        }
        let args = self.stream.arguments().iter().map(|piece| piece.text().to_owned()).collect();
        if self.stream.opens() {
            before = Some(pattern.clone());
        }
        let block = self.stream.block();
        let given = Given::new(args, block).map_err(|message| self.stream.error(message))?;
        let Some(here) = self.stream.current().cloned() else { return Ok(()) };
        let (imported, nodes) = match self.snippets.get(pattern.text()) {
            Some(snippet) => {
                (snippet.clone(), snippet.first().map(|piece| node(piece)).into_iter().collect())
            }
            None => self.files(&pattern)?,
        };
        for to in nodes {
            let cycle = self.graph.add(&node(&here), &to);
            cycle.map_err(|message| here.token.error(message))?;
        }
        let at = format!("{}:{}", here.span().file, here.span().line);
        let filled = import::fill(&imported, &given, &at, top, &mut self.budget, &mut self.warnings);
        self.stream.splice(filled.map_err(|message| here.token.error(message))?);
        self.stream.stand_at(before);
        Ok(())
    }
    /// The tokens of all files that a pattern names, and their names.
    fn files(&mut self, pattern: &Piece) -> Parsed<(Pieces, Vec<String>)> {
        let beside = &pattern.span().file;
        let text = pattern.text();
        let many = |wildcard| text.matches(wildcard).count() > 1;
        if many('*') || many('?') || (text.contains('[') && text.contains(']')) {
            let absolute = self.source.absolute(beside, text);
            return Err(self.stream.error(format!(
                "Glob pattern may only contain one wildcard (*), but has others: {absolute}"
            )));
        }
        let mut paths = self.source.glob(beside, text).map_err(|error| {
            self.stream.error(format!("Failed to use import pattern {text}: {}", reason(&error)))
        })?;
        if paths.is_empty() {
            if !text.contains(['*', '?', '[', ']']) {
                return Err(self.stream.error(format!("File to import not found: {text}")));
            }
            self.warnings.push(pattern.token.error(format!("No files matching import glob pattern {text}")));
        }
        let last_segment = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        if last_segment(text).starts_with('*') {
            paths.retain(|path| !last_segment(path).starts_with('.'));
        }
        let mut found = vec![];
        for path in &paths {
            found.extend(self.file(path, pattern)?);
        }
        Ok((found, paths))
    }
    fn file(&mut self, path: &str, pattern: &Piece) -> Parsed<Pieces> {
        let text = self.source.read(path).map_err(|error| {
            self.stream.error(match error.kind() {
                ErrorKind::IsADirectory => format!("Could not import {path}: is a directory"),
                _ => format!("Could not import {path}: open {path}: {}", reason(&error)),
            })
        })?;
        if text.trim().is_empty() {
            self.warnings.push(pattern.token.error(format!("Import file is empty: {path}")));
            return Ok(vec![]);
        }
        lexer::lex(&path.into(), &env::expand(&text, self.source)).map(pieces).map_err(|error| {
            self.stream.error(format!("Could not read tokens while importing {path}: {}", error.message))
        })
    }
}
/// A node of the graph of imports.
fn node(piece: &Piece) -> String {
    match &piece.snippet {
        Some(snippet) => format!("{}:{snippet}", piece.span().file),
        None => piece.span().file.to_string(),
    }
}
/// `name` of `(name)` or, with another `opening`, of `&(name)`.
fn parenthesized(text: &str, opening: &str) -> Option<String> {
    text.strip_prefix(opening)?.strip_suffix(')').map(str::to_owned)
}
/// As Go says it.
fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "no such file or directory".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}
