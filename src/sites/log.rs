//! `log`: of a site, its access log; of the global options, any log.
//!
//! ```caddyfile
//! log [<name>] {
//!     output   <writer> …
//!     format   <encoder> …
//!     level    <level>
//!     sampling {
//!         interval   <duration>
//!         first      <number>
//!         thereafter <number>
//!     }
//!     core     <core> …
//!     hostnames <names…>      # of a site
//!     no_hostname             # of a site
//!     include  <loggers…>     # of the global options
//!     exclude  <loggers…>     # of the global options
//! }
//! ```
//! Example: `log { output file /var/log/access.log }`.
use crate::{
    caddyfile::{
        CustomLog, Cx, Directive, Emit, GlobalOption, ModuleSyntax, Options, Order, Parse, Parsed, Support,
        Words,
    },
    config::{Duration, is_default, parse_duration, parse_int},
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

pub const DIRECTIVE: Directive = Directive {
    name: "log",
    docs: "log [<name>] { output <writer>; format <encoder>; level <level>; sampling { interval, first, thereafter }; \
           core <core>; hostnames <names…>; no_hostname }: the access log of a site.",
    order: Order::None,
    parse: Parse::Own(|line, cx| Ok(vec![Emit::Log(Box::new(read(line, None, cx)?))])),
    support: Support::Full,
};
pub const OPTION: GlobalOption = GlobalOption {
    name: "log",
    docs: "log [<name>] { output <writer>; format <encoder>; level <level>; sampling { interval, first, thereafter }; \
           core <core>; include <loggers…>; exclude <loggers…> }: a log; without a name the default one.",
    parse: option,
    support: Support::Full,
};
/// Caddy's stand-in for a core, of its own tests.
pub const MOCK_CORE: ModuleSyntax = ModuleSyntax {
    namespace: "caddy.logging.cores",
    name: "mock",
    docs: "mock: a core for tests.",
    parse: |_, _| Ok(Map::new()),
    support: Support::NotYet("a core for Caddy's own tests"),
};
/// `sampling`: of entries alike, within each interval, only the first and then every so-manieth.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sampling {
    /// 0: a second. Unlike other durations no text, as in Caddy.
    #[serde(skip_serializing_if = "is_default")]
    pub interval: i64,
    /// 0: 100.
    #[serde(skip_serializing_if = "is_default")]
    pub first: i64,
    /// 0: 100.
    #[serde(skip_serializing_if = "is_default")]
    pub thereafter: i64,
}
fn option(line: &Line, options: &mut Options, cx: &mut Cx<'_>) -> Parsed<()> {
    let known = options.logs.iter().filter_map(|log| log.name.clone()).collect();
    options.logs.push(read(line, Some(&known), cx)?);
    Ok(())
}
/// `global` has the names of the logs that the global options define already, and is `None` for a site's log.
fn read(line: &Line, global: Option<&BTreeSet<String>>, cx: &mut Cx<'_>) -> Parsed<CustomLog> {
    let (mut words, mut log) = (Words::new(line), CustomLog::default());
    log.name = words.arg().map(|name| name.text.clone());
    words.none()?;
    if let Some(known) = global {
        let name = log.name.get_or_insert_with(|| "default".into());
        if known.contains(name) {
            return Err(words.error(format!("duplicate global log option for: {name}")));
        }
    }
    let (mut block, mut seen) = (words.block(), BTreeSet::new());
    while let Some(sub) = block.next() {
        one(&mut log, sub, &mut seen, global.is_some(), cx)?;
    }
    Ok(log)
}
fn one<'l>(
    log: &mut CustomLog,
    sub: &mut Words<'l>,
    seen: &mut BTreeSet<&'l str>,
    global: bool,
    cx: &mut Cx<'_>,
) -> Parsed<()> {
    let name = sub.text();
    let once = ["output", "sampling", "core", "format", "level", "no_hostname"].contains(&name);
    if once && !seen.insert(name) {
        let message = format!("'{name}' subdirective specified more than once in the same log block");
        return Err(sub.error(message));
    }
    match name {
        "hostnames" if global => {
            return Err(sub.error("hostnames is not allowed in the log global options"));
        }
        "hostnames" => log.hostnames.extend(sub.some()?),
        "output" => {
            log.log.writer = Some(match sub.need()? {
                // They take no arguments: what follows is read as the next sub-directive.
                plain @ ("stdout" | "stderr" | "discard") => json!({"output": plain}),
                _ => cx.module("caddy.logging.writers", "output", &sub.segment())?,
            });
        }
        "sampling" => {
            log.log.sampling = Some(sampling(sub)?);
        }
        "core" => {
            sub.need()?;
            log.log.core = Some(cx.module("caddy.logging.cores", "module", &sub.segment())?);
        }
        "format" => {
            sub.need()?;
            log.log.encoder = Some(cx.module("caddy.logging.encoders", "format", &sub.segment())?);
        }
        "level" => {
            log.log.level = sub.need()?.into();
            sub.none()?;
        }
        "include" | "exclude" if !global => {
            return Err(sub.error(format!("{name} is not allowed in the log directive")));
        }
        "include" => log.log.include.extend(sub.rest()),
        "exclude" => log.log.exclude.extend(sub.rest()),
        "no_hostname" => {
            sub.none()?;
            log.no_hostname = true;
        }
        _ => return Err(sub.error(format!("unrecognized subdirective: {name}"))),
    }
    Ok(())
}
fn sampling(words: &mut Words<'_>) -> Parsed<Value> {
    words.rest();
    let (mut sampling, mut block, mut seen) = (Sampling::default(), words.block(), BTreeSet::new());
    while let Some(sub) = block.next() {
        let name = sub.text();
        if !seen.insert(name) {
            let message = format!("'{name}' specified more than once in the same sampling block");
            return Err(sub.error(message));
        }
        let field = match name {
            "interval" => {
                let Duration(interval) = parse_duration(sub.need()?)
                    .map_err(|why| sub.error(format!("failed to parse interval: {why}")))?;
                sampling.interval = interval;
                continue;
            }
            "first" => &mut sampling.first,
            "thereafter" => &mut sampling.thereafter,
            _ => return Err(sub.error(format!("unrecognized subdirective: {name}"))),
        };
        *field = parse_int(sub.need()?).map_err(|why| sub.error(format!("failed to parse {name}: {why}")))?;
    }
    Ok(json!(sampling))
}
