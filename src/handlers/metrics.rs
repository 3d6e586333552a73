//! `metrics`: answers with the process's metrics, for Prometheus.
//!
//! ```caddyfile
//! metrics [<matcher>] {
//!     disable_openmetrics
//! }
//! ```
use crate::{
    caddyfile::{Cx, Directive, Order, Parse, Parsed, Support, Words, unknown},
    config::{Module, is_default},
};
use grammar::Line;
use serde::Serialize;

pub const METRICS: Directive = Directive {
    name: "metrics",
    docs: "metrics [<matcher>] { disable_openmetrics }: answers with the process's metrics.",
    order: Order::ByRow,
    support: Support::NotYet("its run time comes later"),
    parse: Parse::Handler(parse),
};

/// JSON: `http.handlers.metrics`.
#[derive(Default, Serialize)]
struct Metrics {
    /// Only the older text format, whatever the client accepts.
    #[serde(skip_serializing_if = "is_default")]
    disable_openmetrics: bool,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Module> {
    let (mut metrics, mut words) = (Metrics::default(), Words::new(line));
    if !words.rest().is_empty() {
        return Err(words.arg_error());
    }
    let mut block = words.block();
    while let Some(words) = block.next() {
        match words.text() {
            "disable_openmetrics" => metrics.disable_openmetrics = true,
            other => {
                let message = format!("unrecognized subdirective \"{other}\"");
                return Err(unknown(words.token(), message, &["disable_openmetrics"]));
            }
        }
    }
    Ok(Module::of("metrics", &metrics))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caddyfile::testing::Rows;

    const ROWS: Rows = Rows { directives: &[METRICS], matchers: &[], modules: &[] };
    #[test]
    fn a_path_is_a_matcher() {
        ROWS.adapt_to(&[
            ("metrics", r#"[{"handle":[{"handler":"metrics"}]}]"#),
            ("metrics /m", r#"[{"match":[{"path":["/m"]}],"handle":[{"handler":"metrics"}]}]"#),
            (
                "metrics {\ndisable_openmetrics\n}",
                r#"[{"handle":[{"disable_openmetrics":true,"handler":"metrics"}]}]"#,
            ),
        ]);
        ROWS.fail_with(&[
            ("metrics a b", "wrong argument count or unexpected line ending after 'b', at -:2"),
            ("metrics {\nnope\n}", "unrecognized subdirective \"nope\", at -:3"),
        ]);
    }
}
