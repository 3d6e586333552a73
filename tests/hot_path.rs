//! What a request costs that is answered from memory: no allocation, and a small future.
use proxy::{
    config::Server,
    http::{Body, Connection, Exchange, answer, build},
    state::State,
    table,
};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    pin::pin,
    sync::Arc,
    task::{Context, Waker},
};

struct Counting;
thread_local! { static COUNT: Cell<u64> = const { Cell::new(0) } }
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}
#[global_allocator]
static A: Counting = Counting;

/// Allocations of the second request (the first also counts those that shared bytes make once), and the size of the
/// walk's future, which every connection holds.
fn cost(config: serde_json::Value) -> (u64, usize) {
    let config: Server = serde_json::from_value(config).unwrap();
    let server = build(config, &table::MODULES, Arc::new(State::default())).unwrap().server;
    let connection = Arc::new(Connection::default());
    let [_, second] = std::array::from_fn(|_| {
        let request = http::Request::get("/api/x").header("Host", "a.example:8080");
        let (head, ()) = request.body(()).unwrap().into_parts();
        let mut x = Exchange::new(head, Body::Empty, connection.clone());
        let mut answered = pin!(answer(&server, &mut x));
        let size = size_of_val(&*answered);
        let before = COUNT.get();
        assert!(answered.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
        (COUNT.get() - before, size)
    });
    second
}
#[test]
fn an_answer_from_memory_allocates_nothing() {
    let (allocations, size) = cost(serde_json::json!({"routes": [
        {"match": [{"path": ["/api/*"]}], "handle": [{"handler": "subroute", "routes": [
            {"handle": [
                {"handler": "headers", "response": {"set": {"X-A": ["1"]}}},
                {"handler": "headers", "response": {"set": {"X-B": ["2"]}, "deferred": true}}]},
            {"handle": [{"handler": "subroute", "routes": [
                {"handle": [{"handler": "static_response", "body": "hello"}]}]}]}]}]}]}));
    assert_eq!(allocations, 0);
    assert!(size <= 1200, "{size}");
}
#[test]
fn not_around_matchers_that_answer_at_once_allocates_nothing() {
    let (allocations, _) = cost(serde_json::json!({"routes": [{
        "match": [{"not": [{"path": ["/a"]}, {"not": [{"path": ["/api/*"]}]}]}],
        "handle": [{"handler": "static_response", "body": "hello"}],
    }]}));
    assert_eq!(allocations, 0);
}
#[test]
fn matchers_on_a_usual_request_allocate_nothing() {
    let matchers = [
        ("host", serde_json::json!(["b.example", "*.b.example", "a.example"])),
        ("path", serde_json::json!(["/static/*", "*.php", "/api/?", "*x*"])),
        ("method", serde_json::json!(["POST", "GET"])),
        ("header", serde_json::json!({"Host": ["a*"], "X-None": null})),
        ("protocol", serde_json::json!("http/1.1+")),
        ("remote_ip", serde_json::json!({"ranges": ["10.0.0.0/8"]})),
        ("vars", serde_json::json!({"{http.request.method}": ["GET"]})),
        ("expression", serde_json::json!("{http.request.method} == 'GET' && !path('/b*')")),
    ];
    for (name, config) in matchers {
        let (allocations, _) = cost(serde_json::json!({"routes": [{
            "match": [{name: config}],
            "handle": [{"handler": "static_response", "body": "hello"}],
        }]}));
        assert_eq!(allocations, 0, "{name}");
    }
}
