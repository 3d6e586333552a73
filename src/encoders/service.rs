//! `service`: the lines of proxy-rs, one JSON object each. Not in Caddy.
//!
//! ```caddyfile
//! format service
//! ```
//! A line of an access log has exactly `timestamp` (RFC 3339, UTC), `method`, `path`, `host`, `status`, `duration_ms`,
//! `client_ip`, `user_agent`, `backend` and `request_id`. The last two are those that `log_append` has added, and empty
//! without. Any other line has `timestamp`, `level` and `message`, and its own fields.
use super::NAMESPACE;
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    logging::{DurationFormat, Encoder, EncoderModule, Entry, Object},
};
use chrono::{DateTime, SecondsFormat, Utc};
use grammar::Line;
use serde_json::{Map, Value, json};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "service",
    docs: "service: log entries as JSON, with few keys: those of proxy-rs.",
    parse,
    support: Support::Full,
};
pub const MODULE: EncoderModule = EncoderModule {
    name: "service",
    build: |config, _| match config.keys().next() {
        Some(field) => Err(format!("unknown field \"{field}\"")),
        None => Ok(Box::new(Service)),
    },
};
/// What access logs are named, and all below them.
const ACCESS: &str = "http.log.access";
/// Whose lines have no other fields than the document's.
const FAILURES: &str = "http.handlers.log_error";

fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let mut words = Words::new(line);
    words.none()?;
    words.no_block()?;
    Ok(Map::new())
}
#[derive(Debug)]
struct Service;
impl Encoder for Service {
    fn encode(&self, entry: &Entry<'_>, out: &mut Vec<u8>) {
        let fields = fields(entry);
        let line = match entry.logger.strip_prefix(ACCESS) {
            Some("") => access(entry, &fields),
            Some(rest) if rest.starts_with('.') => access(entry, &fields),
            _ => other(entry, fields),
        };
        // Writing to memory does not fail.
        let _ = serde_json::to_writer(&mut *out, &line);
        out.push(b'\n');
    }
}
/// The entry's own fields, read back from what they write.
fn fields(entry: &Entry<'_>) -> Map<String, Value> {
    let mut written = vec![];
    let mut object = Object::open(&mut written, false, DurationFormat::Seconds);
    entry.fields.write(&mut object);
    object.close();
    serde_json::from_slice(&written).unwrap_or_default()
}
fn timestamp(entry: &Entry<'_>) -> Value {
    DateTime::<Utc>::from(entry.time).to_rfc3339_opts(SecondsFormat::Millis, true).into()
}
fn access(entry: &Entry<'_>, fields: &Map<String, Value>) -> Value {
    let request = fields.get("request").and_then(Value::as_object);
    let of_request = |name: &str| request?.get(name)?.as_str();
    let added = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let uri = of_request("uri").unwrap_or_default();
    let host = of_request("host").unwrap_or_default();
    let user_agent = request.and_then(|request| request.get("headers")?.get("User-Agent")?.get(0)?.as_str());
    let seconds = fields.get("duration").and_then(Value::as_f64).unwrap_or_default();
    let backend = match (added("backend_scheme"), added("backend")) {
        ("", backend) | (_, backend @ "") => backend.to_owned(),
        (scheme, backend) => format!("{scheme}://{backend}"),
    };
    json!({
        "timestamp": timestamp(entry),
        "method": of_request("method"),
        "path": uri.split_once('?').map_or(uri, |(path, _)| path),
        "host": without_port(host),
        "status": fields.get("status"),
        "duration_ms": (seconds * 1e3).round() as u64,
        "client_ip": of_request("client_ip"),
        "user_agent": user_agent.unwrap_or_default(),
        "backend": backend,
        "request_id": added("request_id"),
    })
}
fn without_port(host: &str) -> &str {
    let port = |port: &str| port.bytes().all(|b| b.is_ascii_digit());
    match host.rsplit_once(':') {
        // Of an IPv6 address only what stands behind its bracket is a port.
        Some((name, rest)) if port(rest) && (!name.contains(':') || name.ends_with(']')) => name,
        _ => host,
    }
}
fn other(entry: &Entry<'_>, fields: Map<String, Value>) -> Value {
    let mut line = Map::new();
    line.insert("timestamp".to_owned(), timestamp(entry));
    line.insert("level".to_owned(), entry.level.to_string().to_uppercase().into());
    line.insert("message".to_owned(), entry.message.into());
    if !entry.logger.is_empty() && entry.logger != FAILURES {
        line.insert("logger".to_owned(), entry.logger.into());
    }
    // One that is named as one of ours stays, under a name of its own.
    for (name, value) in fields {
        let name = if line.contains_key(&name) { format!("_{name}") } else { name };
        line.insert(name, value);
    }
    Value::Object(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logging::{Fields, Level};
    use std::time::{Duration, SystemTime};

    fn line(logger: &str, level: Level, fields: Value) -> String {
        struct Given(Map<String, Value>);
        impl Fields for Given {
            fn write(&self, into: &mut Object<'_>) {
                self.0.iter().for_each(|(key, value)| into.value(key, value));
            }
        }
        let Value::Object(fields) = fields else { panic!("an object") };
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_731_925_845_007);
        let given = Given(fields);
        let entry = Entry { level, time, logger, message: "handled request", fields: &given };
        let mut out = vec![];
        Service.encode(&entry, &mut out);
        String::from_utf8(out).unwrap()
    }
    #[test]
    fn an_access_line_has_the_documents_keys_and_no_other() {
        let fields = json!({
            "request": {
                "client_ip": "203.0.113.42", "method": "GET", "host": "mail.example.com:8443",
                "uri": "/api/messages?unread=1", "headers": {"User-Agent": ["Mozilla/5.0"]},
            },
            "duration": 0.0424, "status": 200, "size": 5,
            "backend": "mail-rs:8080", "backend_scheme": "http", "request_id": "req_abc123",
        });
        assert_eq!(
            line("http.log.access", Level::Info, fields.clone()),
            "{\"timestamp\":\"2024-11-18T10:30:45.007Z\",\"method\":\"GET\",\"path\":\"/api/messages\",\
             \"host\":\"mail.example.com\",\"status\":200,\"duration_ms\":42,\"client_ip\":\"203.0.113.42\",\
             \"user_agent\":\"Mozilla/5.0\",\"backend\":\"http://mail-rs:8080\",\"request_id\":\"req_abc123\"}\n"
        );
        assert_eq!(
            line("http.log.access.log0", Level::Info, fields.clone()),
            line("http.log.access", Level::Info, fields)
        );
        // Nobody was asked, and the client does not say what it is.
        let bare =
            json!({"request": {"host": "[::1]:80", "uri": "/"}, "status": 404, "backend_scheme": "http"});
        let bare: Value = serde_json::from_str(&line("http.log.access", Level::Info, bare)).unwrap();
        assert_eq!(
            (&bare["backend"], &bare["user_agent"], &bare["host"]),
            (&json!(""), &json!(""), &json!("[::1]"))
        );
    }
    #[test]
    fn other_lines_begin_with_time_level_and_message() {
        let fields =
            json!({"backend": "http://mail-rs:8080", "error": "connection refused", "request_id": "req_1"});
        assert_eq!(
            line(FAILURES, Level::Error, fields),
            "{\"timestamp\":\"2024-11-18T10:30:45.007Z\",\"level\":\"ERROR\",\"message\":\"handled request\",\
             \"backend\":\"http://mail-rs:8080\",\"error\":\"connection refused\",\"request_id\":\"req_1\"}\n"
        );
        assert_eq!(
            line("http.auto_https", Level::Warn, json!({"level": 1, "a": "b"})),
            "{\"timestamp\":\"2024-11-18T10:30:45.007Z\",\"level\":\"WARN\",\"message\":\"handled request\",\
             \"logger\":\"http.auto_https\",\"_level\":1,\"a\":\"b\"}\n"
        );
    }
}
