//! `lb_policy`: which upstream a request goes to.
//!
//! ```caddyfile
//! lb_policy random|least_conn|round_robin|first|ip_hash|client_ip_hash|uri_hash
//! lb_policy random_choose <n>
//! lb_policy weighted_round_robin <weights...>
//! lb_policy query|header <name> {
//!     fallback <policy>
//! }
//! lb_policy cookie [<name> [<secret>]] {
//!     fallback <policy>
//!     max_age  <duration>
//! }
//! ```
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words, unknown},
    config::{parse_duration, parse_int},
};
use grammar::Line;
use serde_json::{Map, Value, json};

pub(super) const NAMESPACE: &str = "http.reverse_proxy.selection_policies";
type Fields = Map<String, Value>;

pub const RANDOM: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "random",
    docs: "random: any, each as likely as the others.",
    parse: plain,
    support: Support::Full,
};
pub const LEAST_CONN: ModuleSyntax = ModuleSyntax {
    name: "least_conn",
    docs: "least_conn: the one with the fewest requests in flight.",
    ..RANDOM
};
pub const ROUND_ROBIN: ModuleSyntax =
    ModuleSyntax { name: "round_robin", docs: "round_robin: one after the other.", ..RANDOM };
pub const FIRST: ModuleSyntax =
    ModuleSyntax { name: "first", docs: "first: the first that is available.", ..RANDOM };
pub const IP_HASH: ModuleSyntax =
    ModuleSyntax { name: "ip_hash", docs: "ip_hash: by the peer's address.", ..RANDOM };
pub const CLIENT_IP_HASH: ModuleSyntax =
    ModuleSyntax { name: "client_ip_hash", docs: "client_ip_hash: by the client's address.", ..RANDOM };
pub const URI_HASH: ModuleSyntax =
    ModuleSyntax { name: "uri_hash", docs: "uri_hash: by the request's path and query.", ..RANDOM };
pub const RANDOM_CHOOSE: ModuleSyntax = ModuleSyntax {
    name: "random_choose",
    docs: "random_choose <n>: of so many chosen at random the one with the fewest requests.",
    parse: random_choose,
    ..RANDOM
};
pub const WEIGHTED_ROUND_ROBIN: ModuleSyntax = ModuleSyntax {
    name: "weighted_round_robin",
    docs: "weighted_round_robin <weights...>: one after the other, each as often as its weight.",
    parse: weighted,
    ..RANDOM
};
pub const QUERY: ModuleSyntax = ModuleSyntax {
    name: "query",
    docs: "query <key> { fallback <policy> }: by a parameter of the query.",
    parse: |line, cx| by_value(line, "key", cx),
    ..RANDOM
};
pub const HEADER: ModuleSyntax = ModuleSyntax {
    name: "header",
    docs: "header <field> { fallback <policy> }: by a field of the request's header.",
    parse: |line, cx| by_value(line, "field", cx),
    ..RANDOM
};
pub const COOKIE: ModuleSyntax = ModuleSyntax {
    name: "cookie",
    docs: "cookie [<name> [<secret>]] { fallback <policy>; max_age <duration> }: the one that a cookie remembers.",
    parse: cookie,
    ..RANDOM
};

fn plain(line: &Line, _: &mut Cx<'_>) -> Parsed<Fields> {
    Words::new(line).none()?;
    Ok(Map::new())
}
fn random_choose(line: &Line, _: &mut Cx<'_>) -> Parsed<Fields> {
    let mut words = Words::new(line);
    let choose = super::number(&mut words, "invalid choice value '{}'")?;
    Ok(fields([("choose", (choose != 0).then(|| choose.into()))]))
}
fn weighted(line: &Line, _: &mut Cx<'_>) -> Parsed<Fields> {
    let (mut words, mut weights) = (Words::new(line), vec![]);
    for text in words.some()? {
        let bad = |why: &str| words.error(format!("invalid weight value '{text}': {why}"));
        let weight = parse_int(&text).map_err(|why| bad(&why))?;
        if weight < 0 {
            return Err(bad("weight should be non-negative"));
        }
        weights.push(weight);
    }
    Ok(fields([("weights", Some(weights.into()))]))
}
fn by_value(line: &Line, key: &'static str, cx: &mut Cx<'_>) -> Parsed<Fields> {
    let (mut words, mut fallback) = (Words::new(line), None);
    let name = words.need()?;
    let mut block = words.block();
    while let Some(words) = block.next() {
        match words.text() {
            "fallback" => read_fallback(words, &mut fallback, cx)?,
            other => return Err(unrecognized(words, other)),
        }
    }
    Ok(fields([(key, (!name.is_empty()).then(|| name.into())), ("fallback", fallback)]))
}
fn cookie(line: &Line, cx: &mut Cx<'_>) -> Parsed<Fields> {
    let (mut words, mut fallback, mut max_age) = (Words::new(line), None, None);
    let args = words.rest();
    if args.len() > 2 {
        return Err(words.arg_error());
    }
    let mut block = words.block();
    while let Some(words) = block.next() {
        match words.text() {
            "fallback" => read_fallback(words, &mut fallback, cx)?,
            "max_age" => {
                let text = words.need()?;
                if max_age.is_some() {
                    return Err(words.error("cookie max_age already specified"));
                }
                let Ok(age) = parse_duration(text) else {
                    return Err(words.error(format!("invalid duration: {text}")));
                };
                if age.0 <= 0 {
                    let message =
                        format!("invalid duration: {text}, max_age should be non-zero and positive");
                    return Err(words.error(message));
                }
                words.none()?;
                max_age = Some(json!(age));
            }
            other => return Err(unrecognized(words, other)),
        }
    }
    let arg = |at: usize| args.get(at).filter(|arg| !arg.is_empty()).map(|arg| arg.as_str().into());
    Ok(fields([("name", arg(0)), ("secret", arg(1)), ("max_age", max_age), ("fallback", fallback)]))
}
fn read_fallback(words: &mut Words<'_>, fallback: &mut Option<Value>, cx: &mut Cx<'_>) -> Parsed<()> {
    words.need()?;
    if fallback.is_some() {
        return Err(words.error("fallback selection policy already specified"));
    }
    *fallback = Some(cx.module(NAMESPACE, "policy", &words.segment())?);
    Ok(())
}
fn unrecognized(words: &Words<'_>, name: &str) -> grammar::Error {
    unknown(words.token(), format!("unrecognized option '{name}'"), &["fallback", "max_age"])
}
/// Those that have a value.
fn fields<const N: usize>(all: [(&str, Option<Value>); N]) -> Fields {
    all.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}
