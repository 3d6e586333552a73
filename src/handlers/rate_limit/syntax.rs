//! `rate_limit` in a Caddyfile.
use super::{Distributed, RateLimit, ZoneConfig};
use crate::{
    caddyfile::{Cx, Directive, Order, Parse, Parsed, Support, Words},
    config::{Duration, Module, parse_duration, parse_size},
};
use grammar::Line;
use std::{fmt::Display, str::FromStr};

pub const RATE_LIMIT: Directive = Directive {
    name: "rate_limit",
    docs: "rate_limit [<matcher>] { zone <name> { … } … }: refuses with 429 what exceeds a zone's limit.",
    order: Order::ByRow,
    support: Support::Partly("distributed, storage"),
    parse: Parse::Handler(|line, cx| Ok(Module::of("rate_limit", &rate_limit(line, cx)?))),
};
fn rate_limit(line: &Line, cx: &mut Cx<'_>) -> Parsed<RateLimit> {
    let mut config = RateLimit::default();
    let mut words = Words::new(line);
    words.none()?;
    let mut block = words.block();
    while let Some(option) = block.next() {
        match option.text() {
            "zone" => {
                let name = option.need()?.to_owned();
                config.rate_limits.insert(name, zone(option, cx)?);
            }
            "distributed" => {
                cx.not_yet(option.token(), "rate_limit's distributed");
                config.distributed = Some(distributed(option)?);
            }
            "storage" => {
                cx.not_yet(option.token(), "rate_limit's storage");
                option.need()?;
                config.storage = Some(cx.module("caddy.storage", "module", &option.segment())?);
            }
            "log_key" => {
                option.none()?;
                config.log_key = true;
            }
            "disable_metrics" => {
                option.none()?;
                config.disable_metrics = true;
            }
            "jitter" => {
                let was = (config.jitter != 0.0).then_some(config.jitter);
                config.jitter = number(option, "jitter", was, "jitter percentage")?;
            }
            "sweep_interval" => {
                duration(option, "sweep interval", "sweep interval", &mut config.sweep_interval)?
            }
            other => return Err(option.error(format!("unrecognized subdirective '{other}'"))),
        }
    }
    Ok(config)
}
fn zone(words: &mut Words<'_>, cx: &mut Cx<'_>) -> Parsed<ZoneConfig> {
    let mut zone = ZoneConfig::default();
    let mut block = words.block();
    while let Some(option) = block.next() {
        match option.text() {
            "key" => {
                let key = option.need()?.to_owned();
                already(option, "zone key", (!zone.key.is_empty()).then_some(zone.key))?;
                zone.key = key;
            }
            "window" => duration(option, "zone window", "window duration", &mut zone.window)?,
            "events" => zone.max_events = integer(option, "max events", zone.max_events)?,
            "ipv4_prefix" => zone.ipv4_prefix = integer(option, "ipv4_prefix", zone.ipv4_prefix)?,
            "ipv6_prefix" => zone.ipv6_prefix = integer(option, "ipv6_prefix", zone.ipv6_prefix)?,
            "max_keys" => {
                let (what, was) = ("zone max_keys", zone.max_keys);
                zone.max_keys = Some(number(option, what, was, "max_keys integer")?);
            }
            "max_memory" => {
                let text = option.need()?;
                already(option, "zone max_memory", zone.max_bytes)?;
                let size = parse_size(text);
                let invalid = |why| option.error(format!("invalid max_memory size '{text}': {why}"));
                zone.max_bytes = Some(size.map_err(invalid)?);
            }
            "match" => zone.matchers.push(cx.matcher_set(option.segment().lines())?),
            other => return Err(option.error(format!("unrecognized subdirective '{other}'"))),
        }
    }
    if zone.window.is_zero() || zone.max_events == 0 {
        return Err(words.error("a rate limit zone requires both a window and maximum events"));
    }
    Ok(zone)
}
fn distributed(words: &mut Words<'_>) -> Parsed<Distributed> {
    let mut config = Distributed::default();
    let mut block = words.block();
    while let Some(option) = block.next() {
        let (slot, what) = match option.text() {
            "read_interval" => (&mut config.read_interval, "read interval"),
            "write_interval" => (&mut config.write_interval, "write interval"),
            "purge_age" => (&mut config.purge_age, "purge age"),
            other => return Err(option.error(format!("unrecognized subdirective '{other}'"))),
        };
        duration(option, what, what, slot)?;
    }
    Ok(config)
}
fn already(option: &Words<'_>, what: &str, was: Option<impl Display>) -> Parsed<()> {
    match was {
        Some(was) => Err(option.error(format!("{what} already specified: {was}"))),
        None => Ok(()),
    }
}
fn integer(option: &mut Words<'_>, what: &str, was: i64) -> Parsed<i64> {
    number(option, &format!("zone {what}"), (was != 0).then_some(was), &format!("{what} integer"))
}
/// The next word as a number, where none has been set before.
fn number<T: FromStr + Display>(option: &mut Words<'_>, what: &str, was: Option<T>, kind: &str) -> Parsed<T> {
    let text = option.need()?;
    already(option, what, was)?;
    // As Go says it, of integers and of floating point numbers.
    let function = if kind.ends_with("integer") { "strconv.Atoi" } else { "strconv.ParseFloat" };
    let invalid =
        |_| option.error(format!("invalid {kind} '{text}': {function}: parsing {text:?}: invalid syntax"));
    text.parse().map_err(invalid)
}
fn duration(option: &mut Words<'_>, what: &str, kind: &str, slot: &mut Duration) -> Parsed<()> {
    let text = option.need()?;
    let was = (!slot.is_zero()).then_some(slot.0);
    already(option, what, was)?;
    *slot = parse_duration(text).map_err(|why| option.error(format!("invalid {kind} '{text}': {why}")))?;
    Ok(())
}
