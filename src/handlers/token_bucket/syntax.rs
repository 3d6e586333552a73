//! `token_bucket` in a Caddyfile.
use super::{TokenBucket, ZoneConfig};
use crate::{
    caddyfile::{Cx, Directive, Order, Parse, Parsed, Support, Words, unknown},
    config::{Module, parse_duration, parse_size},
    http::HandlerConfig,
};
use grammar::Line;
use std::str::FromStr;

pub const TOKEN_BUCKET: Directive = Directive {
    name: "token_bucket",
    docs: "token_bucket [<matcher>] { zone <name> { key, rate, burst … } }: refuses with 429 what comes faster than tokens do.",
    order: Order::ByRow,
    support: Support::Full,
    parse: Parse::Handler(parse),
};
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Module> {
    let (mut config, mut words) = (TokenBucket::default(), Words::new(line));
    words.none()?;
    let mut block = words.block();
    while let Some(option) = block.next() {
        match option.text() {
            "zone" => {
                let name = option.need()?.to_owned();
                if config.zones.iter().any(|zone| zone.name == name) {
                    return Err(option.error(format!("zone '{name}' is there already")));
                }
                config.zones.push(zone(name, option)?);
            }
            other => {
                let message = format!("unrecognized subdirective '{other}'");
                return Err(unknown(option.token(), message, &["zone"]));
            }
        }
    }
    if config.zones.is_empty() {
        return Err(words.error("token_bucket without a zone"));
    }
    Ok(Module::of(TokenBucket::NAME, &config))
}
fn zone(name: String, words: &mut Words<'_>) -> Parsed<ZoneConfig> {
    let mut zone = ZoneConfig { name, ..ZoneConfig::default() };
    let mut block = words.block();
    while let Some(option) = block.next() {
        match option.text() {
            "key" => zone.key = option.one()?.to_owned(),
            "rate" => {
                zone.rate = count(option)?;
                if let Some(text) = option.at_most_one()? {
                    let per = parse_duration(text).ok().filter(|per| !per.is_zero());
                    let invalid = || option.error(format!("'{text}' is no time in which tokens come"));
                    zone.per = per.ok_or_else(invalid)?;
                }
            }
            "burst" => {
                zone.burst = count(option)?;
                option.none()?;
            }
            "max_keys" => {
                zone.max_keys = Some(count(option)?);
                option.none()?;
            }
            "max_memory" => {
                let text = option.one()?;
                let size = parse_size(text).map_err(|why| format!("invalid max_memory size '{text}': {why}"));
                let size = size.and_then(|size| usize::try_from(size).map_err(|why| why.to_string()));
                zone.max_bytes = Some(size.map_err(|why| option.error(why))?);
            }
            other => {
                let message = format!("unrecognized subdirective '{other}'");
                let known = ["burst", "key", "max_keys", "max_memory", "rate"];
                return Err(unknown(option.token(), message, &known));
            }
        }
    }
    if zone.rate == 0 {
        return Err(words.error(format!("zone '{}' has no rate", zone.name)));
    }
    Ok(zone)
}
/// The next word as a number from one.
fn count<T: FromStr + Default + PartialEq>(option: &mut Words<'_>) -> Parsed<T> {
    let text = option.need()?;
    let number = text.parse().ok().filter(|number| *number != T::default());
    number.ok_or_else(|| option.error(format!("'{text}' is not a whole number, 1 or more")))
}
