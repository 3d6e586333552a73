//! What several directives and options say of ACME in the same words.
use super::{Cx, Parsed, Words};
use crate::config::{DnsChallenge, Duration, PreferredChains, parse_duration};
use serde_json::Value;

/// The DNS provider that the next word names: `<provider> …`.
///
/// # Errors
/// There is no word, no such provider, or the provider's own.
pub fn dns_provider(words: &mut Words<'_>, cx: &mut Cx<'_>) -> Parsed<Value> {
    words.need()?;
    cx.module("dns.providers", "name", &words.segment())
}
/// Reads a setting of the DNS challenge, if the word is one:
///
/// ```caddyfile
/// resolvers           <addresses…>
/// propagation_delay   <duration>
/// propagation_timeout <duration>|-1
/// dns_ttl             <duration>
/// ```
/// `value` reads the one argument of all but `resolvers`. Gives `false` for any other word.
///
/// # Errors
/// The setting lacks its argument, or it is no duration.
pub fn dns_challenge(
    challenge: &mut DnsChallenge,
    words: &mut Words<'_>,
    value: impl FnOnce(&mut Words<'_>) -> Parsed<String>,
) -> Parsed<bool> {
    let name = words.text();
    let field = match name {
        "resolvers" => {
            challenge.resolvers = words.some()?;
            return Ok(true);
        }
        "propagation_delay" => &mut challenge.propagation_delay,
        "propagation_timeout" => &mut challenge.propagation_timeout,
        "dns_ttl" => &mut challenge.ttl,
        _ => return Ok(false),
    };
    let text = value(words)?;
    *field = if name == "propagation_timeout" && text == "-1" {
        Duration(-1)
    } else {
        parse_duration(&text).map_err(|why| words.error(format!("invalid {name} duration {text}: {why}")))?
    };
    Ok(true)
}
/// Whether [`dns_challenge`] reads the word.
pub fn is_dns_setting(word: &str) -> bool {
    matches!(word, "resolvers" | "propagation_delay" | "propagation_timeout" | "dns_ttl")
}
/// ```caddyfile
/// preferred_chains smallest
/// preferred_chains {
///     root_common_name <names…>
///     any_common_name  <names…>
/// }
/// ```
///
/// # Errors
/// In Caddy's words.
pub fn preferred_chains(words: &mut Words<'_>) -> Parsed<PreferredChains> {
    let mut chains = PreferredChains::default();
    if let Some(word) = words.arg() {
        if !word.is("smallest") {
            return Err(words.error(format!("Invalid argument '{}'", word.text)));
        }
        chains.smallest = Some(true);
        words.none()?;
        if let Some(more) = words.block().next() {
            return Err(more.error("No more options are accepted when using the 'smallest' option"));
        }
    }
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "root_common_name" => {
                chains.root_common_name.extend(sub.some()?);
                if !chains.any_common_name.is_empty() {
                    return Err(sub.error("Can't set root_common_name when any_common_name is already set"));
                }
            }
            "any_common_name" => {
                chains.any_common_name.extend(sub.some()?);
                if !chains.root_common_name.is_empty() {
                    return Err(sub.error("Can't set any_common_name when root_common_name is already set"));
                }
            }
            other => return Err(sub.error(format!("Received unrecognized parameter '{other}'"))),
        }
    }
    if chains == PreferredChains::default() {
        return Err(words.error("No options for preferred_chains received"));
    }
    Ok(chains)
}
