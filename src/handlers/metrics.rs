//! `metrics`: answers with the process's metrics, for Prometheus.
//!
//! ```caddyfile
//! metrics [<matcher>] {
//!     disable_openmetrics
//! }
//! ```
use super::{rate_limit, reverse_proxy, token_bucket};
use crate::{
    caddyfile::{Cx, Directive, Order, Parse, Parsed, Support, Words, unknown},
    config::{Module, is_default},
    http::{Body, Build, BuildError, Exchange, Flow, Handler, HandlerConfig, HandlerModule, Response, Step},
    metrics::{Current, Family, Form, Kind, Process, common, render},
    state::State,
    tls,
};
use ::http::{
    HeaderValue, StatusCode,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE},
};
use flate2::{Compression, write::GzEncoder};
use grammar::Line;
use serde::{Deserialize, Serialize};
use std::{fmt, io::Write, sync::Arc};

pub const METRICS: Directive = Directive {
    name: "metrics",
    docs: "metrics [<matcher>] { disable_openmetrics }: answers with the process's metrics.",
    order: Order::ByRow,
    support: Support::Full,
    parse: Parse::Handler(parse),
};
pub const MODULE: HandlerModule = HandlerModule::of::<Metrics>();

/// JSON: `http.handlers.metrics`.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Metrics {
    /// Only the older text format, whatever the client accepts.
    #[serde(skip_serializing_if = "is_default")]
    disable_openmetrics: bool,
}
impl HandlerConfig for Metrics {
    const NAME: &'static str = "metrics";
    fn build(self, cx: &mut Build) -> Result<Box<dyn Handler>, BuildError> {
        let state = cx.shared_state();
        let (process, current) = (Process::of(&state), Current::of(&state));
        let openmetrics = !self.disable_openmetrics;
        Ok(Box::new(Show { state, openmetrics, held: (process, current) }))
    }
}
struct Show {
    state: Arc<State>,
    openmetrics: bool,
    /// What the state gives away only as long as someone holds it.
    #[expect(dead_code)]
    held: (Arc<Process>, Arc<Current>),
}
impl fmt::Debug for Show {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Show")
    }
}
impl Handler for Show {
    fn handle<'t: 'x, 'x>(&'t self, x: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        let accepts = |name| x.request.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        let accepted = accepts(ACCEPT).collect::<Vec<_>>().join(",");
        let form = if self.openmetrics { Form::accepted(&accepted) } else { Form::Prometheus };
        let gzip = accepts(ACCEPT_ENCODING).flat_map(|value| value.split(',')).any(|coding| {
            let (coding, weight) = coding.split_once(';').unwrap_or((coding, ""));
            coding.trim() == "gzip" && weight.trim() != "q=0"
        });
        let text = scrape(&self.state, form);
        x.headers.insert(CONTENT_TYPE, HeaderValue::from_static(form.content_type()));
        let body = match gzip.then(|| compressed(&text)).flatten() {
            Some(compressed) => {
                x.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                compressed
            }
            None => text.into_bytes(),
        };
        Step::Done(Response { status: StatusCode::OK, body: Body::Bytes(body.into()) }).into()
    }
}
fn compressed(text: &str) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).ok()?;
    encoder.finish().ok()
}
/// All that is counted now, as text.
pub fn scrape(state: &State, form: Form) -> String {
    let mut all = common(&Process::of(state), &Current::of(state));
    all.extend(reverse_proxy::families(state));
    all.extend(rate_limit::families(state));
    all.extend(token_bucket::families(state));
    all.push(certificates(state));
    render(all, form)
}
/// How long each name's certificate is good for yet.
fn certificates(state: &State) -> Family {
    let mut family = Family::new(
        "proxy_tls_certificate_expiry_seconds",
        "Seconds until the certificate of a name expires.",
        Kind::Gauge,
    );
    for (name, left) in tls::expiries(state) {
        family.add(vec![("domain", name)], left);
    }
    family
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
    Ok(Module::of(Metrics::NAME, &metrics))
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
