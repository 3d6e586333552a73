//! What a configuration costs on its way, station by station: text to lines, lines to JSON, JSON to tree; and what a
//! request costs on its way through that tree.
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use grammar::Memory;
use proxy::{
    caddyfile,
    config::{HttpApp, Server},
    http::{self, Body, Connection, Exchange, answer},
    state::State,
    table,
};
use serde_json::Value;
use std::{
    hint::black_box,
    pin::pin,
    sync::Arc,
    task::{Context, Waker},
};

/// The specification's file, and a thousand sites that share a snippet.
fn texts() -> [(&'static str, String); 2] {
    let site = |n: usize| {
        format!(
            "site{n}.example.com {{\n\timport common /srv/{n}\n\n\t@api path /api/* /v{n}/*\n\thandle @api {{\n\t\t\
             reverse_proxy 127.0.0.1:{port} {{\n\t\t\theader_up X-Site \"site {n}\"\n\t\t}}\n\t}}\n\n\thandle {{\n\t\t\
             respond `{{\"site\": {n}}}`\n\t}}\n}}\n\n",
            port = 9000 + n % 1000
        )
    };
    let sites: String = (0..1000).map(site).collect();
    let common =
        "(common) {\n\troot * {args[0]}\n\theader {\n\t\tX-Frame-Options DENY\n\t\t-Server\n\t}\n}\n\n";
    let spec = include_str!("../testdata/spec/Caddyfile").to_owned();
    [("the specification", spec), ("1000 sites", format!("{common}{}", sites.trim_end().to_owned() + "\n"))]
}
fn pipeline(c: &mut Criterion) {
    let source = Memory::default();
    for (name, text) in texts() {
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function("format", |b| b.iter(|| grammar::format(black_box(&text))));
        group.bench_function("parse", |b| b.iter(|| grammar::parse("Caddyfile", black_box(&text), &source)));
        let adapt = |text: &str| caddyfile::adapt("Caddyfile", text, &source, &table::SYNTAX);
        group.bench_function("adapt", |b| b.iter(|| adapt(black_box(&text))));
        let adapted = adapt(&text).unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
        let app = adapted.json["apps"]["http"].clone();
        group.bench_function("build", |b| b.iter_batched(|| app.clone(), build, BatchSize::PerIteration));
    }
}
/// All servers of the HTTP app.
fn build(app: Value) -> Vec<http::Server> {
    let app: HttpApp = serde_json::from_value(app).expect("an app");
    app.servers.into_values().map(tree).collect()
}
fn tree(server: Server) -> http::Server {
    http::build(server, &table::MODULES, Arc::new(State::default())).expect("a tree").server
}
/// Requests that are answered from memory: the walk and nothing else.
fn walk(c: &mut Criterion) {
    let sites: String =
        (0..1000).map(|n| format!("http://site{n}.example {{\n\trespond hello\n}}\n")).collect();
    let steps = "http://site7.example {
        header X-Frame-Options DENY
        @api path /api/* /v1/*
        handle @api {
            uri strip_prefix /api
            respond /x hello
        }
        handle {
            respond 404
        }
    }";
    for (name, text) in [("one site, six steps", steps), ("1000 sites", &sites)] {
        let source = Memory::default();
        let adapted = caddyfile::adapt("Caddyfile", text, &source, &table::SYNTAX).expect("a Caddyfile");
        let servers = build(adapted.json["apps"]["http"].clone());
        let connection = Arc::new(Connection::default());
        let exchange = || {
            let request = http_request().body(()).expect("a request");
            Exchange::new(request.into_parts().0, Body::Empty, connection.clone())
        };
        c.bench_function(&format!("walk, {name}"), |b| {
            b.iter_batched_ref(
                exchange,
                |x| {
                    let answered = pin!(answer(&servers[0], x)).poll(&mut Context::from_waker(Waker::noop()));
                    assert!(answered.is_ready());
                },
                BatchSize::SmallInput,
            );
        });
    }
}
fn http_request() -> ::http::request::Builder {
    ::http::Request::get("/api/x?y=z").header("Host", "site7.example").header("Accept", "*/*")
}
criterion_group!(benches, pipeline, walk);
criterion_main!(benches);
