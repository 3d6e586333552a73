//! `rate_limit` in a Caddyfile.
use super::{Distributed, RateLimit, ZoneConfig};
use crate::{
    caddyfile::{Cx, Directive, Order, Parse, Parsed, Support},
    config::Module,
};
use grammar::{Line, Token};

pub const RATE_LIMIT: Directive = Directive {
    name: "rate_limit",
    docs: "rate_limit [<matcher>] { zone <name> { … } … }: refuses with 429 what exceeds a zone's limit.",
    order: Order::ByRow,
    support: Support::Partly("distributed, storage"),
    parse: Parse::Handler(|line, cx| Ok(Module::of("rate_limit", &rate_limit(line, cx)?))),
};
fn rate_limit(line: &Line, cx: &mut Cx<'_>) -> Parsed<RateLimit> {
    let mut config = RateLimit::default();
    if let Some(extra) = line.args().first() {
        return Err(extra.arg_error());
    }
    for option in line.lines() {
        match option.name().text.as_str() {
            "zone" => {
                let name = first(option)?.text.clone();
                config.rate_limits.insert(name, zone(option, cx)?);
            }
            "distributed" => {
                cx.not_yet(option.name(), "distributed");
                config.distributed = Some(distributed(option)?);
            }
            "storage" => {
                cx.not_yet(option.name(), "storage");
                let module = Line { words: option.some()?.to_vec(), block: option.block.clone() };
                config.storage = Some(cx.module("caddy.storage", "module", &module)?);
            }
            "log_key" => config.log_key = flag(option)?,
            "disable_metrics" => config.disable_metrics = flag(option)?,
            "jitter" => {
                unset(option, "jitter", config.jitter == 0.0, config.jitter)?;
                config.jitter = number(option, "jitter percentage")?;
            }
            "sweep_interval" => {
                unset(option, "sweep interval", config.sweep_interval == 0, show(config.sweep_interval))?;
                config.sweep_interval = duration(option, "sweep interval")?;
            }
            _ => {
                let known = ["zone", "distributed", "storage", "log_key", "disable_metrics", "jitter", "sweep_interval"];
                return Err(unrecognized(option, &known));
            }
        }
    }
    Ok(config)
}
fn zone(line: &Line, cx: &mut Cx<'_>) -> Parsed<ZoneConfig> {
    let mut zone = ZoneConfig::default();
    for option in line.lines() {
        match option.name().text.as_str() {
            "key" => {
                first(option)?;
                unset(option, "zone key", zone.key.is_empty(), &zone.key)?;
                zone.key = first(option)?.text.clone();
            }
            "window" => {
                unset(option, "zone window", zone.window == 0, show(zone.window))?;
                zone.window = duration(option, "window duration")?;
            }
            "events" => {
                unset(option, "zone max events", zone.max_events == 0, zone.max_events)?;
                zone.max_events = number(option, "max events integer")?;
            }
            "ipv4_prefix" => {
                unset(option, "zone ipv4_prefix", zone.ipv4_prefix == 0, zone.ipv4_prefix)?;
                zone.ipv4_prefix = number(option, "ipv4_prefix integer")?;
            }
            "ipv6_prefix" => {
                unset(option, "zone ipv6_prefix", zone.ipv6_prefix == 0, zone.ipv6_prefix)?;
                zone.ipv6_prefix = number(option, "ipv6_prefix integer")?;
            }
            "max_keys" => zone.max_keys = Some(number(option, "max_keys integer")?),
            "max_memory" => {
                let text = &first(option)?.text;
                let size = grammar::values::size(text);
                zone.max_bytes = Some(size.map_err(|why| option.error(format!("invalid max_memory size '{text}': {why}")))?);
            }
            "match" => zone.matchers.push(cx.nested_matcher_set(option)?),
            _ => {
                let known =
                    ["key", "window", "events", "match", "ipv4_prefix", "ipv6_prefix", "max_keys", "max_memory"];
                return Err(unrecognized(option, &known));
            }
        }
    }
    if zone.window == 0 || zone.max_events == 0 {
        return Err(line.end().error("a rate limit zone requires both a window and maximum events"));
    }
    Ok(zone)
}
fn distributed(line: &Line) -> Parsed<Distributed> {
    let mut config = Distributed::default();
    for option in line.lines() {
        let (slot, what) = match option.name().text.as_str() {
            "read_interval" => (&mut config.read_interval, "read interval"),
            "write_interval" => (&mut config.write_interval, "write interval"),
            "purge_age" => (&mut config.purge_age, "purge age"),
            _ => return Err(unrecognized(option, &["read_interval", "write_interval", "purge_age"])),
        };
        unset(option, what, *slot == 0, show(*slot))?;
        *slot = duration(option, what)?;
    }
    Ok(config)
}
/// The first argument; what follows it is not looked at, as in the plugin.
fn first(line: &Line) -> Parsed<&Token> {
    line.args().first().ok_or_else(|| line.arg_error())
}
fn flag(line: &Line) -> Parsed<bool> {
    match line.args().first() {
        Some(extra) => Err(extra.arg_error()),
        None => Ok(true),
    }
}
fn unset(line: &Line, what: &str, unset: bool, was: impl std::fmt::Display) -> Parsed<()> {
    let at = first(line)?;
    if unset { Ok(()) } else { Err(at.error(format!("{what} already specified: {was}"))) }
}
fn duration(line: &Line, what: &str) -> Parsed<i64> {
    let word = first(line)?;
    grammar::values::duration(&word.text)
        .map_err(|why| word.error(format!("invalid {what} '{}': {why}", word.text)))
}
