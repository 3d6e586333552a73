//! `transport fastcgi`: upstreams that speak FastCGI, such as php-fpm.
use super::{TRANSPORTS, duration};
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words, unknown},
    config::fields,
    handlers::reverse_proxy::config::FastCgiTransport,
};
use grammar::Line;
use serde_json::{Map, Value};

pub const FASTCGI: ModuleSyntax = ModuleSyntax {
    namespace: TRANSPORTS,
    name: "fastcgi",
    docs: "fastcgi { root <path>; split <extensions...>; env <key> <value>; resolve_root_symlink; dial_timeout, \
           read_timeout, write_timeout <duration>; capture_stderr }: FastCGI.",
    parse: fastcgi,
    support: Support::Full,
};
pub(super) const NAMES: [&str; 8] = [
    "root",
    "split",
    "env",
    "resolve_root_symlink",
    "dial_timeout",
    "read_timeout",
    "write_timeout",
    "capture_stderr",
];

fn fastcgi(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut transport) = (Words::new(line), FastCgiTransport::default());
    let mut block = words.block();
    while let Some(words) = block.next() {
        match words.text() {
            "resolve_root_symlink" => {
                words.none()?;
                transport.resolve_root_symlink = true;
            }
            "capture_stderr" => {
                words.none()?;
                transport.capture_stderr = true;
            }
            "split" => transport.split_path = words.some()?,
            other if !setting(&mut transport, words)? => {
                let message = format!("unrecognized subdirective {other}");
                return Err(unknown(words.token(), message, &NAMES));
            }
            _ => {}
        }
    }
    Ok(fields(&transport))
}
/// What `php_fastcgi` reads the same way. False: it is something else.
pub(super) fn setting(transport: &mut FastCgiTransport, words: &mut Words<'_>) -> Parsed<bool> {
    let bad = "bad timeout value {}";
    match words.text() {
        "root" => transport.root = words.need()?.into(),
        "env" => {
            let [key, value] = words.exactly()?;
            transport.env.insert(key, value);
        }
        "dial_timeout" => transport.dial_timeout = duration(words, bad)?,
        "read_timeout" => transport.read_timeout = duration(words, bad)?,
        "write_timeout" => transport.write_timeout = duration(words, bad)?,
        _ => return Ok(false),
    }
    Ok(true)
}
