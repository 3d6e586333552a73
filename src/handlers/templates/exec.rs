//! Executes a template: Go's `text/template`, with `missingkey=zero`.
use super::{
    builtins,
    parse::{Branch, Named, Node, Nodes, Operand, Pipeline},
    value::{Failure, Outcome, Value},
};
use std::ops::ControlFlow;

/// What functions are there beside Go's own.
pub(super) trait Functions {
    /// `None`: there is none of that name.
    fn call(&mut self, name: &str, args: &[Value], named: &mut Named) -> Option<Outcome>;
}
pub(super) struct Exec<'f, F> {
    functions: &'f mut F,
    named: &'f mut Named,
    variables: Vec<(String, Value)>,
    out: String,
    depth: usize,
}
/// Templates that execute templates, at the most: more are without end.
const DEEPEST: usize = 100;
/// Of what a template may write, in bytes.
const LONGEST: usize = 64 << 20;

enum Loop {
    Break,
    Continue,
}
type Flow = ControlFlow<Loop>;

/// # Errors
/// Whatever goes wrong on the way.
pub(super) fn execute(
    nodes: &Nodes,
    dot: &Value,
    functions: &mut impl Functions,
    named: &mut Named,
) -> Result<String, Failure> {
    let variables = vec![(String::new(), dot.clone())];
    let mut exec = Exec { functions, named, variables, out: String::new(), depth: 0 };
    let _ = exec.list(nodes, dot)?;
    Ok(exec.out)
}
impl<F: Functions> Exec<'_, F> {
    fn list(&mut self, nodes: &Nodes, dot: &Value) -> Result<Flow, Failure> {
        for node in nodes.iter() {
            if self.out.len() > LONGEST {
                return Err("the template writes too much".into());
            }
            match node {
                Node::Text(text) => self.out.push_str(text),
                Node::Action(pipeline) => {
                    let value = self.pipeline(pipeline, dot)?;
                    if pipeline.variables.is_empty() {
                        self.out.push_str(&value.printed());
                    }
                }
                Node::If(branch) | Node::With(branch) => {
                    let flow = self.branch(branch, matches!(node, Node::With(_)), dot)?;
                    if flow.is_break() {
                        return Ok(flow);
                    }
                }
                Node::Range(branch) => self.range(branch, dot)?,
                Node::Template(name, pipeline) => self.template(name, pipeline.as_ref(), dot)?,
                Node::Break => return Ok(Flow::Break(Loop::Break)),
                Node::Continue => return Ok(Flow::Break(Loop::Continue)),
            }
        }
        Ok(Flow::Continue(()))
    }
    fn branch(&mut self, branch: &Branch, sets_dot: bool, dot: &Value) -> Result<Flow, Failure> {
        let mark = self.variables.len();
        let value = self.pipeline(&branch.pipeline, dot)?;
        let flow = if !value.is_true() {
            self.list(&branch.otherwise, dot)
        } else if sets_dot {
            self.list(&branch.then, &value)
        } else {
            self.list(&branch.then, dot)
        };
        self.variables.truncate(mark);
        flow
    }
    fn range(&mut self, branch: &Branch, dot: &Value) -> Result<(), Failure> {
        let mark = self.variables.len();
        let over = self.pipeline(&branch.pipeline, dot)?;
        self.variables.truncate(mark);
        let items: Vec<(Value, Value)> = match &over {
            Value::List(items) => {
                items.iter().enumerate().map(|(at, item)| (int(at), item.clone())).collect()
            }
            Value::Map(items) => {
                items.borrow().iter().map(|(key, item)| (key.as_str().into(), item.clone())).collect()
            }
            Value::Int(count) => (0..*count).map(|at| (Value::Int(at), Value::Int(at))).collect(),
            Value::Str(text) => {
                text.char_indices().map(|(at, c)| (int(at), Value::Int(u32::from(c).into()))).collect()
            }
            Value::Nil => vec![],
            other => return Err(format!("range can't iterate over {}", other.shown()).into()),
        };
        if items.is_empty() {
            let _ = self.list(&branch.otherwise, dot)?;
            return Ok(());
        }
        for (key, item) in items {
            let pipeline = &branch.pipeline;
            match pipeline.variables.as_slice() {
                [one] => self.set(one, item.clone(), pipeline.assigns)?,
                [first, second] => {
                    self.set(first, key, pipeline.assigns)?;
                    self.set(second, item.clone(), pipeline.assigns)?;
                }
                _ => {}
            }
            let flow = self.list(&branch.then, &item)?;
            self.variables.truncate(mark);
            if matches!(flow, Flow::Break(Loop::Break)) {
                break;
            }
        }
        Ok(())
    }
    fn template(&mut self, name: &str, pipeline: Option<&Pipeline>, dot: &Value) -> Result<(), Failure> {
        let dot = pipeline.map(|pipeline| self.pipeline(pipeline, dot)).transpose()?.unwrap_or_default();
        let nodes = self.named.get(name).cloned().ok_or_else(|| format!("template {name:?} not defined"))?;
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("exceeded maximum template depth ({DEEPEST})").into());
        }
        // It sees no variables but its own dollar.
        let outer = std::mem::replace(&mut self.variables, vec![(String::new(), dot.clone())]);
        let _ = self.list(&nodes, &dot)?;
        self.variables = outer;
        self.depth -= 1;
        Ok(())
    }
    fn set(&mut self, name: &str, value: Value, assigns: bool) -> Result<(), Failure> {
        if !assigns {
            self.variables.push((name.into(), value));
            return Ok(());
        }
        let known = self.variables.iter_mut().rev().find(|(known, _)| known == name);
        known.ok_or_else(|| format!("undefined variable: ${name}"))?.1 = value;
        Ok(())
    }
    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Value) -> Outcome {
        let mut value = None;
        for command in &pipeline.commands {
            value = Some(self.command(command, value, dot)?);
        }
        let value = value.unwrap_or_default();
        match pipeline.variables.as_slice() {
            [one] => self.set(one, value.clone(), pipeline.assigns)?,
            // Two are the affair of `range`, which sets them anew for each item.
            [_, _] | [] => {}
            _ => return Err("too many declarations".into()),
        }
        Ok(value)
    }
    fn command(&mut self, command: &[Operand], last: Option<Value>, dot: &Value) -> Outcome {
        let Some((first, rest)) = command.split_first() else { return Ok(Value::Nil) };
        match first {
            Operand::Function(name) if name == "and" || name == "or" => {
                self.logical(name == "or", rest, last, dot)
            }
            Operand::Function(name) => {
                let args = self.args(rest, last, dot)?;
                self.call(name, &args)
            }
            Operand::Field(names) => {
                let args = self.args(rest, last, dot)?;
                fields(dot, names, &args)
            }
            Operand::Variable(name, names) => {
                let value = self.variable(name)?;
                let args = self.args(rest, last, dot)?;
                fields(&value, names, &args)
            }
            Operand::Nested(pipeline, names) if !names.is_empty() => {
                let value = self.pipeline(pipeline, dot)?;
                let args = self.args(rest, last, dot)?;
                fields(&value, names, &args)
            }
            Operand::Nil => Err("nil is not a command".into()),
            _ if !rest.is_empty() || last.is_some() => Err("can't give argument to non-function".into()),
            operand => self.operand(operand, dot),
        }
    }
    /// `and` and `or` look at no more than they must.
    fn logical(&mut self, is_or: bool, operands: &[Operand], last: Option<Value>, dot: &Value) -> Outcome {
        let mut value = None;
        for operand in operands {
            let next = self.operand(operand, dot)?;
            if next.is_true() == is_or {
                return Ok(next);
            }
            value = Some(next);
        }
        last.or(value).ok_or_else(|| "wrong number of args: want at least 1 got 0".into())
    }
    fn args(
        &mut self,
        operands: &[Operand],
        last: Option<Value>,
        dot: &Value,
    ) -> Result<Vec<Value>, Failure> {
        let mut args: Vec<Value> =
            operands.iter().map(|operand| self.operand(operand, dot)).collect::<Result<_, _>>()?;
        args.extend(last);
        Ok(args)
    }
    fn operand(&mut self, operand: &Operand, dot: &Value) -> Outcome {
        match operand {
            Operand::Value(value) => Ok(value.clone()),
            Operand::Dot => Ok(dot.clone()),
            Operand::Nil => Ok(Value::Nil),
            Operand::Function(name) => self.call(name, &[]),
            Operand::Field(names) => fields(dot, names, &[]),
            Operand::Variable(name, names) => fields(&self.variable(name)?, names, &[]),
            Operand::Nested(pipeline, names) => fields(&self.pipeline(pipeline, dot)?, names, &[]),
        }
    }
    fn variable(&self, name: &str) -> Outcome {
        let known = self.variables.iter().rev().find(|(known, _)| known == name);
        known.map(|(_, value)| value.clone()).ok_or_else(|| format!("undefined variable: ${name}").into())
    }
    fn call(&mut self, name: &str, args: &[Value]) -> Outcome {
        let failed = |failure| match failure {
            Failure::Text(text) => Failure::Text(format!("error calling {name}: {text}")),
            other => other,
        };
        let called = builtins::call(name, args).or_else(|| self.functions.call(name, args, self.named));
        called.unwrap_or_else(|| Err(format!("function {name:?} not defined").into())).map_err(failed)
    }
}
fn int(number: usize) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}
/// One after the other; the last takes the arguments.
fn fields(value: &Value, names: &[String], args: &[Value]) -> Outcome {
    let Some((last, before)) = names.split_last() else {
        return if args.is_empty() {
            Ok(value.clone())
        } else {
            Err("can't give argument to non-function".into())
        };
    };
    let mut value = value.clone();
    for name in before {
        value = field(&value, name, &[])?;
    }
    field(&value, last, args)
}
fn field(value: &Value, name: &str, args: &[Value]) -> Outcome {
    let unknown = || Err(format!("can't evaluate field {name} in type {}", value.type_name()).into());
    match value {
        Value::Nil => Err(format!("nil pointer evaluating interface {{}}.{name}").into()),
        Value::Map(map) if args.is_empty() => Ok(map.borrow().get(name).cloned().unwrap_or_default()),
        Value::Object(object) => object.get(name, args).unwrap_or_else(unknown),
        Value::Time(time) => super::time::method(time, name, args).unwrap_or_else(unknown),
        Value::Duration(duration) => super::time::duration_method(*duration, name).unwrap_or_else(unknown),
        _ => unknown(),
    }
}
