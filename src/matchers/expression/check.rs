//! Finds what is wrong with an expression before a request comes: names that do not exist, and types that do not fit.
//!
//! The library that evaluates expressions has no such check. This one knows the operators and the names of all functions,
//! not every overload: what it lets pass may still fail when a request comes.
use super::{
    calls,
    source::{PLACEHOLDER, Parsed, REQUEST},
    types::{Type, function, is_type_name, method, qualified, takes},
};
use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators as op,
};

/// # Errors
/// The first thing that is wrong, in CEL's words, with its place.
pub(super) fn check(parsed: &Parsed) -> Result<Type, String> {
    Check { parsed, scope: vec![] }.of(parsed.root())
}
struct Check<'p> {
    parsed: &'p Parsed,
    /// Names that macros have bound, the innermost last.
    scope: Vec<(String, Type)>,
}
type Checked = Result<Type, String>;

impl Check<'_> {
    fn of(&mut self, node: &IdedExpr) -> Checked {
        match &node.expr {
            Expr::Unspecified => Ok(Type::Dyn),
            Expr::Literal(literal) => Ok(of_literal(literal)),
            Expr::Ident(name) => self.of_name(node, name),
            Expr::Select(select) => {
                let operand = self.of(&select.operand)?;
                match operand {
                    Type::Map(_, value) => Ok(if select.test { Type::Bool } else { *value }),
                    open if open.is_open() => Ok(if select.test { Type::Bool } else { Type::Dyn }),
                    Type::Request => {
                        Err(self.parsed.error(node.id, "unexpected failed resolution of 'http.Request'"))
                    }
                    other => {
                        let message = format!("type '{other}' does not support field selection");
                        Err(self.parsed.error(node.id, &message))
                    }
                }
            }
            Expr::List(list) => {
                let items = list.elements.iter().map(|item| self.of(item)).collect::<Result<Vec<_>, _>>()?;
                Ok(Type::List(Box::new(all_joined(items))))
            }
            Expr::Map(map) => {
                let (mut keys, mut values) = (vec![], vec![]);
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        keys.push(self.of(&entry.key)?);
                        values.push(self.of(&entry.value)?);
                    }
                }
                Ok(Type::Map(Box::new(all_joined(keys)), Box::new(all_joined(values))))
            }
            Expr::Struct(made) => Err(self.undeclared(node.id, &made.type_name)),
            Expr::Comprehension(loops) => self.of_loop(loops),
            Expr::Call(call) => self.of_call(node, call),
        }
    }
    fn undeclared(&self, id: u64, name: &str) -> String {
        self.parsed.error(id, &format!("undeclared reference to '{name}' (in container '')"))
    }
    fn of_name(&mut self, node: &IdedExpr, name: &str) -> Checked {
        if let Some((_, bound)) = self.scope.iter().rev().find(|(bound, _)| bound == name) {
            return Ok(bound.clone());
        }
        match name {
            REQUEST => Ok(Type::Request),
            name if is_type_name(name) => Ok(Type::Kind),
            name => Err(self.undeclared(node.id, name)),
        }
    }
    fn of_loop(&mut self, loops: &ComprehensionExpr) -> Checked {
        let item = match self.of(&loops.iter_range)? {
            Type::List(item) => *item,
            Type::Map(key, _) => *key,
            Type::Dyn => Type::Dyn,
            other => {
                let message = format!(
                    "expression of type '{other}' cannot be range of a comprehension (must be list, map, or dynamic)"
                );
                return Err(self.parsed.error(loops.iter_range.id, &message));
            }
        };
        let result = self.of(&loops.accu_init)?;
        let known = self.scope.len();
        self.scope.push((loops.accu_var.clone(), result));
        self.scope.push((loops.iter_var.clone(), item));
        if let Some(second) = &loops.iter_var2 {
            self.scope.push((second.clone(), Type::Dyn));
        }
        self.of(&loops.loop_cond)?;
        self.of(&loops.loop_step)?;
        self.scope.truncate(known + 1);
        let result = self.of(&loops.result);
        self.scope.truncate(known);
        result
    }
    fn of_call(&mut self, node: &IdedExpr, call: &CallExpr) -> Checked {
        let name = call.func_name.as_str();
        if let Some(target) = &call.target {
            return self.of_method(node, target, call);
        }
        if calls::is_matcher(name, call.args.len()) {
            // Its arguments are checked where it is built.
            return Ok(Type::Bool);
        }
        let args = call.args.iter().map(|arg| self.of(arg)).collect::<Result<Vec<_>, _>>()?;
        if let Some(result) = operator(name, &args) {
            return result.ok_or_else(|| self.no_overload(node, name, None, &args));
        }
        match function(name) {
            _ if name == PLACEHOLDER && args.len() == 2 => Ok(Type::Any),
            Some(result) if takes(name, None, &args) => Ok(result),
            Some(_) => Err(self.no_overload(node, name, None, &args)),
            // What macros of the libraries call: `math.greatest` is `math.@max`.
            None if name.contains('@') => Ok(Type::Dyn),
            None => Err(self.undeclared(node.id, name)),
        }
    }
    fn of_method(&mut self, node: &IdedExpr, target: &IdedExpr, call: &CallExpr) -> Checked {
        let name = call.func_name.as_str();
        let args =
            |this: &mut Self| call.args.iter().map(|arg| this.of(arg)).collect::<Result<Vec<_>, String>>();
        if let Expr::Ident(namespace) = &target.expr
            && let Some(result) = qualified(namespace, name)
        {
            args(self)?;
            return Ok(result);
        }
        let on = self.of(target)?;
        let args = args(self)?;
        let result = method(name).ok_or_else(|| self.undeclared(node.id, name))?;
        if takes(name, Some(&on), &args) {
            Ok(result)
        } else {
            Err(self.no_overload(node, name, Some(&on), &args))
        }
    }
    fn no_overload(&self, node: &IdedExpr, name: &str, on: Option<&Type>, args: &[Type]) -> String {
        let args = args.iter().map(Type::to_string).collect::<Vec<_>>().join(", ");
        let on = on.map(|on| format!("{on}.")).unwrap_or_default();
        let message = format!("found no matching overload for '{name}' applied to '{on}({args})'");
        self.parsed.error(node.id, &message)
    }
}
fn of_literal(literal: &LiteralValue) -> Type {
    match literal {
        LiteralValue::Boolean(_) => Type::Bool,
        LiteralValue::Bytes(_) => Type::Bytes,
        LiteralValue::Double(_) => Type::Double,
        LiteralValue::Int(_) => Type::Int,
        LiteralValue::Null => Type::Null,
        LiteralValue::String(_) => Type::String,
        LiteralValue::UInt(_) => Type::Uint,
    }
}
fn all_joined(types: Vec<Type>) -> Type {
    types.into_iter().reduce(Type::joined).unwrap_or(Type::Dyn)
}
/// What an operator gives: `None` if it is none, `Some(None)` if it does not take such operands.
fn operator(name: &str, args: &[Type]) -> Option<Option<Type>> {
    let fits = |fits: bool, result: Type| Some(fits.then_some(result));
    match (name, args) {
        (op::LOGICAL_AND | op::LOGICAL_OR, [a, b]) => {
            fits(a.agrees(&Type::Bool) && b.agrees(&Type::Bool), Type::Bool)
        }
        (op::LOGICAL_NOT | op::NOT_STRICTLY_FALSE, [a]) => fits(a.agrees(&Type::Bool), Type::Bool),
        (op::CONDITIONAL, [condition, a, b]) => {
            fits(condition.agrees(&Type::Bool) && a.agrees(b), a.clone().joined(b.clone()))
        }
        (op::EQUALS | op::NOT_EQUALS, [a, b]) => fits(a.agrees(b), Type::Bool),
        (op::LESS | op::LESS_EQUALS | op::GREATER | op::GREATER_EQUALS, [a, b]) => {
            // A null beside a placeholder passes: it might be a message.
            let ordered = |t: &Type| !matches!(t, Type::List(_) | Type::Map(..) | Type::Kind | Type::Request);
            fits(ordered(a) && ordered(b) && a.agrees(b), Type::Bool)
        }
        (op::IN, [a, b]) => match b {
            Type::List(item) => fits(a.agrees(item), Type::Bool),
            Type::Map(key, _) => fits(a.agrees(key), Type::Bool),
            other => fits(other.is_open(), Type::Bool),
        },
        (op::INDEX, [a, b]) => match a {
            Type::List(item) => fits(b.agrees(&Type::Int) || b.is_number(), (**item).clone()),
            Type::Map(key, value) => fits(b.agrees(key), (**value).clone()),
            other => fits(other.is_open(), Type::Dyn),
        },
        (op::NEGATE, [a]) => fits(a.is_open() || matches!(a, Type::Int | Type::Double), a.clone()),
        (op::ADD | op::SUBSTRACT | op::MULTIPLY | op::DIVIDE | op::MODULO, [a, b]) => Some(sum(name, a, b)),
        _ => None,
    }
}
fn sum(name: &str, a: &Type, b: &Type) -> Option<Type> {
    use Type::{Bytes, Duration, Dyn, List, Null, String, Timestamp};
    match (a, b) {
        _ if a.is_open() && b.is_open() => Some(Dyn),
        // What stands beside it decides.
        (open, other) | (other, open) if open.is_open() => match other {
            Timestamp | Duration | Null => Some(Dyn),
            other => sum(name, other, other),
        },
        (a, b) if a.is_number() => (a == b).then(|| a.clone()),
        (Timestamp, Timestamp) if name == op::SUBSTRACT => Some(Duration),
        (Timestamp, Duration) if name == op::SUBSTRACT || name == op::ADD => Some(Timestamp),
        (Duration, Timestamp) if name == op::ADD => Some(Timestamp),
        (Duration, Duration) if name == op::SUBSTRACT || name == op::ADD => Some(Duration),
        (String, String) | (Bytes, Bytes) if name == op::ADD => Some(a.clone()),
        (List(x), List(y)) if name == op::ADD => Some(List(Box::new((**x).clone().joined((**y).clone())))),
        _ => None,
    }
}
