//! `pki`: authorities of our own.
//!
//! ```caddyfile
//! {
//!     pki {
//!         ca [<id>] {
//!             name                  <name>
//!             root_cn               <name>
//!             intermediate_cn       <name>
//!             intermediate_lifetime <duration>
//!             maintenance_interval  <duration>
//!             renewal_window_ratio  <ratio>
//!             root|intermediate {
//!                 cert   <file>
//!                 key    <file>
//!                 format pem_file
//!             }
//!         }
//!     }
//! }
//! ```
//! Without an id it is `local`, which `tls internal` uses.
use crate::{
    caddyfile::{Cx, GlobalOption, Options, Parsed, Support, Words},
    config::{Authority, Duration, KeyPair, parse_duration, parse_float},
};
use grammar::Line;
use std::collections::BTreeMap;

pub const PKI: GlobalOption = GlobalOption {
    name: "pki",
    docs: "pki { ca [<id>] { name, root_cn, intermediate_cn, intermediate_lifetime, maintenance_interval, \
           renewal_window_ratio, root { cert, key, format }, intermediate { cert, key, format } } }: \
           authorities of our own.",
    parse,
    support: Support::Full,
};
/// What has no id.
const LOCAL: &str = "local";
/// What does not run yet.
const LATER: [&str; 4] = ["root", "intermediate", "maintenance_interval", "renewal_window_ratio"];

fn parse(line: &Line, options: &mut Options, cx: &mut Cx<'_>) -> Parsed<()> {
    let (mut words, mut found) = (Words::new(line), BTreeMap::new());
    let mut block = words.block();
    while let Some(sub) = block.next() {
        if sub.text() != "ca" {
            return Err(sub.error(format!("unrecognized pki option '{}'", sub.text())));
        }
        let id = sub.at_most_one()?.filter(|id| !id.is_empty()).unwrap_or(LOCAL).to_owned();
        found.insert(id, authority(sub, cx)?);
    }
    options.authorities = Some(found);
    Ok(())
}
fn authority(words: &mut Words<'_>, cx: &mut Cx<'_>) -> Parsed<Authority> {
    let (mut ca, mut block) = (Authority::default(), words.block());
    while let Some(sub) = block.next() {
        let name = sub.text();
        if LATER.contains(&name) {
            cx.not_yet(sub.token(), name);
        }
        match name {
            "name" => ca.name = sub.need()?.into(),
            "root_cn" => ca.root_common_name = sub.need()?.into(),
            "intermediate_cn" => ca.intermediate_common_name = sub.need()?.into(),
            "intermediate_lifetime" => ca.intermediate_lifetime = duration(sub)?,
            "maintenance_interval" => ca.maintenance_interval = duration(sub)?,
            "renewal_window_ratio" => {
                let text = sub.need()?;
                let ratio = parse_float(text).ok().filter(|ratio| *ratio > 0.0 && *ratio <= 1.0);
                ca.renewal_window_ratio = ratio.ok_or_else(|| {
                    sub.error(format!("renewal_window_ratio must be a number in (0, 1], got {text}"))
                })?;
            }
            "root" => pair(ca.root.get_or_insert_default(), "root", sub)?,
            "intermediate" => pair(ca.intermediate.get_or_insert_default(), "intermediate", sub)?,
            other => return Err(sub.error(format!("unrecognized pki ca option '{other}'"))),
        }
    }
    Ok(ca)
}
fn pair(pair: &mut KeyPair, which: &str, words: &mut Words<'_>) -> Parsed<()> {
    let mut block = words.block();
    while let Some(sub) = block.next() {
        let field = match sub.text() {
            "cert" => &mut pair.certificate,
            "key" => &mut pair.private_key,
            "format" => &mut pair.format,
            other => return Err(sub.error(format!("unrecognized pki ca {which} option '{other}'"))),
        };
        *field = sub.need()?.into();
    }
    Ok(())
}
fn duration(words: &mut Words<'_>) -> Parsed<Duration> {
    parse_duration(words.need()?).map_err(|why| words.error(why))
}
