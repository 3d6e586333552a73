//! Automatic HTTPS, Caddy's first phase: which names get a certificate, which servers speak TLS, and where plain HTTP
//! is sent on to HTTPS.
use super::{Automation, Index, candidates, names};
use crate::config::{ConnectionPolicy, HttpApp, Module, NetworkAddress, Route, Server, ServerLogs};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The server for redirects where no configured one listens on the HTTP port.
const REDIRECTS: &str = "remaining_auto_https_redirects";

/// Changes `app` as Caddy does before it starts, and gives the names that are to have certificates.
///
/// # Errors
/// A listener's address or a host name that cannot be read.
pub(super) fn apply(
    app: &mut HttpApp,
    loaded: &Index,
    automation: &Automation,
) -> Result<Vec<String>, String> {
    let http_port = app.http_port();
    let https_port = app.https_port();
    let mut managed = BTreeSet::new();
    // By domain, the empty one for all: where its HTTPS is.
    let mut redirects: BTreeMap<String, Vec<NetworkAddress>> = BTreeMap::new();
    let mut redirecting_logs = None;
    for (name, server) in &mut app.servers {
        let settings = server.automatic_https.clone().unwrap_or_default();
        if settings.disable {
            tracing::info!(
                target: "http.auto_https", server_name = name,
                "automatic HTTPS is completely disabled for server"
            );
            continue;
        }
        let addresses = listeners(server, https_port)?;
        let all_on = |port: u16| !addresses.is_empty() && addresses.iter().all(|a| a.start_port == port);
        if all_on(http_port) {
            tracing::warn!(
                target: "http.auto_https", server_name = name, http_port,
                "server is listening only on the HTTP port, so no automatic HTTPS will be applied to this server"
            );
            continue;
        }
        if all_on(https_port) && server.tls_connection_policies.is_empty() {
            tracing::info!(
                target: "http.auto_https", server_name = name, https_port,
                "server is listening only on the HTTPS port but has no TLS connection policies; adding one to enable TLS"
            );
            server.tls_connection_policies.push(ConnectionPolicy::default());
        }
        let domains: Vec<String> =
            hosts(server).into_iter().filter(|host| !settings.skip.contains(host)).collect();
        if domains.is_empty() && server.tls_connection_policies.is_empty() {
            continue;
        }
        for domain in &domains {
            let wanted = names::qualifies(domain) && !settings.skip_certificates.contains(domain);
            if !wanted || settings.disable_certificates {
                continue;
            }
            if loaded.covers(domain) && !settings.ignore_loaded_certificates {
                tracing::info!(
                    target: "http.auto_https", domain, server_name = name,
                    "skipping automatic certificate management because one or more matching certificates are already loaded"
                );
                continue;
            }
            managed.insert(domain.clone());
        }
        if server.tls_connection_policies.is_empty() {
            server.tls_connection_policies.push(ConnectionPolicy::default());
        }
        if settings.disable_redirects {
            tracing::info!(
                target: "http.auto_https", server_name = name, "automatic HTTP->HTTPS redirects are disabled"
            );
            continue;
        }
        tracing::info!(target: "http.auto_https", server_name = name, "enabling automatic HTTP->HTTPS redirects");
        redirecting_logs = server.logs.clone();
        let domains = if domains.is_empty() { vec![String::new()] } else { domains };
        for domain in domains {
            redirects.entry(domain).or_default().extend(addresses.iter().cloned());
        }
    }
    add_redirects(app, &managed, redirects, redirecting_logs, (http_port, https_port))?;
    Ok(without_covered(managed, automation))
}
/// A name that a managed wildcard covers needs no certificate of its own, unless a policy asks for it by name.
fn without_covered(managed: BTreeSet<String>, automation: &Automation) -> Vec<String> {
    let covered =
        |name: &String| candidates(name).any(|wildcard| wildcard != *name && managed.contains(&wildcard));
    managed.iter().filter(|name| automation.names(name) || !covered(name)).cloned().collect()
}
fn listeners(server: &Server, default_port: u16) -> Result<Vec<NetworkAddress>, String> {
    let parse = |text: &String| {
        NetworkAddress::parse(text, "tcp", default_port).map_err(|why| {
            format!("loading http app module: http: invalid configuration: invalid listener address '{text}': {why}")
        })
    };
    server.listen.iter().map(parse).collect()
}
/// The values of `host` matchers of top-level routes.
fn hosts(server: &Server) -> Vec<String> {
    let sets = server.routes.iter().flat_map(|route| &route.matchers);
    let values = sets.filter_map(|set| set.get("host")?.as_array()).flatten();
    let unique: BTreeSet<String> = values.filter_map(Value::as_str).map(str::to_ascii_lowercase).collect();
    unique.into_iter().collect()
}
fn add_redirects(
    app: &mut HttpApp,
    managed: &BTreeSet<String>,
    redirects: BTreeMap<String, Vec<NetworkAddress>>,
    logs: Option<ServerLogs>,
    (http_port, https_port): (u16, u16),
) -> Result<(), String> {
    // By the address on the HTTP port: the routes that belong there.
    let mut places: BTreeMap<String, Vec<(String, u16)>> = BTreeMap::new();
    for (domain, addresses) in redirects {
        let canonical = addresses.iter().any(|address| address.start_port == https_port);
        for address in addresses {
            if canonical && address.start_port != https_port || !address.network.starts_with("tcp") {
                continue;
            }
            let place = NetworkAddress { start_port: http_port, end_port: http_port, ..address.clone() };
            let entries = places.entry(place.to_string()).or_default();
            if !entries.contains(&(domain.clone(), address.start_port)) {
                entries.push((domain.clone(), address.start_port));
            }
        }
    }
    let mut left: BTreeMap<String, Vec<(String, u16)>> = BTreeMap::new();
    for (place, entries) in places {
        let taken = app.servers.values_mut().find_map(|server| {
            let listens = listeners(server, https_port).ok()?;
            listens.iter().any(|address| same_place(&address.to_string(), &place)).then_some(server)
        });
        match taken {
            Some(server) => {
                let wanted = |(domain, _): &(String, u16)| domain.is_empty() || managed.contains(domain);
                let entries = entries.into_iter().filter(wanted).collect();
                let at = server.routes.iter().rposition(has_host).map_or(0, |last| last + 1);
                let routes = routes(entries, http_port, https_port);
                server.routes.splice(at..at, routes.specific);
                server.routes.push(routes.rest);
            }
            None => {
                left.entry(place).or_default().extend(entries);
            }
        }
    }
    if left.is_empty() {
        return Ok(());
    }
    let mut entries: Vec<(String, u16)> = left.values().flatten().cloned().collect();
    entries.sort();
    entries.dedup();
    let made = routes(entries, http_port, https_port);
    let mut all = made.specific;
    all.push(made.rest);
    let listen = left.into_keys().collect();
    app.servers.insert(REDIRECTS.into(), Server { listen, routes: all, logs, ..Server::default() });
    Ok(())
}
/// A listener on all interfaces takes the port on each of them.
fn same_place(listener: &str, place: &str) -> bool {
    let split = |text: &str| text.rsplit_once(':').map(|(host, port)| (host.to_owned(), port.to_owned()));
    match (split(listener), split(place)) {
        (Some((a, port)), Some((b, other))) => port == other && (a == b || a.is_empty() || b.is_empty()),
        _ => listener == place,
    }
}
fn has_host(route: &Route) -> bool {
    route.matchers.iter().any(|set| set.contains_key("host"))
}
struct Redirects {
    specific: Vec<Route>,
    rest: Route,
}
/// A route a port for the domains, exact names before wildcards, and one for all others.
fn routes(entries: Vec<(String, u16)>, http_port: u16, https_port: u16) -> Redirects {
    let usual = |port: u16| [http_port, https_port, 80, 443].contains(&port);
    let catch_all =
        entries.iter().find(|(domain, _)| domain.is_empty()).map_or(https_port, |(_, port)| *port);
    let mut domains: Vec<_> = entries.into_iter().filter(|(domain, _)| !domain.is_empty()).collect();
    domains
        .sort_by_key(|(domain, _)| (domain.contains('*'), std::cmp::Reverse(domain.len()), domain.clone()));
    let route = |host: Option<&str>, port: u16| {
        let port = if usual(port) { String::new() } else { format!(":{port}") };
        let location = format!("https://{{http.request.host}}{port}{{http.request.uri}}");
        let mut matcher = serde_json::Map::from_iter([("protocol".to_owned(), json!("http"))]);
        if let Some(host) = host {
            matcher.insert("host".into(), json!([host]));
        }
        let answer = json!({
            "status_code": 308,
            "headers": { "Location": [location], "Connection": ["close"] },
        });
        Route::of(Some(matcher), Module::of("static_response", &answer))
    };
    Redirects {
        specific: domains.iter().map(|(domain, port)| route(Some(domain), *port)).collect(),
        rest: route(None, catch_all),
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        storage::FileSystem,
        tls::{Issuer, IssuerContext, IssuerModule, Issuing, Request},
    };
    use std::sync::Arc;

    #[derive(Debug)]
    struct Nobody;
    impl Issuer for Nobody {
        fn key(&self) -> String {
            "nobody".into()
        }
        fn issue<'a>(&'a self, _: Request<'a>) -> Issuing<'a> {
            Box::pin(async { Err("no".to_owned().into()) })
        }
    }
    const ISSUERS: &[IssuerModule] = &[
        IssuerModule { name: "internal", build: |_, _| Ok(Arc::new(Nobody)) },
        IssuerModule { name: "acme", build: |_, _| Ok(Arc::new(Nobody)) },
    ];
    /// The app after the phase, and the managed names.
    fn applied(app: Value) -> (HttpApp, Vec<String>) {
        let cx = IssuerContext {
            storage: Arc::new(FileSystem::new("/none")),
            authorities: BTreeMap::new(),
            challenges: Arc::default(),
            dns_modules: &[],
            dns: None,
            resolvers: vec![],
            managers: &[],
            permissions: &[],
        };
        let automation = Automation::build(&Default::default(), ISSUERS, &cx, Arc::default()).unwrap();
        let mut app = serde_json::from_value(app).unwrap();
        let names = apply(&mut app, &Index::default(), &automation).unwrap();
        (app, names)
    }
    fn host(names: &[&str]) -> Value {
        json!({"match": [{"host": names}], "handle": [{"handler": "static_response"}], "terminal": true})
    }
    /// What the routes of a server redirect to, with the hosts they are for.
    fn redirects(server: &Server) -> Vec<(String, String)> {
        let shown = |route: &Route| {
            let host = route.matchers[0]
                .get("host")
                .map_or("*".to_owned(), |host| host[0].as_str().unwrap().to_owned());
            let location = route.handlers[0].fields.get("headers")?["Location"][0].as_str()?;
            Some((host, location.to_owned()))
        };
        server.routes.iter().filter_map(shown).collect()
    }
    #[test]
    fn a_site_gets_tls_a_certificate_and_a_redirect() {
        let (app, names) = applied(json!({"servers": {"srv0": {
            "listen": [":443"], "routes": [host(&["b.example.com", "*.example.com"]), host(&["c.org"])],
        }}}));
        assert_eq!(names, ["*.example.com", "c.org"], "the wildcard covers the other name");
        assert_eq!(app.servers["srv0"].tls_connection_policies.len(), 1);
        let made = &app.servers[REDIRECTS];
        assert_eq!(made.listen, [":80"]);
        let to = "https://{http.request.host}{http.request.uri}".to_owned();
        let expected =
            ["b.example.com", "c.org", "*.example.com", "*"].map(|host| (host.to_owned(), to.clone()));
        assert_eq!(redirects(made), expected);
    }
    #[test]
    fn an_unusual_port_is_kept_in_the_redirect() {
        let (app, _) = applied(json!({"http_port": 8080, "servers": {"srv0": {
            "listen": ["127.0.0.1:8443"], "routes": [host(&["localhost"])],
        }}}));
        let made = &app.servers[REDIRECTS];
        assert_eq!(made.listen, ["127.0.0.1:8080"]);
        assert_eq!(redirects(made)[0].1, "https://{http.request.host}:8443{http.request.uri}");
    }
    #[test]
    fn explicit_http_sites_come_before_the_redirects_and_catch_alls_after() {
        let (app, _) = applied(json!({"servers": {
            "srv0": {"listen": [":443"], "routes": [host(&["a.example.com"])]},
            "srv1": {"listen": [":80"], "routes": [host(&["http.example.com"]), {"handle": [{"handler": "static_response"}]}]},
        }}));
        assert!(!app.servers.contains_key(REDIRECTS));
        let shown: Vec<Value> = app.servers["srv1"].routes.iter().map(|r| json!(r.matchers)).collect();
        assert_eq!(
            shown,
            [
                json!([{"host": ["http.example.com"]}]),
                json!([{"protocol": "http", "host": ["a.example.com"]}]),
                json!([]),
                json!([{"protocol": "http"}]),
            ]
        );
    }
    #[test]
    fn what_is_switched_off_stays_off() {
        let with = |settings: Value| {
            applied(json!({"servers": {"srv0": {
                "listen": [":443"], "routes": [host(&["a.example.com"])], "automatic_https": settings,
            }}}))
        };
        let (app, names) = with(json!({"disable": true}));
        assert!(
            names.is_empty()
                && app.servers.len() == 1
                && app.servers["srv0"].tls_connection_policies.is_empty()
        );
        let (app, names) = with(json!({"disable_redirects": true}));
        assert!(names.len() == 1 && app.servers.len() == 1);
        let (app, names) = with(json!({"disable_certificates": true}));
        assert!(names.is_empty() && app.servers.len() == 2);
        let (_, names) = with(json!({"skip": ["a.example.com"]}));
        assert!(names.is_empty());
        let (app, names) =
            applied(json!({"servers": {"srv0": {"listen": [":80"], "routes": [host(&["a.example.com"])]}}}));
        assert!(
            names.is_empty()
                && app.servers.len() == 1
                && app.servers["srv0"].tls_connection_policies.is_empty()
        );
    }
}
