//! What a configuration asks for, built and checked, before any of it is in force. `validate` ends here.
use super::{
    access::AccessLog,
    address::Address,
    headers::Expected,
    listen::KeepAlive,
    meter,
    site::{Limits, Protocols, Security, Served, Site, keep_alive},
    trace,
    wrap::Wrappers,
};
use crate::{
    config,
    http::{self, Background, Modules},
    logging::Logs,
    metrics::HttpMetrics,
    state::State,
    tls::{Tls, TlsModules},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

/// What servers are built from, besides their configuration.
pub struct Parts {
    pub modules: &'static Modules,
    pub tls: &'static TlsModules,
    pub state: Arc<State>,
    pub logs: Arc<Logs>,
}
/// All servers of a configuration, ready to be bound.
pub struct Plan {
    /// Certificates, and what stands in the way of some.
    pub tls: Arc<Tls>,
    /// What counts requests, if the configuration asks for it.
    pub metrics: Option<Arc<HttpMetrics>>,
    pub(super) places: Vec<Planned>,
    pub(super) background: Vec<Background>,
    /// What is said once it is in force.
    pub(super) running: Vec<Running>,
    /// The local authority's root is not to be installed in this machine's trust store.
    pub(super) leaves_trust_alone: bool,
    /// How long a stop waits for requests; `None` waits for ever.
    pub(super) grace: Option<Duration>,
    pub(super) delay: Duration,
    pub(super) shutdown: Arc<OnceLock<Instant>>,
}
pub(super) struct Planned {
    pub(super) served: Served,
    pub(super) keep: KeepAlive,
}
/// A server's name and protocols.
pub(super) struct Running {
    pub(super) name: String,
    pub(super) protocols: Vec<String>,
}
const HTTP_PORT: u16 = 80;
const PROTOCOLS: [&str; 3] = ["h1", "h2", "h3"];

impl Plan {
    /// Builds everything that `config` names and touches no network.
    ///
    /// # Errors
    /// What does not build, with Caddy's path to it.
    pub fn build(config: &config::Config, parts: &Parts) -> Result<Self, String> {
        let mut app: config::HttpApp = match config.apps.get("http") {
            Some(app) => {
                crate::config::decode(app.clone()).map_err(|e| format!("loading http app module: {e}"))?
            }
            None => config::HttpApp::default(),
        };
        if app.metrics.as_ref().is_some_and(|metrics| metrics.otlp) {
            return Err("loading http app module: provision http: metrics.otlp is not supported yet".into());
        }
        let tls = Arc::new(Tls::build(config, &mut app, parts.tls, &parts.state)?);
        let maintain: Background = Box::pin(tls.clone().maintain());
        let mut plan = Self {
            tls,
            metrics: HttpMetrics::build(&app),
            places: vec![],
            background: vec![maintain],
            running: vec![],
            leaves_trust_alone: leaves_trust_alone(config),
            grace: app.grace_period.some(),
            delay: app.shutdown_delay.std(),
            shutdown: parts.state.get_or("server.shutdown", OnceLock::new),
        };
        let mut claimed = BTreeMap::new();
        for (name, server) in &app.servers {
            let added = plan.add(name, server, &app, parts, &mut claimed);
            added.map_err(|why| format!("loading http app module: provision http: server {name}: {why}"))?;
        }
        Ok(plan)
    }
    fn add(
        &mut self,
        name: &str,
        server: &config::Server,
        app: &config::HttpApp,
        parts: &Parts,
        claimed: &mut BTreeMap<Address, String>,
    ) -> Result<(), String> {
        refuse_unsupported(server)?;
        let Parts { modules, state, logs, .. } = parts;
        let traced = server.logs.as_ref().is_some_and(|logs| logs.trace);
        let tracer = traced.then(|| trace::tracer(logs));
        let compiled = http::build_traced(server.clone(), modules, state.clone(), tracer);
        let mut compiled = compiled.map_err(|e| e.to_string())?;
        if let Some(metrics) = self.metrics.as_ref().and_then(|metrics| metrics.server(name)) {
            meter::install(&mut compiled.server, &metrics);
        }
        self.background.extend(compiled.background);
        let site = Arc::new(Site {
            tree: compiled.server,
            challenges: self.tls.challenges().clone(),
            limits: Limits::of(server),
            paced: compiled.paced,
            log: AccessLog::new(server, logs.clone()),
            wrappers: Wrappers::build(&server.listener_wrappers)?,
            expected: Expected::new(server)?,
            shutdown: self.shutdown.clone(),
        });
        compiled.own.set(&site);
        let mut spoken = vec![];
        for (i, text) in server.listen.iter().enumerate() {
            let own = server.listen_protocols.get(i).and_then(Option::as_deref);
            let names = match own.unwrap_or(&server.protocols) {
                [] => PROTOCOLS.map(str::to_owned).to_vec(),
                names => names.to_vec(),
            };
            let protocols = Protocols::named(&names)?;
            spoken.extend(names);
            let invalid =
                |why: String| format!("loading http app module: http: invalid configuration: {why}");
            let parsed = Address::parse(text, HTTP_PORT)
                .map_err(|why| invalid(format!("invalid listener address '{text}': {why}")))?;
            for address in parsed {
                if let Some(by) = claimed.insert(address.clone(), name.into()) {
                    return Err(invalid(format!(
                        "server {name}: listener address repeated: {address} (already claimed by server '{by}')"
                    )));
                }
                let plain = address.port() == Some(app.http_port());
                let security = match &*server.tls_connection_policies {
                    [] => None,
                    _ if plain => None,
                    policies => Some(Arc::new(Security {
                        policies: self.tls.server(policies, &protocols.alpn())?,
                        source: policies.to_vec(),
                    })),
                };
                let served = Served { address, site: site.clone(), protocols, security };
                self.places.push(Planned { served, keep: keep_alive(server) });
            }
        }
        spoken.sort();
        spoken.dedup();
        self.running.push(Running { name: name.into(), protocols: spoken });
        Ok(())
    }
}
fn leaves_trust_alone(config: &config::Config) -> bool {
    let local = || config.apps.get("pki")?.get("certificate_authorities")?.get("local")?.get("install_trust");
    local() == Some(&serde_json::Value::Bool(false))
}
/// What is known but cannot be done yet.
fn refuse_unsupported(server: &config::Server) -> Result<(), String> {
    let not_yet = [("packet_conn_wrappers", !server.packet_conn_wrappers.is_empty())];
    match not_yet.iter().find(|(_, used)| *used) {
        Some((field, _)) => Err(format!("{field} is not supported yet")),
        None => Ok(()),
    }
}
impl Protocols {
    fn named(names: &[String]) -> Result<Self, String> {
        let mut protocols = Self { h1: false, h2: false, h2c: false, h3: false };
        for name in names {
            match name.as_str() {
                "h1" => protocols.h1 = true,
                "h2" => protocols.h2 = true,
                "h2c" => protocols.h2c = true,
                "h3" => protocols.h3 = true,
                other => return Err(format!("unrecognized protocol name: {other}")),
            }
        }
        Ok(protocols)
    }
    /// What is offered in a TLS handshake.
    fn alpn(self) -> Vec<&'static str> {
        let all = [("h2", self.h2), ("http/1.1", self.h1)];
        all.iter().filter(|(_, spoken)| *spoken).map(|(name, _)| *name).collect()
    }
}
