//! The configuration that settings stand for, except what becomes of requests.
use super::{
    server,
    settings::{Settings, Tls},
    values::{Format, Level},
};
use crate::config::{
    AutomaticHttps, Automation, AutomationPolicy, Config, HttpApp, Log, Logging, Server, ServerLogs, TlsApp,
    join_address,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub(super) fn configuration(settings: &Settings, log_level: Option<Level>) -> Value {
    let mut apps = Map::from_iter([("http".to_owned(), http(settings).into_value())]);
    if let Some(tls) = &settings.tls {
        apps.insert("tls".to_owned(), json!(tls_app(tls)));
    }
    json!(Config {
        logging: Some(logging(settings, log_level)),
        storage: settings.tls.as_ref().map(|tls| json!({ "module": "host_folders", "root": tls.storage })),
        apps,
        ..Config::default()
    })
}
/// `RUST_LOG` comes before the file, as everywhere.
fn logging(settings: &Settings, log_level: Option<Level>) -> Logging {
    let format = match settings.logging.format {
        Format::Json => "service",
        Format::Pretty => "console",
    };
    let log = Log {
        writer: Some(json!({ "output": "stdout" })),
        encoder: Some(json!({ "format": format })),
        level: log_level.unwrap_or(settings.logging.level).0.to_owned(),
        ..Log::default()
    };
    Logging { logs: BTreeMap::from([("default".to_owned(), log)]), ..Logging::default() }
}
fn tls_app(tls: &Tls) -> TlsApp {
    let mut issuer = Map::from_iter([("ca".to_owned(), json!(tls.directory))]);
    // The document's proxy proves its names over plain HTTP alone.
    issuer.insert("challenges".to_owned(), json!({ "tls-alpn": { "disabled": true } }));
    if let Some(email) = &tls.email {
        issuer.insert("email".to_owned(), json!(email));
    }
    issuer.insert("module".to_owned(), json!("acme"));
    let policy = AutomationPolicy {
        issuers: vec![Value::Object(issuer)],
        disable_renewal: !tls.renew,
        ..AutomationPolicy::default()
    };
    TlsApp {
        certificates: Map::from_iter([("load_host_folders".to_owned(), json!([tls.storage]))]),
        automation: Some(Automation { policies: vec![policy], ..Automation::default() }),
        ..TlsApp::default()
    }
}
fn http(settings: &Settings) -> HttpApp {
    let of = &settings.server;
    let server = |name: &str, port: u16, server: Server| {
        let listen = vec![join_address("", &of.bind.to_string(), &port.to_string())];
        (name.to_owned(), Server { listen, protocols: vec!["h1".into(), "h2".into()], ..server })
    };
    // Automatic HTTPS is to leave alone what is plain on purpose.
    let plain = |server| Server {
        automatic_https: Some(AutomaticHttps { disable: true, ..AutomaticHttps::default() }),
        ..server
    };
    let shared = |server| Server {
        errors: Some(server::errors(settings)),
        logs: settings.logging.access.then(ServerLogs::default),
        trusted_proxies: (!of.trusted_proxies.is_empty())
            .then(|| json!({ "ranges": of.trusted_proxies, "source": "static" })),
        ..server
    };
    let routes = |routes| Server { routes, ..Server::default() };
    let mut servers = BTreeMap::new();
    let proxy = shared(routes(server::routes(settings)));
    if settings.tls.is_some() {
        let redirects = AutomaticHttps { disable_redirects: true, ..AutomaticHttps::default() };
        let proxy = Server { automatic_https: Some(redirects), ..proxy };
        servers.extend([server("https", of.https_port, proxy)]);
        let redirects = shared(plain(routes(server::redirects(settings))));
        servers.extend([server("http", of.http_port, redirects)]);
    } else {
        servers.extend([server("http", of.http_port, plain(proxy))]);
    }
    if let Some(port) = settings.metrics {
        servers.extend([server("metrics", port, plain(routes(server::metrics())))]);
    }
    let metrics = settings.metrics.map(|_| crate::config::Metrics::default());
    HttpApp {
        http_port: Some(of.http_port.into()),
        https_port: settings.tls.as_ref().map(|_| of.https_port.into()),
        servers,
        metrics,
        ..HttpApp::default()
    }
}
