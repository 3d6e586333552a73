//! JSON -> tree. Every name is looked up in the table it is given.
use super::{
    ClientIp,
    tree::{Handler, Matcher, MatcherSets, Route, Routes, Server},
};
use crate::{config, state::State};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc};

pub type BuildError = Box<dyn std::error::Error + Send + Sync>;
type Built<T> = Result<T, BuildError>;
type BuildFrom<Json, T> = fn(Json, &mut Build) -> Built<Box<T>>;

pub struct Modules {
    pub handlers: &'static [HandlerModule],
    pub matchers: &'static [MatcherModule],
}
pub struct HandlerModule {
    pub name: &'static str,
    build: BuildFrom<Map<String, Value>, dyn Handler>,
}
pub struct MatcherModule {
    pub name: &'static str,
    build: BuildFrom<Value, dyn Matcher>,
}
pub trait HandlerConfig: DeserializeOwned {
    const NAME: &'static str;
    fn build(self, cx: &mut Build) -> Built<Box<dyn Handler>>;
}
pub trait MatcherConfig: DeserializeOwned {
    const NAME: &'static str;
    fn build(self, cx: &mut Build) -> Built<Box<dyn Matcher>>;
}
impl HandlerModule {
    /// A handler that is what its JSON says.
    pub const fn plain<T: Handler + DeserializeOwned + 'static>(name: &'static str) -> Self {
        Self { name, build: |fields, _| Ok(Box::new(serde_json::from_value::<T>(Value::Object(fields))?)) }
    }
    /// A handler that is compiled from its JSON.
    pub const fn of<T: HandlerConfig>() -> Self {
        Self {
            name: T::NAME,
            build: |fields, cx| serde_json::from_value::<T>(Value::Object(fields))?.build(cx),
        }
    }
}
impl MatcherModule {
    /// A matcher that is what its JSON says.
    pub const fn plain<T: Matcher + DeserializeOwned + 'static>(name: &'static str) -> Self {
        Self { name, build: |value, _| Ok(Box::new(serde_json::from_value::<T>(value)?)) }
    }
    /// A matcher that is compiled from its JSON.
    pub const fn of<T: MatcherConfig>() -> Self {
        Self { name: T::NAME, build: |value, cx| serde_json::from_value::<T>(value)?.build(cx) }
    }
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
}
/// A server's tree, and the work that is to go on while it serves.
pub struct Compiled {
    pub server: Server,
    pub background: Vec<Background>,
}
/// Compiles one server's configuration.
///
/// # Errors
/// The first module that does not build.
pub fn build(server: config::Server, modules: &'static Modules, state: Arc<State>) -> Built<Compiled> {
    let client_ip = ClientIp::new(&server)?;
    let (names, named): (_, Vec<_>) = server.named_routes.into_iter().unzip();
    let mut cx = Build { modules, state, background: vec![], groups: BTreeMap::new(), named_routes: names };
    let named = named.into_iter().map(|route| cx.routes(vec![route]));
    let named = named.collect::<Built<_>>()?;
    let routes = cx.routes(server.routes)?;
    let errors = cx.routes(server.errors.unwrap_or_default().routes)?;
    Ok(Compiled { server: Server { named, routes, errors, client_ip }, background: cx.background })
}
impl Build {
    /// What outlives a reload, by key.
    pub fn state(&self) -> &State {
        &self.state
    }
    /// Has `task` run on the control runtime while this configuration is in force.
    pub fn background(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.background.push(Box::pin(task));
    }
    pub fn routes(&mut self, routes: Vec<config::Route>) -> Built<Routes> {
        let routes = routes.into_iter().map(|route| self.route(route));
        Ok(Routes(routes.collect::<Built<_>>()?))
    }
    pub fn matcher_sets(&mut self, sets: Vec<config::MatcherSet>) -> Built<MatcherSets> {
        let sets = sets.into_iter().map(|set| set.into_iter().map(|m| self.matcher(m)).collect());
        Ok(MatcherSets(sets.collect::<Built<_>>()?))
    }
    /// Where [`Step::Invoke`](super::Step) finds the route of that name.
    pub fn named_route(&self, name: &str) -> Option<usize> {
        self.named_routes.iter().position(|known| known == name)
    }
    fn route(&mut self, from: config::Route) -> Built<Route> {
        let fresh = self.groups.len() as u32;
        let handlers = from.handlers.into_iter();
        Ok(Route {
            group: from.group.map(|name| *self.groups.entry(name).or_insert(fresh)),
            terminal: from.terminal,
            sets: self.matcher_sets(from.matchers)?,
            handlers: handlers.map(|module| self.handler(module)).collect::<Built<_>>()?,
        })
    }
    fn handler(&mut self, module: config::Module) -> Built<Box<dyn Handler>> {
        let mut known = self.modules.handlers.iter();
        let found = known.find(|known| known.name == module.handler);
        let found = found.ok_or_else(|| format!("unknown handler {}", module.handler))?;
        (found.build)(module.fields, self)
    }
    fn matcher(&mut self, (name, value): (String, Value)) -> Built<Box<dyn Matcher>> {
        let mut known = self.modules.matchers.iter();
        let found = known.find(|known| known.name == name);
        let found = found.ok_or_else(|| format!("unknown matcher {name}"))?;
        (found.build)(value, self)
    }
}
