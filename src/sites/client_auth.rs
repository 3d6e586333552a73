//! `client_auth` of the `tls` directive: clients that have to show a certificate.
//!
//! ```caddyfile
//! client_auth {
//!     mode       request|require|verify_if_given|require_and_verify
//!     trust_pool <pool> …
//!     verifier   <verifier> …
//!     trusted_leaf_cert      <base64>
//!     trusted_leaf_cert_file <pem_file>
//!     trusted_ca_cert        <base64>     # deprecated: trust_pool inline
//!     trusted_ca_cert_file   <pem_file>   # deprecated: trust_pool file
//! }
//! ```
use crate::{
    caddyfile::{Cx, Parsed, Words},
    config::ClientAuthentication,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::fs;

const EITHER: &str = "cannot specify both 'trust_pool' and 'trusted_ca_cert' or 'trusted_ca_cert_file'";

pub(super) fn read(words: &mut Words<'_>, cx: &mut Cx<'_>) -> Parsed<Value> {
    words.rest();
    let (mut auth, mut block) = (ClientAuthentication::default(), words.block());
    while let Some(sub) = block.next() {
        one(&mut auth, sub, cx)?;
    }
    let inline = std::mem::take(&mut auth.trusted_ca_certs);
    if !inline.is_empty() {
        auth.ca = Some(json!({"provider": "inline", "trusted_ca_certs": inline}));
    }
    Ok(json!(auth))
}
fn one(auth: &mut ClientAuthentication, sub: &mut Words<'_>, cx: &mut Cx<'_>) -> Parsed<()> {
    match sub.text() {
        "mode" if sub.left() > 1 => return Err(sub.arg_error()),
        "mode" => auth.mode = sub.need()?.into(),
        name @ ("trusted_ca_cert" | "trusted_ca_cert_file") => {
            let message = format!("The '{name}' field is deprecated. Use the 'trust_pool' field instead.");
            cx.warn(sub.token(), message);
            if auth.ca.is_some() {
                return Err(sub.error(EITHER));
            }
            let value = sub.need()?;
            if name == "trusted_ca_cert" {
                auth.trusted_ca_certs.push(value.into());
            } else {
                auth.trusted_ca_certs.extend(certificates(value, sub)?);
            }
        }
        "trusted_leaf_cert" => auth.trusted_leaf_certs.push(sub.need()?.into()),
        "trusted_leaf_cert_file" => {
            let file = sub.need()?;
            auth.trusted_leaf_certs.extend(certificates(file, sub)?);
        }
        "trust_pool" if !auth.trusted_ca_certs.is_empty() => return Err(sub.error(EITHER)),
        "trust_pool" => {
            sub.need()?;
            let pool = cx.module("tls.ca_pool.source", "provider", &sub.segment());
            // Caddy names the place where it stands now, too.
            auth.ca = Some(pool.map_err(|error| error.within("", Some(&sub.token().span)))?);
        }
        "verifier" => {
            sub.need()?;
            auth.verifiers.push(cx.module("tls.client_auth.verifier", "verifier", &sub.segment())?);
        }
        other => return Err(sub.error(format!("unknown subdirective for client_auth: {other}"))),
    }
    Ok(())
}
/// The certificates of a PEM file, which is read now, as Caddy does: DER in base64.
fn certificates(file: &str, words: &Words<'_>) -> Parsed<Vec<String>> {
    let text = fs::read(file).map_err(|error| words.error(unreadable(file, &error)))?;
    let none = || words.error(format!("no CERTIFICATE pem block found in {file}"));
    let mut found = vec![];
    for block in x509_parser::pem::Pem::iter_from_buffer(&text) {
        let block = block.map_err(|_| none())?;
        if block.label != "CERTIFICATE" {
            return Err(none());
        }
        found.push(STANDARD.encode(block.contents));
    }
    if found.is_empty() { Err(none()) } else { Ok(found) }
}
/// In Go's words.
fn unreadable(file: &str, error: &std::io::Error) -> String {
    let why = match error.kind() {
        std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    };
    format!("open {file}: {why}")
}
