//! `servers`: how servers behave.
//!
//! ```caddyfile
//! {
//!     servers [<listener_address>] {
//!         name <name>
//!         listener_wrappers    { <wrapper> … }
//!         packet_conn_wrappers { <wrapper> … }
//!         timeouts {
//!             read_body       <duration>
//!             read_body_idle  <duration> [<bytes_per_second>]
//!             read_header     <duration>
//!             write           <duration>
//!             write_idle      <duration> [<bytes_per_second>]
//!             write_max_chunk <size>
//!             idle            <duration>
//!         }
//!         keepalive_interval <duration>
//!         keepalive_idle     <duration>
//!         keepalive_count    <number>
//!         max_header_size    <size>
//!         enable_full_duplex
//!         expected_underscore_headers <names…>
//!         expected_dot_headers        <names…>
//!         log_credentials
//!         protocols h1 h2 h2c h3
//!         strict_sni_host [on|insecure_off]
//!         trusted_proxies <source> …
//!         trusted_proxies_strict
//!         trusted_proxies_unix
//!         client_ip_headers <names…>
//!         trace
//!         0rtt off
//!     }
//! }
//! ```
//! Without an address it is for all servers that no other `servers` names.
use crate::{
    caddyfile::{Cx, GlobalOption, Options, Parsed, ServerOptions, Support, Words},
    config::{Duration, Metrics, Server, parse_duration, parse_int32, parse_int64, parse_size},
};
use grammar::Line;
use serde_json::Value;

pub const SERVERS: GlobalOption = GlobalOption {
    name: "servers",
    docs: "servers [<listener_address>] { name, listener_wrappers, packet_conn_wrappers, timeouts, \
           keepalive_interval, keepalive_idle, keepalive_count, max_header_size, enable_full_duplex, \
           expected_underscore_headers, expected_dot_headers, log_credentials, protocols, strict_sni_host, \
           trusted_proxies, trusted_proxies_strict, trusted_proxies_unix, client_ip_headers, trace, 0rtt }: \
           how servers behave.",
    parse,
    support: Support::Full,
};
fn parse(line: &Line, options: &mut Options, cx: &mut Cx<'_>) -> Parsed<()> {
    let (mut words, mut servers) = (Words::new(line), ServerOptions::default());
    if let Some(address) = words.at_most_one()? {
        servers.address = address.into();
    }
    let mut block = words.block();
    while let Some(sub) = block.next() {
        let (settings, name) = (&mut servers.settings, sub.text());
        if name == "name" {
            if servers.address.is_empty() {
                return Err(sub.error("cannot set a name for a server without a listener address"));
            }
            servers.name = sub.need()?.into();
        } else if !connections(settings, sub, cx)? && !requests(settings, sub, cx)? {
            return Err(sub.error(format!("unrecognized servers option '{name}'")));
        }
    }
    options.servers.push(servers);
    Ok(())
}
/// What concerns sockets and connections. `false` for any other word.
fn connections(server: &mut Server, sub: &mut Words<'_>, cx: &mut Cx<'_>) -> Parsed<bool> {
    match sub.text() {
        "listener_wrappers" => server.listener_wrappers.extend(wrappers("caddy.listeners", sub, cx)?),
        "packet_conn_wrappers" => {
            server.packet_conn_wrappers.extend(wrappers("caddy.packetconns", sub, cx)?);
        }
        "timeouts" => {
            let mut block = sub.block();
            while let Some(timeout) = block.next() {
                timeouts(server, timeout)?;
            }
        }
        "keepalive_interval" => server.keepalive_interval = duration(sub, "keepalive interval duration")?,
        "keepalive_idle" => server.keepalive_idle = duration(sub, "keepalive idle duration")?,
        "keepalive_count" => {
            let count = parse_int32(sub.need()?);
            let count = count.map_err(|why| sub.error(format!("parsing keepalive count int: {why}")))?;
            server.keepalive_count = count.into();
        }
        "max_header_size" => server.max_header_bytes = size(sub)?,
        "protocols" => {
            for name in sub.tokens() {
                let text = name.text.as_str();
                if !["h1", "h2", "h2c", "h3"].contains(&text) {
                    let message = format!("unknown protocol '{text}': expected h1, h2, h2c, or h3");
                    return Err(sub.error(message));
                }
                if server.protocols.iter().any(|known| known == text) {
                    return Err(sub.error(format!("protocol {text} specified more than once")));
                }
                server.protocols.push(text.into());
            }
            no_block(sub)?;
        }
        "strict_sni_host" => {
            server.strict_sni_host = Some(match sub.arg().map(|word| word.text.as_str()) {
                None | Some("on") => true,
                Some("insecure_off") => false,
                Some(other) => {
                    return Err(sub.error(format!(
                        "strict_sni_host only supports 'on' or 'insecure_off', got '{other}'"
                    )));
                }
            });
        }
        "0rtt" => {
            let argument = sub.need()?;
            if argument != "off" {
                let message = format!("unsupported 0rtt argument '{argument}' (only 'off' is supported)");
                return Err(sub.error(message));
            }
            server.allow_0rtt = Some(false);
        }
        _ => return Ok(false),
    }
    Ok(true)
}
/// What concerns requests. `false` for any other word.
fn requests(server: &mut Server, sub: &mut Words<'_>, cx: &mut Cx<'_>) -> Parsed<bool> {
    match sub.text() {
        "enable_full_duplex" => {
            sub.none()?;
            server.enable_full_duplex = true;
        }
        "expected_underscore_headers" => server.expected_underscore_headers = sub.some()?,
        "expected_dot_headers" => server.expected_dot_headers = sub.some()?,
        "log_credentials" => {
            sub.none()?;
            server.logs.get_or_insert_default().should_log_credentials = true;
        }
        "trusted_proxies" => {
            if sub.arg().is_none() {
                let message = "trusted_proxies expects an IP range source module name as its first argument";
                return Err(sub.error(message));
            }
            server.trusted_proxies = Some(cx.module("http.ip_sources", "source", &sub.segment())?);
        }
        "trusted_proxies_strict" => {
            sub.none()?;
            server.trusted_proxies_strict = 1;
        }
        "trusted_proxies_unix" => {
            sub.none()?;
            server.trusted_proxies_unix = true;
        }
        "client_ip_headers" => {
            for header in sub.rest() {
                if server.client_ip_headers.contains(&header) {
                    return Err(sub.error(format!("client IP header {header} specified more than once")));
                }
                server.client_ip_headers.push(header);
            }
            no_block(sub)?;
        }
        "metrics" => server.metrics = Some(metrics(sub, cx)?),
        "trace" => {
            sub.none()?;
            server.logs.get_or_insert_default().trace = true;
        }
        _ => return Ok(false),
    }
    Ok(true)
}
fn timeouts(server: &mut Server, sub: &mut Words<'_>) -> Parsed<()> {
    match sub.text() {
        "read_body" => server.read_timeout = duration(sub, "read_body timeout duration")?,
        "read_body_idle" => idle(&mut server.read_idle_timeout, &mut server.read_min_rate, sub)?,
        "read_header" => server.read_header_timeout = duration(sub, "read_header timeout duration")?,
        "write" => server.write_timeout = duration(sub, "write timeout duration")?,
        "write_idle" => idle(&mut server.write_idle_timeout, &mut server.write_min_rate, sub)?,
        "write_max_chunk" => server.max_write_chunk = size(sub)?,
        "idle" => server.idle_timeout = duration(sub, "idle timeout duration")?,
        other => return Err(sub.error(format!("unrecognized timeouts option '{other}'"))),
    }
    Ok(())
}
/// `<duration> [<bytes_per_second>]`.
fn idle(timeout: &mut Duration, rate: &mut i64, sub: &mut Words<'_>) -> Parsed<()> {
    let (name, args) = (sub.text(), sub.rest());
    let (first, second) = match args.as_slice() {
        [first] => (first, None),
        [first, second] => (first, Some(second)),
        _ => return Err(sub.arg_error()),
    };
    let duration = parse_duration(first);
    *timeout = duration.map_err(|why| sub.error(format!("parsing {name} timeout duration: {why}")))?;
    if let Some(second) = second {
        *rate = parse_int64(second)
            .map_err(|why| sub.error(format!("parsing {name} min_rate bytes/second: {why}")))?;
    }
    Ok(())
}
fn duration(sub: &mut Words<'_>, what: &str) -> Parsed<Duration> {
    parse_duration(sub.need()?).map_err(|why| sub.error(format!("parsing {what}: {why}")))
}
fn size(sub: &mut Words<'_>) -> Parsed<i64> {
    let name = sub.text();
    let bytes = parse_size(sub.one()?).map_err(|why| sub.error(format!("parsing {name}: {why}")))?;
    Ok(i64::try_from(bytes).unwrap_or(i64::MAX))
}
fn wrappers(namespace: &str, sub: &mut Words<'_>, cx: &mut Cx<'_>) -> Parsed<Vec<Value>> {
    let (mut found, mut block) = (vec![], sub.block());
    while let Some(wrapper) = block.next() {
        found.push(cx.module(namespace, "wrapper", &wrapper.segment())?);
    }
    Ok(found)
}
/// Caddy's older place for the option `metrics`.
fn metrics(sub: &mut Words<'_>, cx: &mut Cx<'_>) -> Parsed<Metrics> {
    cx.warn(
        sub.token(),
        "The nested 'metrics' option inside `servers` is deprecated and will be removed in the next major version. \
         Use the global 'metrics' option instead.",
    );
    let (mut metrics, mut block) = (Metrics::default(), sub.block());
    while let Some(option) = block.next() {
        match option.text() {
            "per_host" => metrics.per_host = true,
            other => return Err(option.error(format!("unrecognized metrics option '{other}'"))),
        }
    }
    Ok(metrics)
}
fn no_block(sub: &mut Words<'_>) -> Parsed<()> {
    match sub.block().next() {
        Some(more) => Err(more.arg_error()),
        None => Ok(()),
    }
}
