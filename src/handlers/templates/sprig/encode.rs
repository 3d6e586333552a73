//! Encodings, sums, URLs.
use super::{Args, Failure};
use crate::handlers::templates::value::{Outcome, Value};
use aws_lc_rs::digest;
use base64::{Engine, prelude::BASE64_STANDARD};
use std::fmt::Write;

pub(super) fn call(name: &str, args: &[Value]) -> Option<Outcome> {
    apply(name, &mut Args(args)).transpose()
}
fn apply(name: &str, a: &mut Args<'_>) -> Result<Option<Value>, Failure> {
    let text = |bytes: Vec<u8>| Value::from(String::from_utf8_lossy(&bytes).into_owned());
    Ok(Some(match name {
        "b64enc" => BASE64_STANDARD.encode(a.text()?).into(),
        "b64dec" => match BASE64_STANDARD.decode(a.text()?) {
            Ok(bytes) => text(bytes),
            Err(error) => error.to_string().into(),
        },
        "b32enc" => base32(a.text()?.as_bytes()).into(),
        "b32dec" => text(from_base32(a.text()?).ok_or("illegal base32 data")?),
        "sha1sum" => {
            hex(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, a.text()?.as_bytes()).as_ref()).into()
        }
        "sha256sum" => hex(digest::digest(&digest::SHA256, a.text()?.as_bytes()).as_ref()).into(),
        "sha512sum" => hex(digest::digest(&digest::SHA512, a.text()?.as_bytes()).as_ref()).into(),
        "adler32sum" => adler32(a.text()?.as_bytes()).to_string().into(),
        "uuidv4" => uuid::Uuid::new_v4().to_string().into(),
        "randBytes" => {
            let bytes: Vec<u8> = (0..a.size()?.min(10_000)).map(|_| fastrand::u8(..)).collect();
            BASE64_STANDARD.encode(bytes).into()
        }
        "urlParse" => parse_url(a.text()?)?,
        "urlJoin" => join_url(&a.map()?.borrow()).into(),
        _ => return Ok(None),
    }))
}
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing to memory does not fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}
fn adler32(bytes: &[u8]) -> u32 {
    let (a, b) = bytes.iter().fold((1u32, 0u32), |(a, b), &byte| {
        let a = (a + u32::from(byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    b << 16 | a
}
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
fn base32(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(5) {
        let mut padded = [0; 8];
        padded[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(padded);
        let digits = (chunk.len() * 8).div_ceil(5);
        for at in 0..8 {
            let digit = BASE32[(bits >> (35 - at * 5) & 31) as usize];
            out.push(if at < digits { digit.into() } else { '=' });
        }
    }
    out
}
fn from_base32(text: &str) -> Option<Vec<u8>> {
    let (mut out, mut bits, mut count) = (vec![], 0u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        let digit = BASE32.iter().position(|&known| known == byte)?;
        bits = bits << 5 | u32::try_from(digit).ok()?;
        count += 5;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count & 0xff) as u8);
        }
    }
    Some(out)
}
fn parse_url(text: &str) -> Outcome {
    let (before, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (before, query) = before.split_once('?').unwrap_or((before, ""));
    let (scheme, rest) =
        before.split_once(':').filter(|(scheme, _)| !scheme.contains('/')).unwrap_or(("", before));
    let (authority, path, opaque) = match rest.strip_prefix("//") {
        Some(rest) => {
            let end = rest.find('/').unwrap_or(rest.len());
            (&rest[..end], &rest[end..], "")
        }
        None if !scheme.is_empty() && !rest.starts_with('/') => ("", "", rest),
        None => ("", rest, ""),
    };
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let hostname = crate::http::uri::split_host_port(host).map_or(host, |(host, _)| host);
    let pairs = [
        ("scheme", scheme),
        ("host", host),
        ("hostname", hostname),
        ("path", path),
        ("query", query),
        ("opaque", opaque),
        ("fragment", fragment),
        ("userinfo", user),
    ];
    Ok(Value::map(pairs.map(|(key, value)| (key.to_owned(), value.into()))))
}
fn join_url(parts: &std::collections::BTreeMap<String, Value>) -> String {
    let part = |name: &str| {
        parts.get(name).filter(|part| !matches!(part, Value::Nil)).map(Value::shown).unwrap_or_default()
    };
    let mut out = String::new();
    let (scheme, host, user) = (part("scheme"), part("host"), part("userinfo"));
    if !scheme.is_empty() {
        out += &format!("{scheme}:");
    }
    let opaque = part("opaque");
    if opaque.is_empty() {
        if !host.is_empty() || !user.is_empty() {
            out += &format!("//{}{host}", if user.is_empty() { user } else { user + "@" });
        }
        let path = part("path");
        if !path.is_empty() && !path.starts_with('/') && !host.is_empty() {
            out.push('/');
        }
        out += &path;
    } else {
        out += &opaque;
    }
    for (mark, name) in [("?", "query"), ("#", "fragment")] {
        let part = part(name);
        if !part.is_empty() {
            out += mark;
            out += &part;
        }
    }
    out
}
