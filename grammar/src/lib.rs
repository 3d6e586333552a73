//! The Caddyfile language: source text in, a tree of lines and blocks out. It knows no directive, no file system and no
//! environment: what it needs of them it asks of a [`Source`].
mod args;
mod ast;
mod env;
mod format;
mod heredoc;
mod import;
mod lexer;
mod memory;
mod nearest;
mod parser;
mod place;
mod stream;
mod tree;
pub mod values;
pub use ast::{Error, File, Line, NamedRoute, Quote, Said, Site, Span, Token};
pub use memory::Memory;
pub use nearest::nearest;

/// The world around a Caddyfile.
pub trait Source {
    /// The text of a file.
    fn read(&self, path: &str) -> std::io::Result<String>;
    /// The files that match `pattern` (`*` and `?`), absolute, in lexical order; a path without wildcards gives itself
    /// if it exists. A relative pattern starts at `beside`'s folder, `beside` being the file that imports.
    fn glob(&self, beside: &str, pattern: &str) -> std::io::Result<Vec<String>>;
    /// An environment variable, if it is set.
    fn env(&self, name: &str) -> Option<String>;
    /// A path or pattern as [`Source::glob`] takes it, made absolute: for messages.
    fn absolute(&self, beside: &str, pattern: &str) -> String {
        match beside.rsplit_once('/') {
            Some((folder, _)) if !pattern.starts_with('/') => format!("{folder}/{pattern}"),
            _ => pattern.to_owned(),
        }
    }
}

/// Parses one Caddyfile, with all that it imports.
///
/// # Errors
/// The first thing that is wrong, in Caddy's words where Caddy has some.
pub fn parse(file: &str, text: &str, source: &dyn Source) -> Result<File, Error> {
    parser::parse(file, text, source)
}
/// Formats a Caddyfile as `caddy fmt` does. Keeps its meaning; a second pass changes nothing.
pub fn format(text: &str) -> String {
    format::format(text)
}
