use super::*;
use crate::state::State;
use http::Version;
use serde_json::json;

struct Case {
    log: ServerLog,
    logs: Arc<Logs>,
    file: tempfile::NamedTempFile,
}
/// All of what is logged, at any level, in one file.
fn case(server: serde_json::Value) -> Case {
    let file = tempfile::NamedTempFile::new().unwrap();
    let logging = json!({"logs": {"default": {
        "writer": {"output": "file", "filename": file.path()},
        "encoder": {"format": "short"},
        "level": "DEBUG",
    }}});
    let short = crate::logging::EncoderModule {
        name: "short",
        build: |_, _| {
            let none = || Some(String::new());
            let format = crate::logging::Format { time_key: none(), ..Default::default() };
            Ok(Box::new(crate::logging::Lines::json(format)))
        },
    };
    let logging = serde_json::from_value(logging).unwrap();
    let logs = Arc::new(Logs::build(Some(&logging), &[short], &State::default()).unwrap());
    let server: Option<ServerLogs> = serde_json::from_value(server).unwrap();
    Case { log: ServerLog::build(server.as_ref(), &logs), logs, file }
}
impl Case {
    fn lines(&self) -> String {
        self.logs.flush();
        std::fs::read_to_string(self.file.path()).unwrap()
    }
}
fn request(host: &str, fields: &[(&'static str, &'static str)]) -> Request {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(*name, value.parse().unwrap());
    }
    Request::of(&Seen {
        remote: "127.0.0.1:51414".parse().ok(),
        version: Version::HTTP_11,
        method: "GET",
        host,
        uri: "/p?x",
        headers: &headers,
    })
}
fn about(request: &Request) -> About<'_> {
    let duration = Duration::from_nanos(194_190);
    About { request, client_ip: "10.0.0.1".parse().ok(), tls: None, names: None, duration }
}
fn done(headers: &HeaderMap) -> Done<'_> {
    Done { status: Some(StatusCode::OK), read: 3, size: 5, user: "", headers, extra: &[], uuid: None }
}
#[test]
fn a_line_has_caddys_fields_in_caddys_order() {
    let case = case(json!({"default_logger_name": "e"}));
    let fields = [
        ("host", "a.b"),
        ("user-agent", "curl/7.88.1"),
        ("accept", "a"),
        ("accept", "b\"c"),
        ("cookie", "secret"),
        ("transfer-encoding", "chunked"),
    ];
    let request = request("a.b:8080", &fields);
    let tls = Tls {
        resumed: false,
        version: 772,
        cipher_suite: 4865,
        proto: "h2",
        server_name: "a.b",
        client: Some(("me", "17")),
    };
    let about = About { tls: Some(tls), ..about(&request) };
    let mut headers = HeaderMap::new();
    headers.insert("server", "Caddy".parse().unwrap());
    headers.insert("set-cookie", "secret".parse().unwrap());
    let extra = [("t", &Value::Text("x".into())), ("n", &Value::Int(7))];
    case.log.access(&about, &Done { extra: &extra, uuid: Some("u-1"), ..done(&headers) });
    let line = [
        r#"{"level":"info","logger":"http.log.access.e","msg":"handled request","request":"#,
        r#"{"remote_ip":"127.0.0.1","remote_port":"51414","client_ip":"10.0.0.1","proto":"HTTP/1.1","#,
        r#""method":"GET","host":"a.b:8080","uri":"/p?x","headers":{"User-Agent":["curl/7.88.1"],"#,
        r#""Accept":["a","b\"c"],"Cookie":["REDACTED"]},"transfer_encoding":["chunked"],"#,
        r#""tls":{"resumed":false,"version":772,"cipher_suite":4865,"proto":"h2","server_name":"a.b","#,
        r#""ech":false,"client_common_name":"me","client_serial":"17"}},"bytes_read":3,"user_id":"","#,
        r#""duration":0.00019419,"size":5,"status":200,"#,
        r#""resp_headers":{"Server":["Caddy"],"Set-Cookie":["REDACTED"]},"uuid":"u-1","t":"x","n":7}"#,
        "\n",
    ];
    assert_eq!(case.lines(), line.concat());
}
#[test]
fn credentials_are_shown_where_they_are_asked_for() {
    let case = case(json!({"should_log_credentials": true}));
    let request = request("a", &[("authorization", "Basic x")]);
    case.log.access(&about(&request), &done(&HeaderMap::new()));
    assert!(case.lines().contains(r#""headers":{"Authorization":["Basic x"]}"#));
}
#[test]
fn level_and_message_follow_the_status() {
    let case = case(json!({}));
    let (request, headers) = (request("a", &[]), HeaderMap::new());
    for status in [Some(StatusCode::NOT_FOUND), Some(StatusCode::BAD_GATEWAY), None] {
        case.log.access(&about(&request), &Done { status, ..done(&headers) });
    }
    let lines = case.lines();
    let start = |line: &str| line.split(",\"request").next().unwrap_or_default().to_owned();
    assert_eq!(
        lines.lines().map(start).collect::<Vec<_>>(),
        [
            r#"{"level":"info","logger":"http.log.access","msg":"handled request""#,
            r#"{"level":"error","logger":"http.log.access","msg":"handled request""#,
            r#"{"level":"info","logger":"http.log.access","msg":"NOP""#,
        ]
    );
}
#[test]
fn the_host_says_which_loggers_hear_of_a_request() {
    let case = case(json!({
        "default_logger_name": "rest",
        "logger_names": {"a.b": ["one", ""], "*.c.d": "star"},
        "skip_hosts": ["*.quiet", "a.b"],
    }));
    let heard = |host: &str, names: Option<&[String]>| {
        let before = case.lines().len();
        let request = request(host, &[]);
        case.log.access(&About { names, ..about(&request) }, &done(&HeaderMap::new()));
        let lines = case.lines()[before..].to_owned();
        let name = |line: &str| line.split('"').nth(7).unwrap_or_default().replace(ACCESS, "");
        lines.lines().map(name).collect::<Vec<_>>()
    };
    assert_eq!(heard("a.b:8080", None), [".one", ""]);
    assert_eq!(heard("A.B", None), [".one", ""]);
    assert_eq!(heard("x.c.d", None), [".star"]);
    assert_eq!(heard("[::1]:80", None), [".rest"]);
    assert_eq!(heard("a.b", Some(&["other".to_owned()])), [".other"]);
    let wants = |host| case.log.wants(host);
    assert_eq!(["a.b", "x.c.d", "x.quiet", "quiet"].map(wants), [true, true, false, true]);
    let nobody = ServerLog::build(None, &case.logs);
    assert!(!nobody.wants("a.b"));
    let mapped = serde_json::from_value(json!({"logger_names": {"a": [""]}, "skip_unmapped_hosts": true}));
    let mapped = ServerLog::build(Some(&mapped.unwrap()), &case.logs);
    assert_eq!(["a", "b"].map(|host| mapped.wants(host)), [true, false]);
}
#[test]
fn failures_are_errors_unless_they_are_the_clients_fault_or_handled() {
    let case = case(json!(null));
    let request = request("a", &[]);
    let failed = |status, handling| Failed { status, message: "why", id: "abc", trace: "x.rs:1", handling };
    for (status, handling) in [
        (Some(StatusCode::BAD_GATEWAY), Handling::Unhandled),
        (Some(StatusCode::NOT_FOUND), Handling::Unhandled),
        (Some(StatusCode::BAD_GATEWAY), Handling::Handled),
        (Some(StatusCode::NOT_FOUND), Handling::Failed("worse")),
        (None, Handling::Unhandled),
    ] {
        case.log.error(&about(&request), &failed(status, handling));
    }
    let lines = case.lines();
    let shown = lines.lines().map(|line| {
        let (start, rest) = line.split_once(",\"request\"").unwrap();
        format!("{start}{}", rest.rsplit_once("0.00019419").unwrap().1)
    });
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [
            r#"{"level":"error","logger":"http.log.error","msg":"why","status":502,"err_id":"abc","err_trace":"x.rs:1"}"#,
            r#"{"level":"debug","logger":"http.log.error","msg":"why","status":404,"err_id":"abc","err_trace":"x.rs:1"}"#,
            r#"{"level":"debug","logger":"http.log.error","msg":"why","status":502,"err_id":"abc","err_trace":"x.rs:1"}"#,
            r#"{"level":"error","logger":"http.log.error","msg":"error handling handler error","error":"worse","first_error":{"msg":"why","status":404,"err_id":"abc","err_trace":"x.rs:1"}}"#,
            r#"{"level":"error","logger":"http.log.error","msg":"why","error":"why"}"#,
        ]
    );
}
