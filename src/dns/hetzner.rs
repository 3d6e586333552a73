//! Hetzner.
//!
//! ```caddyfile
//! dns hetzner <api_token>
//! ```
//! There is a block form, `hetzner { api_token <token> }`, but the plugin reads the word `api_token` itself as the token and
//! stumbles over what follows, so that only `hetzner <api_token>` can be used.
use super::{
    NAMESPACE,
    api::{Api, Secret, id, quoted, read},
};
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{fields, is_default},
    tls::{DnsModule, DnsProvider, TxtRecord, Working},
};
use grammar::Line;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "hetzner",
    docs: "hetzner <api_token>: DNS records at Hetzner.",
    parse,
    support: Support::Full,
};
/// `dns.providers.hetzner`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hetzner {
    /// Placeholders are allowed.
    #[serde(skip_serializing_if = "is_default")]
    pub api_token: String,
}
pub const MODULE: DnsModule = DnsModule {
    name: "hetzner",
    build: |fields| Ok(Arc::new(Client::new(&read(fields)?, "https://api.hetzner.cloud/v1")?)),
};
/// The shortest lifetime of a record, in seconds.
const LEAST: u64 = 60;
/// Between two looks at whether a change is done, and how many there are.
const POLL: Duration = Duration::from_secs(1);
const POLLS: usize = 60;

#[derive(Debug)]
struct Client {
    api: Api,
    bearer: Secret,
}
impl Client {
    fn new(config: &Hetzner, base: &str) -> Result<Self, String> {
        let token = &config.api_token;
        Ok(Self { api: Api::new(base, &[token])?, bearer: Secret(format!("Bearer {token}")) })
    }
    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, String> {
        self.api.call(method, path, &[("Authorization", &self.bearer.0)], body).await
    }
    /// Changes the record's set, and waits until that is done.
    async fn change(&self, record: &TxtRecord, what: &str, body: &Value) -> Result<(), String> {
        let path = format!("/zones/{}/rrsets/{}/TXT/actions/{what}", record.zone, record.relative());
        let mut action = self.call(Method::POST, &path, Some(body)).await?["action"].take();
        for _ in 0..POLLS {
            match action["status"].as_str() {
                Some("running") => {}
                Some("error") => return Err(format!("{what}: {}", action["error"]["message"])),
                _ => return Ok(()),
            }
            tokio::time::sleep(POLL).await;
            let path = format!("/actions/{}", id(&action, "id")?);
            action = self.call(Method::GET, &path, None).await?["action"].take();
        }
        Err(format!("{what}: not done after a minute"))
    }
}
impl DnsProvider for Client {
    fn append<'a>(&'a self, record: &'a TxtRecord) -> Working<'a, String> {
        Box::pin(async move {
            let body =
                json!({ "records": [{ "value": quoted(&record.value) }], "ttl": record.ttl_or(LEAST) });
            self.change(record, "add_records", &body).await.map(|()| String::new())
        })
    }
    fn delete<'a>(&'a self, record: &'a TxtRecord, _: &'a str) -> Working<'a, ()> {
        Box::pin(async move {
            let body = json!({ "records": [{ "value": quoted(&record.value) }] });
            self.change(record, "remove_records", &body).await
        })
    }
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut provider) = (Words::new(line), Hetzner::default());
    super::set(&mut provider.api_token, &mut words)?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "api_token" if !provider.api_token.is_empty() => return Err(sub.error("API token already set")),
            "api_token" => {
                provider.api_token = sub.text().into();
                sub.none().map_err(|error| error.hint("write it on one line: hetzner <api_token>"))?;
            }
            other => return Err(sub.error(format!("unrecognized subdirective '{other}'"))),
        }
    }
    if provider.api_token.is_empty() {
        return Err(words.error("missing API token"));
    }
    Ok(fields(&provider))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::simulated::{Simulated, ok, record, status};

    #[tokio::test]
    async fn a_record_is_there_when_the_action_is_done() {
        let server = Simulated::start(|asked| match (asked.header("authorization"), asked.line().as_str()) {
            ("Bearer t", "POST /zones/example.com/rrsets/_acme-challenge/TXT/actions/add_records") => {
                assert_eq!(asked.json(), json!({"records": [{"value": "\"proof\""}], "ttl": 60}));
                ok(json!({"action": {"id": 7, "status": "running"}}))
            }
            ("Bearer t", "GET /actions/7") => ok(json!({"action": {"id": 7, "status": "success"}})),
            ("Bearer t", "POST /zones/example.com/rrsets/_acme-challenge/TXT/actions/remove_records") => {
                ok(json!({"action": {"id": 8, "status": "error", "error": {"message": "no"}}}))
            }
            _ => status(401, json!({"error": {"message": "unauthorized"}})),
        })
        .await;
        let client = Client::new(&Hetzner { api_token: "t".into() }, &server.url).unwrap();
        let record = record("_acme-challenge", "proof");
        client.append(&record).await.unwrap();
        assert_eq!(client.delete(&record, "").await.unwrap_err(), "remove_records: \"no\"");
        let stranger = Client::new(&Hetzner { api_token: "x".into() }, &server.url).unwrap();
        assert!(stranger.append(&record).await.unwrap_err().ends_with("HTTP 401: unauthorized"));
    }
}
