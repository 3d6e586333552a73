//! The whole configuration, put together.
use super::{
    CustomLog, Cx, Options, automation,
    pairing::{Pairing, pair},
    servers::{NamedRoutes, servers},
    site::Site,
};
use crate::config::{Authority, HttpApp, Log, Logging, Metrics, PkiApp, Server, TlsApp};
use grammar::Error;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const DEFAULT_LOG: &str = "default";

/// Makes Caddy's configuration of what has been read.
///
/// # Errors
/// What only shows when all sites are seen together.
pub(super) fn assemble(sites: &[Site], named: &NamedRoutes, cx: &mut Cx<'_>) -> Result<Value, Vec<Error>> {
    let mut pairings = pair(sites, &cx.options)?;
    let one = |error| vec![error];
    let servers = servers(&mut pairings, named, cx).map_err(one)?;
    let options = &cx.options;
    let tls = automation::tls_app(&pairings, options).map_err(one)?;
    let pki = pki(&pairings, options);

    let mut apps: BTreeMap<String, Value> = options.apps.clone().into_iter().collect();
    if !servers.is_empty() {
        apps.insert("http".to_owned(), http(servers, options).into_value());
    }
    if tls != TlsApp::default() {
        apps.insert("tls".to_owned(), json!(tls));
    }
    if pki != PkiApp::default() {
        apps.insert("pki".to_owned(), json!(pki));
    }
    for (name, app) in [("events", &options.events), ("caddy.filesystems", &options.filesystems)] {
        if let Some(app) = app {
            apps.insert(name.to_owned(), app.clone());
        }
    }
    let parts = [
        ("admin", admin(options)),
        ("logging", logging(&pairings, options).map(|logging| json!(logging))),
        ("storage", options.storage.clone()),
        ("apps", (!apps.is_empty()).then(|| Value::Object(apps.into_iter().collect()))),
    ];
    let config = parts.into_iter().filter_map(|(name, part)| Some((name.to_owned(), part?)));
    Ok(Value::Object(config.collect()))
}
fn http(mut servers: BTreeMap<String, Server>, options: &Options) -> HttpApp {
    let mut metrics = options.metrics.clone();
    for own in servers.values_mut().filter_map(|server| server.metrics.take()) {
        let per_host = own.per_host || metrics.unwrap_or_default().per_host;
        metrics = Some(Metrics { per_host, ..Metrics::default() });
    }
    HttpApp {
        http_port: options.http_port.filter(|port| *port != 0),
        https_port: options.https_port.filter(|port| *port != 0),
        grace_period: options.grace_period.unwrap_or_default(),
        shutdown_delay: options.shutdown_delay.unwrap_or_default(),
        servers,
        metrics,
    }
}
fn admin(options: &Options) -> Option<Value> {
    let mut admin = options.admin.clone();
    if options.persist_config_off {
        let object = admin.get_or_insert_with(|| json!({}));
        if let Value::Object(object) = object {
            object.insert("config".to_owned(), json!({ "persist": false }));
        }
    }
    admin
}
/// The authorities of the global options, those that directives want, and those whose root is not to be installed.
fn pki(pairings: &[Pairing<'_>], options: &Options) -> PkiApp {
    let mut authorities = options.authorities.clone().unwrap_or_default();
    let sites = || pairings.iter().flat_map(|pairing| &pairing.sites).map(|served| served.site);
    for id in sites().flat_map(|site| &site.authorities) {
        authorities.entry(id.clone()).or_default();
    }
    if options.skip_install_trust {
        let off = options.auto_https.iter().any(|option| option == "off");
        if authorities.is_empty() && !off {
            authorities.insert("local".to_owned(), Authority::default());
        }
        for issuer in sites().flat_map(|site| &site.tls).flat_map(|tls| &tls.issuers) {
            if issuer.get("module").is_some_and(|module| module == "internal") {
                let id = issuer.get("ca").and_then(Value::as_str).unwrap_or("local");
                authorities.entry(id.to_owned()).or_default();
            }
        }
        for authority in authorities.values_mut() {
            authority.install_trust = Some(false);
        }
    }
    PkiApp { certificate_authorities: authorities }
}
/// The logs of the global options and of the sites. What a named log takes, the default log no longer does.
fn logging(pairings: &[Pairing<'_>], options: &Options) -> Option<Logging> {
    let level = |log: &Log| {
        let mut log = log.clone();
        if options.debug && log.level.is_empty() {
            log.level = "DEBUG".to_owned();
        }
        log
    };
    // What says nothing makes no log; it still keeps `debug` from making the default one.
    let speaking = |log: &&CustomLog| log.log != Log::default();
    let named = |log: &CustomLog| Some((log.name.clone()?, level(&log.log)));
    let global: Vec<(String, Log)> = options.logs.iter().filter(speaking).filter_map(named).collect();
    let sites = pairings.iter().flat_map(|pairing| &pairing.sites).flat_map(|served| &served.site.logs);
    let sites = sites.filter(speaking).filter_map(named);
    let mut logs: BTreeMap<String, Log> = BTreeMap::new();
    let own = global.iter().find(|(name, _)| name == DEFAULT_LOG);
    if let Some((name, log)) = own {
        logs.insert(name.clone(), log.clone());
    } else if options.debug && !options.logs.iter().any(|log| log.name.as_deref() == Some(DEFAULT_LOG)) {
        logs.insert(DEFAULT_LOG.to_owned(), level(&Log::default()));
    }
    let mut taken = vec![];
    for (name, log) in global.iter().cloned().chain(sites).filter(|(name, _)| name != DEFAULT_LOG) {
        taken.extend(log.include.iter().cloned());
        logs.insert(name, log);
    }
    if !taken.is_empty() {
        let default = logs.entry(DEFAULT_LOG.to_owned()).or_default();
        default.exclude.append(&mut taken);
        default.exclude.sort();
        default.exclude.dedup();
    }
    (!logs.is_empty()).then_some(Logging { sink: None, logs })
}
