//! Where state is kept, and how it is looked after.
//!
//! ```caddyfile
//! {
//!     storage <module> …
//!     storage_check off
//!     storage_clean_interval <duration>|off
//! }
//! ```
use super::single;
use crate::{
    caddyfile::{Cx, GlobalOption, Options, Parsed, Support, Words},
    config::parse_duration,
};
use grammar::Line;

pub const STORAGE: GlobalOption = GlobalOption {
    name: "storage",
    docs: "storage <module> …: where certificates and other state are kept.",
    parse: storage,
    support: Support::Full,
};
pub const STORAGE_CHECK: GlobalOption = GlobalOption {
    name: "storage_check",
    docs: "storage_check off: use the storage without trying it first.",
    parse: check,
    support: Support::Full,
};
pub const STORAGE_CLEAN_INTERVAL: GlobalOption = GlobalOption {
    name: "storage_clean_interval",
    docs: "storage_clean_interval <duration>|off: how often expired certificates are removed; daily by default.",
    parse: clean_interval,
    support: Support::Full,
};
fn storage(line: &Line, options: &mut Options, cx: &mut Cx<'_>) -> Parsed<()> {
    let mut words = Words::new(line);
    words.need()?;
    options.storage = Some(cx.module("caddy.storage", "module", &words.segment())?);
    Ok(())
}
fn check(line: &Line, options: &mut Options, _: &mut Cx<'_>) -> Parsed<()> {
    if single(line)? != "off" {
        return Err(line.last().error("storage_check must be 'off'"));
    }
    options.storage_check_off = true;
    Ok(())
}
/// The last of several wins.
fn clean_interval(line: &Line, options: &mut Options, cx: &mut Cx<'_>) -> Parsed<()> {
    let text = single(line)?;
    options.storage_clean_off = text == "off";
    options.storage_clean_interval = None;
    if !options.storage_clean_off {
        cx.not_yet(line.name(), "cleaning the storage at an interval of one's own");
        let interval = parse_duration(text).map_err(|why| {
            let message = "failed to parse storage_clean_interval, must be a duration or 'off'";
            line.last().error(format!("{message} {why}"))
        })?;
        options.storage_clean_interval = Some(interval);
    }
    Ok(())
}
