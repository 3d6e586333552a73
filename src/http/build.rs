//! JSON -> tree. Every name is looked up in the table it is given.
use super::{
    ClientIp, OwnServer, Ranges,
    buffer::{self, BodyFirst},
    place::{BuildError, at, is_placed},
    tree::{Handler, Matcher, MatcherSets, Route, Routes, Server},
};
use crate::{config, state::State};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc};

type Built<T> = Result<T, BuildError>;
type BuildFrom<Json, T> = fn(Json, &mut Build) -> Built<Box<T>>;

#[derive(Debug)]
pub struct Modules {
    pub handlers: &'static [HandlerModule],
    pub matchers: &'static [MatcherModule],
    /// Of `trusted_proxies`.
    pub ip_sources: &'static [IpSourceModule],
}
#[derive(Debug)]
pub struct HandlerModule {
    pub name: &'static str,
    build: BuildFrom<Map<String, Value>, dyn Handler>,
}
#[derive(Debug)]
pub struct MatcherModule {
    pub name: &'static str,
    build: BuildFrom<Value, dyn Matcher>,
}
#[derive(Debug)]
pub struct IpSourceModule {
    pub name: &'static str,
    build: fn(Map<String, Value>, &mut Build) -> Built<Ranges>,
}
pub trait IpSourceConfig: DeserializeOwned {
    const NAME: &'static str;
    fn build(self, cx: &mut Build) -> Built<Ranges>;
}
pub trait HandlerConfig: DeserializeOwned {
    const NAME: &'static str;
    fn build(self, cx: &mut Build) -> Built<Box<dyn Handler>>;
}
pub trait MatcherConfig: DeserializeOwned {
    const NAME: &'static str;
    fn build(self, cx: &mut Build) -> Built<Box<dyn Matcher>>;
}
impl Modules {
    /// A matcher by its name, built outside of a configuration: for those whose arguments a request says.
    ///
    /// # Errors
    /// There is none of that name, or it does not build.
    pub fn matcher(&'static self, name: &str, value: Value) -> Built<Box<dyn Matcher>> {
        let (groups, named_routes) = (BTreeMap::new(), vec![]);
        let mut cx = Build {
            modules: self,
            state: Arc::default(),
            background: vec![],
            groups,
            named_routes,
            shows_upstream: false,
            paced: false,
            tracer: None,
            own: OwnServer::default(),
        };
        cx.matcher(name, value)
    }
}
impl HandlerModule {
    /// A handler that is what its JSON says.
    pub const fn plain<T: Handler + DeserializeOwned + 'static>(name: &'static str) -> Self {
        Self { name, build: |fields, _| Ok(Box::new(decode::<T>(Value::Object(fields))?)) }
    }
    /// A handler that is compiled from its JSON.
    pub const fn of<T: HandlerConfig>() -> Self {
        Self {
            name: T::NAME,
            build: |fields, cx| {
                decode::<T>(Value::Object(fields))?.build(cx).map_err(|error| provision(T::NAME, error))
            },
        }
    }
}
impl MatcherModule {
    /// A matcher that is what its JSON says.
    pub const fn plain<T: Matcher + DeserializeOwned + 'static>(name: &'static str) -> Self {
        Self { name, build: |value, _| Ok(Box::new(decode::<T>(value)?)) }
    }
    /// A matcher that is compiled from its JSON.
    pub const fn of<T: MatcherConfig>() -> Self {
        Self {
            name: T::NAME,
            build: |value, cx| decode::<T>(value)?.build(cx).map_err(|error| provision(T::NAME, error)),
        }
    }
}
impl IpSourceModule {
    /// A source that is compiled from its JSON.
    pub const fn of<T: IpSourceConfig>() -> Self {
        Self {
            name: T::NAME,
            build: |fields, cx| {
                decode::<T>(Value::Object(fields))?.build(cx).map_err(|error| provision(T::NAME, error))
            },
        }
    }
}
/// In Go's words where what is wrong is an unknown field.
fn decode<T: DeserializeOwned>(json: Value) -> Built<T> {
    config::decode(json).map_err(|error| {
        let text = error.to_string();
        let unknown = text.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`'));
        let text =
            unknown.map_or_else(|| text.clone(), |(field, _)| format!("json: unknown field \"{field}\""));
        format!("decoding module config: {text}").into()
    })
}
fn provision(name: &str, error: BuildError) -> BuildError {
    if is_placed(&error) { error } else { format!("provision {name}: {error}").into() }
}

/// Work that goes on beside requests (health checks, sweeps): started once the configuration runs, dropped with it.
pub type Background = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a module may ask while it is built. Nothing here touches the network: `validate` builds too.
pub struct Build {
    modules: &'static Modules,
    state: Arc<State>,
    background: Vec<Background>,
    /// By name, over the whole server: lists that share a group's name share the group.
    groups: BTreeMap<String, u32>,
    named_routes: Vec<String>,
    /// Whether something uses `{http.reverse_proxy.header.*}`: then responses' fields are kept for it.
    shows_upstream: bool,
    paced: bool,
    tracer: Option<Tracer>,
    own: OwnServer,
}
/// Makes a handler that is to stand before another one, of that one's name and fields.
pub type Tracer = Arc<dyn Fn(&str, &Map<String, Value>) -> Box<dyn Handler> + Send + Sync>;
/// A server's tree, and the work that is to go on while it serves.
pub struct Compiled {
    pub server: Server,
    pub background: Vec<Background>,
    /// Whether some handler says how fast clients have to be.
    pub paced: bool,
    /// To be told where the server lives: its handlers may ask it.
    pub own: OwnServer,
}
/// Compiles one server's configuration.
///
/// # Errors
/// The first module that does not build, and its place within the server.
pub fn build(server: config::Server, modules: &'static Modules, state: Arc<State>) -> Built<Compiled> {
    build_traced(server, modules, state, None)
}
/// The same with a handler of `tracer`'s before each handler.
///
/// # Errors
/// As [`build`].
pub fn build_traced(
    server: config::Server,
    modules: &'static Modules,
    state: Arc<State>,
    tracer: Option<Tracer>,
) -> Built<Compiled> {
    let authenticates = |policy: &config::ConnectionPolicy| policy.client_authentication.is_some();
    let strict_sni =
        server.strict_sni_host.unwrap_or_else(|| server.tls_connection_policies.iter().any(authenticates));
    let shows_upstream =
        serde_json::to_string(&server).is_ok_and(|text| text.contains("http.reverse_proxy.header."));
    let mut cx = Build {
        modules,
        state,
        background: vec![],
        groups: BTreeMap::new(),
        named_routes: server.named_routes.keys().cloned().collect(),
        shows_upstream,
        paced: false,
        tracer,
        own: OwnServer::default(),
    };
    let client_ip = ClientIp::new(&server, &mut cx).map_err(|error| at("trusted_proxies", error))?;
    let (names, named): (Vec<_>, Vec<_>) = server.named_routes.into_iter().unzip();
    let named = names.into_iter().zip(named).map(|(name, route)| {
        let route = cx.route(route).map_err(|error| at(format_args!("named_routes.{name}"), error))?;
        Ok(Routes::new([route].into()))
    });
    let named = named.collect::<Built<_>>()?;
    let routes = cx.routes(server.routes)?;
    let errors = server.errors.unwrap_or_default().routes;
    let errors = cx.within("errors", |cx| cx.routes(errors))?;
    Ok(Compiled {
        server: Server { named, routes, errors, client_ip, strict_sni },
        background: cx.background,
        paced: cx.paced,
        own: cx.own,
    })
}
impl Build {
    /// Everything that can be built.
    pub fn modules(&self) -> &'static Modules {
        self.modules
    }
    /// What outlives a reload, by key.
    pub fn state(&self) -> &State {
        &self.state
    }
    /// The same, for those who need it when they run.
    pub fn shared_state(&self) -> Arc<State> {
        self.state.clone()
    }
    /// The server that is being built, for those who ask it when they run.
    pub fn own_server(&self) -> OwnServer {
        self.own.clone()
    }
    /// Whether something uses `{http.reverse_proxy.header.*}`.
    pub fn shows_upstream(&self) -> bool {
        self.shows_upstream
    }
    /// Has requests come with an [`Exchange::pace`](super::Exchange).
    pub fn pace(&mut self) {
        self.paced = true;
    }
    /// Has `task` run on the control runtime while this configuration is in force.
    pub fn background(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.background.push(Box::pin(task));
    }
    /// Of a field called `routes`.
    pub fn routes(&mut self, routes: Vec<config::Route>) -> Built<Routes> {
        let route = |(i, route)| self.route(route).map_err(|error| at(format_args!("routes[{i}]"), error));
        let list = routes.into_iter().enumerate().map(route);
        Ok(Routes::new(list.collect::<Built<_>>()?))
    }
    /// Builds what stands under `place` (`errors`, `handle_response[0]`), so that errors say so.
    ///
    /// # Errors
    /// Those of `build`.
    pub fn within<T>(
        &mut self,
        place: impl std::fmt::Display,
        build: impl FnOnce(&mut Self) -> Built<T>,
    ) -> Built<T> {
        build(self).map_err(|error| at(place, error))
    }
    /// Of a field called `match`.
    pub fn matcher_sets(&mut self, sets: Vec<config::MatcherSet>) -> Built<MatcherSets> {
        let sets = sets
            .into_iter()
            .enumerate()
            .map(|(i, set)| self.matcher_set(set).map_err(|error| at(format_args!("match[{i}]"), error)));
        Ok(MatcherSets(sets.collect::<Built<_>>()?))
    }
    /// Where [`Step::Invoke`](super::Step) finds the route of that name.
    pub fn named_route(&self, name: &str) -> Option<usize> {
        self.named_routes.iter().position(|known| known == name)
    }
    fn route(&mut self, from: config::Route) -> Built<Route> {
        let fresh = self.groups.len() as u32;
        let group = from.group.map(|name| *self.groups.entry(name).or_insert(fresh));
        let sets = self.matcher_sets(from.matchers)?;
        let mut handlers = Vec::with_capacity(from.handlers.len());
        for (i, module) in from.handlers.into_iter().enumerate() {
            handlers.extend(self.tracer.as_ref().map(|before| before(&module.handler, &module.fields)));
            handlers.push(self.handler(module).map_err(|error| at(format_args!("handle[{i}]"), error))?);
        }
        Ok(Route { group, terminal: from.terminal, sets, handlers: handlers.into() })
    }
    fn handler(&mut self, module: config::Module) -> Built<Box<dyn Handler>> {
        let name = &*module.handler;
        let known = self.modules.handlers.iter().find(|known| known.name == name);
        let known = known.ok_or_else(|| unknown("http.handlers", name))?;
        let reads_body = module.fields.iter().any(|(key, value)| buffer::mentions_body(key, value));
        let built = (known.build)(module.fields, self).map_err(|error| loading(name, error))?;
        Ok(if reads_body { Box::new(BodyFirst(built)) } else { built })
    }
    /// The matchers that may wait come last: those before them often make them needless.
    fn matcher_set(&mut self, set: config::MatcherSet) -> Built<Box<[Box<dyn Matcher>]>> {
        let built = set.into_iter().map(|(name, value)| self.matcher(&name, value));
        let mut built = built.collect::<Built<Vec<_>>>()?;
        built.sort_by_key(|matcher| matcher.waits());
        Ok(built.into())
    }
    /// The ranges of a module of `http.ip_sources`, which says its name under `source`.
    ///
    /// # Errors
    /// There is none of that name, or it does not build.
    pub fn ip_source(&mut self, source: Value) -> Built<Ranges> {
        let mut fields: Map<String, Value> = serde_json::from_value(source)?;
        let name = match fields.remove("source") {
            Some(Value::String(name)) => name,
            _ => return Err("module name not specified with key 'source'".into()),
        };
        let known = self.modules.ip_sources.iter().find(|known| known.name == name);
        let known = known.ok_or_else(|| unknown("http.ip_sources", &name))?;
        (known.build)(fields, self).map_err(|error| loading(&name, error))
    }
    /// One matcher by its name.
    ///
    /// # Errors
    /// There is none of that name, or it does not build.
    pub fn matcher(&mut self, name: &str, value: Value) -> Built<Box<dyn Matcher>> {
        let known = self.modules.matchers.iter().find(|known| known.name == name);
        let known = known.ok_or_else(|| unknown("http.matchers", name))?;
        let reads_body = buffer::mentions_body(name, &value);
        let built = (known.build)(value, self).map_err(|error| loading(name, error))?;
        Ok(if reads_body { Box::new(BodyFirst(built)) } else { built })
    }
}
fn loading(name: &str, error: BuildError) -> BuildError {
    if is_placed(&error) { error } else { format!("loading module '{name}': {error}").into() }
}
fn unknown(namespace: &str, name: &str) -> BuildError {
    format!("loading module '{name}': unknown module: {namespace}.{name}").into()
}
