//! What a configuration costs on its way, station by station: text to tree, tree to JSON.
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use grammar::Memory;
use proxy::{caddyfile, table};
use std::hint::black_box;

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
        group.bench_function("adapt", |b| {
            let adapt = |text: &str| caddyfile::adapt("Caddyfile", text, &source, &table::SYNTAX);
            b.iter_batched(|| text.as_str(), |text| adapt(black_box(text)), BatchSize::PerIteration);
        });
    }
}
criterion_group!(benches, pipeline);
criterion_main!(benches);
