//! What a configuration asks for, built and checked, before any of it is in force. `validate` ends here.
use super::{
    address::Address,
    listen::KeepAlive,
    site::{Limits, Protocols, Served, Site, keep_alive},
};
use crate::{
    config,
    http::{self, Background, Modules},
    state::State,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// All servers of a configuration, ready to be bound.
pub struct Plan {
    pub(super) places: Vec<Planned>,
    pub(super) background: Vec<Background>,
    /// How long a stop waits for requests; `None` waits for ever.
    pub(super) grace: Option<Duration>,
    pub(super) delay: Duration,
}
pub(super) struct Planned {
    pub(super) served: Served,
    pub(super) keep: KeepAlive,
}
const HTTP_PORT: u16 = 80;

impl Plan {
    /// Builds everything that `config` names and touches no network.
    ///
    /// # Errors
    /// What does not build, with Caddy's path to it.
    pub fn build(
        config: &config::Config,
        modules: &'static Modules,
        state: &Arc<State>,
    ) -> Result<Self, String> {
        let app: config::HttpApp = match config.apps.get("http") {
            Some(app) => {
                serde_json::from_value(app.clone()).map_err(|e| format!("loading http app module: {e}"))?
            }
            None => config::HttpApp::default(),
        };
        let mut plan = Self {
            places: vec![],
            background: vec![],
            grace: app.grace_period.some(),
            delay: app.shutdown_delay.std(),
        };
        let mut claimed = BTreeMap::new();
        for (name, server) in &app.servers {
            let added = plan.add(name, server, modules, state, &mut claimed);
            added.map_err(|why| format!("loading http app module: provision http: server {name}: {why}"))?;
        }
        Ok(plan)
    }
    fn add(
        &mut self,
        name: &str,
        server: &config::Server,
        modules: &'static Modules,
        state: &Arc<State>,
        claimed: &mut BTreeMap<Address, String>,
    ) -> Result<(), String> {
        let compiled = http::build(server.clone(), modules, state.clone()).map_err(|e| e.to_string())?;
        self.background.extend(compiled.background);
        let site = Arc::new(Site { name: name.into(), tree: compiled.server, limits: Limits::of(server) });
        for (i, text) in server.listen.iter().enumerate() {
            let own = server.listen_protocols.get(i).and_then(Option::as_deref);
            let protocols = Protocols::named(own.unwrap_or(&server.protocols))?;
            for address in Address::parse(text, HTTP_PORT)? {
                if let Some(by) = claimed.insert(address.clone(), name.into()) {
                    return Err(format!(
                        "listener address repeated: {address} (already claimed by server '{by}')"
                    ));
                }
                let served = Served { address, site: site.clone(), protocols };
                self.places.push(Planned { served, keep: keep_alive(server) });
            }
        }
        Ok(())
    }
}
impl Protocols {
    fn named(names: &[String]) -> Result<Self, String> {
        let mut protocols = Self { h1: false, h2: false, h2c: false };
        if names.is_empty() {
            return Ok(Self { h1: true, h2: true, h2c: false });
        }
        for name in names {
            match name.as_str() {
                "h1" => protocols.h1 = true,
                "h2" => protocols.h2 = true,
                "h2c" => protocols.h2c = true,
                "h3" => {}
                other => return Err(format!("unrecognized protocol name: {other}")),
            }
        }
        Ok(protocols)
    }
}
