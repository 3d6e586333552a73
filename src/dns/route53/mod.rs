//! Amazon Route 53.
//!
//! ```caddyfile
//! dns route53 {
//!     access_key_id               <id>
//!     secret_access_key           <secret>
//!     session_token               <token>
//!     region                      <name>
//!     profile                     <name>
//!     hosted_zone_id              <id>
//!     max_retries                 <count>
//!     route53_max_wait            <duration>|<seconds>
//!     wait_for_route53_sync       <bool>
//!     skip_route53_sync_on_delete <bool>
//!     debug_logging               <bool>
//! }
//! ```
//! Without keys the machine's own credentials sign in. A value that cannot be read is as if it weren't there.
mod client;
mod signature;

use super::{NAMESPACE, api::read};
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{Duration, fields, is_default, parse_go_duration},
    tls::DnsModule,
};
use client::{Client, PLACES};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "route53",
    docs: "route53 { access_key_id <id>; secret_access_key <secret>; session_token <token>; region <name>; \
           profile <name>; hosted_zone_id <id>; max_retries <n>; route53_max_wait <duration>; \
           wait_for_route53_sync <bool>; skip_route53_sync_on_delete <bool>; debug_logging <bool> }: \
           DNS records at Amazon.",
    parse,
    support: Support::Full,
};
/// `dns.providers.route53`. Texts may hold placeholders.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Route53 {
    #[serde(skip_serializing_if = "is_default")]
    pub region: String,
    /// In the shared credentials file.
    #[serde(skip_serializing_if = "is_default")]
    pub profile: String,
    #[serde(skip_serializing_if = "is_default")]
    pub access_key_id: String,
    #[serde(skip_serializing_if = "is_default")]
    pub secret_access_key: String,
    #[serde(skip_serializing_if = "is_default")]
    pub session_token: String,
    /// 0: 5 of them.
    #[serde(skip_serializing_if = "is_default")]
    pub max_retries: i64,
    /// How long a change may take to reach all of Amazon's servers; 0: a minute.
    #[serde(skip_serializing_if = "is_default")]
    pub route53_max_wait: Duration,
    /// Wait until it has.
    #[serde(skip_serializing_if = "is_default")]
    pub wait_for_route53_sync: bool,
    /// But not for a deletion.
    #[serde(skip_serializing_if = "is_default")]
    pub skip_route53_sync_on_delete: bool,
    /// Spares looking the zone up.
    #[serde(skip_serializing_if = "is_default")]
    pub hosted_zone_id: String,
    #[serde(skip_serializing_if = "is_default")]
    pub debug_logging: bool,
}
pub const MODULE: DnsModule =
    DnsModule { name: "route53", build: |fields| Ok(Arc::new(Client::new(read(fields)?, &PLACES)?)) };
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let mut words = Words::new(line);
    words.none()?;
    let region = crate::environment::var("AWS_REGION").filter(|region| !region.is_empty());
    let mut provider = Route53 {
        region: region.unwrap_or_else(|| "us-east-1".into()),
        skip_route53_sync_on_delete: true,
        ..Route53::default()
    };
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "wait_for_route53_sync" | "wait_for_propagation" => {
                set_bool(&mut provider.wait_for_route53_sync, sub)?;
            }
            "skip_route53_sync_on_delete" => set_bool(&mut provider.skip_route53_sync_on_delete, sub)?,
            "debug_logging" => set_bool(&mut provider.debug_logging, sub)?,
            "route53_max_wait" | "max_wait_dur" => {
                if let Some(wait) = sub.at_most_one()?.and_then(wait) {
                    provider.route53_max_wait = wait;
                }
            }
            "max_retries" => {
                if let Some(text) = sub.at_most_one()? {
                    provider.max_retries = text.parse().unwrap_or_default();
                }
            }
            "profile" | "aws_profile" => super::set(&mut provider.profile, sub)?,
            "access_key_id" => super::set(&mut provider.access_key_id, sub)?,
            "secret_access_key" => super::set(&mut provider.secret_access_key, sub)?,
            "session_token" | "token" => super::set(&mut provider.session_token, sub)?,
            "region" => super::set(&mut provider.region, sub)?,
            "hosted_zone_id" => super::set(&mut provider.hosted_zone_id, sub)?,
            other => return Err(sub.error(format!("unrecognized subdirective '{other}'"))),
        }
    }
    Ok(fields(&provider))
}
/// Go's `strconv.ParseBool`.
fn set_bool(value: &mut bool, words: &mut Words<'_>) -> Parsed<()> {
    match words.at_most_one()? {
        Some("1" | "t" | "T" | "TRUE" | "true" | "True") => *value = true,
        Some("0" | "f" | "F" | "FALSE" | "false" | "False") => *value = false,
        _ => {}
    }
    Ok(())
}
/// A duration; a bare number is seconds.
fn wait(text: &str) -> Option<Duration> {
    let seconds = || text.parse::<i64>().ok()?.checked_mul(1_000_000_000).map(Duration);
    parse_go_duration(text).ok().or_else(seconds)
}
