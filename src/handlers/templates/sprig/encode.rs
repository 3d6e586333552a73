//! Encodings, sums, URLs.
use super::{Args, Failure};
use crate::{
    handlers::templates::value::{Outcome, Value},
    http::uri::{decode_path, encode_path},
};
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
        "b64dec" => {
            let encoded = a.text()?;
            match BASE64_STANDARD.decode(encoded) {
                Ok(bytes) => text(bytes),
                Err(error) => {
                    let at = match error {
                        base64::DecodeError::InvalidByte(at, _) => at,
                        _ => encoded.len() / 4 * 4,
                    };
                    format!("illegal base64 data at input byte {at}").into()
                }
            }
        }
        "b32enc" => base32(a.text()?.as_bytes()).into(),
        "b32dec" => match from_base32(a.text()?) {
            Ok(bytes) => text(bytes),
            Err(at) => format!("illegal base32 data at input byte {at}").into(),
        },
        "sha1sum" => {
            hex(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, a.text()?.as_bytes()).as_ref()).into()
        }
        "sha256sum" => hex(digest::digest(&digest::SHA256, a.text()?.as_bytes()).as_ref()).into(),
        "sha512sum" => hex(digest::digest(&digest::SHA512, a.text()?.as_bytes()).as_ref()).into(),
        "adler32sum" => adler32(a.text()?.as_bytes()).to_string().into(),
        "bcrypt" => password_hash(a.text()?)?.into(),
        "htpasswd" => {
            let (user, password) = (a.text()?, a.text()?);
            if user.contains(':') {
                format!("invalid username: {user}").into()
            } else {
                format!("{user}:{}", password_hash(password)?).into()
            }
        }
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
/// Of bcrypt, as Go's default is.
const COST: u32 = 10;
fn password_hash(password: &str) -> Result<String, Failure> {
    let parts = bcrypt::hash_with_result(password, COST).map_err(|error| error.to_string())?;
    // As Go marks its hashes.
    Ok(parts.format_for_version(bcrypt::Version::TwoA))
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
/// Or where it goes wrong.
fn from_base32(text: &str) -> Result<Vec<u8>, usize> {
    let (mut out, mut bits, mut count) = (vec![], 0u32, 0);
    for (at, byte) in text.trim_end_matches('=').bytes().enumerate() {
        let digit = BASE32.iter().zip(0..).find(|(known, _)| **known == byte);
        let (_, digit) = digit.ok_or(at)?;
        bits = bits << 5 | digit;
        count += 5;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count & 0xff) as u8);
        }
    }
    Ok(out)
}
fn parse_url(text: &str) -> Outcome {
    if text.starts_with(':') {
        return Err(format!("unable to parse url: \"parse \\\"{text}\\\": missing protocol scheme\"").into());
    }
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
        ("path", &decode_path(path)),
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
        out += &encode_path(&path);
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
