//! What an `import` makes of the tokens that it brings in: arguments and blocks filled in, the chain of imports noted.
use crate::{
    ast::Error,
    stream::{Piece, Pieces, Stream},
};
use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
    sync::Arc,
};

/// What stands behind `import NAME`.
pub(crate) struct Given {
    pub(crate) args: Vec<String>,
    block: Pieces,
    /// The entries of the block by their first word: what follows it, the braces stripped.
    blocks: HashMap<String, Pieces>,
}
impl Given {
    /// # Errors
    /// The message for a block in the block that has no name.
    pub(crate) fn new(args: Vec<String>, block: Pieces) -> Result<Self, &'static str> {
        let mut blocks = HashMap::new();
        let mut stream = Stream::new(block.clone());
        while let Some(name) = stream.next() {
            if name.opens() {
                return Err("anonymous blocks are not supported");
            }
            let mut pieces = stream.arguments();
            pieces.extend(stream.block());
            blocks.insert(name.text().to_owned(), pieces);
        }
        Ok(Self { args, block, blocks })
    }
    /// What `{block}` or `{blocks.NAME}` stands for, if `text` is one of them.
    fn block(&self, text: &str) -> Option<&[Rc<Piece>]> {
        if text == "{block}" {
            return Some(&self.block);
        }
        let name = text.strip_prefix("{blocks.")?.strip_suffix('}')?;
        Some(self.blocks.get(name).map_or(&[], Vec::as_slice))
    }
}

/// How much text imports may make all together, each token counted with some more: snippets that use each other twice
/// grow by powers of two.
const MAX_TEXT: usize = 64 << 20;
const TOKEN: usize = 64;

/// What is left of the limit above.
pub(crate) struct Budget(usize);
impl Default for Budget {
    fn default() -> Self {
        Self(MAX_TEXT)
    }
}
impl Budget {
    fn spend(&mut self, text: &str) -> Result<(), String> {
        match self.0.checked_sub(text.len() + TOKEN) {
            Some(left) => self.0 = left,
            None => return Err(format!("imports make more than {} MiB of text", MAX_TEXT >> 20)),
        }
        Ok(())
    }
}

/// Gives the imported tokens as they are to be read.
///
/// `at`: where the import stands, `FILE:LINE`. `top`: the import stands between sites, so that snippets may be defined
/// in what it brings; these are left as they are, for whoever imports them.
///
/// # Errors
/// The message for what passes a limit.
pub(crate) fn fill(
    imported: &[Rc<Piece>],
    given: &Given,
    at: &str,
    top: bool,
    budget: &mut Budget,
    warnings: &mut Vec<Error>,
) -> Result<Pieces, String> {
    let mut out: Pieces = Vec::with_capacity(imported.len());
    let mut chain = Chain { at, last: None };
    let mut snippets = Snippets { skip: !top, ..Snippets::default() };
    for piece in imported {
        let mut piece = Piece::clone(piece);
        piece.token.span.imports = chain.extend(&piece);
        let inside_snippet = snippets.inside(&piece, out.last());
        if let Some(pieces) = given.block(piece.text()).filter(|_| !inside_snippet) {
            for piece in pieces {
                budget.spend(piece.text())?;
            }
            out.extend_from_slice(pieces);
            continue;
        }
        if inside_snippet {
            budget.spend(piece.text())?;
            out.push(Rc::new(piece));
            continue;
        }
        if let Some(args) = crate::args::variadic(&piece.token, &given.args, warnings) {
            for arg in args {
                let mut piece = piece.clone();
                piece.token.text.clone_from(arg);
                budget.spend(piece.text())?;
                out.push(Rc::new(piece));
            }
            continue;
        }
        piece.token.text = crate::args::fill(&piece.token, &given.args, budget.0, warnings);
        budget.spend(piece.text())?;
        out.push(Rc::new(piece));
    }
    Ok(out)
}

type Imports = Arc<[Box<str>]>;
/// The chain of imports, one longer; tokens of the same origin share it.
struct Chain<'a> {
    at: &'a str,
    /// The chain and the snippet of the token before, and what its chain became.
    last: Option<(Imports, Option<Arc<str>>, Imports)>,
}
impl Chain<'_> {
    fn extend(&mut self, piece: &Piece) -> Imports {
        let old = &piece.span().imports;
        if let Some((known, snippet, new)) = &self.last
            && Arc::ptr_eq(known, old)
            && *snippet == piece.snippet
        {
            return new.clone();
        }
        let entry = match &piece.snippet {
            Some(name) => format!("{} (import {name})", self.at),
            None => format!("{} (import)", self.at),
        };
        let new: Imports = old.iter().cloned().chain([entry.into()]).collect();
        self.last = Some((old.clone(), piece.snippet.clone(), new.clone()));
        new
    }
}

/// Tells which of the imported tokens stand in the definition of a snippet. As in Caddy by a rough look alone: `(name)`
/// at the start of a line and a brace behind it.
#[derive(Default)]
struct Snippets {
    skip: bool,
    inside: bool,
    name_seen: bool,
    /// Of the token on its line, from 0.
    index: usize,
    depth: isize,
}
impl Snippets {
    fn inside(&mut self, piece: &Piece, before: Option<&Rc<Piece>>) -> bool {
        if self.skip {
            return false;
        }
        if !self.inside && self.depth == 0 {
            let starts_line = before.is_none_or(|before| before.ends_line_before(piece));
            self.index = if starts_line { 0 } else { self.index + 1 };
            let text = piece.text();
            if starts_line && text.len() >= 3 && text.starts_with('(') && text.ends_with(')') {
                self.name_seen = true;
            }
        }
        if piece.opens() {
            self.depth += 1;
            if self.index == 1 && self.name_seen && self.depth == 1 {
                self.inside = true;
                self.name_seen = false;
            }
        } else if piece.closes() {
            self.depth -= 1;
            if self.depth == 0 {
                self.inside = false;
            }
        }
        self.inside
    }
}

/// Who imports whom: files by their name, snippets as `FILE:SNIPPET`.
#[derive(Default)]
pub(crate) struct Graph(HashMap<String, HashSet<String>>);
impl Graph {
    /// # Errors
    /// The message that names the cycle.
    pub(crate) fn add(&mut self, from: &str, to: &str) -> Result<(), String> {
        if self.reaches(to, from) {
            return Err(format!("a cycle of imports exists between {from} and {to}"));
        }
        self.0.entry(from.to_owned()).or_default().insert(to.to_owned());
        Ok(())
    }
    fn reaches(&self, from: &str, to: &str) -> bool {
        let mut seen = HashSet::new();
        let mut next: Vec<&str> = vec![from];
        while let Some(node) = next.pop() {
            for found in self.0.get(node).into_iter().flatten() {
                if found == to {
                    return true;
                }
                if seen.insert(found.as_str()) {
                    next.push(found);
                }
            }
        }
        false
    }
}
