use super::{
    loggers::{HostSet, Loggers},
    record::{Part, Record},
};
use crate::{
    config::ServerLogs,
    http::{Body, Exchange},
    logging::{DurationFormat, Logs, Object},
    state::State,
};
use serde_json::json;
use std::sync::Arc;

fn exchange(fields: &[(&str, &str)]) -> Exchange {
    let mut request = http::Request::get("/p?x").header("host", "a.b:8080");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    Exchange::new(request.body(()).unwrap().into_parts().0, Body::Empty, Arc::default())
}
fn headers(record: &Record, credentials: bool) -> String {
    let mut out = vec![];
    let mut object = Object::open(&mut out, false, DurationFormat::Seconds);
    record.write_fields(Part::RequestFields, credentials, &mut object);
    object.close();
    String::from_utf8(out).unwrap()
}
#[test]
fn a_record_keeps_what_the_client_has_sent() {
    let mut record = Record::of(&exchange(&[
        ("x-one", "1"),
        ("accept", "a"),
        ("accept", "b\"c"),
        ("cookie", "secret"),
        ("transfer-encoding", "chunked"),
    ]));
    assert_eq!(record.text(Part::Method), "GET");
    assert_eq!(record.text(Part::Host), "a.b:8080");
    assert_eq!(record.text(Part::Uri), "/p?x");
    assert!(record.chunked);
    assert_eq!(headers(&record, false), r#"{"X-One":["1"],"Accept":["a","b\"c"],"Cookie":["REDACTED"]}"#);
    assert!(headers(&record, true).ends_with(r#""Cookie":["secret"]}"#));
    assert_eq!(record.text(Part::User), "");
    record.add_fields(&http::HeaderMap::new(), |_| true);
    record.add(b"bob");
    assert_eq!((record.text(Part::User), record.text(Part::Uuid)), ("bob", ""));
}
#[test]
fn the_host_says_which_loggers_hear_of_a_request() {
    let config =
        json!({"default_logger_name": "rest", "logger_names": {"a.b": ["one", ""], "*.c.d": "star"}});
    let config: ServerLogs = serde_json::from_value(config).unwrap();
    let logs = Logs::build(None, &[], &State::default()).unwrap();
    let loggers = Loggers::new("http.log.access", &config, &logs);
    let heard = |host: &str| {
        let names = loggers.at(loggers.of_host(host)).iter();
        names.map(|logger| logger.name().replace("http.log.access", "")).collect::<Vec<_>>()
    };
    assert_eq!(heard("a.b"), [".one", ""]);
    assert_eq!(heard("x.c.d"), [".star"]);
    assert_eq!(heard("y.x.c.d"), [".rest"]);
    // Caddy looks a host up as it was sent.
    assert_eq!(heard("A.b"), [".rest"]);
    let named = loggers.named(&["other".to_owned()], &logs);
    assert_eq!(named[0].name(), "http.log.access.other");
}
#[test]
fn hosts_are_skipped_in_whatever_case() {
    let set = HostSet::new(["a.b".to_owned(), "*.Quiet".to_owned()].iter());
    let found = ["a.b", "A.B", "x.quiet", "quiet", "b"].map(|host| set.contains(host));
    assert_eq!(found, [true, true, true, false, false]);
}
