//! One running process: the configuration in force, and how another takes its place.
use super::{
    Refused, autosave,
    build::{decode, plan},
    endpoint::{Endpoint, Prepared},
    json,
    loader::Loader,
    settings::Settings,
    systemd,
    tree::{self, ROOT},
};
use crate::{
    config::{Config, compact},
    logging::{Logs, ToLogs},
    metrics,
    server::App,
    state::State,
    table,
    tls::Tls,
};
use http::{Method, StatusCode};
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{Mutex as AsyncMutex, Notify, oneshot};
use xxhash_rust::xxh64::xxh64;

/// Lives as long as the process.
pub struct Instance {
    pub(super) state: Arc<State>,
    pub(super) logs: ToLogs,
    pub(super) metrics: Arc<metrics::Process>,
    /// Of requests, under the configuration in force.
    request_metrics: Arc<metrics::Current>,
    app: App,
    /// Locked for the length of a change, so that two of them queue.
    current: AsyncMutex<Current>,
    /// Where the configuration in force comes from, as long as nobody has changed it since.
    source: Mutex<Option<Source>>,
    /// `/stop` was asked for.
    stop: Notify,
}
/// The file a configuration was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub file: String,
    /// Empty for JSON.
    pub adapter: String,
}
#[derive(Default)]
struct Current {
    /// The configuration, under its key: `null` before there is one, and none at all once it has been deleted.
    root: Map<String, Value>,
    /// The same as text; `None` before there is one.
    text: Option<String>,
    /// Where each `@id` is.
    ids: BTreeMap<String, String>,
    endpoint: Option<Endpoint>,
    tls: Option<Arc<Tls>>,
    /// Ends the loading of the next one when it goes.
    loading: Option<oneshot::Sender<()>>,
}
/// Whether a change has changed anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Changed {
    Yes,
    No,
}
/// A change of the configuration, as the API is asked for it.
pub(super) struct Change<'a> {
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    /// JSON; empty for none.
    pub(super) body: &'a [u8],
    /// `If-Match`.
    pub(super) only_if: Option<&'a str>,
    /// Even if nothing changes.
    pub(super) force: bool,
}
impl Instance {
    /// A process that serves nothing yet.
    ///
    /// # Errors
    /// The system has no threads to give.
    pub fn new(state: Arc<State>, logs: ToLogs) -> io::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            metrics: metrics::Process::of(&state),
            request_metrics: metrics::Current::of(&state),
            state,
            logs,
            app: App::new()?,
            current: AsyncMutex::new(Current {
                root: Map::from_iter([(ROOT.to_owned(), Value::Null)]),
                ..Current::default()
            }),
            source: Mutex::default(),
            stop: Notify::new(),
        }))
    }
    /// Puts `json` in force. One that is in force already is left as it is, unless `force` says otherwise.
    ///
    /// # Errors
    /// It does not build or cannot start: then the earlier one goes on.
    pub async fn load(self: &Arc<Self>, json: &[u8], force: bool) -> Result<(), Refused> {
        systemd::reloading();
        let changed = self.replace(json, force).await;
        if let Err(refused) = &changed {
            systemd::failed(&refused.message);
        }
        systemd::ready();
        changed.map(drop)
    }
    /// As [`Self::load`], but for what the configuration in force has asked for itself: the service manager is not told.
    ///
    /// # Errors
    /// As there.
    pub(super) async fn take_over(self: &Arc<Self>, json: &[u8]) -> Result<Changed, Refused> {
        self.replace(json, false).await
    }
    async fn replace(self: &Arc<Self>, json: &[u8], force: bool) -> Result<Changed, Refused> {
        let path = format!("/{ROOT}");
        self.change(&Change { method: &Method::POST, path: &path, body: json, only_if: None, force }).await
    }
    /// Changes the configuration in force.
    ///
    /// # Errors
    /// As [`Self::load`]; or the change does not fit what is there.
    pub(super) async fn change(self: &Arc<Self>, change: &Change<'_>) -> Result<Changed, Refused> {
        let mut current = self.current.lock().await;
        if let Some(wanted) = change.only_if {
            check_tag(&current.root, wanted)?;
        }
        let body = match change.body {
            [] => None,
            body => Some(json::parse(body).map_err(|why| {
                let (message, offset) = (why.message, why.offset);
                Refused::internal(format!("decoding request body: {message}, at offset {offset}"))
            })?),
        };
        let mut root = current.root.clone();
        tree::write(&mut root, change.method, change.path, body)?;
        root.values_mut().for_each(json::normalize);
        let config = root.get(ROOT).cloned().unwrap_or_default();
        let text = compact(&config);
        if !change.force && current.text.as_ref() == Some(&text) {
            tracing::info!(target: "", "config is unchanged");
            current.root = root;
            return Ok(Changed::No);
        }
        let ids = tree::ids(&config).map_err(|why| Refused::bad(format!("indexing config: {why}")))?;
        let applied = self.apply(&config, &text, &mut current).await;
        self.metrics.reloaded(applied.is_ok());
        if applied.is_err() && current.text.is_some() {
            // Caddy puts back what is in force, and so also the key of what was deleted.
            current.root.entry(ROOT).or_insert(Value::Null);
        }
        applied.map_err(|why| Refused::internal(format!("loading new config: {why}")))?;
        (current.root, current.text, current.ids) = (root, Some(text), ids);
        Ok(Changed::Yes)
    }
    async fn apply(self: &Arc<Self>, json: &Value, text: &str, current: &mut Current) -> Result<(), String> {
        let config = decode(json)?;
        let logs = Arc::new(Logs::build(config.logging.as_ref(), table::ENCODERS, &self.state)?);
        // Connecting takes its time.
        let connected = tokio::task::spawn_blocking({
            let logs = logs.clone();
            move || logs.prepare()
        });
        connected.await.map_err(|error| error.to_string()).flatten()?;
        let earlier = self.logs.logs();
        note_redirection(&earlier, &logs);
        self.logs.replace(logs.clone());
        self.logs.release();
        let settings = match self.start(&config, logs, current).await {
            Ok(settings) => settings,
            Err(why) => {
                self.logs.replace(earlier);
                return Err(why);
            }
        };
        if !json.is_null() && settings.persist() {
            autosave::save(text);
        }
        Ok(())
    }
    async fn start(
        self: &Arc<Self>,
        config: &Config,
        logs: Arc<Logs>,
        current: &mut Current,
    ) -> Result<Settings, String> {
        let settings = Settings::read(config.admin.as_ref())?;
        let prepared = Prepared::new(&settings, current.endpoint.as_ref())
            .map_err(|why| format!("starting caddy administration endpoint: {why}"))?;
        let next = match settings.loader()? {
            Some(loader) => Some((loader.at_once().await?, loader)),
            None => None,
        };
        let plan = plan(config, &self.state, logs)?;
        let (tls, metrics) = (plan.tls.clone(), plan.metrics.clone());
        // Before the first request can ask for them.
        let earlier = self.request_metrics.replace(metrics);
        if let Err(why) = self.app.reload(plan).await {
            self.request_metrics.replace(earlier);
            return Err(format!("http app module: start: {why}"));
        }
        current.tls = Some(tls);
        prepared.commit(self, &mut current.endpoint);
        current.loading = next.map(|(loaded, loader): (_, Loader)| loader.follow(self.clone(), loaded));
        Ok(settings)
    }
    /// What stands at `path` of the configuration, as text with a line's end.
    ///
    /// # Errors
    /// There is no way there.
    pub(super) async fn read(&self, path: &str) -> Result<String, Refused> {
        text_at(&self.current.lock().await.root, path)
    }
    /// Where the object of that `@id` is.
    pub(super) async fn find(&self, id: &str) -> Option<String> {
        self.current.lock().await.ids.get(id).cloned()
    }
    /// Where the servers listen, as the system knows it.
    pub async fn listening(&self) -> Vec<String> {
        self.app.listening().await
    }
    /// Certificates and authorities of the configuration in force.
    pub(super) async fn tls(&self) -> Option<Arc<Tls>> {
        self.current.lock().await.tls.clone()
    }
    /// Where the configuration in force comes from; `None` if it is not known, or no longer.
    pub fn source(&self) -> Option<Source> {
        self.source_lock().clone()
    }
    /// Remembers where the configuration comes from.
    pub fn set_source(&self, source: Source) {
        *self.source_lock() = Some(source);
    }
    /// The configuration was changed by someone who says it comes from `source`: what is known stays true only if that
    /// is the same file.
    pub(super) fn keep_source_if(&self, source: &Source) {
        let mut known = self.source_lock();
        let same = |known: &Source| {
            let file = |name: &str| std::path::absolute(name).unwrap_or_else(|_| name.into());
            known == source || (known.adapter == source.adapter && file(&known.file) == file(&source.file))
        };
        if !known.as_ref().is_some_and(same) {
            *known = None;
        }
    }
    fn source_lock(&self) -> MutexGuard<'_, Option<Source>> {
        self.source.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub(super) fn ask_to_stop(&self) {
        self.stop.notify_one();
    }
    /// Waits until the API is asked to stop the process.
    pub async fn stop_asked(&self) {
        self.stop.notified().await;
    }
    /// Stops serving. Whether all requests ended in time.
    pub async fn stop(&self) -> bool {
        systemd::stopping();
        self.app.stop().await
    }
    /// Closes the API, once what it is answering is answered.
    pub async fn close_endpoint(&self) {
        if let Some(endpoint) = self.current.lock().await.endpoint.take() {
            endpoint.close().await;
        }
    }
}
fn text_at(root: &Map<String, Value>, path: &str) -> Result<String, Refused> {
    let mut with_key = root.clone();
    with_key.entry(ROOT).or_insert(Value::Null);
    Ok(compact(&tree::read(&with_key, path)?) + "\n")
}
/// The entity tag of what stands at `path`.
pub(super) fn tag(path: &str, text: &str) -> String {
    format!("\"{path} {:x}\"", Hex(xxh64(text.as_bytes(), 0)))
}
/// Go prints eight bytes, each with its leading zero.
struct Hex(u64);
impl std::fmt::LowerHex for Hex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
fn check_tag(root: &Map<String, Value>, wanted: &str) -> Result<(), Refused> {
    let inner = wanted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let inner = inner.ok_or_else(|| Refused::bad("malformed If-Match header; expect quoted string"))?;
    let parts: Vec<&str> = inner.split_whitespace().collect();
    let [path, hash] = parts[..] else {
        return Err(Refused::bad("malformed If-Match header; expect format \"<path> <hash>\""));
    };
    let text = text_at(root, path)?;
    if format!("{:x}", Hex(xxh64(text.as_bytes(), 0))) == hash {
        return Ok(());
    }
    let message = "If-Match header did not match current config hash";
    Err(Refused::new(StatusCode::PRECONDITION_FAILED, message))
}
/// Says in the old place where the log goes on.
fn note_redirection(earlier: &Logs, logs: &Logs) {
    let (from, to) = (earlier.default_sink(), logs.default_sink());
    if from != to {
        tracing::info!(target: "", from, to, "redirected default logger");
    }
}
