//! What of an expression is simple runs as matchers and comparisons of ours; the rest is left to CEL's interpreter.
use super::{
    calls::{Call, is_matcher, placeholder},
    check::check,
    eval::{Compare, General, Literal, Node, Operand, Relation, TextTest},
    source::{Parsed, parse},
    types::Type,
};
use crate::{
    config::go_regex,
    http::{Build, BuildError, Placeholder},
};
use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators as op};

type Compiled = Result<Node, BuildError>;

/// # Errors
/// An expression that cannot be read, does not fit together or is no condition; a matcher in it that does not build.
pub(super) fn compile(text: &str, name: &str, cx: &mut Build) -> Compiled {
    let failed = |error: String| format!("compiling CEL program: {error}");
    let parsed = parse(text).map_err(failed)?;
    let result = check(&parsed).map_err(failed)?;
    if result != Type::Bool {
        let result = result.result_name();
        return Err(format!("CEL request matcher expects return type of bool, not {result}").into());
    }
    let mut compile = Compile { parsed: &parsed, name, cx };
    compile.node(parsed.root()).map_err(|error| failed(error.to_string()).into())
}
struct Compile<'c> {
    parsed: &'c Parsed,
    name: &'c str,
    cx: &'c mut Build,
}
impl Compile<'_> {
    fn node(&mut self, node: &IdedExpr) -> Compiled {
        match &node.expr {
            Expr::Literal(LiteralValue::Boolean(value)) => Ok(Node::Always(*value.inner())),
            Expr::Call(call) => self.call(node, call),
            _ => self.general(node),
        }
    }
    fn call(&mut self, node: &IdedExpr, call: &CallExpr) -> Compiled {
        let name = call.func_name.as_str();
        match (&call.target, name, call.args.as_slice()) {
            (None, op::LOGICAL_AND, [a, b]) => Ok(Node::All([self.node(a)?, self.node(b)?].into())),
            (None, op::LOGICAL_OR, [a, b]) => Ok(Node::Any([self.node(a)?, self.node(b)?].into())),
            (None, op::LOGICAL_NOT, [a]) => Ok(Node::Not(Box::new(self.node(a)?))),
            (None, _, args) if is_matcher(name, args.len()) => self.matcher(call),
            (None, _, [a, b]) => match compare(name, a, b) {
                Some(compare) => Ok(Node::Compare(compare)),
                None => self.general(node),
            },
            (Some(on), _, [arg]) => match self.text_test(name, on, arg)? {
                Some(test) => Ok(test),
                None => self.general(node),
            },
            _ => self.general(node),
        }
    }
    fn matcher(&mut self, call: &CallExpr) -> Compiled {
        let call = Call::new(self.parsed, call, self.name)?;
        if call.is_fixed() {
            return Ok(Node::Matcher(self.cx.matcher(&call.name, call.config(None))?));
        }
        let waits = &*call.name == "file";
        Ok(Node::Dynamic { call, modules: self.cx.modules(), waits })
    }
    /// `x.startsWith('a')` and the like, on a placeholder.
    fn text_test(&mut self, name: &str, on: &IdedExpr, arg: &IdedExpr) -> Result<Option<Node>, BuildError> {
        let (Some(on), Some(Literal::Text(text))) = (placeholder(on), literal(arg)) else { return Ok(None) };
        let test = match name {
            "startsWith" => TextTest::StartsWith(text),
            "endsWith" => TextTest::EndsWith(text),
            "contains" => TextTest::Contains(text),
            "matches" => TextTest::Matches(go_regex(&text)?),
            _ => return Ok(None),
        };
        Ok(Some(Node::Text { name: name.into(), on: Placeholder::new(on), test }))
    }
    /// In CEL's interpreter, where placeholders and matchers become variables.
    fn general(&mut self, node: &IdedExpr) -> Compiled {
        let mut general = General { tree: node.clone(), placeholders: vec![], conditions: vec![] };
        let mut tree = std::mem::take(&mut general.tree);
        self.extract(&mut tree, &mut general)?;
        general.tree = tree;
        Ok(Node::General(Box::new(general)))
    }
    fn extract(&mut self, node: &mut IdedExpr, general: &mut General) -> Result<(), BuildError> {
        if let Some(key) = placeholder(node) {
            let name = format!("@placeholder{}", general.placeholders.len());
            general.placeholders.push((name.clone(), Placeholder::new(key)));
            node.expr = Expr::Ident(name);
            return Ok(());
        }
        if let Expr::Select(select) = &node.expr
            && select.test
            && placeholder(&select.operand).is_some()
        {
            // No placeholder has fields.
            node.expr = Expr::Literal(LiteralValue::Boolean(false.into()));
            return Ok(());
        }
        if let Expr::Call(call) = &node.expr
            && call.target.is_none()
            && is_matcher(&call.func_name, call.args.len())
        {
            let name = format!("@condition{}", general.conditions.len());
            general.conditions.push((name.clone(), self.matcher(call)?));
            node.expr = Expr::Ident(name);
            return Ok(());
        }
        children(&mut node.expr).into_iter().try_for_each(|child| self.extract(child, general))
    }
}
/// A comparison of placeholders and literals, or a search in a list of literals.
fn compare(name: &str, a: &IdedExpr, b: &IdedExpr) -> Option<Compare> {
    let relation = match name {
        op::EQUALS => Relation::Equal,
        op::NOT_EQUALS => Relation::NotEqual,
        op::LESS => Relation::Less,
        op::LESS_EQUALS => Relation::LessOrEqual,
        op::GREATER => Relation::Greater,
        op::GREATER_EQUALS => Relation::GreaterOrEqual,
        op::IN => {
            let Expr::List(list) = &b.expr else { return None };
            let items: Option<Box<[_]>> = list.elements.iter().map(literal).collect();
            return Some(Compare { left: operand(a)?, relation: Relation::In(items?), right: None });
        }
        _ => return None,
    };
    Some(Compare { left: operand(a)?, relation, right: Some(operand(b)?) })
}
fn operand(node: &IdedExpr) -> Option<Operand> {
    let key = placeholder(node).map(|key| Operand::Placeholder(Placeholder::new(key)));
    key.or_else(|| literal(node).map(Operand::Literal))
}
/// `None` for those that are seldom.
fn literal(node: &IdedExpr) -> Option<Literal> {
    let Expr::Literal(literal) = &node.expr else { return None };
    Some(match literal {
        LiteralValue::Boolean(value) => Literal::Bool(*value.inner()),
        LiteralValue::Int(value) => Literal::Int(*value.inner()),
        LiteralValue::Double(value) => Literal::Float(*value.inner()),
        LiteralValue::String(value) => Literal::Text(value.inner().into()),
        LiteralValue::Null => Literal::Null,
        LiteralValue::Bytes(_) | LiteralValue::UInt(_) => return None,
    })
}
/// The nodes right under one.
fn children(expr: &mut Expr) -> Vec<&mut IdedExpr> {
    match expr {
        Expr::Call(CallExpr { target, args, .. }) => target.as_deref_mut().into_iter().chain(args).collect(),
        Expr::Comprehension(c) => {
            vec![&mut c.iter_range, &mut c.accu_init, &mut c.loop_cond, &mut c.loop_step, &mut c.result]
        }
        Expr::List(list) => list.elements.iter_mut().collect(),
        Expr::Map(map) => map
            .entries
            .iter_mut()
            .flat_map(|entry| match &mut entry.expr {
                EntryExpr::MapEntry(entry) => vec![&mut entry.key, &mut entry.value],
                EntryExpr::StructField(field) => vec![&mut field.value],
            })
            .collect(),
        Expr::Select(select) => vec![&mut select.operand],
        // A message of protocol buffers: there are none in Caddy, and the check has refused it.
        Expr::Struct(_) | Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => vec![],
    }
}
