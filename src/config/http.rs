//! The `http` app.
use super::Module;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// `apps.http.servers.*`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Server {
    pub listen: Vec<String>,
    pub routes: Vec<Route>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<ErrorRoutes>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub named_routes: BTreeMap<String, Route>,
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
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub terminal: bool,
}
/// `{"path": […], "method": […]}`: all of them must match.
pub type MatcherSet = Map<String, Value>;

impl Route {
    /// One handler behind at most one matcher set.
    pub fn of(matcher: Option<MatcherSet>, handler: Module) -> Self {
        Self { matchers: matcher.into_iter().collect(), handlers: vec![handler], ..Self::default() }
    }
}
/// What to do about a response: of `reverse_proxy` and of `intercept`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResponseMatcher {
    /// A single digit stands for its class.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub status_code: Vec<u16>,
    /// `null` asks for the field's absence.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Option<Vec<String>>>,
}
