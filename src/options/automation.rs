//! How certificates come about and are looked after.
//!
//! ```caddyfile
//! {
//!     local_certs
//!     skip_install_trust
//!     cert_issuer <issuer> …
//!     key_type ed25519|p256|p384|rsa2048|rsa4096
//!     renewal_window_ratio <ratio>
//!     renew_interval <duration>
//!     ocsp_interval  <duration>
//!     ocsp_stapling  off
//!     tls_resolvers      <addresses…>
//!     tls_automate_names <names…>
//!     on_demand_tls {
//!         ask <url>
//!         permission <module> …
//!     }
//!     ech <public_names…> {
//!         dns <provider> …
//!     }
//! }
//! ```
use super::single;
use crate::{
    caddyfile::{Cx, GlobalOption, Options, Parsed, Support, Words, dns_provider},
    config::{Duration, parse_duration, parse_float},
};
use grammar::Line;
use serde_json::{Value, json};

pub const LOCAL_CERTS: GlobalOption = GlobalOption {
    name: "local_certs",
    docs: "local_certs: certificates of all sites come from an authority of our own.",
    parse: |_, options, _| {
        options.local_certs = true;
        Ok(())
    },
    support: Support::Full,
};
pub const SKIP_INSTALL_TRUST: GlobalOption = GlobalOption {
    name: "skip_install_trust",
    docs: "skip_install_trust: don't make this machine trust our own authorities.",
    parse: |_, options, _| {
        options.skip_install_trust = true;
        Ok(())
    },
    support: Support::Full,
};
pub const CERT_ISSUER: GlobalOption = GlobalOption {
    name: "cert_issuer",
    docs: "cert_issuer <issuer> …: where certificates come from; several are tried in turn.",
    parse: cert_issuer,
    support: Support::Full,
};
pub const KEY_TYPE: GlobalOption = GlobalOption {
    name: "key_type",
    docs: "key_type ed25519|p256|p384|rsa2048|rsa4096: of certificates' keys; p256 by default.",
    parse: |line, options, _| {
        options.key_type = Some(single(line)?.into());
        Ok(())
    },
    support: Support::Full,
};
pub const RENEWAL_WINDOW_RATIO: GlobalOption = GlobalOption {
    name: "renewal_window_ratio",
    docs: "renewal_window_ratio <ratio>: renew when this part of the lifetime is left; a third by default.",
    parse: renewal_window_ratio,
    support: Support::Full,
};
pub const RENEW_INTERVAL: GlobalOption = GlobalOption {
    name: "renew_interval",
    docs: "renew_interval <duration>: how often to look for certificates to renew; 10m by default.",
    parse: |line, options, _| {
        options.renew_interval = Some(duration(line)?);
        Ok(())
    },
    support: Support::Full,
};
pub const OCSP_INTERVAL: GlobalOption = GlobalOption {
    name: "ocsp_interval",
    docs: "ocsp_interval <duration>: how often to look for OCSP responses to renew; 1h by default.",
    parse: |line, options, _| {
        options.ocsp_interval = Some(duration(line)?);
        Ok(())
    },
    support: Support::NotYet("OCSP stapling"),
};
pub const OCSP_STAPLING: GlobalOption = GlobalOption {
    name: "ocsp_stapling",
    docs: "ocsp_stapling off: staple no OCSP responses.",
    parse: ocsp_stapling,
    support: Support::Full,
};
pub const TLS_RESOLVERS: GlobalOption = GlobalOption {
    name: "tls_resolvers",
    docs: "tls_resolvers <addresses…>: whom to ask about DNS challenges.",
    parse: |line, options, _| {
        options.tls_resolvers = Words::new(line).some()?;
        Ok(())
    },
    support: Support::Full,
};
pub const TLS_AUTOMATE_NAMES: GlobalOption = GlobalOption {
    name: "tls_automate_names",
    docs: "tls_automate_names <names…>: names to have certificates of without serving them.",
    parse: |line, options, _| {
        options.automate_names.extend(Words::new(line).some()?);
        Ok(())
    },
    support: Support::Full,
};
pub const ON_DEMAND_TLS: GlobalOption = GlobalOption {
    name: "on_demand_tls",
    docs: "on_demand_tls { ask <url> | permission <module> … }: who says which names may have certificates on demand.",
    parse: on_demand_tls,
    support: Support::Full,
};
pub const ECH: GlobalOption = GlobalOption {
    name: "ech",
    docs: "ech <public_names…> { dns <provider> … }: Encrypted ClientHello.",
    parse: ech,
    support: Support::NotYet("Encrypted ClientHello"),
};
/// The next word; what follows is not looked at, as in Caddy.
pub(super) fn duration(line: &Line) -> Parsed<Duration> {
    let mut words = Words::new(line);
    parse_duration(words.need()?).map_err(|why| words.error(why))
}
fn cert_issuer(line: &Line, options: &mut Options, cx: &mut Cx<'_>) -> Parsed<()> {
    let mut words = Words::new(line);
    words.need()?;
    options.cert_issuers.push(cx.module("tls.issuance", "module", &words.segment())?);
    Ok(())
}
fn renewal_window_ratio(line: &Line, options: &mut Options, _: &mut Cx<'_>) -> Parsed<()> {
    let mut words = Words::new(line);
    let ratio = parse_float(words.need()?);
    let ratio = ratio.map_err(|why| words.error(format!("parsing renewal_window_ratio: {why}")))?;
    if ratio <= 0.0 || ratio >= 1.0 {
        return Err(words.error("renewal_window_ratio must be between 0 and 1 (exclusive)"));
    }
    words.none()?;
    words.no_block()?;
    options.renewal_window_ratio = Some(ratio);
    Ok(())
}
fn ocsp_stapling(line: &Line, options: &mut Options, _: &mut Cx<'_>) -> Parsed<()> {
    let mut words = Words::new(line);
    match words.one()? {
        "off" => options.ocsp_stapling_off = true,
        other => return Err(words.error(format!("invalid argument '{other}'"))),
    }
    Ok(())
}
fn on_demand_tls(line: &Line, options: &mut Options, cx: &mut Cx<'_>) -> Parsed<()> {
    let (mut words, mut permission) = (Words::new(line), None::<Value>);
    words.none()?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        let name = sub.text();
        match name {
            "ask" | "permission" => {
                let argument = sub.need()?;
                if permission.is_some() {
                    return Err(sub.error("on-demand TLS permission module (or 'ask') already specified"));
                }
                permission = Some(if name == "ask" {
                    json!({"endpoint": argument, "module": "http"})
                } else {
                    cx.module("tls.permission", "module", &sub.segment())?
                });
            }
            "interval" | "burst" => {
                return Err(sub.error(format!(
                    "the on_demand_tls '{name}' option is no longer supported, remove it from your config"
                )));
            }
            _ => return Err(sub.error(format!("unrecognized parameter '{name}'"))),
        }
    }
    let Some(permission) = permission else {
        return Err(words.error("expected at least one config parameter for on_demand_tls"));
    };
    options.on_demand_tls = Some(json!({ "permission": permission }));
    Ok(())
}
fn ech(line: &Line, options: &mut Options, cx: &mut Cx<'_>) -> Parsed<()> {
    let mut words = Words::new(line);
    let names = words.some()?;
    let configs: Vec<Value> = names.iter().map(|name| json!({"public_name": name})).collect();
    let (mut publication, mut block) = (vec![], words.block());
    while let Some(sub) = block.next() {
        if sub.text() != "dns" {
            return Err(sub.error(format!("ech: unrecognized subdirective '{}'", sub.text())));
        }
        let provider = dns_provider(sub, cx)?;
        publication.push(json!({"configs": names, "publishers": {"dns": {"provider": provider}}}));
    }
    let mut ech = json!({ "configs": configs });
    if !publication.is_empty() {
        ech["publication"] = publication.into();
    }
    options.ech = Some(ech);
    Ok(())
}
