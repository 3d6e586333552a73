//! From Caddy's text to CEL's tree.
use cel::{
    Env, Program,
    common::ast::{ComprehensionExpr, Expr, IdedExpr, ListExpr, LiteralValue},
    extensions,
    parser::Macro,
};
use regex::Regex;
use std::sync::{Arc, LazyLock};

/// CEL's language as Caddy has it.
pub(super) static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib().with_optional_support(false);
    env.set_error_on_duplicate_map_keys(false);
    // These fail for names that are taken; an empty environment has none.
    let added = env
        .add_macro(bind())
        .and_then(|()| env.add_extension(extensions::strings))
        .and_then(|()| env.add_extension(extensions::lists))
        .and_then(|()| env.add_extension(extensions::math));
    debug_assert!(added.is_ok(), "{added:?}");
    Arc::new(env)
});
/// `cel.bind(name, value, expression)`: the expression, in which the name stands for the value.
fn bind() -> Macro {
    Macro::receiver("bind", 3, |helper, target, args| {
        let on_cel = target.as_ref().is_some_and(|target| target.expr == Expr::Ident("cel".to_owned()));
        if !on_cel {
            return Ok(None);
        }
        let (Some(result), Some(accu_init), Some(variable)) = (args.pop(), args.pop(), args.pop()) else {
            return Ok(None);
        };
        let Expr::Ident(accu_var) = variable.expr else {
            return Err(helper.new_error(variable.id, "cel.bind() variable names must be simple identifiers"));
        };
        let bound = ComprehensionExpr {
            iter_range: helper.next_expr(Expr::List(ListExpr::new(vec![]))),
            iter_var: "#unused".to_owned(),
            iter_var2: None,
            accu_init,
            loop_cond: helper.next_expr(Expr::Literal(LiteralValue::Boolean(false.into()))),
            loop_step: helper.next_expr(Expr::Ident(accu_var.clone())),
            accu_var,
            result,
        };
        Ok(Some(helper.next_expr(Expr::Comprehension(Box::new(bound)))))
    })
}
/// The name of the function that a placeholder becomes, as in Caddy.
pub(super) const PLACEHOLDER: &str = "ph";
/// Its first argument, and that of every matcher in Caddy.
pub(super) const REQUEST: &str = "req";

/// An expression that has been read.
pub(super) struct Parsed {
    /// With calls of `ph` for placeholders.
    text: String,
    program: Program,
}
/// # Errors
/// In the form of CEL.
pub(super) fn parse(text: &str) -> Result<Parsed, String> {
    // As in Caddy: a placeholder is not one behind a backslash, nor right behind another one.
    static PLACEHOLDERS: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"([^\\]|^)\{([a-zA-Z][0-9A-Za-z_.-]+)\}").ok());
    static ESCAPED: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"\\\{([a-zA-Z][0-9A-Za-z_.-]+)\}").ok());
    let replace = |regex: &Option<Regex>, text: &str, with: &str| match regex {
        Some(regex) => regex.replace_all(text, with).into_owned(),
        None => text.to_owned(),
    };
    let text = replace(&PLACEHOLDERS, text, r#"${1}ph(req, "${2}")"#);
    let text = replace(&ESCAPED, &text, "{${1}}");
    match ENV.compile(&text) {
        Ok(program) => Ok(Parsed { text, program }),
        Err(errors) => {
            let lines = errors.errors.iter().map(|error| {
                let (line, column) = (error.pos.0.max(0) as usize, error.pos.1.max(0) as usize);
                shown(&text, line, column, &error.msg)
            });
            Err(lines.collect::<Vec<_>>().join("\n"))
        }
    }
}
impl Parsed {
    pub(super) fn root(&self) -> &IdedExpr {
        self.program.expression()
    }
    /// An error at a node, with its line.
    pub(super) fn error(&self, id: u64, message: &str) -> String {
        let Some((start, _)) = self.program.source_info().offset_for(id) else {
            return format!("ERROR: <input>:-1:0: {message}");
        };
        let before: String = self.text.chars().take(start as usize).collect();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        shown(&self.text, line, column, message)
    }
}
fn shown(text: &str, line: usize, column: usize, message: &str) -> String {
    let source = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let dots = ".".repeat(column.saturating_sub(1));
    format!("ERROR: <input>:{line}:{column}: {message}\n | {source}\n | {dots}^")
}
