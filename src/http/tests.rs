//! The tree as a whole: which routes a request reaches, and what is told of its end.
use super::{
    Answer, Body, Build, BuildError, Connection, Exchange, Flow, Handler, HandlerConfig, HandlerModule,
    HttpError, Matcher, MatcherConfig, MatcherModule, Modules, Response, Rise, Step, answer, build,
};
use crate::{config, state::State};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Notes that it was reached; answers if it has a status, fails with 5xx.
#[derive(Debug, Deserialize)]
struct Note {
    note: String,
    status: Option<u16>,
}
impl Handler for Note {
    fn handle<'t: 'x, 'x>(&'t self, x: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        note(x, &self.note);
        match self.status.map(|status| StatusCode::from_u16(status).unwrap()) {
            None => Step::Next.into(),
            Some(status) if status.is_server_error() => HttpError::bare(status).into(),
            Some(status) => Step::Done(Response::empty(status)).into(),
        }
    }
}
/// Notes how the handlers behind it have ended.
#[derive(Debug, Deserialize)]
struct Watch {}
impl Handler for Watch {
    fn handle<'t: 'x, 'x>(&'t self, _: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        Step::Wrap.into()
    }
    fn finish<'t: 'x, 'x>(&'t self, x: &'x mut Exchange, response: Response) -> Flow<'x, Rise<'t>> {
        note(x, "answered");
        Rise::Pass(response).into()
    }
    fn unanswered(&self, x: &mut Exchange) {
        note(x, "unanswered");
    }
}
#[derive(Deserialize)]
struct Enter {
    routes: Vec<config::Route>,
}
impl HandlerConfig for Enter {
    const NAME: &'static str = "enter";
    fn build(self, cx: &mut Build) -> Result<Box<dyn Handler>, BuildError> {
        #[derive(Debug)]
        struct Into(super::Routes);
        impl Handler for Into {
            fn handle<'t: 'x, 'x>(&'t self, _: &'x mut Exchange) -> Flow<'x, Step<'t>> {
                Step::Enter(&self.0).into()
            }
        }
        Ok(Box::new(Into(cx.routes(self.routes)?)))
    }
}
/// Asks for hosts, and counts how often it is asked itself.
#[derive(Deserialize)]
#[serde(transparent)]
struct HostIs(Vec<Box<str>>);
static ASKED: AtomicUsize = AtomicUsize::new(0);
impl MatcherConfig for HostIs {
    const NAME: &'static str = "host_is";
    fn build(self, _: &mut Build) -> Result<Box<dyn Matcher>, BuildError> {
        #[derive(Debug)]
        struct Hosts(Vec<Box<str>>);
        impl Matcher for Hosts {
            fn matches<'x>(&'x self, x: &'x mut Exchange) -> Flow<'x, bool> {
                ASKED.fetch_add(1, Ordering::Relaxed);
                let host = x.host().to_lowercase();
                let fits = |name: &str| match name.strip_prefix("*.") {
                    Some(parent) => host.split_once('.').is_some_and(|(_, rest)| rest == parent),
                    None => host == name,
                };
                self.0.iter().any(|name| fits(name)).into()
            }
            fn hosts(&self) -> Option<&[Box<str>]> {
                Some(&self.0)
            }
        }
        Ok(Box::new(Hosts(self.0)))
    }
}
static MODULES: Modules = Modules {
    handlers: &[
        HandlerModule::plain::<Note>("note"),
        HandlerModule::plain::<Watch>("watch"),
        HandlerModule::of::<Enter>(),
    ],
    matchers: &[MatcherModule::of::<HostIs>()],
    ip_sources: &[],
};
fn note(x: &mut Exchange, what: &str) {
    let so_far = x.text("notes").into_owned();
    x.set("notes", format!("{so_far} {what}"));
}
fn tree(routes: &Value) -> super::Server {
    let server: config::Server = serde_json::from_value(json!({ "routes": routes })).unwrap();
    build(server, &MODULES, Arc::new(State::default())).unwrap().server
}
#[tokio::main(flavor = "current_thread")]
async fn ask(server: &super::Server, host: &str) -> (Answer, String) {
    let (head, ()) = http::Request::get("/").header("Host", host).body(()).unwrap().into_parts();
    let mut x = Exchange::new(head, Body::Empty, Arc::new(Connection::default()));
    let answer = answer(server, &mut x).await;
    (answer, x.text("notes").trim_start().to_owned())
}

#[test]
fn routes_by_host_are_tried_in_their_order_and_others_are_not() {
    let route = |hosts: Value, note: &str| {
        let sets = if hosts.is_null() { json!([]) } else { json!([{ "host_is": hosts }]) };
        json!({"match": sets, "handle": [{"handler": "note", "note": note}]})
    };
    let server = tree(&json!([
        route(json!(["a.com"]), "a1"),
        route(json!(["*.a.com"]), "wild"),
        route(json!(null), "all1"),
        route(json!(["b.com", "a.com"]), "ab"),
        route(json!(["x.a.com"]), "x"),
        route(json!(["c.com"]), "c"),
        route(json!(null), "all2"),
        route(json!(["A.COM"]), "never: names are in lower case"),
    ]));
    let cases = [
        ("a.com", "a1 all1 ab all2", 2),
        ("A.com:80", "a1 all1 ab all2", 2),
        ("x.a.com", "wild all1 x all2", 2),
        ("y.a.com", "wild all1 all2", 1),
        ("y.x.a.com", "all1 all2", 0),
        ("d.com", "all1 all2", 0),
    ];
    for (host, notes, asked) in cases {
        ASKED.store(0, Ordering::Relaxed);
        assert_eq!(ask(&server, host).1, notes, "{host}");
        assert_eq!(ASKED.load(Ordering::Relaxed), asked, "{host}");
    }
}
#[test]
fn wrappers_are_told_how_it_ended() {
    let watched = |behind: Value| tree(&json!([{"handle": [{"handler": "watch"}, behind]}]));
    let note = |status: Value| json!({"handler": "note", "note": "x", "status": status});
    let (answered, notes) = ask(&watched(note(json!(204))), "a");
    assert_eq!((answered.response.status.as_u16(), notes.as_str()), (204, "x answered"));
    let (failed, notes) = ask(&watched(note(json!(503))), "a");
    assert_eq!((failed.response.status.as_u16(), notes.as_str()), (503, "x unanswered"));
    assert_eq!(failed.failure.unwrap().error.message, "Service Unavailable");
    let (nobody, notes) = ask(&watched(note(json!(null))), "a");
    assert!(!nobody.handled && nobody.failure.is_none());
    assert_eq!((nobody.response.status.as_u16(), notes.as_str()), (200, "x unanswered"));
}
#[test]
fn errors_name_their_place() {
    let error = |routes: Value| {
        let server = json!({"routes": routes, "errors": {"routes": []}});
        let server: config::Server = serde_json::from_value(server).unwrap();
        build(server, &MODULES, Arc::new(State::default())).err().unwrap().to_string()
    };
    let cases = [
        (
            json!([{}, {"handle": [{"handler": "note", "note": ""}, {"handler": "nope"}]}]),
            "routes[1].handle[1]: loading module 'nope': unknown module: http.handlers.nope",
        ),
        (
            json!([{"handle": [{"handler": "enter", "routes": [{"match": [{"nope": 1}]}]}]}]),
            "routes[0].handle[0].routes[0].match[0]: loading module 'nope': unknown module: http.matchers.nope",
        ),
        (
            json!([{"handle": [{"handler": "note"}]}]),
            "routes[0].handle[0]: loading module 'note': decoding module config: missing field `note`",
        ),
    ];
    for (routes, expected) in cases {
        assert_eq!(error(routes), expected);
    }
}
#[test]
fn hosts_other_than_the_handshakes_are_refused_where_clients_are_authenticated() {
    let config = json!({
        "tls_connection_policies": [{"client_authentication": {}}],
        "routes": [{"handle": [{"handler": "note", "note": "reached", "status": 200}]}],
    });
    let server = serde_json::from_value(config).unwrap();
    let server = build(server, &MODULES, Arc::new(State::default())).unwrap().server;
    let ask = |host: &str| {
        let tls = super::TlsInfo { server_name: "a.com".into(), ..Default::default() };
        let connection = Connection { tls: Some(tls), ..Connection::default() };
        let (head, ()) = http::Request::get("/").header("Host", host).body(()).unwrap().into_parts();
        let mut x = Exchange::new(head, Body::Empty, Arc::new(connection));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(answer(&server, &mut x))
    };
    assert_eq!(ask("A.com:443").response.status, 200);
    let refused = ask("b.com");
    assert_eq!(refused.response.status, 421);
    assert_eq!(
        refused.failure.unwrap().error.message,
        "strict host matching: TLS ServerName (a.com) and HTTP Host (b.com) values differ"
    );
}
