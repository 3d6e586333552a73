//! The `http` app.
use super::{ConnectionPolicy, Duration, Module, is_default};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// `apps.http`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpApp {
    /// 80 where it says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_port: Option<i64>,
    /// 443 where it says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub https_port: Option<i64>,
    /// How long a stop waits for requests; zero waits for ever.
    #[serde(skip_serializing_if = "is_default")]
    pub grace_period: Duration,
    /// How long a stop goes on taking requests before it begins.
    #[serde(skip_serializing_if = "is_default")]
    pub shutdown_delay: Duration,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub servers: BTreeMap<String, Server>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Metrics>,
}
impl HttpApp {
    /// Where plain HTTP is spoken.
    pub fn http_port(&self) -> u16 {
        port(self.http_port.unwrap_or(80))
    }
    /// Where HTTPS is spoken.
    pub fn https_port(&self) -> u16 {
        port(self.https_port.unwrap_or(443))
    }
    /// As JSON. Other than by serializing it, its routes are not copied.
    pub fn into_value(mut self) -> Value {
        let servers = std::mem::take(&mut self.servers);
        if !servers.is_empty() {
            self.servers.insert(String::new(), Server::default());
        }
        let mut value = json!(self);
        if let Some(place) = value.get_mut("servers") {
            let servers = servers.into_iter().map(|(name, server)| (name, server.into_value()));
            *place = Value::Object(servers.collect());
        }
        value
    }
}
/// Numbers that are no ports are let through, as in Caddy; nothing listens there.
fn port(number: i64) -> u16 {
    u16::try_from(number).unwrap_or_default()
}
/// `apps.http.metrics`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    #[serde(skip_serializing_if = "is_default")]
    pub per_host: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub observe_catchall_hosts: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub otlp: bool,
}

/// `apps.http.servers.*`. Durations of zero stand for the default.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Network addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub listen: Vec<String>,
    /// Modules of `caddy.listeners`, named by `wrapper`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub listener_wrappers: Vec<Value>,
    /// Modules of `caddy.packetconns`, named by `wrapper`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub packet_conn_wrappers: Vec<Value>,
    /// To read a whole request.
    #[serde(skip_serializing_if = "is_default")]
    pub read_timeout: Duration,
    /// To read a request's header; one minute unless it says otherwise.
    #[serde(skip_serializing_if = "is_default")]
    pub read_header_timeout: Duration,
    /// Between two reads of a body; one minute unless it says otherwise.
    #[serde(skip_serializing_if = "is_default")]
    pub read_idle_timeout: Duration,
    /// Bytes a second below which a read counts as idle.
    #[serde(skip_serializing_if = "is_default")]
    pub read_min_rate: i64,
    /// To write a whole response.
    #[serde(skip_serializing_if = "is_default")]
    pub write_timeout: Duration,
    /// Between two writes; one minute unless it says otherwise.
    #[serde(skip_serializing_if = "is_default")]
    pub write_idle_timeout: Duration,
    /// Bytes a second below which a write counts as idle.
    #[serde(skip_serializing_if = "is_default")]
    pub write_min_rate: i64,
    /// Bytes.
    #[serde(skip_serializing_if = "is_default")]
    pub max_write_chunk: i64,
    /// Between two requests of a connection; five minutes unless it says otherwise.
    #[serde(skip_serializing_if = "is_default")]
    pub idle_timeout: Duration,
    /// Of TCP; negative turns it off.
    #[serde(skip_serializing_if = "is_default")]
    pub keepalive_interval: Duration,
    #[serde(skip_serializing_if = "is_default")]
    pub keepalive_idle: Duration,
    #[serde(skip_serializing_if = "is_default")]
    pub keepalive_count: i64,
    /// 16 KiB unless it says otherwise.
    #[serde(skip_serializing_if = "is_default")]
    pub max_header_bytes: i64,
    /// HTTP/1: read the body while the response is written.
    #[serde(skip_serializing_if = "is_default")]
    pub enable_full_duplex: bool,
    /// Header fields with `_` that are let through; a trailing `*` stands for any end.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expected_underscore_headers: Vec<String>,
    /// The same, with `.`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expected_dot_headers: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<ErrorRoutes>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub named_routes: BTreeMap<String, Route>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tls_connection_policies: Vec<ConnectionPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automatic_https: Option<AutomaticHttps>,
    /// Whether Host has to be the name of the handshake; if it says nothing, only where clients are authenticated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict_sni_host: Option<bool>,
    /// A module of `http.ip_sources`, named by `source`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted_proxies: Option<Value>,
    /// `X-Forwarded-For` unless it says otherwise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub client_ip_headers: Vec<String>,
    /// 1: read the client's address from right to left.
    #[serde(skip_serializing_if = "is_default")]
    pub trusted_proxies_strict: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub trusted_proxies_unix: bool,
    /// Access logs, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logs: Option<ServerLogs>,
    /// `h1`, `h2`, `h2c`, `h3`; `h1 h2 h3` unless it says otherwise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub protocols: Vec<String>,
    /// For each address of `listen` its own protocols, or `null` for the server's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub listen_protocols: Vec<Option<Vec<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_0rtt: Option<bool>,
    /// Deprecated: of the app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Metrics>,
}
impl Server {
    /// As [`HttpApp::into_value`].
    fn into_value(mut self) -> Value {
        let routes = std::mem::take(&mut self.routes);
        let named = std::mem::take(&mut self.named_routes);
        // What is left in their place keeps the keys in order.
        self.routes.extend(routes.first().map(|_| Route::default()));
        self.named_routes.extend(named.first_key_value().map(|_| (String::new(), Route::default())));
        let mut value = json!(self);
        if let Some(place) = value.get_mut("routes") {
            *place = Value::Array(routes.into_iter().map(Route::into_envelope).collect());
        }
        if let Some(place) = value.get_mut("named_routes") {
            let named = named.into_iter().map(|(name, route)| (name, route.into_envelope()));
            *place = Value::Object(named.collect());
        }
        value
    }
}
/// `automatic_https` of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AutomaticHttps {
    #[serde(skip_serializing_if = "is_default")]
    pub disable: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub disable_redirects: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub disable_certificates: bool,
    /// Hosts that get neither certificate nor redirect.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skip: Vec<String>,
    /// Hosts that get no certificate.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skip_certificates: Vec<String>,
    /// Get certificates even for names that loaded ones cover.
    #[serde(skip_serializing_if = "is_default")]
    pub ignore_loaded_certificates: bool,
}
/// `logs` of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerLogs {
    /// For hosts that `logger_names` does not name; the empty name is the default log.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub default_logger_name: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub logger_names: BTreeMap<String, LoggerNames>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skip_hosts: Vec<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub skip_unmapped_hosts: bool,
    /// Write `Cookie`, `Authorization` and the like as they are.
    #[serde(skip_serializing_if = "is_default")]
    pub should_log_credentials: bool,
    /// Write each handler as it is called, at DEBUG.
    #[serde(skip_serializing_if = "is_default")]
    pub trace: bool,
}
/// In JSON one name or a list of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "OneOrMany", into = "Vec<String>")]
pub struct LoggerNames(pub Vec<String>);
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}
impl From<OneOrMany> for LoggerNames {
    fn from(names: OneOrMany) -> Self {
        Self(match names {
            OneOrMany::One(name) => vec![name],
            OneOrMany::Many(names) => names,
        })
    }
}
impl From<LoggerNames> for Vec<String> {
    fn from(names: LoggerNames) -> Self {
        names.0
    }
}
/// `"errors": {"routes": […]}`, of a server or of a subroute.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ErrorRoutes {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
}
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Route {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    #[serde(rename = "match", skip_serializing_if = "Vec::is_empty")]
    pub matchers: Vec<MatcherSet>,
    #[serde(rename = "handle", skip_serializing_if = "Vec::is_empty")]
    pub handlers: Vec<Module>,
    #[serde(skip_serializing_if = "is_default")]
    pub terminal: bool,
}
/// `{"path": […], "method": […]}`: all of them must match.
pub type MatcherSet = Map<String, Value>;

impl Route {
    /// One handler behind at most one matcher set.
    pub fn of(matcher: Option<MatcherSet>, handler: Module) -> Self {
        Self { matchers: matcher.into_iter().collect(), handlers: vec![handler], ..Self::default() }
    }
    /// As within a module: all keys in alphabetical order.
    fn into_value(self) -> Value {
        let mut sets = self.matchers;
        sets.iter_mut().flat_map(Map::values_mut).for_each(Value::sort_all_objects);
        let [group, sets, handlers, terminal] = Self { matchers: sets, ..self }.into_parts();
        Value::Object([group, handlers, sets, terminal].into_iter().flatten().collect())
    }
    /// As a server's own: keys in Caddy's order.
    fn into_envelope(self) -> Value {
        Value::Object(self.into_parts().into_iter().flatten().collect())
    }
    fn into_parts(self) -> [Option<(String, Value)>; 4] {
        let part = |key: &str, value: Value| Some((key.to_owned(), value));
        let list =
            |key: &str, values: Vec<Value>| (!values.is_empty()).then(|| (key.to_owned(), values.into()));
        [
            self.group.and_then(|group| part("group", group.into())),
            list("match", self.matchers.into_iter().map(Value::Object).collect()),
            list("handle", self.handlers.into_iter().map(Module::into_value).collect()),
            self.terminal.then(|| ("terminal".to_owned(), true.into())),
        ]
    }
}
impl Module {
    /// A list of routes as one handler, Caddy's `subroute`.
    pub fn subroute(routes: Vec<Route>) -> Self {
        let mut fields = Map::new();
        if !routes.is_empty() {
            let routes = routes.into_iter().map(Route::into_value);
            fields.insert("routes".to_owned(), Value::Array(routes.collect()));
        }
        Self { handler: "subroute".to_owned(), fields }
    }
}
/// What to do about a response: of `reverse_proxy` and of `intercept`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResponseHandler {
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    pub matcher: Option<ResponseMatcher>,
    /// A string or a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_code: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routes: Option<Vec<Route>>,
}
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResponseMatcher {
    /// A single digit stands for its class.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub status_code: Vec<u16>,
    /// `null` asks for the field's absence.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Option<Vec<String>>>,
}
