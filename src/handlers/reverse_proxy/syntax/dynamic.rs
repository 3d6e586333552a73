//! `dynamic`: upstreams that are looked up.
//!
//! ```caddyfile
//! dynamic a [<name> [<port>]] {
//!     name                <name>
//!     port                <port>
//!     refresh             <interval>
//!     resolvers           <addresses...>
//!     dial_timeout        <duration>
//!     dial_fallback_delay <duration>
//!     versions            ipv4|ipv6...
//! }
//! dynamic srv [<name>] {
//!     service, proto, name, refresh, resolvers, dial_timeout, dial_fallback_delay
//!     grace_period        <duration>
//! }
//! dynamic multi {
//!     <source> …
//! }
//! ```
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words, unknown},
    config::fields,
    handlers::reverse_proxy::config::{DynamicA, DynamicMulti, DynamicSrv, Resolver},
};
use grammar::Line;
use serde_json::{Map, Value};

pub(super) const NAMESPACE: &str = "http.reverse_proxy.upstreams";

pub const A: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "a",
    docs: "a [<name> [<port>]] { … }: the addresses of a name.",
    parse: a,
    support: Support::Full,
};
pub const SRV: ModuleSyntax = ModuleSyntax {
    name: "srv",
    docs: "srv [<name>] { … }: what the SRV records of a name say.",
    parse: srv,
    ..A
};
pub const MULTI: ModuleSyntax = ModuleSyntax {
    name: "multi",
    docs: "multi { <source> … }: what several sources say together.",
    parse: multi,
    ..A
};

fn a(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut a) = (Words::new(line), DynamicA::default());
    match words.rest().as_slice() {
        [] => {}
        [name] => a.name.clone_from(name),
        [name, port] => (a.name, a.port) = (name.clone(), port.clone()),
        _ => return Err(words.arg_error()),
    }
    let mut block = words.block();
    while let Some(words) = block.next() {
        match words.text() {
            "name" => once(words, &mut a.name, "a name has already been specified")?,
            "port" => once(words, &mut a.port, "a port has already been specified")?,
            "refresh" => a.refresh = super::duration(words, "parsing refresh interval duration")?,
            "resolvers" => a.resolver = Some(resolvers(words)?),
            "dial_timeout" => a.dial_timeout = super::duration(words, "bad timeout value '{}'")?,
            "dial_fallback_delay" => a.dial_fallback_delay = super::duration(words, "bad delay value '{}'")?,
            "versions" => {
                let names = words.rest();
                if names.is_empty() {
                    return Err(words.error("must specify at least one version"));
                }
                let versions = a.versions.get_or_insert_default();
                for name in names {
                    match name.as_str() {
                        "ipv4" => versions.ipv4 = Some(true),
                        "ipv6" => versions.ipv6 = Some(true),
                        _ => return Err(words.error(format!("unsupported version: '{name}'"))),
                    }
                }
            }
            other => {
                let known = [
                    "name",
                    "port",
                    "refresh",
                    "resolvers",
                    "dial_timeout",
                    "dial_fallback_delay",
                    "versions",
                ];
                return Err(unknown(words.token(), format!("unrecognized a option '{other}'"), &known));
            }
        }
    }
    Ok(fields(&a))
}
fn srv(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut srv) = (Words::new(line), DynamicSrv::default());
    match words.rest().as_slice() {
        [] => {}
        [name] => srv.name.clone_from(name),
        _ => return Err(words.arg_error()),
    }
    let mut block = words.block();
    while let Some(words) = block.next() {
        match words.text() {
            "service" => once(words, &mut srv.service, "srv service has already been specified")?,
            "proto" => once(words, &mut srv.proto, "srv proto has already been specified")?,
            "name" => once(words, &mut srv.name, "srv name has already been specified")?,
            "refresh" => srv.refresh = super::duration(words, "parsing refresh interval duration")?,
            "resolvers" => srv.resolver = Some(resolvers(words)?),
            "dial_timeout" => srv.dial_timeout = super::duration(words, "bad timeout value '{}'")?,
            "dial_fallback_delay" => {
                srv.dial_fallback_delay = super::duration(words, "bad delay value '{}'")?;
            }
            "grace_period" => srv.grace_period = super::duration(words, "bad grace period value '{}'")?,
            other => {
                let known = [
                    "service",
                    "proto",
                    "name",
                    "refresh",
                    "resolvers",
                    "dial_timeout",
                    "dial_fallback_delay",
                    "grace_period",
                ];
                return Err(unknown(words.token(), format!("unrecognized srv option '{other}'"), &known));
            }
        }
    }
    Ok(fields(&srv))
}
fn multi(line: &Line, cx: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut multi) = (Words::new(line), DynamicMulti::default());
    words.none()?;
    let mut block = words.block();
    while let Some(words) = block.next() {
        multi.sources.push(cx.module(NAMESPACE, "source", &words.segment())?);
    }
    Ok(fields(&multi))
}
fn once(words: &mut Words<'_>, field: &mut String, twice: &str) -> Parsed<()> {
    let text = words.need()?;
    if !field.is_empty() {
        return Err(words.error(twice));
    }
    *field = text.into();
    Ok(())
}
pub(super) fn resolvers(words: &mut Words<'_>) -> Parsed<Resolver> {
    let addresses = words.rest();
    if addresses.is_empty() {
        return Err(words.error("must specify at least one resolver address"));
    }
    Ok(Resolver { addresses })
}
