//! IONOS.
//!
//! ```caddyfile
//! dns ionos <api_token>
//! dns ionos {
//!     api_token <prefix.secret>
//! }
//! ```
use super::{
    NAMESPACE,
    api::{Api, Secret, id, read},
};
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::fields,
    tls::{DnsModule, DnsProvider, TxtRecord, Working},
};
use grammar::Line;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::Arc;

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "ionos",
    docs: "ionos <api_token> | { api_token <prefix.secret> }: DNS records at IONOS.",
    parse,
    support: Support::Full,
};
/// `dns.providers.ionos`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ionos {
    /// The public prefix, a dot, the secret. Placeholders are allowed.
    pub auth_api_token: String,
}
pub const MODULE: DnsModule = DnsModule {
    name: "ionos",
    build: |fields| Ok(Arc::new(Client::new(&read(fields)?, "https://api.hosting.ionos.com/dns/v1")?)),
};
/// The shortest lifetime of a record, in seconds.
const LEAST: u64 = 60;

#[derive(Debug)]
struct Client {
    api: Api,
    token: Secret,
}
impl Client {
    fn new(config: &Ionos, base: &str) -> Result<Self, String> {
        let token = &config.auth_api_token;
        Ok(Self { api: Api::new(base, &[token])?, token: Secret(token.clone()) })
    }
    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, String> {
        self.api.call(method, path, &[("X-API-Key", &self.token.0)], body).await
    }
    async fn zone(&self, name: &str) -> Result<String, String> {
        let zones = self.call(Method::GET, "/zones", None).await?;
        let mut zones = zones.as_array().into_iter().flatten();
        let found = zones.find(|zone| zone["name"] == name);
        id(found.ok_or_else(|| format!("no zone {name} at this account"))?, "id")
    }
}
impl DnsProvider for Client {
    fn append<'a>(&'a self, record: &'a TxtRecord) -> Working<'a, String> {
        Box::pin(async move {
            let zone = self.zone(&record.zone).await?;
            let body = json!([{
                "name": record.full_name(), "type": "TXT", "content": record.value, "ttl": record.ttl_or(LEAST), "prio": 0,
            }]);
            let added = self.call(Method::POST, &format!("/zones/{zone}/records"), Some(&body)).await?;
            Ok(format!("/zones/{zone}/records/{}", id(&added[0], "id")?))
        })
    }
    fn delete<'a>(&'a self, _: &'a TxtRecord, id: &'a str) -> Working<'a, ()> {
        Box::pin(async move { self.call(Method::DELETE, id, None).await.map(drop) })
    }
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut provider) = (Words::new(line), Ionos::default());
    super::set(&mut provider.auth_api_token, &mut words)?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "api_token" if !provider.auth_api_token.is_empty() => {
                return Err(sub.error("API token already set"));
            }
            "api_token" => super::set(&mut provider.auth_api_token, sub)?,
            other => return Err(sub.error(format!("unrecognized subdirective '{other}'"))),
        }
    }
    if provider.auth_api_token.is_empty() {
        return Err(words.error("missing API token"));
    }
    Ok(fields(&provider))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::simulated::{Simulated, ok, record, status, there_and_back};

    #[tokio::test]
    async fn the_zone_is_looked_up_by_its_name() {
        let server = Simulated::start(|asked| match (asked.header("x-api-key"), asked.line().as_str()) {
            ("p.s", "GET /zones") => ok(json!([{"name": "other.com", "id": "O"}, {"name": "example.com", "id": "Z"}])),
            ("p.s", "POST /zones/Z/records") => {
                let expected = json!([{"name": "_acme-challenge.example.com", "type": "TXT", "content": "proof", "ttl": 60, "prio": 0}]);
                assert_eq!(asked.json(), expected);
                status(201, json!([{"id": "R"}]))
            }
            ("p.s", "DELETE /zones/Z/records/R") => ok(""),
            _ => status(401, json!([{"message": "UNAUTHORIZED"}])),
        })
        .await;
        let client = Client::new(&Ionos { auth_api_token: "p.s".into() }, &server.url).unwrap();
        there_and_back(&client, &record("_acme-challenge", "proof")).await;
        let elsewhere = TxtRecord { zone: "example.net".into(), ..record("x", "y") };
        assert_eq!(client.append(&elsewhere).await.unwrap_err(), "no zone example.net at this account");
    }
}
