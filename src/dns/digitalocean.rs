//! DigitalOcean.
//!
//! ```caddyfile
//! dns digitalocean <api_token>
//! dns digitalocean {
//!     api_token <token>
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
    name: "digitalocean",
    docs: "digitalocean <api_token> | { api_token <token> }: DNS records at DigitalOcean.",
    parse,
    support: Support::Full,
};
/// `dns.providers.digitalocean`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DigitalOcean {
    /// Placeholders are allowed.
    pub auth_token: String,
}
pub const MODULE: DnsModule = DnsModule {
    name: "digitalocean",
    build: |fields| Ok(Arc::new(Client::new(&read(fields)?, "https://api.digitalocean.com/v2")?)),
};
/// The shortest lifetime of a record, in seconds.
const LEAST: u64 = 30;

#[derive(Debug)]
struct Client {
    api: Api,
    bearer: Secret,
}
impl Client {
    fn new(config: &DigitalOcean, base: &str) -> Result<Self, String> {
        let token = &config.auth_token;
        Ok(Self { api: Api::new(base, &[token])?, bearer: Secret(format!("Bearer {token}")) })
    }
}
impl DnsProvider for Client {
    fn append<'a>(&'a self, record: &'a TxtRecord) -> Working<'a, String> {
        Box::pin(async move {
            let body = json!({
                "type": "TXT", "name": record.relative(), "data": record.value, "ttl": record.ttl_or(LEAST),
            });
            let path = format!("/domains/{}/records", record.zone);
            let answer =
                self.api.call(Method::POST, &path, &[("Authorization", &self.bearer.0)], Some(&body)).await?;
            id(&answer["domain_record"], "id")
        })
    }
    fn delete<'a>(&'a self, record: &'a TxtRecord, id: &'a str) -> Working<'a, ()> {
        Box::pin(async move {
            let path = format!("/domains/{}/records/{id}", record.zone);
            self.api.call(Method::DELETE, &path, &[("Authorization", &self.bearer.0)], None).await.map(drop)
        })
    }
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut provider) = (Words::new(line), DigitalOcean::default());
    super::set(&mut provider.auth_token, &mut words)?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "api_token" if !provider.auth_token.is_empty() => return Err(sub.error("API token already set")),
            "api_token" => provider.auth_token = sub.need()?.into(),
            other => return Err(sub.error(format!("unrecognized subdirective '{other}'"))),
        }
    }
    if provider.auth_token.is_empty() {
        return Err(words.error("missing API token"));
    }
    Ok(fields(&provider))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::simulated::{Simulated, ok, record, status, there_and_back};

    #[tokio::test]
    async fn a_record_is_written_and_deleted_by_its_id() {
        let server = Simulated::start(|asked| match (asked.header("authorization"), asked.method.as_str()) {
            ("Bearer t0ken", "POST") => {
                let expected = json!({"type": "TXT", "name": "_acme-challenge", "data": "proof", "ttl": 30});
                assert_eq!(asked.json(), expected);
                status(201, json!({"domain_record": {"id": 28_448_433}}))
            }
            ("Bearer t0ken", "DELETE") => status(204, ""),
            _ => ok(json!({"message": "Unable to authenticate you"})),
        })
        .await;
        let client = Client::new(&DigitalOcean { auth_token: "t0ken".into() }, &server.url).unwrap();
        there_and_back(&client, &record("_acme-challenge", "proof")).await;
        let lines = ["POST /domains/example.com/records", "DELETE /domains/example.com/records/28448433"];
        assert_eq!(server.lines(), lines);
    }
}
