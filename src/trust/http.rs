//! `http`: certificates that a server gives out.
//!
//! ```caddyfile
//! trust_pool http [<urls…>] {
//!     endpoints <urls…>
//!     tls {
//!         ca <pool> …
//!         insecure_skip_verify
//!         handshake_timeout <duration>
//!         server_name       <name>
//!         renegotiation     never|once|freely
//!     }
//! }
//! ```
use super::{LATER, NAMESPACE};
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{Duration, fields, is_default, parse_duration},
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "http",
    docs: "http [<urls…>] { endpoints <urls…>; tls { ca, insecure_skip_verify, handshake_timeout, server_name, \
           renegotiation } }: trusts certificates that a server gives out.",
    parse,
    support: Support::NotYet(LATER),
};
/// `tls.ca_pool.source.http`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// URLs that answer with certificates in PEM.
    #[serde(skip_serializing_if = "is_default")]
    pub endpoints: Vec<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub tls: Option<Tls>,
}
/// How to speak TLS with them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// Another pool; none: the system's.
    #[serde(skip_serializing_if = "is_default")]
    pub ca: Option<Value>,
    #[serde(skip_serializing_if = "is_default")]
    pub insecure_skip_verify: bool,
    /// 0: no limit.
    #[serde(skip_serializing_if = "is_default")]
    pub handshake_timeout: Duration,
    /// Whom to expect there; empty: the host of the URL.
    #[serde(skip_serializing_if = "is_default")]
    pub server_name: String,
    /// `never`, `once`, `freely`; empty: never.
    #[serde(skip_serializing_if = "is_default")]
    pub renegotiation: String,
}
fn parse(line: &Line, cx: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let mut words = Words::new(line);
    let mut pool = Http { endpoints: words.rest(), tls: None };
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "endpoints" => pool.endpoints.extend(sub.some()?),
            "tls" if pool.tls.is_some() => return Err(sub.error("tls block already defined")),
            "tls" => pool.tls = Some(tls(sub, cx)?),
            other => return Err(sub.error(format!("unrecognized directive: {other}"))),
        }
    }
    Ok(fields(&pool))
}
fn tls(words: &mut Words<'_>, cx: &mut Cx<'_>) -> Parsed<Tls> {
    let (mut tls, mut block) = (Tls::default(), words.block());
    while let Some(sub) = block.next() {
        match sub.text() {
            "ca" => tls.ca = Some(super::pool(sub, cx)?),
            "insecure_skip_verify" => tls.insecure_skip_verify = true,
            "handshake_timeout" => {
                let text = sub.need()?;
                let timeout = parse_duration(text);
                tls.handshake_timeout =
                    timeout.map_err(|why| sub.error(format!("bad timeout value '{text}': {why}")))?;
            }
            "server_name" => tls.server_name = sub.need()?.into(),
            "renegotiation" => match sub.need()? {
                level @ ("never" | "once" | "freely") => tls.renegotiation = level.into(),
                level => return Err(sub.error(format!("unrecognized renegotiation level: {level}"))),
            },
            other => return Err(sub.error(format!("unrecognized directive: {other}"))),
        }
    }
    Ok(tls)
}
