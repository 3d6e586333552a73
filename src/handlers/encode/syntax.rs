//! `encode` lines, and the modules that they name.
use super::Encode;
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words, response_matcher, unknown},
    config::{Module, parse_int},
    http::HandlerConfig,
};
use grammar::{Error, Line};
use serde_json::{Map, Value, json};

const NAMESPACE: &str = "http.encoders";
pub const GZIP: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "gzip",
    docs: "gzip [<level>]: from -3 to 9.",
    parse: |line, _| {
        let level = line.args().first().map(|word| integer(&word.text)).transpose()?;
        Ok(level
            .filter(|level| *level != 0)
            .into_iter()
            .map(|level| ("level".into(), level.into()))
            .collect())
    },
    support: Support::Full,
};
pub const ZSTD: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "zstd",
    docs: "zstd [<level>] { level <level>; disable_checksum }: fastest, better, best or default.",
    parse: zstd,
    support: Support::Full,
};
/// As the plugin `caddy-brotli` has it.
pub const BR: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "br",
    docs: "br [<level>]: from 0 to 11.",
    parse: |line, _| {
        let level = line.args().first().map(|word| integer(&word.text)).transpose()?.unwrap_or(-1);
        Ok((level != 0).then(|| ("level".into(), level.into())).into_iter().collect())
    },
    support: Support::Full,
};
/// Formats by their names alone, with all defaults.
const FORMATS: [&str; 3] = [GZIP.name, ZSTD.name, BR.name];

pub(super) fn encode(line: &Line, cx: &mut Cx<'_>) -> Parsed<Module> {
    let (mut encode, mut words) = (Encode::default(), Words::new(line));
    let mut formats = words.tokens();
    let mut block = words.block();
    while let Some(words) = block.next() {
        match words.text() {
            "minimum_length" => encode.minimum_length = integer(words.need()?)?,
            "match" => {
                if encode.matcher.is_some() {
                    return Err(words.error("matcher is defined more than once: match"));
                }
                encode.matcher = Some(response_matcher(&words.segment())?);
            }
            name => {
                let fields = cx.module_fields(NAMESPACE, &words.segment())?;
                encode.encodings.insert(name.to_owned(), Value::Object(fields));
                encode.prefer.push(name.to_owned());
            }
        }
    }
    if encode.prefer.is_empty() && formats.is_empty() {
        formats = &[];
        for name in ["zstd", "gzip"] {
            encode.encodings.insert(name.into(), json!({}));
            encode.prefer.push(name.into());
        }
    }
    for format in formats {
        let name = &format.text;
        if !FORMATS.contains(&name.as_str()) {
            let message = format!("finding encoder module '': module not registered: {NAMESPACE}.{name}");
            return Err(unknown(format, message, &FORMATS));
        }
        encode.encodings.insert(name.clone(), json!({}));
        encode.prefer.push(name.clone());
    }
    Ok(Module::of(Encode::NAME, &encode))
}
fn zstd(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut fields, mut words) = (Map::new(), Words::new(line));
    match words.rest().as_slice() {
        [] => {}
        [level] => {
            zstd_level(level).map_err(|error| words.error(error))?;
            fields.insert("level".into(), level.as_str().into());
        }
        _ => return Err(words.arg_error()),
    }
    let mut block = words.block();
    while let Some(words) = block.next() {
        match words.text() {
            "level" => {
                let [level] = words.exactly()?;
                if fields.contains_key("level") {
                    return Err(words.error("compression level already specified"));
                }
                zstd_level(&level).map_err(|error| words.error(error))?;
                fields.insert("level".into(), level.into());
            }
            "disable_checksum" => {
                words.none()?;
                if fields.insert("checksum".into(), false.into()).is_some() {
                    return Err(words.error("checksum already specified"));
                }
            }
            other => {
                let message = format!("unknown subdirective '{other}'");
                return Err(unknown(words.token(), message, &["level", "disable_checksum"]));
            }
        }
    }
    Ok(fields)
}
/// What a level is in numbers.
///
/// # Errors
/// It is none, in Caddy's words.
pub(super) fn zstd_level(name: &str) -> Result<i32, String> {
    match name.to_lowercase().as_str() {
        "fastest" => Ok(1),
        "default" => Ok(3),
        "better" => Ok(7),
        "best" => Ok(11),
        _ => Err("unexpected compression level, use one of 'fastest', 'better', 'best', 'default'".into()),
    }
}
/// Caddy says no place here.
fn integer(text: &str) -> Parsed<i64> {
    parse_int(text).map_err(Error::plain)
}
