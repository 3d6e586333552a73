//! Templates as trees: Go's `text/template/parse`.
use super::{
    lex::{Piece, Spaced, Token, pieces},
    value::{Failure, Value},
};
use std::{collections::HashMap, rc::Rc, vec};

pub(super) type Nodes = Rc<Vec<Node>>;
/// The templates that `define` and `block` have named.
pub(super) type Named = HashMap<String, Nodes>;

#[derive(Debug)]
pub(super) enum Node {
    Text(String),
    Action(Pipeline),
    If(Branch),
    With(Branch),
    Range(Branch),
    Template(String, Option<Pipeline>),
    Break,
    Continue,
}
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) pipeline: Pipeline,
    pub(super) then: Nodes,
    pub(super) otherwise: Nodes,
}
#[derive(Debug)]
pub(super) struct Pipeline {
    /// `$a, $b :=`, without their dollars.
    pub(super) variables: Vec<String>,
    /// `=`: they are there already.
    pub(super) assigns: bool,
    pub(super) commands: Vec<Vec<Operand>>,
}
#[derive(Debug)]
pub(super) enum Operand {
    Value(Value),
    Dot,
    Nil,
    Function(String),
    /// Of the dot.
    Field(Vec<String>),
    /// Of a variable; there may be none.
    Variable(String, Vec<String>),
    /// A pipeline in parentheses, and fields of what it gives.
    Nested(Box<Pipeline>, Vec<String>),
}
/// # Errors
/// What is no template.
pub(super) fn parse(text: &str, (open, close): (&str, &str), named: &mut Named) -> Result<Nodes, Failure> {
    let mut parser = Parser { pieces: pieces(text, open, close)?.into_iter(), named, depth: 0, loops: 0 };
    match parser.list()? {
        (nodes, Ending::Text) => Ok(nodes),
        (_, end) => Err(format!("unexpected {end:?}").into()),
    }
}
struct Parser<'n> {
    pieces: vec::IntoIter<Piece>,
    named: &'n mut Named,
    depth: usize,
    loops: usize,
}
/// What ends a list of nodes.
#[derive(Debug)]
enum Ending {
    Text,
    Closed,
    /// And what is behind it, if that is another condition.
    Else(Vec<Spaced>),
}
/// More than any template that is meant well.
const DEEPEST: usize = 200;

impl Parser<'_> {
    fn list(&mut self) -> Result<(Nodes, Ending), Failure> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("template is nested too deeply".into());
        }
        let mut nodes = vec![];
        let end = loop {
            let tokens = match self.pieces.next() {
                None => break Ending::Text,
                Some(Piece::Text(text)) => {
                    nodes.push(Node::Text(text));
                    continue;
                }
                Some(Piece::Action(tokens)) => tokens,
            };
            let keyword = match tokens.first() {
                None => return Err("missing value for command".into()),
                Some((Token::Name(name), _)) => name.as_str(),
                _ => "",
            };
            match keyword {
                "end" => break Ending::Closed,
                "else" => break Ending::Else(tokens.into_iter().skip(1).collect()),
                "if" | "with" | "range" => {
                    let node = self.branch(keyword, &tokens[1..])?;
                    nodes.push(node);
                }
                "define" => self.define(&tokens[1..])?,
                "template" => nodes.push(template(&tokens[1..])?),
                "block" => {
                    nodes.push(template(&tokens[1..])?);
                    self.define(&tokens[1..2])?;
                }
                "break" | "continue" if self.loops == 0 => {
                    return Err(format!("{{{{{keyword}}}}} outside {{{{range}}}}").into());
                }
                "break" => nodes.push(Node::Break),
                "continue" => nodes.push(Node::Continue),
                _ => nodes.push(Node::Action(pipeline(&tokens)?)),
            }
        };
        self.depth -= 1;
        Ok((Rc::new(nodes), end))
    }
    fn branch(&mut self, keyword: &str, tokens: &[Spaced]) -> Result<Node, Failure> {
        let pipeline = pipeline(tokens)?;
        let is_range = keyword == "range";
        self.loops += usize::from(is_range);
        let (then, end) = self.list()?;
        self.loops -= usize::from(is_range);
        let otherwise = match end {
            Ending::Closed => Nodes::default(),
            Ending::Text => return Err("unexpected EOF".into()),
            Ending::Else(tokens) => match tokens.first() {
                None => match self.list()? {
                    (nodes, Ending::Closed) => nodes,
                    _ => return Err("expected end".into()),
                },
                // `else if`, `else with`: as if it stood within, with one `end` for both.
                Some((Token::Name(next), _)) if next == keyword && !is_range => {
                    Rc::new(vec![self.branch(keyword, &tokens[1..])?])
                }
                _ => return Err("unexpected token in else".into()),
            },
        };
        let branch = Branch { pipeline, then, otherwise };
        Ok(match keyword {
            "if" => Node::If(branch),
            "with" => Node::With(branch),
            _ => Node::Range(branch),
        })
    }
    fn define(&mut self, tokens: &[Spaced]) -> Result<(), Failure> {
        let [(Token::Str(name), _)] = tokens else { return Err("unexpected token in define clause".into()) };
        match self.list()? {
            (nodes, Ending::Closed) => {
                self.named.insert(name.clone(), nodes);
                Ok(())
            }
            _ => Err("unexpected EOF in define clause".into()),
        }
    }
}
fn template(tokens: &[Spaced]) -> Result<Node, Failure> {
    match tokens {
        [(Token::Str(name), _)] => Ok(Node::Template(name.clone(), None)),
        [(Token::Str(name), _), rest @ ..] => Ok(Node::Template(name.clone(), Some(pipeline(rest)?))),
        _ => Err("unexpected token in template clause".into()),
    }
}
fn pipeline(tokens: &[Spaced]) -> Result<Pipeline, Failure> {
    let mut reader = Reader { tokens, depth: 0 };
    let pipeline = reader.pipeline()?;
    if reader.tokens.is_empty() { Ok(pipeline) } else { Err("unexpected token in action".into()) }
}
struct Reader<'t> {
    tokens: &'t [Spaced],
    depth: usize,
}
impl Reader<'_> {
    fn pipeline(&mut self) -> Result<Pipeline, Failure> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("pipeline is nested too deeply".into());
        }
        let (variables, assigns) = self.declaration();
        let mut commands = vec![self.command()?];
        while matches!(self.tokens.first(), Some((Token::Pipe, _))) {
            self.tokens = &self.tokens[1..];
            commands.push(self.command()?);
        }
        self.depth -= 1;
        Ok(Pipeline { variables, assigns, commands })
    }
    /// `$a :=`, `$a, $b :=`, `$a =`.
    fn declaration(&mut self) -> (Vec<String>, bool) {
        let (variables, rest) = match self.tokens {
            [(Token::Var(a), _), (Token::Comma, _), (Token::Var(b), _), rest @ ..] => {
                (vec![a.clone(), b.clone()], rest)
            }
            [(Token::Var(a), _), rest @ ..] => (vec![a.clone()], rest),
            _ => return (vec![], false),
        };
        match rest {
            [(Token::Declare, _), rest @ ..] => {
                self.tokens = rest;
                (variables, false)
            }
            [(Token::Assign, _), rest @ ..] => {
                self.tokens = rest;
                (variables, true)
            }
            _ => (vec![], false),
        }
    }
    fn command(&mut self) -> Result<Vec<Operand>, Failure> {
        let mut operands = vec![];
        while let Some((token, _)) = self.tokens.first()
            && !matches!(token, Token::Pipe | Token::Close)
        {
            operands.push(self.operand()?);
        }
        if operands.is_empty() { Err("missing value for command".into()) } else { Ok(operands) }
    }
    fn operand(&mut self) -> Result<Operand, Failure> {
        let Some(((token, _), rest)) = self.tokens.split_first() else { return Err("missing value".into()) };
        self.tokens = rest;
        Ok(match token {
            Token::Name(name) => match name.as_str() {
                "true" => Operand::Value(true.into()),
                "false" => Operand::Value(false.into()),
                "nil" => Operand::Nil,
                _ => Operand::Function(name.clone()),
            },
            Token::Int(v) => Operand::Value((*v).into()),
            Token::Float(v) => Operand::Value((*v).into()),
            Token::Str(v) => Operand::Value(v.as_str().into()),
            Token::Field(name) if name.is_empty() => Operand::Dot,
            Token::Field(name) => {
                let mut names = vec![name.clone()];
                names.extend(self.fields());
                Operand::Field(names)
            }
            Token::Var(name) => Operand::Variable(name.clone(), self.fields()),
            Token::Open => {
                let pipeline = self.pipeline()?;
                match self.tokens.split_first() {
                    Some(((Token::Close, _), rest)) => self.tokens = rest,
                    _ => return Err("unclosed left paren".into()),
                }
                Operand::Nested(Box::new(pipeline), self.fields())
            }
            other => return Err(format!("unexpected {other:?} in operand").into()),
        })
    }
    /// Those that follow without a space.
    fn fields(&mut self) -> Vec<String> {
        let mut names = vec![];
        while let Some(((Token::Field(name), true), rest)) = self.tokens.split_first()
            && !name.is_empty()
        {
            names.push(name.clone());
            self.tokens = rest;
        }
        names
    }
}
