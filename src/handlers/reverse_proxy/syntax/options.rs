//! The sub-directives of `reverse_proxy`.
use super::{Reading, TRANSPORTS, duration, dynamic, misread, number, policies};
use crate::{
    caddyfile::{Cx, PRIVATE_RANGES, Parsed, Words, unknown},
    config::{Duration, parse_duration, parse_int, parse_size},
    handlers::reverse_proxy::{
        breaker::BreakerConfig,
        config::{ActiveChecks, LoadBalancing, PassiveChecks},
    },
};
use grammar::Line;
use serde_json::{Value, json};

const NAMES: [&str; 44] = [
    "to",
    "dynamic",
    "lb_policy",
    "lb_retries",
    "lb_try_duration",
    "lb_try_interval",
    "lb_retry_match",
    "lb_slow_start",
    "circuit_breaker",
    "health_uri",
    "health_path",
    "health_upstream",
    "health_port",
    "health_interval",
    "health_timeout",
    "health_passes",
    "health_fails",
    "health_status",
    "health_body",
    "health_method",
    "health_request_body",
    "health_follow_redirects",
    "health_headers",
    "fail_duration",
    "max_fails",
    "unhealthy_status",
    "unhealthy_latency",
    "unhealthy_request_count",
    "flush_interval",
    "request_buffers",
    "response_buffers",
    "stream_buffer_size",
    "stream_timeout",
    "stream_close_delay",
    "trusted_proxies",
    "header_up",
    "header_down",
    "method",
    "rewrite",
    "transport",
    "replace_status",
    "handle_response",
    "verbose_logs",
    "proxy_status_name",
];

/// Reads the sub-directive that the word last read names.
pub(super) fn read(reading: &mut Reading, words: &mut Words<'_>, cx: &mut Cx<'_>) -> Parsed<()> {
    match words.text() {
        "to" => {
            for upstream in words.some()? {
                reading.upstream(&upstream, words)?;
            }
        }
        "dynamic" => {
            words.need()?;
            let source = cx.module(dynamic::NAMESPACE, "source", &words.segment())?;
            reading.proxy.dynamic_upstreams = Some(source);
        }
        "transport" => {
            words.need()?;
            if reading.proxy.transport.is_some() {
                return Err(words.error("transport already specified"));
            }
            reading.transport = Some(cx.module(TRANSPORTS, "protocol", &words.segment())?);
        }
        "circuit_breaker" => reading.proxy.circuit_breaker = Some(breaker(words)?),
        name if name.starts_with("lb_") => balancing(reading, words, cx)?,
        name if name.starts_with("health_") => active(reading, words, cx)?,
        "fail_duration"
        | "max_fails"
        | "unhealthy_status"
        | "unhealthy_latency"
        | "unhealthy_request_count" => {
            passive(reading, words)?;
        }
        "header_up" | "header_down" => headers(reading, words, cx)?,
        "trusted_proxies" => {
            for range in words.rest() {
                match range.as_str() {
                    "private_ranges" => {
                        reading.proxy.trusted_proxies.extend(PRIVATE_RANGES.map(str::to_owned));
                    }
                    _ => reading.proxy.trusted_proxies.push(range),
                }
            }
        }
        "method" => reading.proxy.rewrite.get_or_insert_default().method = only(words)?,
        "rewrite" => reading.proxy.rewrite.get_or_insert_default().uri = only(words)?,
        _ => return streaming(reading, words),
    }
    Ok(())
}
fn streaming(reading: &mut Reading, words: &mut Words<'_>) -> Parsed<()> {
    let proxy = &mut reading.proxy;
    match words.text() {
        "flush_interval" => proxy.flush_interval = nanoseconds(words)?,
        "stream_timeout" => proxy.stream_timeout = nanoseconds(words)?,
        "stream_close_delay" => proxy.stream_close_delay = nanoseconds(words)?,
        "request_buffers" => proxy.request_buffers = buffer(words)?,
        "response_buffers" => proxy.response_buffers = buffer(words)?,
        "stream_buffer_size" => proxy.stream_buffer_size = buffer(words)?,
        "proxy_status_name" => proxy.proxy_status_name = only(words)?,
        "verbose_logs" if proxy.verbose_logs => return Err(words.error("verbose_logs already specified")),
        "verbose_logs" => proxy.verbose_logs = true,
        other => return Err(unrecognized(words, other)),
    }
    Ok(())
}
fn unrecognized(words: &Words<'_>, name: &str) -> grammar::Error {
    unknown(words.token(), format!("unrecognized subdirective {name}"), &NAMES)
}
/// The next word; no other follows.
fn only(words: &mut Words<'_>) -> Parsed<String> {
    let text = words.need()?;
    words.none()?;
    Ok(text.into())
}
/// A duration, or nanoseconds without a unit.
fn nanoseconds(words: &mut Words<'_>) -> Parsed<Duration> {
    let text = words.need()?;
    let read = parse_int(text).map(Duration).or_else(|_| parse_duration(text));
    read.map_err(|why| misread(words, "bad duration value '{}'", text, &why))
}
fn buffer(words: &mut Words<'_>) -> Parsed<i64> {
    let text = words.need()?;
    let bytes = match text {
        "unlimited" => -1,
        text => {
            let bytes =
                parse_size(text).map_err(|why| misread(words, "invalid byte size '{}'", text, &why))?;
            i64::try_from(bytes).unwrap_or(i64::MAX)
        }
    };
    words.none()?;
    Ok(bytes)
}

fn balancing(reading: &mut Reading, words: &mut Words<'_>, cx: &mut Cx<'_>) -> Parsed<()> {
    let known = &mut reading.proxy.load_balancing;
    match words.text() {
        "lb_policy" => {
            words.need()?;
            if known.as_ref().is_some_and(|known| known.selection_policy.is_some()) {
                return Err(words.error("load balancing selection policy already specified"));
            }
            let policy = cx.module(policies::NAMESPACE, "policy", &words.segment())?;
            known.get_or_insert_default().selection_policy = Some(policy);
        }
        "lb_retries" => {
            let retries = number(words, "bad lb_retries number '{}'")?;
            known.get_or_insert_default().retries = retries;
        }
        "lb_try_duration" => {
            let duration = duration(words, "bad duration value {}")?;
            known.get_or_insert_default().try_duration = duration;
        }
        "lb_try_interval" => {
            let interval = duration(words, "bad interval value '{}'")?;
            known.get_or_insert_default().try_interval = interval;
        }
        "lb_slow_start" => {
            let ramp = duration(words, "bad duration value '{}'")?;
            known.get_or_insert_default().slow_start = ramp;
        }
        "lb_retry_match" => retry_match(known, words, cx)?,
        other => return Err(unrecognized(words, other)),
    }
    Ok(())
}
/// A matcher on the line, or a block of them.
fn retry_match(known: &mut Option<LoadBalancing>, words: &mut Words<'_>, cx: &mut Cx<'_>) -> Parsed<()> {
    let line = words.segment();
    let set = match line.args() {
        [] => cx.matcher_set(line.lines()),
        args => cx.matcher_set(&[Line { words: args.to_vec(), ..line.clone() }]),
    };
    let set =
        set.map_err(|error| error.within("failed to parse lb_retry_match: ", Some(&words.token().span)))?;
    known.get_or_insert_default().retry_match.push(set);
    Ok(())
}

fn breaker(words: &mut Words<'_>) -> Parsed<Value> {
    const SETTINGS: [&str; 4] = ["threshold", "window", "min_requests", "open_for"];
    words.none()?;
    let mut breaker = BreakerConfig { kind: "error_rate".into(), ..BreakerConfig::default() };
    let mut block = words.block();
    while let Some(words) = block.next() {
        match words.text() {
            "threshold" => {
                let text = words.need()?;
                let percent = text.strip_suffix('%').and_then(|number| number.parse::<f64>().ok());
                let share = percent.filter(|percent| (0.0..=100.0).contains(percent) && *percent > 0.0);
                let share =
                    share.ok_or_else(|| words.error(format!("bad threshold '{text}': such as 50%")))?;
                breaker.threshold = share / 100.0;
            }
            "window" => breaker.window = duration(words, "bad duration value '{}'")?,
            "open_for" => breaker.open_for = duration(words, "bad duration value '{}'")?,
            "min_requests" => {
                let least: i64 = number(words, "bad number '{}'")?;
                let least = u32::try_from(least).map_err(|_| words.error(format!("bad number '{least}'")))?;
                breaker.min_requests = least;
            }
            other => {
                let message = format!("unrecognized circuit_breaker setting '{other}'");
                return Err(unknown(words.token(), message, &SETTINGS));
            }
        }
    }
    Ok(json!(breaker))
}
fn active(reading: &mut Reading, words: &mut Words<'_>, cx: &mut Cx<'_>) -> Parsed<()> {
    let checks = reading.proxy.health_checks.clone().unwrap_or_default();
    let mut active = checks.active.clone().unwrap_or_default();
    check(&mut active, words, cx)?;
    let checks = reading.proxy.health_checks.get_or_insert_default();
    checks.active = Some(active);
    Ok(())
}
fn check(active: &mut ActiveChecks, words: &mut Words<'_>, cx: &mut Cx<'_>) -> Parsed<()> {
    match words.text() {
        "health_uri" => active.uri = words.need()?.into(),
        "health_path" => {
            cx.warn(
                words.token(),
                "the 'health_path' subdirective is deprecated, please use 'health_uri' instead!",
            );
            active.path = words.need()?.into();
        }
        "health_upstream" => active.upstream = check_upstream(words)?,
        "health_port" => {
            let text = words.need()?;
            if !active.upstream.is_empty() {
                let message = "the 'health_port' subdirective is ignored if 'health_upstream' is used!";
                return Err(words.error(message));
            }
            active.port =
                parse_int(text).map_err(|why| misread(words, "bad port number '{}'", text, &why))?;
        }
        "health_headers" => {
            active.headers.clear();
            let mut block = words.block();
            while let Some(field) = block.next() {
                let name = field.text().to_owned();
                let mut values = field.rest();
                if values.is_empty() {
                    values.push(String::new());
                }
                active.headers.entry(name).or_default().extend(values);
            }
        }
        "health_method" => active.method = words.need()?.into(),
        "health_request_body" => active.body = words.need()?.into(),
        "health_interval" => active.interval = duration(words, "bad interval value {}")?,
        "health_timeout" => active.timeout = duration(words, "bad timeout value {}")?,
        "health_status" => {
            let text = words.need()?;
            active.expect_status = status(words, text)?;
        }
        "health_body" => active.expect_body = words.need()?.into(),
        "health_follow_redirects" => {
            words.none()?;
            active.follow_redirects = true;
        }
        "health_passes" => active.passes = number(words, "invalid passes count '{}'")?,
        "health_fails" => active.fails = number(words, "invalid fails count '{}'")?,
        other => return Err(unrecognized(words, other)),
    }
    Ok(())
}
fn check_upstream(words: &mut Words<'_>) -> Parsed<String> {
    let text = words.need()?;
    let port = match crate::config::NetworkAddress::split(text) {
        Ok((_, _, port)) if text.contains(':') && !port.is_empty() => port,
        Ok(_) if text.ends_with(':') => String::new(),
        Ok(_) => {
            let why = format!("address {text}: missing port in address");
            return Err(misread(words, "health_upstream is malformed '{}'", text, &why));
        }
        Err(why) => return Err(misread(words, "health_upstream is malformed '{}'", text, &why)),
    };
    parse_int(&port).map_err(|why| misread(words, "bad port number '{}'", text, &why))?;
    Ok(text.into())
}
/// `404`, or `4xx` for its class.
fn status(words: &Words<'_>, text: &str) -> Parsed<i64> {
    let class = text.strip_suffix("xx").filter(|class| class.len() == 1);
    let at = words.text();
    parse_int(class.unwrap_or(text)).map_err(|why| misread(words, "bad status value '{}'", at, &why))
}

fn passive(reading: &mut Reading, words: &mut Words<'_>) -> Parsed<()> {
    let mut passive: PassiveChecks =
        reading.proxy.health_checks.as_ref().and_then(|checks| checks.passive.clone()).unwrap_or_default();
    match words.text() {
        "fail_duration" => passive.fail_duration = duration(words, "bad duration value '{}'")?,
        "max_fails" => passive.max_fails = number(words, "invalid maximum fail count '{}'")?,
        "unhealthy_latency" => passive.unhealthy_latency = duration(words, "bad duration value '{}'")?,
        "unhealthy_request_count" => {
            passive.unhealthy_request_count = number(words, "invalid maximum connection count '{}'")?;
        }
        _ => {
            for code in words.some()? {
                passive.unhealthy_status.push(status(words, &code)?);
            }
        }
    }
    reading.proxy.health_checks.get_or_insert_default().passive = Some(passive);
    Ok(())
}

fn headers(reading: &mut Reading, words: &mut Words<'_>, cx: &mut Cx<'_>) -> Parsed<()> {
    let up = words.text() == "header_up";
    let headers = reading.proxy.headers.get_or_insert_default();
    let ops = if up {
        headers.request.get_or_insert_default()
    } else {
        &mut headers.response.get_or_insert_default().ops
    };
    let args = words.rest();
    let (field, value, replacement) = match args.as_slice() {
        [field] => (field, "", None),
        [field, value] => (field, value.as_str(), None),
        [field, value, replacement] => (field, value.as_str(), Some(replacement.as_str())),
        _ => return Err(words.arg_error()),
    };
    if up && args.len() == 2 && is_default_header(field, value) {
        let name = crate::config::canonical_header(field);
        cx.warn(
            words.token(),
            format!("Unnecessary header_up {name}: the reverse proxy's default behavior is to pass headers to the upstream"),
        );
    }
    ops.add_operation(field, value, replacement).map_err(|why| words.error(why))
}
/// What every request gets anyway.
fn is_default_header(field: &str, value: &str) -> bool {
    match field.to_ascii_lowercase().as_str() {
        "x-forwarded-for" => {
            matches!(
                value,
                "{http.request.remote}" | "{http.request.remote.host}" | "{remote}" | "{remote_host}"
            )
        }
        "x-forwarded-proto" => matches!(value, "{http.request.scheme}" | "{scheme}"),
        "x-forwarded-host" => {
            matches!(value, "{http.request.host}" | "{http.request.hostport}" | "{host}" | "{hostport}")
        }
        _ => false,
    }
}
