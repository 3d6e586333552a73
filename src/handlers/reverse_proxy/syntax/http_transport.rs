//! `transport http`: how to reach upstreams over HTTP.
use super::{TRANSPORTS, duration, dynamic::resolvers, number, size};
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words, unknown},
    config::{fields, parse_duration},
    handlers::reverse_proxy::config::{HttpTransport, TlsConfig},
};
use grammar::Line;
use serde_json::{Map, Value, json};

pub const HTTP: ModuleSyntax = ModuleSyntax {
    namespace: TRANSPORTS,
    name: "http",
    docs: "http { … }: HTTP/1.1 and 2, in the clear or over TLS.",
    parse: http,
    support: Support::Partly("see its options"),
};
const NAMES: [&str; 31] = [
    "read_buffer",
    "write_buffer",
    "max_response_header",
    "network_proxy",
    "forward_proxy_url",
    "dial_timeout",
    "dial_fallback_delay",
    "response_header_timeout",
    "expect_continue_timeout",
    "read_timeout",
    "write_timeout",
    "resolvers",
    "tls",
    "tls_client_auth",
    "tls_insecure_skip_verify",
    "tls_curves",
    "tls_timeout",
    "tls_trusted_ca_certs",
    "tls_trust_pool",
    "tls_server_name",
    "tls_renegotiation",
    "tls_except_ports",
    "keepalive",
    "keepalive_interval",
    "keepalive_idle_conns",
    "keepalive_idle_conns_per_host",
    "versions",
    "compression",
    "max_conns_per_host",
    "proxy_protocol",
    "local_address",
];

fn http(line: &Line, cx: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut http) = (Words::new(line), HttpTransport::default());
    let mut block = words.block();
    while let Some(words) = block.next() {
        match words.text() {
            name if name == "tls" || name.starts_with("tls_") => {
                let mut tls = http.tls.take().unwrap_or_default();
                self::tls(&mut tls, words, cx)?;
                http.tls = Some(tls);
            }
            name if name.starts_with("keepalive") => keep_alive(&mut http, words)?,
            _ => option(&mut http, words, cx)?,
        }
    }
    Ok(fields(&http))
}
fn option(http: &mut HttpTransport, words: &mut Words<'_>, cx: &mut Cx<'_>) -> Parsed<()> {
    match words.text() {
        "read_buffer" => http.read_buffer_size = size(words, "invalid read buffer size '{}'")?,
        "write_buffer" => http.write_buffer_size = size(words, "invalid write buffer size '{}'")?,
        "max_response_header" => {
            http.max_response_header_size = size(words, "invalid max response header size '{}'")?;
        }
        "read_timeout" => http.read_timeout = duration(words, "invalid read timeout duration '{}'")?,
        "write_timeout" => http.write_timeout = duration(words, "invalid write timeout duration '{}'")?,
        "dial_timeout" => http.dial_timeout = duration(words, "bad timeout value '{}'")?,
        "dial_fallback_delay" => {
            http.dial_fallback_delay = duration(words, "bad fallback delay value '{}'")?;
        }
        "response_header_timeout" => {
            http.response_header_timeout = duration(words, "bad timeout value '{}'")?;
        }
        "expect_continue_timeout" => {
            http.expect_continue_timeout = duration(words, "bad timeout value '{}'")?;
        }
        "resolvers" => http.resolver = Some(resolvers(words)?),
        "versions" => {
            http.versions = words.some()?;
            if http.versions.iter().any(|version| version == "3") {
                cx.not_yet(words.token(), "HTTP/3 to upstreams");
            }
        }
        "compression" => {
            if words.arg().is_some_and(|word| word.is("off")) {
                http.compression = Some(false);
            }
        }
        "max_conns_per_host" => http.max_conns_per_host = number(words, "bad integer value '{}'")?,
        "proxy_protocol" => match words.need()? {
            version @ ("v1" | "v2") => http.proxy_protocol = version.into(),
            version => return Err(words.error(format!("invalid proxy protocol version '{version}'"))),
        },
        "forward_proxy_url" => {
            let message = "The 'forward_proxy_url' field is deprecated. Use 'network_proxy <url>' instead.";
            cx.warn(words.token(), message);
            http.network_proxy = Some(json!({ "from": "url", "url": words.need()? }));
        }
        "network_proxy" => {
            words.need()?;
            http.network_proxy = Some(cx.module("caddy.network_proxy", "from", &words.segment())?);
        }
        "local_address" => http.local_address = words.need()?.into(),
        other => {
            let message = format!("unrecognized subdirective {other}");
            return Err(unknown(words.token(), message, &NAMES));
        }
    }
    Ok(())
}
fn keep_alive(http: &mut HttpTransport, words: &mut Words<'_>) -> Parsed<()> {
    let mut keep_alive = http.keep_alive.clone().unwrap_or_default();
    match words.text() {
        "keepalive" => match words.need()? {
            "off" => keep_alive.enabled = Some(false),
            text => {
                let read = parse_duration(text);
                keep_alive.idle_timeout =
                    read.map_err(|why| super::misread(words, "bad duration value '{}'", text, &why))?;
            }
        },
        "keepalive_interval" => keep_alive.probe_interval = duration(words, "bad interval value '{}'")?,
        "keepalive_idle_conns" => keep_alive.max_idle_conns = number(words, "bad integer value '{}'")?,
        "keepalive_idle_conns_per_host" => {
            keep_alive.max_idle_conns_per_host = number(words, "bad integer value '{}'")?;
        }
        other => {
            let message = format!("unrecognized subdirective {other}");
            return Err(unknown(words.token(), message, &NAMES));
        }
    }
    http.keep_alive = Some(keep_alive);
    Ok(())
}
fn tls(tls: &mut TlsConfig, words: &mut Words<'_>, cx: &mut Cx<'_>) -> Parsed<()> {
    match words.text() {
        "tls" => {}
        "tls_client_auth" => match words.rest().as_slice() {
            [name] => {
                tls.client_certificate_automate.clone_from(name);
                cx.not_yet(words.token(), "tls_client_auth with an automated certificate");
            }
            [certificate, key] => {
                tls.client_certificate_file.clone_from(certificate);
                tls.client_certificate_key_file.clone_from(key);
            }
            _ => return Err(words.arg_error()),
        },
        "tls_insecure_skip_verify" => {
            words.none()?;
            tls.insecure_skip_verify = true;
        }
        "tls_curves" => tls.curves = words.some()?,
        "tls_timeout" => tls.handshake_timeout = duration(words, "bad timeout value '{}'")?,
        "tls_trusted_ca_certs" => {
            let message =
                "The 'tls_trusted_ca_certs' field is deprecated. Use the 'tls_trust_pool' field instead.";
            cx.warn(words.token(), message);
            let files = words.some()?;
            if tls.ca.is_some() {
                let message = "cannot specify both 'tls_trust_pool' and 'tls_trusted_ca_certs";
                return Err(words.error(message));
            }
            tls.root_ca_pem_files = files;
        }
        "tls_trust_pool" => {
            words.need()?;
            let pool = cx.module("tls.ca_pool.source", "provider", &words.segment())?;
            if !tls.root_ca_pem_files.is_empty() {
                let message = "cannot specify both 'tls_trust_pool' and 'tls_trusted_ca_certs'";
                return Err(words.error(message));
            }
            if tls.ca.is_some() {
                return Err(words.error("cannot specify \"tls_trust_pool\" twice in caddyfile"));
            }
            tls.ca = Some(pool);
        }
        "tls_server_name" => tls.server_name = words.need()?.into(),
        "tls_renegotiation" => match words.need()? {
            level @ ("never" | "once" | "freely") => {
                tls.renegotiation = level.into();
                if level != "never" {
                    cx.not_yet(words.token(), "renegotiation");
                }
            }
            _ => return Err(words.arg_error()),
        },
        "tls_except_ports" => tls.except_ports = words.some()?,
        other => {
            let message = format!("unrecognized subdirective {other}");
            return Err(unknown(words.token(), message, &NAMES));
        }
    }
    Ok(())
}
