//! What the tests of handlers share: a request through a tree, without sockets.
use crate::{
    config,
    http::{Answer, Body, Exchange, HandlerModule, Modules, Server, answer, build},
};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::Arc;

/// The handlers that a test's routes may name.
static MODULES: Modules = Modules { handlers: HANDLERS, matchers: &[], ip_sources: &[] };
const HANDLERS: &[HandlerModule] = &[
    super::basic_auth::MODULE,
    super::encode::MODULE,
    super::error::MODULE,
    super::file_server::MODULE,
    super::headers::MODULE,
    super::intercept::MODULE,
    super::invoke::MODULE,
    super::log_append::MODULE,
    super::log_error::MODULE,
    super::map::MODULE,
    super::push::MODULE,
    super::replace::MODULE,
    super::request_body::MODULE,
    super::respond::MODULE,
    super::rewrite::MODULE,
    super::subroute::MODULE,
    super::token_bucket::MODULE,
    super::vars::MODULE,
];
/// A server of some routes.
#[derive(Debug)]
pub(crate) struct Site(Server);
/// What came of a request.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// As it was when the walk had ended.
    pub(crate) exchange: Exchange,
    /// The message of the failure that the error routes were entered with.
    pub(crate) failure: Option<String>,
}
impl Site {
    /// # Errors
    /// What does not build.
    pub(crate) fn build(server: Value) -> Result<Self, String> {
        let server: config::Server = serde_json::from_value(server).map_err(|error| error.to_string())?;
        let built = build(server, &MODULES, Arc::default()).map_err(|error| error.to_string())?;
        Ok(Self(built.server))
    }
    /// One route of these handlers.
    pub(crate) fn of(handlers: Value) -> Self {
        Self::build(json!({ "routes": [{ "handle": handlers }] })).unwrap()
    }
    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let (head, body) = request.into_parts();
        let mut exchange = Exchange::new(head, body, Arc::default());
        let Answer { response, failure, .. } = answer(&self.0, &mut exchange).await;
        let body = response.body.collect().await.map_err(|error| error.to_string()).unwrap().to_bytes();
        Reply {
            status: response.status,
            headers: exchange.headers.clone(),
            body,
            exchange,
            failure: failure.map(|failure| failure.error.message.clone()),
        }
    }
    /// A GET with some header fields.
    pub(crate) async fn get(&self, target: &str, headers: &[(&str, &str)]) -> Reply {
        let mut request = Request::get(target).header("host", "a.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::Empty).unwrap()).await
    }
}
impl Reply {
    /// All values of a response's field.
    pub(crate) fn field(&self, name: &str) -> String {
        let values = self.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        values.collect::<Vec<_>>().join(" | ")
    }
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
