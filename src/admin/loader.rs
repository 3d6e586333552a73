//! `admin.config.load`: a configuration that says where to get the next one. JSON only, Caddy's module
//! `caddy.config_loaders.http`:
//!
//! ```json
//! {"admin": {"config": {"load": {"module": "http", "url": "https://config.internal/proxy.json"}, "load_delay": "1m"}}}
//! ```
//!
//! Without `load_delay` it is got before this one starts, and put in force right after; with it, it is asked for again
//! and again, until one comes that is not in force already.
use super::{
    adapters::by_content_type,
    instance::{Changed, Instance},
};
use crate::{
    config::{
        Duration,
        placeholder::{Unknown, expand_global},
    },
    net::https::{Answer, Client},
};
use bytes::Bytes;
use http::{Method, StatusCode, header};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, fs, sync::Arc, time};
use tokio::{sync::oneshot, time::sleep};
use url::Url;

const ATTEMPTS: usize = 10;
const BETWEEN_ATTEMPTS: time::Duration = time::Duration::from_millis(500);
/// As many as Go follows.
const REDIRECTS: usize = 10;
/// Caddy waits for ever, and holds up all other changes meanwhile.
const TIMEOUT: time::Duration = time::Duration::from_secs(30);

/// Where the next configuration comes from, and when.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Loader {
    http: HttpLoader,
    /// `None`: at once.
    delay: Option<time::Duration>,
}
/// JSON: `caddy.config_loaders.http`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct HttpLoader {
    /// GET by default.
    method: String,
    url: String,
    header: BTreeMap<String, Vec<String>>,
    /// For one attempt; half a minute by default.
    timeout: Duration,
    /// Which adapter the answer is for; by default its Content-Type says it.
    adapter: String,
    tls: Option<LoaderTls>,
}
/// JSON: `tls` of it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LoaderTls {
    use_server_identity: bool,
    /// PEM, as the key: what is shown to the server.
    client_certificate_file: String,
    client_certificate_key_file: String,
    /// PEM: who alone is trusted, in the place of the system's roots.
    root_ca_pem_files: Vec<String>,
}
impl Loader {
    /// `load` and `load_delay` of `admin.config`.
    ///
    /// # Errors
    /// In Caddy's words.
    pub(super) fn read(load: &Value, delay: Duration) -> Result<Self, String> {
        let http = read_module(load).map_err(|why| format!("loading config loader module: {why}"))?;
        Ok(Self { http, delay: delay.some() })
    }
    /// What is to follow at once; `None` if it is for later.
    ///
    /// # Errors
    /// It does not come, or cannot be adapted.
    pub(super) async fn at_once(&self) -> Result<Option<Bytes>, String> {
        if self.delay.is_some() {
            return Ok(None);
        }
        let loaded = self.http.load().await;
        loaded.map(Some).map_err(|why| format!("loading dynamic config from *caddyconfig.HTTPLoader: {why}"))
    }
    /// Puts what was loaded in force, and else asks for it in time, unless the sender that it gives goes first: it goes
    /// with the configuration.
    pub(super) fn follow(self, instance: Arc<Instance>, loaded: Option<Bytes>) -> oneshot::Sender<()> {
        let (in_force, mut replaced) = oneshot::channel::<()>();
        tokio::spawn(async move {
            let load_delay = self.delay.map_or(0, |delay| delay.as_nanos());
            if let Some(config) = loaded {
                apply(&instance, &config, load_delay).await;
                return;
            }
            loop {
                let next = async {
                    sleep(self.delay.unwrap_or_default()).await;
                    self.http.load().await
                };
                let loaded = tokio::select! {
                    loaded = next => loaded,
                    // Nothing is ever sent: the sender has gone.
                    _ = &mut replaced => {
                        tracing::info!(
                            target: "config_loader", module = "http", load_delay, "stopping dynamic config loading"
                        );
                        return;
                    }
                };
                match loaded {
                    Ok(config) if apply(&instance, &config, load_delay).await => return,
                    Ok(_) => tracing::info!(
                        target: "config_loader", module = "http", load_delay,
                        "dynamically-loaded config was unchanged; will retry"
                    ),
                    Err(error) => tracing::error!(
                        target: "config_loader", module = "http", load_delay, error,
                        "failed loading dynamic config; will retry"
                    ),
                }
            }
        });
        in_force
    }
}
/// Whether that is the end of it: the same configuration as before is not, one that fails is, as in Caddy.
async fn apply(instance: &Arc<Instance>, config: &[u8], load_delay: u128) -> bool {
    tracing::info!(
        target: "config_loader", module = "http", load_delay, "applying dynamically-loaded config"
    );
    match instance.take_over(config).await {
        Ok(Changed::No) => return false,
        Ok(Changed::Yes) => tracing::info!(
            target: "config_loader", module = "http", load_delay,
            "successfully applied dynamically-loaded config"
        ),
        Err(refused) => tracing::error!(
            target: "config_loader", module = "http", load_delay, error = refused.message,
            "failed to run dynamically-loaded config"
        ),
    }
    true
}
fn read_module(load: &Value) -> Result<HttpLoader, String> {
    let mut fields = load.as_object().cloned().unwrap_or_default();
    let name = match fields.shift_remove("module") {
        Some(Value::String(name)) if !name.is_empty() => name,
        _ => return Err(format!("module name not specified with key 'module' in {}", shown(&fields))),
    };
    if name != "http" {
        return Err(format!("loading module '{name}': unknown module: caddy.config_loaders.{name}"));
    }
    let http: HttpLoader = serde_json::from_value(Value::Object(fields)).map_err(|error| {
        let why = super::go_words(&error.to_string());
        format!("loading module 'http': decoding module config: caddy.config_loaders.http: {why}")
    })?;
    if http.tls.as_ref().is_some_and(|tls| tls.use_server_identity) {
        return Err("loading module 'http': tls.use_server_identity is not supported yet".into());
    }
    Ok(http)
}
/// As Go prints a map.
fn shown(fields: &Map<String, Value>) -> String {
    let mut pairs: Vec<String> = fields
        .iter()
        .map(|(key, value)| format!("{key}:{}", value.as_str().map_or_else(|| value.to_string(), Into::into)))
        .collect();
    pairs.sort();
    format!("map[{}]", pairs.join(" "))
}
impl HttpLoader {
    async fn load(&self) -> Result<Bytes, String> {
        let deadline = self.timeout.some().unwrap_or(TIMEOUT);
        let client = match &self.tls {
            Some(tls) => Client::with_tls(tls.client()?, "proxy", deadline),
            None => Client::new(&[], "proxy", deadline)?,
        };
        let answer = self.ask_patiently(&client).await?;
        if answer.status.as_u16() >= 400 {
            return Err(format!("server responded with HTTP {}", answer.status.as_u16()));
        }
        let content_type = match self.adapter.as_str() {
            "" => answer.headers.get(header::CONTENT_TYPE).and_then(|t| t.to_str().ok()).unwrap_or("").into(),
            adapter => format!("text/{adapter}"),
        };
        let (config, warnings) =
            by_content_type(&content_type, answer.body, true).map_err(|refused| refused.message)?;
        for warning in warnings {
            tracing::warn!(target: "", "{warning}");
        }
        Ok(config)
    }
    async fn ask_patiently(&self, client: &Client) -> Result<Answer, String> {
        let mut failed = String::new();
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                sleep(BETWEEN_ATTEMPTS).await;
            }
            match self.ask(client).await {
                Ok(answer) if (200..500).contains(&answer.status.as_u16()) => return Ok(answer),
                Ok(answer) => {
                    let status = answer.status.as_u16();
                    failed = format!("bad response status code from http loader url: {status}");
                }
                Err(why) => failed = format!("problem calling http loader url: {why}"),
            }
        }
        Err(failed)
    }
    /// One attempt, with the redirects that it leads to.
    async fn ask(&self, client: &Client) -> Result<Answer, String> {
        let all = |text: &str| expand_global(text, Unknown::Empty);
        let method = match all(&self.method)?.as_str() {
            "" => Method::GET,
            name => name.parse().map_err(|_| format!("net/http: invalid method \"{name}\""))?,
        };
        let url = all(&self.url)?;
        let mut url = Url::parse(&url).map_err(|error| format!("{url:?} is no URL: {error}"))?;
        let mut headers = vec![];
        for (name, values) in &self.header {
            for value in values {
                headers.push((all(name)?, expand_global(value, Unknown::Stay)?));
            }
        }
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        for _ in 0..=REDIRECTS {
            let answer = client.send(method.clone(), url.as_str(), &headers, Bytes::new()).await?;
            let target = answer.headers.get(header::LOCATION).and_then(|target| target.to_str().ok());
            match target {
                Some(target) if is_redirect(answer.status) => {
                    url = url.join(target).map_err(|error| format!("{target:?} is no URL: {error}"))?;
                }
                _ => return Ok(answer),
            }
        }
        Err(format!("stopped after {REDIRECTS} redirects"))
    }
}
fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}
impl LoaderTls {
    fn client(&self) -> Result<Arc<ClientConfig>, String> {
        let mut roots = RootCertStore::empty();
        for file in &self.root_ca_pem_files {
            let pem = read(file).map_err(|why| format!("failed reading ca cert: {why}"))?;
            for root in CertificateDer::pem_slice_iter(&pem) {
                let added = root.map_err(|error| error.to_string()).map(|root| roots.add(root));
                added.map_err(|why| format!("{file}: {why}"))?.map_err(|why| format!("{file}: {why}"))?;
            }
        }
        if self.root_ca_pem_files.is_empty() {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| error.to_string())?.with_root_certificates(roots);
        let (certificate, key) = (&self.client_certificate_file, &self.client_certificate_key_file);
        if certificate.is_empty() || key.is_empty() {
            return Ok(Arc::new(builder.with_no_client_auth()));
        }
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(certificate)?).collect();
        let chain = chain.map_err(|error| format!("{certificate}: {error}"))?;
        let secret = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|error| format!("{key}: {error}"))?;
        builder.with_client_auth_cert(chain, secret).map(Arc::new).map_err(|error| error.to_string())
    }
}
fn read(file: &str) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("open {file}: {}", error.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(load: Value) -> String {
        Loader::read(&load, Duration::default()).unwrap_err()
    }
    #[test]
    fn what_is_no_loader_is_refused_in_caddys_words() {
        assert_eq!(
            refused(json!({"module": "nope"})),
            "loading config loader module: loading module 'nope': unknown module: caddy.config_loaders.nope"
        );
        assert_eq!(
            refused(json!({"url": "x"})),
            "loading config loader module: module name not specified with key 'module' in map[url:x]"
        );
        assert_eq!(
            refused(json!({"module": "http", "x": 1})),
            "loading config loader module: loading module 'http': decoding module config: \
             caddy.config_loaders.http: json: unknown field \"x\""
        );
        assert!(
            refused(json!({"module": "http", "tls": {"use_server_identity": true}}))
                .ends_with("not supported yet")
        );
    }
    #[tokio::test]
    async fn files_that_are_not_there_are_named() {
        let load = |tls: Value| {
            let load = json!({"module": "http", "url": "https://localhost:1", "tls": tls});
            Loader::read(&load, Duration::default()).unwrap()
        };
        let why = load(json!({"root_ca_pem_files": ["/nope"]})).at_once().await.unwrap_err();
        assert_eq!(
            why,
            "loading dynamic config from *caddyconfig.HTTPLoader: failed reading ca cert: open /nope: entity not found"
        );
    }
}
