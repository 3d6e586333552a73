//! The `tls` and `pki` apps of a configuration, built: what servers ask for their handshakes.
use super::{
    Authority, AuthoritySettings, Automation, Certificate, Challenges, DnsModule, Index, IssuerContext,
    IssuerModule, ManagerModule, OnDemand, PermissionModule, Policies, Shared, auto_https,
    client_auth::Sources,
    folders::{self, Folders},
    report::Served,
    tickets::Tickets,
};
use crate::{
    config::{Config, ConnectionPolicy, Duration, HttpApp, LoadFile, TlsApp},
    state::State,
    storage::{FileSystem, HostFolders, Storage, data_dir},
};
use arc_swap::ArcSwap;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, fs, io, path::Path, sync::Arc};

/// Built from a configuration; [`Tls::server`] gives each server its policies.
pub struct Tls {
    shared: Shared,
    folders: Folders,
    served: Arc<Served>,
    /// Until the next configuration has found it.
    _kept: Arc<Kept>,
    automation: Arc<Automation>,
    /// Names that are to have certificates.
    names: Vec<String>,
    /// The local authorities, by id.
    pub authorities: BTreeMap<String, Arc<Authority>>,
    pub storage: Arc<dyn Storage>,
    /// Certificates that cannot be used. Who validates refuses them; who starts serves the other sites.
    pub problems: Vec<String>,
}
/// The parts of the table that the app is built from.
pub struct TlsModules {
    pub issuers: &'static [IssuerModule],
    pub dns: &'static [DnsModule],
    pub managers: &'static [ManagerModule],
    pub permissions: &'static [PermissionModule],
}
/// What outlives configurations.
struct Kept {
    managed: Arc<ArcSwap<Index>>,
    challenges: Arc<Challenges>,
    tickets: Arc<Tickets>,
}
/// One of `apps.pki.certificate_authorities`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct AuthorityConfig {
    name: Option<String>,
    root_common_name: Option<String>,
    intermediate_common_name: Option<String>,
    intermediate_lifetime: Duration,
    #[serde(rename = "install_trust")]
    _install_trust: Option<bool>,
    root: Option<Value>,
    intermediate: Option<Value>,
    maintenance_interval: Option<Value>,
    renewal_window_ratio: Option<Value>,
    storage: Option<Value>,
}
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Pki {
    certificate_authorities: BTreeMap<String, AuthorityConfig>,
}
impl Tls {
    /// Builds both apps, and applies automatic HTTPS to `http`. Reads files; writes none and asks no one.
    ///
    /// # Errors
    /// What a configuration gets wrong; a certificate that cannot be used is only one of the [`problems`](Self::problems).
    pub fn build(
        config: &Config,
        http: &mut HttpApp,
        modules: &TlsModules,
        state: &State,
    ) -> Result<Self, String> {
        let app: TlsApp = read(config, "tls")?;
        for (set, what) in [
            (app.session_tickets.is_some(), "session_tickets"),
            (app.encrypted_client_hello.is_some(), "encrypted_client_hello"),
        ] {
            if set {
                return Err(format!("loading tls app module: {what} is not supported yet"));
            }
        }
        let storage = storage(config.storage.as_ref())?;
        let authorities = authorities(read(config, "pki")?, &storage)?;
        let mut problems = vec![];
        let (folders, automate) = load(&app.certificates, &mut problems)?;
        let loaded = folders.load(&mut problems);
        let kept = state.get_or("tls", || Kept {
            managed: Arc::default(),
            challenges: Arc::default(),
            tickets: Arc::default(),
        });
        let cx = IssuerContext {
            storage: storage.clone(),
            authorities: authorities.clone(),
            challenges: kept.challenges.clone(),
            dns_modules: modules.dns,
            dns: app.dns.clone(),
            resolvers: app.resolvers.clone(),
            managers: modules.managers,
            permissions: modules.permissions,
        };
        let automation = Automation::build(&app, modules.issuers, &cx, kept.managed.clone())
            .map_err(|why| format!("loading tls app module: {why}"))?;
        let mut names = auto_https::apply(http, &loaded, &automation)?;
        names.extend(automate);
        names.sort();
        names.dedup();
        let (loaded, automation) = (Arc::new(ArcSwap::from_pointee(loaded)), Arc::new(automation));
        let on_demand = OnDemand::new(automation.clone(), loaded.clone(), kept.managed.clone());
        let shared = Shared {
            on_demand: Some(Arc::new(on_demand)),
            sources: Sources { storage: storage.clone(), authorities: authorities.clone() },
            loaded,
            managed: kept.managed.clone(),
            tickets: kept.tickets.clone(),
            challenges: kept.challenges.clone(),
        };
        let served = Served::of(state);
        Ok(Self { shared, folders, served, _kept: kept, automation, names, authorities, storage, problems })
    }
    /// The connection policies of a server, which offers `alpn` unless they say otherwise.
    ///
    /// # Errors
    /// A policy asks for what cannot be had.
    pub fn server(&self, policies: &[ConnectionPolicy], alpn: &[&str]) -> Result<Policies, String> {
        Policies::build(policies, alpn, &self.shared)
    }
    /// Obtains and renews what the configuration asks for, for as long as it is polled.
    pub async fn maintain(self: Arc<Self>) {
        if !self.names.is_empty() {
            tracing::info!(
                target: "http", domains = ?self.names, "enabling automatic TLS certificate management"
            );
        }
        self.served.replace(vec![self.shared.loaded.clone(), self.shared.managed.clone()]);
        let tickets = self.shared.tickets.clone();
        // In the meantime the first handshake may do it.
        let _prepared = tokio::task::spawn_blocking(move || _ = tickets.prepare());
        let folders = folders::watch(&self.folders, &self.shared.loaded, folders::PERIOD);
        tokio::join!(self.automation.clone().maintain(self.names.clone()), folders);
    }
    /// The names that are to have certificates.
    pub fn names(&self) -> &[String] {
        &self.names
    }
    /// What servers answer authorities, before any routing.
    pub fn challenges(&self) -> &Arc<Challenges> {
        &self.shared.challenges
    }
    pub fn automation(&self) -> &Automation {
        &self.automation
    }
}
fn read<T: DeserializeOwned + Default>(config: &Config, name: &str) -> Result<T, String> {
    let found = config.apps.get(name).map(|app| crate::config::decode(app.clone()));
    Ok(found.transpose().map_err(|error| format!("loading {name} app module: {error}"))?.unwrap_or_default())
}
/// The storage that a configuration asks for; Caddy's folder for data by default.
///
/// # Errors
/// In Caddy's words.
pub fn storage(config: Option<&Value>) -> Result<Arc<dyn Storage>, String> {
    #[derive(Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct StorageConfig {
        module: String,
        root: String,
    }
    let Some(config) = config else { return Ok(Arc::new(FileSystem::new(data_dir()))) };
    let config =
        StorageConfig::deserialize(config).map_err(|error| format!("loading storage module: {error}"))?;
    match config.module.as_str() {
        "file_system" if config.root.is_empty() => Ok(Arc::new(FileSystem::new(data_dir()))),
        "file_system" => Ok(Arc::new(FileSystem::new(config.root))),
        "host_folders" if config.root.is_empty() => {
            Err("loading storage module: host_folders: no root".into())
        }
        "host_folders" => Ok(Arc::new(HostFolders::new(config.root))),
        other => Err(format!("loading storage module: caddy.storage.{other} is not supported yet")),
    }
}
fn authorities(pki: Pki, storage: &Arc<dyn Storage>) -> Result<BTreeMap<String, Arc<Authority>>, String> {
    let mut configs = pki.certificate_authorities;
    configs.entry("local".into()).or_default();
    let build = |(id, config): (String, AuthorityConfig)| {
        for (set, what) in [
            (config.root.is_some(), "root"),
            (config.intermediate.is_some(), "intermediate"),
            (config.maintenance_interval.is_some(), "maintenance_interval"),
            (config.renewal_window_ratio.is_some(), "renewal_window_ratio"),
            (config.storage.is_some(), "storage"),
        ] {
            if set {
                return Err(format!("loading pki app module: authority {id}: {what} is not supported yet"));
            }
        }
        let default = AuthoritySettings::default();
        let settings = AuthoritySettings {
            name: config.name.unwrap_or(default.name),
            root_common_name: config.root_common_name,
            intermediate_common_name: config.intermediate_common_name,
            intermediate_lifetime: config
                .intermediate_lifetime
                .some()
                .unwrap_or(default.intermediate_lifetime),
        };
        let authority = Authority::new(&id, settings, storage.clone());
        Ok((id, Arc::new(authority)))
    };
    configs.into_iter().map(build).collect()
}
/// `apps.tls.certificates`: what is loaded, and the names that are to be obtained.
fn load(loaders: &Map<String, Value>, problems: &mut Vec<String>) -> Result<(Folders, Vec<String>), String> {
    let (mut index, mut roots, mut automate) = (Index::default(), vec![], vec![]);
    let mut add = |what: &str, loaded: Result<Certificate, String>| match loaded {
        Ok(certificate) => index.insert(Arc::new(certificate)),
        Err(why) => problems.push(format!("loading certificates: {what}: {why}")),
    };
    for (name, value) in loaders {
        let wrong =
            |error: serde_json::Error| format!("loading tls app module: certificates: {name}: {error}");
        match name.as_str() {
            "automate" => automate = Vec::deserialize(value).map_err(wrong)?,
            "load_files" => {
                for file in Vec::<LoadFile>::deserialize(value).map_err(wrong)? {
                    add(&file.certificate, from_files(&file));
                }
            }
            "load_folders" => {
                for folder in Vec::<String>::deserialize(value).map_err(wrong)? {
                    for file in pem_files(Path::new(&folder)).unwrap_or_default() {
                        let read = fs::read(&file).map_err(|error| error.to_string());
                        add(&file, read.and_then(|pem| Certificate::from_pem(&pem, &pem, vec![])));
                    }
                }
            }
            // Not in Caddy: see `folders`.
            "load_host_folders" => {
                let found = Vec::<String>::deserialize(value).map_err(wrong)?;
                roots.extend(found.into_iter().map(HostFolders::new));
            }
            "load_pem" => {
                for pem in Vec::<LoadFile>::deserialize(value).map_err(wrong)? {
                    let (chain, key) = (pem.certificate.as_bytes(), pem.key.as_bytes());
                    add("load_pem", Certificate::from_pem(chain, key, pem.tags.clone()));
                }
            }
            other => {
                return Err(format!("loading tls app module: certificates: {other} is not supported yet"));
            }
        }
    }
    Ok((Folders::new(roots, index), automate))
}
fn from_files(file: &LoadFile) -> Result<Certificate, String> {
    let read = |path: &str| fs::read(path).map_err(|error| format!("{path}: {error}"));
    Certificate::from_pem(&read(&file.certificate)?, &read(&file.key)?, file.tags.clone())
}
/// All `.pem` files of a folder and those below it, in order.
pub(super) fn pem_files(folder: &Path) -> io::Result<Vec<String>> {
    let mut found = vec![];
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(pem_files(&path)?);
        } else if path.extension().is_some_and(|ending| ending == "pem") {
            found.push(path.display().to_string());
        }
    }
    found.sort();
    Ok(found)
}
