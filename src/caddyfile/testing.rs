//! What the tests of directives share.
use super::{Directive, MatcherSyntax, ModuleSyntax, Syntax, adapt};
use grammar::Source;
use serde_json::Value;

/// No files, no environment.
pub(crate) struct Nowhere;
impl Source for Nowhere {
    fn read(&self, _: &str) -> std::io::Result<String> {
        Err(std::io::ErrorKind::NotFound.into())
    }
    fn glob(&self, _: &str, _: &str) -> std::io::Result<Vec<String>> {
        Ok(vec![])
    }
    fn env(&self, _: &str) -> Option<String> {
        None
    }
}
/// The rows that a test knows.
#[derive(Clone, Copy, Default)]
pub(crate) struct Rows {
    pub(crate) directives: &'static [Directive],
    pub(crate) matchers: &'static [MatcherSyntax],
    pub(crate) modules: &'static [ModuleSyntax],
}
impl Rows {
    /// The routes of a site with this body, as JSON.
    ///
    /// # Errors
    /// The first error, as it is displayed.
    pub(crate) fn routes(&self, body: &str) -> Result<Value, String> {
        let Self { directives, matchers, modules } = *self;
        let syntax = Syntax { directives, matchers, options: &[], modules };
        let text = format!(":80 {{\n{body}\n}}\n");
        match adapt("-", &text, &Nowhere, &syntax) {
            Err(errors) => Err(errors[0].to_string()),
            Ok(adapted) => {
                let routes = adapted.json.pointer("/apps/http/servers/srv0/routes");
                Ok(routes.cloned().unwrap_or_else(|| Value::Array(vec![])))
            }
        }
    }
    /// Asserts what each body adapts to: the JSON of its routes, byte for byte.
    pub(crate) fn adapt_to(&self, cases: &[(&str, &str)]) {
        for (body, routes) in cases {
            let found = self.routes(body).unwrap_or_else(|error| panic!("{body}: {error}"));
            assert_eq!(crate::config::compact(&found), *routes, "{body}");
        }
    }
    /// Asserts the error of each body; the body starts on line 2.
    pub(crate) fn fail_with(&self, cases: &[(&str, &str)]) {
        for (body, error) in cases {
            let found = self.routes(body).expect_err(body);
            assert!(found.contains(error), "{body}\nwants {error}\ngets  {found}");
        }
    }
}
