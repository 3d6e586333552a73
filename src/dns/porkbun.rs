//! Porkbun.
//!
//! ```caddyfile
//! dns porkbun {
//!     api_key        <key>
//!     api_secret_key <key>
//! }
//! ```
use super::{
    NAMESPACE,
    api::{Api, id, read},
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

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "porkbun",
    docs: "porkbun { api_key <key>; api_secret_key <key> }: DNS records at Porkbun.",
    parse,
    support: Support::Full,
};
/// `dns.providers.porkbun`. All of it may hold placeholders.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Porkbun {
    #[serde(skip_serializing_if = "is_default")]
    pub api_key: String,
    #[serde(skip_serializing_if = "is_default")]
    pub api_secret_key: String,
}
pub const MODULE: DnsModule = DnsModule {
    name: "porkbun",
    build: |fields| Ok(Arc::new(Client::new(read(fields)?, "https://api.porkbun.com/api/json/v3")?)),
};
/// The shortest lifetime of a record, in seconds.
const LEAST: u64 = 600;

struct Client {
    api: Api,
    keys: Porkbun,
}
impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.api.fmt(f)
    }
}
impl Client {
    fn new(keys: Porkbun, base: &str) -> Result<Self, String> {
        Ok(Self { api: Api::new(base, &[&keys.api_key, &keys.api_secret_key])?, keys })
    }
    /// Everything is a POST with the keys in its body.
    async fn call(&self, path: &str, mut body: Value) -> Result<Value, String> {
        body["apikey"] = self.keys.api_key.as_str().into();
        body["secretapikey"] = self.keys.api_secret_key.as_str().into();
        let answer = self.api.call(Method::POST, path, &[], Some(&body)).await?;
        match answer["status"].as_str() {
            Some("SUCCESS") => Ok(answer),
            _ => Err(self.api.without_secrets(format!("Invalid response status {}", answer["message"]))),
        }
    }
}
impl DnsProvider for Client {
    fn append<'a>(&'a self, record: &'a TxtRecord) -> Working<'a, String> {
        Box::pin(async move {
            let ttl = record.ttl_or(LEAST).to_string();
            let body = json!({ "name": record.name, "type": "TXT", "content": record.value, "ttl": ttl });
            id(&self.call(&format!("/dns/create/{}", record.zone), body).await?, "id")
        })
    }
    fn delete<'a>(&'a self, record: &'a TxtRecord, id: &'a str) -> Working<'a, ()> {
        Box::pin(
            async move { self.call(&format!("/dns/delete/{}/{id}", record.zone), json!({})).await.map(drop) },
        )
    }
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut provider) = (Words::new(line), Porkbun::default());
    words.none()?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        let field = match sub.text() {
            "api_key" => &mut provider.api_key,
            "api_secret_key" => &mut provider.api_secret_key,
            _ => return Err(sub.arg_error()),
        };
        super::set(field, sub)?;
    }
    if provider.api_key.is_empty() {
        return Err(words.error("No api_key set"));
    }
    if provider.api_secret_key.is_empty() {
        return Err(words.error("No api_secret_key set"));
    }
    Ok(fields(&provider))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::simulated::{Simulated, ok, record, there_and_back};

    #[tokio::test]
    async fn keys_go_in_the_body_and_the_status_comes_in_it() {
        let server = Simulated::start(|asked| {
            let body = asked.json();
            if body["secretapikey"] != "s" {
                return ok(json!({"status": "ERROR", "message": "Invalid API key. (k)"}));
            }
            if asked.path.starts_with("/dns/create") {
                let expected = json!({"name": "_acme-challenge", "type": "TXT", "content": "proof", "ttl": "600", "apikey": "k", "secretapikey": "s"});
                assert_eq!(body, expected);
            }
            ok(json!({"status": "SUCCESS", "id": 106_926_659}))
        })
        .await;
        let keys = |secret: &str| Porkbun { api_key: "k".into(), api_secret_key: secret.into() };
        let client = Client::new(keys("s"), &server.url).unwrap();
        there_and_back(&client, &record("_acme-challenge", "proof")).await;
        assert_eq!(
            server.lines(),
            ["POST /dns/create/example.com", "POST /dns/delete/example.com/106926659"]
        );
        let stranger = Client::new(keys("wrong"), &server.url).unwrap();
        let error = stranger.append(&record("x", "y")).await.unwrap_err();
        assert!(error.starts_with("Invalid response status") && error.contains("(REDACTED)"), "{error}");
    }
}
