//! Azure DNS.
//!
//! ```caddyfile
//! dns azure {
//!     subscription_id     <id>
//!     resource_group_name <name>
//!     tenant_id           <id>
//!     client_id           <id>
//!     client_secret       <secret>
//! }
//! ```
//! Without `tenant_id`, `client_id` and `client_secret` the machine's managed identity signs in.
use super::{
    NAMESPACE,
    api::{Api, Secret, escape, now, read, texts},
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
use tokio::sync::Mutex;

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "azure",
    docs: "azure { subscription_id <id>; resource_group_name <name>; tenant_id <id>; client_id <id>; \
           client_secret <secret> }: DNS records at Azure.",
    parse,
    support: Support::Full,
};
/// `dns.providers.azure`. All of it may hold placeholders.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Azure {
    #[serde(skip_serializing_if = "is_default")]
    pub subscription_id: String,
    #[serde(skip_serializing_if = "is_default")]
    pub resource_group_name: String,
    #[serde(skip_serializing_if = "is_default")]
    pub tenant_id: String,
    #[serde(skip_serializing_if = "is_default")]
    pub client_id: String,
    #[serde(skip_serializing_if = "is_default")]
    pub client_secret: String,
}
pub const MODULE: DnsModule =
    DnsModule { name: "azure", build: |fields| Ok(Arc::new(Client::new(read(fields)?, &PLACES)?)) };
/// Where the API is, where one signs in, and where a machine of Azure's does.
struct Places<'a> {
    management: &'a str,
    login: &'a str,
    machine: &'a str,
}
const PLACES: Places<'static> = Places {
    management: "https://management.azure.com",
    login: "https://login.microsoftonline.com",
    machine: "http://169.254.169.254",
};
/// What records get that have no lifetime of their own, in seconds.
const TTL: u64 = 60;
/// A token is not used in its last minutes.
const MARGIN: u64 = 300;

struct Client {
    api: Api,
    login: Api,
    machine: Api,
    config: Azure,
    /// A token, and the second until which it is used. Also held while a set is changed: the API knows sets only.
    token: Mutex<Option<(Secret, u64)>>,
}
impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.api.fmt(f)
    }
}
impl Client {
    fn new(config: Azure, places: &Places<'_>) -> Result<Self, String> {
        let secrets = [config.client_secret.as_str()];
        Ok(Self {
            api: Api::new(places.management, &secrets)?,
            login: Api::new(places.login, &secrets)?,
            machine: Api::new(places.machine, &[])?,
            config,
            token: Mutex::default(),
        })
    }
    async fn sign_in(&self) -> Result<(Secret, u64), String> {
        let Azure { tenant_id, client_id, client_secret, .. } = &self.config;
        let answer = if tenant_id.is_empty() && client_id.is_empty() && client_secret.is_empty() {
            let resource = escape("https://management.azure.com/");
            let path = format!("/metadata/identity/oauth2/token?api-version=2018-02-01&resource={resource}");
            self.machine.call(Method::GET, &path, &[("Metadata", "true")], None).await?
        } else {
            let body = format!(
                "grant_type=client_credentials&client_id={}&client_secret={}&scope={}",
                escape(client_id),
                escape(client_secret),
                escape("https://management.azure.com/.default"),
            );
            let headers = [("Content-Type", "application/x-www-form-urlencoded")];
            let path = format!("/{}/oauth2/v2.0/token", escape(tenant_id));
            let answer = self.login.send(Method::POST, &path, &headers, body).await?;
            serde_json::from_slice(&answer.body)
                .map_err(|_| "signing in: an answer that is no JSON".to_owned())?
        };
        let token = answer["access_token"].as_str().ok_or("signing in: an answer without a token")?;
        // A number, or a text, depending on who answers.
        let lifetime = answer["expires_in"].as_u64().or_else(|| answer["expires_in"].as_str()?.parse().ok());
        let until = now() + lifetime.unwrap_or(0).saturating_sub(MARGIN);
        Ok((Secret(format!("Bearer {token}")), until))
    }
    async fn change(&self, record: &TxtRecord, change: impl FnOnce(&mut Vec<String>)) -> Result<(), String> {
        let mut token = self.token.lock().await;
        if token.as_ref().is_none_or(|(_, until)| *until <= now()) {
            *token = Some(self.sign_in().await?);
        }
        let bearer = token.as_ref().map_or("", |(bearer, _)| bearer.0.as_str());
        let headers = [("Authorization", bearer)];
        let path = format!(
            "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/dnsZones/{}/TXT/{}?api-version=2018-05-01",
            escape(&self.config.subscription_id),
            escape(&self.config.resource_group_name),
            record.zone,
            record.relative(),
        );
        let found = self.api.find(&path, &headers).await?.unwrap_or_default();
        let sets = found["properties"]["TXTRecords"].as_array();
        let mut values: Vec<String> =
            sets.into_iter().flatten().map(|set| texts(set.get("value")).concat()).collect();
        change(&mut values);
        if values.is_empty() {
            return self.api.call(Method::DELETE, &path, &headers, None).await.map(drop);
        }
        let records: Vec<Value> = values.iter().map(|value| json!({ "value": [value] })).collect();
        let body = json!({ "properties": { "TTL": record.ttl_or(TTL), "TXTRecords": records } });
        self.api.call(Method::PUT, &path, &headers, Some(&body)).await.map(drop)
    }
}
impl DnsProvider for Client {
    fn append<'a>(&'a self, record: &'a TxtRecord) -> Working<'a, String> {
        Box::pin(async {
            self.change(record, |values| values.push(record.value.clone())).await.map(|()| String::new())
        })
    }
    fn delete<'a>(&'a self, record: &'a TxtRecord, _: &'a str) -> Working<'a, ()> {
        Box::pin(self.change(record, |values| values.retain(|value| *value != record.value)))
    }
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut provider) = (Words::new(line), Azure::default());
    words.none()?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        let field = match sub.text() {
            "subscription_id" => &mut provider.subscription_id,
            "resource_group_name" => &mut provider.resource_group_name,
            "tenant_id" => &mut provider.tenant_id,
            "client_id" => &mut provider.client_id,
            "client_secret" => &mut provider.client_secret,
            other => return Err(sub.error(format!("unrecognized subdirective '{other}'"))),
        };
        super::set(field, sub)?;
    }
    Ok(fields(&provider))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::simulated::{Simulated, ok, record, status};

    #[tokio::test]
    async fn who_has_signed_in_changes_the_set() {
        let set = std::sync::Mutex::new(json!([{"value": ["an", "other"]}]));
        let server = Simulated::start(move |asked| {
            let mut set = set.lock().unwrap();
            if asked.line() == "POST /tenant/oauth2/v2.0/token" {
                let right = asked.body.contains("client_id=client&client_secret=se%2Fcret&scope=https%3A%2F%2Fmanagement");
                return if right { ok(json!({"access_token": "T", "expires_in": 3600})) } else { status(401, json!({"error_description": "no se/cret"})) };
            }
            if asked.path.starts_with("/metadata/identity") {
                assert_eq!(asked.header("metadata"), "true");
                return ok(json!({"access_token": "M", "expires_in": "3600"}));
            }
            let zone = "/subscriptions/sub/resourceGroups/group/providers/Microsoft.Network/dnsZones/example.com/TXT/_acme-challenge";
            assert_eq!(asked.path, format!("{zone}?api-version=2018-05-01"));
            assert!(["Bearer T", "Bearer M"].contains(&asked.header("authorization")));
            match asked.method.as_str() {
                "GET" if set.is_null() => status(404, ""),
                "GET" => ok(json!({"properties": {"TXTRecords": *set}})),
                "PUT" => {
                    *set = asked.json()["properties"]["TXTRecords"].clone();
                    ok("{}")
                }
                _ => {
                    *set = Value::Null;
                    ok("")
                }
            }
        })
        .await;
        let places = Places { management: &server.url, login: &server.url, machine: &server.url };
        let client = |secret: &str, tenant: &str| {
            let id = if tenant.is_empty() { "" } else { "client" };
            let config = json!({"subscription_id": "sub", "resource_group_name": "group", "tenant_id": tenant, "client_id": id, "client_secret": secret});
            Client::new(serde_json::from_value(config).unwrap(), &places).unwrap()
        };
        let [ours, another] = ["proof", "another"].map(|value| record("_acme-challenge", value));
        let signed = client("se/cret", "tenant");
        signed.append(&ours).await.unwrap();
        signed.delete(&another, "").await.unwrap();
        client("", "").delete(&ours, "").await.unwrap();
        let methods: Vec<String> =
            server.lines().iter().map(|line| line.split(' ').next().unwrap().into()).collect();
        assert_eq!(methods, ["POST", "GET", "PUT", "GET", "PUT", "GET", "GET", "DELETE"]);
        let error = client("wrong", "tenant").append(&ours).await.unwrap_err();
        assert!(error.contains("HTTP 401: no se/cret"), "{error}");
    }
}
