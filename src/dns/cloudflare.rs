//! Cloudflare.
//!
//! ```caddyfile
//! dns cloudflare <api_token>
//! dns cloudflare {
//!     api_token  <token>
//!     zone_token <token>
//! }
//! ```
//! Example: `dns cloudflare {env.CLOUDFLARE_API_TOKEN}`.
use super::{
    NAMESPACE,
    api::{Api, escape, id, read},
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
    name: "cloudflare",
    docs: "cloudflare <api_token> | { api_token <token>; zone_token <token> }: DNS records at Cloudflare.",
    parse,
    support: Support::Full,
};
/// `dns.providers.cloudflare`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cloudflare {
    /// May edit DNS records; read zones too, unless `zone_token` does. Placeholders are allowed.
    #[serde(skip_serializing_if = "is_default")]
    pub api_token: String,
    /// May read zones.
    #[serde(skip_serializing_if = "is_default")]
    pub zone_token: String,
}
pub const MODULE: DnsModule = DnsModule {
    name: "cloudflare",
    build: |fields| Ok(Arc::new(Client::new(read(fields)?, "https://api.cloudflare.com/client/v4")?)),
};
/// What records get that have no lifetime of their own: "automatic".
const AUTOMATIC: u64 = 1;

#[derive(Debug)]
struct Client {
    api: Api,
    /// Headers with the tokens.
    records: Bearer,
    zones: Bearer,
}
/// By the plugin's rule: a token of 35 to 50 characters, or one of the newer, longer kind with a prefix.
fn is_token(text: &str) -> bool {
    let is_plain =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    let newer = ["cfut_", "cfat_"].iter().find_map(|prefix| text.strip_prefix(prefix));
    is_plain(text)
        && ((35..=50).contains(&text.len()) || newer.is_some_and(|rest| (32..=256).contains(&rest.len())))
}
struct Bearer(String);
impl std::fmt::Debug for Bearer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bearer")
    }
}
impl Client {
    fn new(config: Cloudflare, base: &str) -> Result<Self, String> {
        if !is_token(&config.api_token) {
            return Err("API token appears invalid; ensure it's correctly entered and not wrapped in braces nor quotes".into());
        }
        let zone_token = if config.zone_token.is_empty() { &config.api_token } else { &config.zone_token };
        let bearer = |token: &str| Bearer(format!("Bearer {token}"));
        Ok(Self {
            records: bearer(&config.api_token),
            zones: bearer(zone_token),
            api: Api::new(base, &[&config.api_token, zone_token])?,
        })
    }
    async fn call(
        &self,
        as_who: &Bearer,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, String> {
        let answer = self.api.call(method, path, &[("Authorization", &as_who.0)], body).await?;
        Ok(answer.get("result").cloned().unwrap_or_default())
    }
    async fn zone(&self, name: &str) -> Result<String, String> {
        let found =
            self.call(&self.zones, Method::GET, &format!("/zones?name={}", escape(name)), None).await?;
        match found.as_array().map(Vec::as_slice) {
            Some([zone]) => id(zone, "id"),
            Some(zones) => Err(format!("expected 1 zone, got {} for {name}", zones.len())),
            None => Err("an answer without zones".into()),
        }
    }
}
impl DnsProvider for Client {
    fn append<'a>(&'a self, record: &'a TxtRecord) -> Working<'a, String> {
        Box::pin(async move {
            let zone = self.zone(&record.zone).await?;
            let body = json!({
                "type": "TXT",
                "name": record.full_name(),
                "content": format!("\"{}\"", record.value),
                "ttl": record.ttl_or(AUTOMATIC),
            });
            let path = format!("/zones/{zone}/dns_records");
            let added = id(&self.call(&self.records, Method::POST, &path, Some(&body)).await?, "id")?;
            Ok(format!("{zone}/dns_records/{added}"))
        })
    }
    fn delete<'a>(&'a self, _: &'a TxtRecord, id: &'a str) -> Working<'a, ()> {
        Box::pin(async move {
            self.call(&self.records, Method::DELETE, &format!("/zones/{id}"), None).await.map(drop)
        })
    }
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut provider) = (Words::new(line), Cloudflare::default());
    if let Some(token) = words.arg() {
        provider.api_token = token.text.clone();
    } else {
        let mut block = words.block();
        while let Some(sub) = block.next() {
            match sub.text() {
                "api_token" => provider.api_token = sub.need()?.into(),
                "zone_token" => provider.zone_token = sub.need()?.into(),
                other => return Err(sub.error(format!("unrecognized subdirective '{other}'"))),
            }
        }
    }
    if let Some(extra) = words.arg() {
        return Err(extra.error(format!("unexpected argument '{}'", extra.text)));
    }
    if provider.api_token.is_empty() {
        return Err(words.error("missing API token"));
    }
    Ok(fields(&provider))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::simulated::{Simulated, ok, record, refused, status, there_and_back};

    #[tokio::test]
    async fn each_token_is_used_for_what_it_may_do() {
        let (edit, read) = ("e".repeat(40), "r".repeat(40));
        let server = Simulated::start(move |asked| {
            let token = asked.header("authorization").strip_prefix("Bearer ").unwrap().to_owned();
            match (asked.line().as_str(), token.as_bytes()[0]) {
                ("GET /zones?name=example.com", b'r') => ok(json!({"result": [{"id": "Z"}]})),
                ("POST /zones/Z/dns_records", b'e') => {
                    let expected = json!({"type": "TXT", "name": "_acme-challenge.example.com", "content": "\"proof\"", "ttl": 1});
                    assert_eq!(asked.json(), expected);
                    ok(json!({"result": {"id": "R"}}))
                }
                ("DELETE /zones/Z/dns_records/R", b'e') => ok(json!({"result": {"id": "R"}})),
                (other, _) => status(403, format!(r#"{{"errors": [{{"message": "{other} by {token}"}}]}}"#)),
            }
        })
        .await;
        let config = Cloudflare { api_token: edit.clone(), zone_token: read };
        let client = Client::new(config, &server.url).unwrap();
        there_and_back(&client, &record("_acme-challenge", "proof")).await;
        assert_eq!(server.lines().len(), 3);
        let alone =
            Client::new(Cloudflare { api_token: edit, ..Cloudflare::default() }, &server.url).unwrap();
        let error = alone.append(&record("x", "y")).await.unwrap_err();
        assert!(error.ends_with("HTTP 403: GET /zones?name=example.com by REDACTED"), "{error}");
    }
    #[test]
    fn what_is_no_token_is_not_repeated() {
        let error = refused(&MODULE, json!({"api_token": "too short"}));
        assert!(error.starts_with("API token appears invalid"), "{error}");
    }
}
