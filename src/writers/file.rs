//! `file`: writes to a file, which is rolled when it grows large or old.
//!
//! ```caddyfile
//! output file <path> {
//!     mode               <octal>
//!     dir_mode           <octal>|inherit|from_file
//!     roll_disabled
//!     roll_size          <size>
//!     roll_interval      <duration>
//!     roll_minutes       <minutes…>
//!     roll_at            <times…>
//!     roll_uncompressed
//!     roll_compression   none|gzip|zstd
//!     roll_local_time
//!     roll_keep          <number>
//!     roll_keep_for      <duration>
//!     backup_time_format <layout>
//! }
//! ```
//! Example: `output file /var/log/access.log { roll_size 50MiB⏎ roll_keep 5⏎ roll_keep_for 30d }`.
use super::NAMESPACE;
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{Duration, fields, parse_duration, parse_int, parse_size},
    logging::FileConfig,
};
use grammar::Line;
use serde_json::{Map, Value};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "file",
    docs: "file <path> { mode <octal>; dir_mode <octal>|inherit|from_file; roll_disabled; roll_size <size>; \
           roll_interval <duration>; roll_minutes <minutes…>; roll_at <times…>; roll_uncompressed; \
           roll_compression none|gzip|zstd; roll_local_time; roll_keep <n>; roll_keep_for <duration>; \
           backup_time_format <layout> }: writes log entries to a file.",
    parse,
    support: Support::Full,
};
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let mut words = Words::new(line);
    let mut writer = FileConfig { filename: words.need()?.into(), ..FileConfig::default() };
    words.none()?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        read(&mut writer, sub)?;
    }
    Ok(fields(&writer))
}
fn read(writer: &mut FileConfig, sub: &mut Words<'_>) -> Parsed<()> {
    match sub.text() {
        "mode" => {
            let mode = parse_mode(sub.one()?);
            let mode = mode.map_err(|why| sub.error(format!("parsing mode: {why}")))?;
            writer.mode = if mode == 0 { String::new() } else { format!("{mode:04o}") };
        }
        "dir_mode" => {
            let mode = sub.one()?.trim();
            if !matches!(mode.to_lowercase().as_str(), "inherit" | "from_file") {
                parse_mode(mode).map_err(|why| sub.error(format!("parsing dir_mode: {why}")))?;
            }
            writer.dir_mode = mode.into();
        }
        "roll_disabled" => {
            writer.roll = Some(false);
            sub.none()?;
        }
        "roll_size" => {
            let bytes = parse_size(sub.one()?);
            let bytes = bytes.map_err(|why| sub.error(format!("parsing size: {why}")))?;
            writer.roll_size_mb = i64::try_from(bytes.div_ceil(1 << 20)).unwrap_or(i64::MAX);
        }
        "roll_uncompressed" => {
            writer.roll_gzip = Some(false);
            sub.none()?;
        }
        "roll_compression" => {
            let algorithm = sub.one()?.trim().to_lowercase();
            match algorithm.as_str() {
                "none" | "gzip" | "zstd" => {}
                _ => return Err(sub.error("parsing roll_compression: must be 'none', 'gzip' or 'zstd'")),
            }
            writer.roll_compression = algorithm;
        }
        "roll_local_time" => {
            writer.roll_local_time = true;
            sub.none()?;
        }
        "roll_keep" => {
            let number = parse_int(sub.one()?);
            writer.roll_keep = number.map_err(|why| sub.error(format!("parsing roll_keep number: {why}")))?;
        }
        "roll_keep_for" => writer.roll_keep_days = days(sub)?,
        "roll_interval" => {
            let interval = parse_duration(sub.one()?);
            writer.roll_interval =
                interval.map_err(|why| sub.error(format!("parsing roll_interval duration: {why}")))?;
        }
        "roll_minutes" => {
            let minutes = list(sub)?.into_iter().map(|text| parse_int(&text));
            let minutes: Result<_, _> = minutes.collect();
            writer.roll_minutes =
                minutes.map_err(|why| sub.error(format!("parsing roll_minutes number: {why}")))?;
        }
        "roll_at" => writer.roll_at = list(sub)?,
        "backup_time_format" => writer.backup_time_format = sub.one()?.into(),
        other => return Err(sub.error(format!("unrecognized subdirective '{other}'"))),
    }
    Ok(())
}
/// Octal digits.
fn parse_mode(text: &str) -> Result<u32, String> {
    let wrong = |why| format!("strconv.ParseUint: parsing \"{text:0>4}\": {why}");
    if text.is_empty() || !text.bytes().all(|b| matches!(b, b'0'..=b'7')) {
        return if text.is_empty() { Ok(0) } else { Err(wrong("invalid syntax")) };
    }
    u32::from_str_radix(text, 8).map_err(|_| wrong("value out of range"))
}
/// `roll_keep_for <duration>`, in whole days.
fn days(sub: &mut Words<'_>) -> Parsed<i64> {
    const DAY: i64 = 24 * 3_600 * 1_000_000_000;
    let keep = parse_duration(sub.one()?);
    let keep = keep.map_err(|why| sub.error(format!("parsing roll_keep_for duration: {why}")))?;
    if keep < Duration::ZERO {
        return Err(sub.error(format!("negative roll_keep_for duration: {keep}")));
    }
    Ok(keep.0 / DAY + i64::from(keep.0 % DAY > 0))
}
/// Words and commas both part the values.
fn list(sub: &mut Words<'_>) -> Parsed<Vec<String>> {
    let name = sub.text();
    let values: Vec<String> =
        sub.some()?.iter().flat_map(|word| word.split(',')).map(|value| value.trim().to_owned()).collect();
    if values.iter().any(String::is_empty) {
        return Err(sub.error(format!("parsing {name}: empty value")));
    }
    Ok(values)
}
