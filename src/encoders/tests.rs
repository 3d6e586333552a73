//! What Caddy (with the plugin `transform`) wrote of one request, and we write of the same fields.
use super::{append, console, filter, journald, json, transform};
use crate::logging::{EncoderModule, Encoders, Entry, Fields, Level, Object};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};

const ENCODERS: &[EncoderModule] =
    &[append::MODULE, console::MODULE, filter::MODULE, journald::MODULE, json::MODULE, transform::MODULE];
struct Request;
impl Fields for Request {
    fn write(&self, into: &mut Object<'_>) {
        let one = |value: &'static str| std::iter::once(value.as_bytes());
        into.object("request", |into| {
            into.display("remote_ip", "127.0.0.1");
            into.text("client_ip", "127.0.0.1");
            into.text("method", "GET");
            into.text("host", "localhost:18095");
            into.text("uri", "/p?b=2&a=1&c=3&a=1b&d=e%20f&e");
            into.object("headers", |into| {
                into.texts("User-Agent", one("curl/7.88.1"));
                into.texts("X-Multi", [&b"one"[..], b"two"].into_iter());
                into.texts("X-Ip", one("1.2.3.4, 2001:db8:1:2::3, foo, [2001:db8::1]:80, 9.8.7.6:5"));
                into.texts("Cookie", one("s=1; t=2; u=3; v=\"a b\""));
                into.texts("X-Quote", one("a\"b\\c"));
            });
        });
        into.unsigned("bytes_read", 0);
        into.text("user_id", "");
        into.duration("duration", Duration::from_nanos(82_933));
        into.unsigned("status", 200);
        into.object("resp_headers", |into| {
            let cookies = ["s=1; Path=/", "t=\"2\"; HttpOnly", "u=3", "v= 4 ; x"];
            into.texts("Set-Cookie", cookies.iter().map(|cookie| cookie.as_bytes()));
        });
    }
}
fn line(config: Value) -> String {
    let encoder = Encoders { modules: ENCODERS, terminal: false }.build(config).unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_522_782_325);
    let logger = "http.log.access.x";
    let entry = Entry { level: Level::Info, time, logger, message: "handled request", fields: &Request };
    let mut out = vec![];
    encoder.encode(&entry, &mut out);
    String::from_utf8(out).unwrap()
}
/// The entry that `filter` writes with these filters.
fn filtered(fields: Value) -> Value {
    serde_json::from_str(&line(json!({"format": "filter", "fields": fields}))).unwrap()
}
#[test]
fn fields_are_deleted_renamed_and_replaced() {
    let entry = filtered(json!({
        "request>headers>User-Agent": {"filter": "delete"},
        "request>uri": {"filter": "rename", "name": "url"},
        "status": {"filter": "replace", "value": "ok"},
        "duration": {"filter": "delete"},
        "resp_headers": {"filter": "replace", "value": "gone"},
        "bytes_read": {"filter": "rename", "name": "br"},
        // Those that are no fields are not touched.
        "msg": {"filter": "delete"},
    }));
    assert!(entry["request"]["headers"].get("User-Agent").is_none());
    assert_eq!(entry["request"]["url"], "/p?b=2&a=1&c=3&a=1b&d=e%20f&e");
    assert!(entry["request"].get("uri").is_none() && entry.get("duration").is_none());
    assert_eq!(entry["status"], "ok");
    assert_eq!(entry["resp_headers"], "gone");
    assert_eq!(entry["br"], 0);
    assert_eq!(entry["msg"], "handled request");
}
#[test]
fn texts_are_hashed_and_numbers_are_not() {
    let hash = json!({"filter": "hash"});
    let entry = filtered(json!({
        "request>remote_ip": hash, "request>headers>X-Multi": hash, "status": hash, "duration": hash,
        "resp_headers": hash,
    }));
    assert_eq!(entry["request"]["remote_ip"], "12ca17b4");
    assert_eq!(entry["request"]["headers"]["X-Multi"], json!(["7692c3ad", "3fc4ccfe"]));
    assert_eq!(entry["status"], 200);
    assert!(entry["duration"].is_number() && entry["resp_headers"].is_object());
}
#[test]
fn addresses_are_masked() {
    let entry = filtered(json!({
        "request>remote_ip": {"filter": "ip_mask", "ipv4_cidr": 16, "ipv6_cidr": 32},
        "request>client_ip": {"filter": "ip_mask"},
        "request>headers>X-Ip": {"filter": "ip_mask", "ipv4_cidr": 8, "ipv6_cidr": 24},
        "request>host": {"filter": "ip_mask", "ipv4_cidr": 24},
    }));
    assert_eq!(entry["request"]["remote_ip"], "127.0.0.0");
    assert_eq!(entry["request"]["client_ip"], "<nil>");
    let list = json!(["1.0.0.0, 2001:d00::, foo, [2001:d00::]:80, 9.0.0.0:5"]);
    assert_eq!(entry["request"]["headers"]["X-Ip"], list);
    assert_eq!(entry["request"]["host"], "localhost:18095");
}
#[test]
fn parameters_and_cookies_are_changed_one_by_one() {
    let action = |kind: &str, key: &str, name: &str| json!({"type": kind, key: name, "value": "X"});
    let actions = |key: &str, names: [&str; 3]| {
        let [replaced, hashed, deleted] = names;
        json!([action("replace", key, replaced), action("hash", key, hashed), action("delete", key, deleted)])
    };
    let entry = filtered(json!({
        "request>uri": {"filter": "query", "actions": actions("parameter", ["a", "b", "c"])},
        "request>headers>Cookie": {"filter": "cookie", "actions": actions("name", ["s", "t", "u"])},
        "resp_headers>Set-Cookie": {"filter": "set_cookie", "actions": actions("name", ["s", "t", "u"])},
    }));
    assert_eq!(entry["request"]["uri"], "/p?a=X&a=X&b=d4735e3a&d=e+f&e=");
    assert_eq!(entry["request"]["headers"]["Cookie"], json!(["s=X; t=d4735e3a; v=\"a b\""]));
    let cookies = json!(["s=X; Path=/", "t=\"d4735e3a\"; HttpOnly", "v= 4 ; x"]);
    assert_eq!(entry["resp_headers"]["Set-Cookie"], cookies);
}
#[test]
fn what_an_expression_finds_is_replaced() {
    let entry = filtered(json!({
        "request>uri": {"filter": "regexp", "regexp": "/p(.*)", "value": "/q$1-${1}"},
        "request>headers>X-Multi": {"filter": "regexp", "regexp": "o", "value": "0"},
        "request>method": {"filter": "multi_regexp", "operations": [
            {"regexp": "G", "value": "1"}, {"regexp": "E", "value": "2"},
        ]},
        "status": {"filter": "regexp", "regexp": "2", "value": "3"},
    }));
    let query = "?b=2&a=1&c=3&a=1b&d=e%20f&e";
    assert_eq!(entry["request"]["uri"], format!("/q{query}-{query}"));
    assert_eq!(entry["request"]["headers"]["X-Multi"], json!(["0ne", "tw0"]));
    assert_eq!(entry["request"]["method"], "12T");
    assert_eq!(entry["status"], 200);
}
#[test]
fn filters_wrap_filters_and_the_outer_ones_come_first() {
    let inner = json!({"format": "filter", "fields": {
        "request>uri": {"filter": "delete"}, "request>path": {"filter": "replace", "value": "p"},
    }});
    let outer = json!({"format": "filter", "wrap": inner, "fields": {
        "request>uri": {"filter": "rename", "name": "path"}, "request>host": {"filter": "delete"},
    }});
    let entry: Value = serde_json::from_str(&line(outer)).unwrap();
    assert_eq!(entry["request"]["path"], "p");
    assert!(entry["request"].get("uri").is_none() && entry["request"].get("host").is_none());
}
#[test]
fn fields_of_ones_own_come_last() {
    let fields =
        json!({"b": true, "host": "{system.os}", "m": "a{system.os}", "n": 7, "s": "7", "u": "{nope}"});
    let line = line(json!({"format": "append", "fields": fields}));
    let end = r#","b":true,"host":"linux","m":"a{system.os}","n":7,"s":"7","u":null}"#;
    assert!(line.trim_end().ends_with(end), "{line}");
}
#[test]
fn the_journal_gets_priorities_and_no_times() {
    assert!(line(json!({"format": "journald"})).starts_with(r#"<6>{"level":"info","ts":1795522782.325,"#));
    let quiet = json!({"format": "filter", "wrap": {"format": "console"}, "fields": {
        "request": {"filter": "delete"}, "resp_headers": {"filter": "delete"}, "duration": {"filter": "delete"},
    }});
    assert_eq!(
        line(json!({"format": "journald", "wrap": quiet})),
        "<6>\u{1b}[34mINFO\u{1b}[0m\thttp.log.access.x\thandled request\t\
         {\"bytes_read\": 0, \"user_id\": \"\", \"status\": 200}\n"
    );
}
#[test]
fn templates_pick_from_the_entry() {
    let common = "{request>remote_ip} - {user_id} [{ts}] \"{request>method} {request>uri}\" {status} {size}";
    let quotes = "{request>headers>X-Quote>[0]} {nope}";
    for (config, expected) in [
        (
            json!({"template": common, "time_format": "common_log"}),
            "127.0.0.1 - - [24/Nov/2026:12:19:42 +0000] \"GET /p?b=2&a=1&c=3&a=1b&d=e%20f&e\" 200 -\n",
        ),
        (
            json!({"template": "{common_log}"}),
            "127.0.0.1 - - [24/Nov/2026:12:19:42 +0000] \"GET /p?b=2&a=1&c=3&a=1b&d=e%20f&e -\" 200 -\n",
        ),
        (json!({"template": "{common_log} x"}), "- x\n"),
        (
            json!({"template": "{ts} {level} {logger} {msg} {nope} {nope:status} {system.os} {duration}"}),
            "1795522782.325 info http.log.access.x handled request - 200 linux 0.000082933\n",
        ),
        (json!({"template": "{request>headers>X-Multi}"}), "[\"one\",\"two\"]\n"),
        (json!({"template": quotes}), "a\"b\\\\c -\n"),
        (json!({"template": quotes, "placeholder": "none", "unescape_strings": true}), "a\"b\\c none\n"),
    ] {
        let mut config = config;
        config["format"] = "transform".into();
        assert_eq!(line(config.clone()), expected, "{config}");
    }
}
#[test]
fn what_is_wrong_is_said() {
    let error =
        |config: Value| Encoders { modules: ENCODERS, terminal: false }.build(config).map(drop).unwrap_err();
    for (config, why) in [
        (json!({"format": "transform"}), "missing template for formatted log encoder"),
        (
            json!({"format": "filter", "fields": {"a": {"filter": "no"}}}),
            "unknown module: caddy.logging.encoders.filter.no",
        ),
        (
            json!({"format": "filter", "fields": {"a": {"filter": "regexp", "regexp": "("}}}),
            "error parsing regexp",
        ),
        (json!({"format": "filter", "wrap": {"format": "no"}}), "unknown module: caddy.logging.encoders.no"),
        (json!({"format": "append", "nope": 1}), "unknown field `nope`"),
    ] {
        let said = error(config);
        assert!(said.contains(why), "{said}");
    }
}
