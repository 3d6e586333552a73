//! From a Caddyfile to an answer, without sockets.
use proxy::{
    caddyfile::adapt,
    config::HttpApp,
    http::{Answer, Body, Connection, Exchange, Server, answer, build},
    state::State,
    table,
};
use std::{io, sync::Arc, time::Instant};

/// No files, no environment.
struct Nowhere;
impl grammar::Source for Nowhere {
    fn read(&self, _: &str) -> io::Result<String> {
        Err(io::ErrorKind::NotFound.into())
    }
    fn glob(&self, _: &str, _: &str) -> io::Result<Vec<String>> {
        Ok(vec![])
    }
    fn env(&self, _: &str) -> Option<String> {
        None
    }
}
fn server(text: &str) -> Server {
    let adapted = adapt("Caddyfile", text, &Nowhere, &table::SYNTAX).unwrap_or_else(|e| panic!("{}", e[0]));
    let app: HttpApp = serde_json::from_value(adapted.json["apps"]["http"].clone()).unwrap();
    let (_, server) = app.servers.into_iter().next().unwrap();
    build(server, &table::MODULES, Arc::new(State::default())).unwrap().server
}
#[tokio::main(flavor = "current_thread")]
async fn ask(server: &Server, host: &str, path: &str) -> (Answer, http::HeaderMap) {
    request(server, host, path).await
}
async fn request(server: &Server, host: &str, path: &str) -> (Answer, http::HeaderMap) {
    let (head, ()) = http::Request::get(path).header("Host", host).body(()).unwrap().into_parts();
    let mut x = Exchange::new(head, Body::Empty, Arc::new(Connection::default()));
    (answer(server, &mut x).await, x.headers)
}
/// Status and body of `http://localhost` + path.
fn get(body: &str, path: &str) -> (u16, String) {
    let (answer, _) = ask(&server(&format!(":80 {{\n{body}\n}}\n")), "localhost", path);
    let text = match answer.response.body {
        Body::Bytes(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        _ => String::new(),
    };
    (answer.response.status.as_u16(), text)
}
#[test]
fn directives_run_in_table_order_not_file_order() {
    let (answer, headers) = ask(&server(":80 {\n respond 201\n header X-A 1\n}\n"), "a", "/");
    assert_eq!(answer.response.status, 201);
    assert_eq!(headers["x-a"], "1");
}
#[test]
fn a_deferred_header_is_set_on_the_way_up() {
    let text = ":80 {\n header X-A early\n header >X-A late\n respond 200\n}\n";
    assert_eq!(ask(&server(text), "a", "/").1["x-a"], "late");
}
#[test]
fn only_the_first_matching_handle_runs() {
    let text = "handle /api/* {\n respond api\n}\nhandle {\n respond rest\n}";
    assert_eq!(get(text, "/api/x"), (200, "api".into()));
    assert_eq!(get(text, "/y"), (200, "rest".into()));
}
#[test]
fn a_handle_path_strips_its_prefix() {
    assert_eq!(get("handle_path /api/* {\n respond {path}\n}", "/api/x"), (200, "/x".into()));
}
#[test]
fn errors_are_answered_by_status() {
    let text = "error /a 404\nerror /b 503\nhandle_errors 4xx {\n respond \"none {err.status_code}\"\n}\n\
                handle_errors {\n respond other\n}";
    assert_eq!(get(text, "/a"), (404, "none 404".into()));
    assert_eq!(get(text, "/b"), (503, "other".into()));
}
#[test]
fn an_expression_sees_the_status_as_a_number() {
    let text =
        "error 429\nhandle_errors {\n @slow `{err.status_code} == 429`\n respond @slow \"slow down\"\n}";
    assert_eq!(get(text, "/"), (429, "slow down".into()));
}
#[test]
fn a_thousand_sites_cost_what_one_costs() {
    let sites = |count: usize| {
        let site = |i| format!("http://s{i}.example {{\n respond s{i}\n}}\n");
        server(&(0..count).map(site).collect::<String>())
    };
    let (one, thousand) = (sites(1), sites(1000));
    let last = ask(&thousand, "s999.example", "/").0.response.body;
    assert!(matches!(last, Body::Bytes(text) if text == "s999"));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let time = |server: &Server, host: &str| {
        let run = || {
            let start = Instant::now();
            runtime.block_on(async {
                for _ in 0..50 {
                    request(server, host, "/").await;
                }
            });
            start.elapsed()
        };
        (0..5).map(|_| run()).min().unwrap()
    };
    // To try them all would cost a hundred times as much; this leaves room for a busy machine.
    let (small, large) = (time(&one, "s0.example"), time(&thousand, "s999.example"));
    assert!(large < small * 4, "{large:?} against {small:?}");
}
