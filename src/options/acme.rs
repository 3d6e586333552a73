//! What all ACME issuers are told that say nothing else.
//!
//! ```caddyfile
//! {
//!     acme_ca      <url>
//!     acme_ca_root <pem_file>
//!     acme_eab {
//!         key_id  <id>
//!         mac_key <key>
//!     }
//!     acme_dns [<provider> …]
//!     dns      <provider> …
//!     cert_lifetime <duration>
//!     preferred_chains smallest | { root_common_name <names…> | any_common_name <names…> }
//! }
//! ```
use super::{automation::duration, single};
use crate::{
    caddyfile::{Cx, GlobalOption, Options, Parsed, Support, Words, dns_provider, preferred_chains},
    config::ExternalAccount,
};
use grammar::Line;
use serde_json::json;

pub const ACME_CA: GlobalOption = GlobalOption {
    name: "acme_ca",
    docs: "acme_ca <url>: the ACME directory; Let's Encrypt by default.",
    parse: |line, options, _| {
        options.acme_ca = Some(single(line)?.into());
        Ok(())
    },
    support: Support::Full,
};
pub const ACME_CA_ROOT: GlobalOption = GlobalOption {
    name: "acme_ca_root",
    docs: "acme_ca_root <pem_file>: whom to trust as the ACME directory.",
    parse: |line, options, _| {
        options.acme_ca_root = Some(single(line)?.into());
        Ok(())
    },
    support: Support::Full,
};
pub const ACME_EAB: GlobalOption = GlobalOption {
    name: "acme_eab",
    docs: "acme_eab { key_id <id>; mac_key <key> }: External Account Binding.",
    parse: eab,
    support: Support::Full,
};
pub const ACME_DNS: GlobalOption = GlobalOption {
    name: "acme_dns",
    docs: "acme_dns [<provider> …]: prove names by DNS records; without a provider the one of `dns`.",
    parse: acme_dns,
    support: Support::Full,
};
pub const DNS: GlobalOption = GlobalOption {
    name: "dns",
    docs: "dns <provider> …: the DNS provider of all that names none.",
    parse: |line, options, cx| {
        options.dns = Some(dns_provider(&mut Words::new(line), cx)?);
        Ok(())
    },
    support: Support::Full,
};
pub const CERT_LIFETIME: GlobalOption = GlobalOption {
    name: "cert_lifetime",
    docs: "cert_lifetime <duration>: how long certificates shall be valid, if the ACME directory agrees.",
    parse: |line, options, _| {
        options.cert_lifetime = Some(duration(line)?);
        Ok(())
    },
    support: Support::Full,
};
pub const PREFERRED_CHAINS: GlobalOption = GlobalOption {
    name: "preferred_chains",
    docs: "preferred_chains smallest | { root_common_name <names…> | any_common_name <names…> }: which chain to take.",
    parse: |line, options, _| {
        options.preferred_chains = Some(json!(preferred_chains(&mut Words::new(line))?));
        Ok(())
    },
    support: Support::Full,
};
fn eab(line: &Line, options: &mut Options, _: &mut Cx<'_>) -> Parsed<()> {
    let (mut words, mut account) = (Words::new(line), ExternalAccount::default());
    words.none()?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "key_id" => account.key_id = sub.need()?.into(),
            "mac_key" => account.mac_key = sub.need()?.into(),
            other => return Err(sub.error(format!("unrecognized parameter '{other}'"))),
        }
    }
    options.acme_eab = Some(json!(account));
    Ok(())
}
fn acme_dns(line: &Line, options: &mut Options, cx: &mut Cx<'_>) -> Parsed<()> {
    let mut words = Words::new(line);
    options.acme_dns = Some(if words.left() > 0 { Some(dns_provider(&mut words, cx)?) } else { None });
    Ok(())
}
