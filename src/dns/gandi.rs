//! Gandi.
//!
//! ```caddyfile
//! dns gandi <bearer_token>
//! ```
//! There is a block form, `gandi { bearer_token <token> }`, but the plugin reads the word `bearer_token` itself as the token and
//! stumbles over what follows, so that only `gandi <bearer_token>` can be used.
use super::{
    NAMESPACE,
    api::{Api, RecordSets, Secret, read, texts},
};
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{fields, is_default},
    tls::{DnsModule, TxtRecord},
};
use grammar::Line;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use tokio::sync::Mutex;

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "gandi",
    docs: "gandi <bearer_token>: DNS records at Gandi.",
    parse,
    support: Support::Full,
};
/// `dns.providers.gandi`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gandi {
    /// Placeholders are allowed.
    #[serde(skip_serializing_if = "is_default")]
    pub bearer_token: String,
}
pub const MODULE: DnsModule = DnsModule {
    name: "gandi",
    build: |fields| Ok(Arc::new(Client::new(&read(fields)?, "https://api.gandi.net/v5/livedns")?)),
};
/// The shortest lifetime of a record, in seconds.
const LEAST: u64 = 300;

#[derive(Debug)]
struct Client {
    api: Api,
    bearer: Secret,
    /// The API knows sets of records only: what is read must still be true when it is written.
    writing: Mutex<()>,
}
impl Client {
    fn new(config: &Gandi, base: &str) -> Result<Self, String> {
        let token = &config.bearer_token;
        let api = Api::new(base, &[token])?;
        Ok(Self { api, bearer: Secret(format!("Bearer {token}")), writing: Mutex::default() })
    }
}
impl RecordSets for Client {
    async fn change(
        &self,
        record: &TxtRecord,
        change: impl FnOnce(&mut Vec<String>) + Send,
    ) -> Result<(), String> {
        let _alone = self.writing.lock().await;
        let headers = [("Authorization", self.bearer.0.as_str())];
        let path = format!("/domains/{}/records/{}/TXT", record.zone, record.relative());
        let found = self.api.find(&path, &headers).await?.unwrap_or_default();
        let mut values = texts(found.get("rrset_values"));
        change(&mut values);
        let (method, body) = match values.is_empty() {
            true => (Method::DELETE, None),
            false => {
                (Method::PUT, Some(json!({ "rrset_values": values, "rrset_ttl": record.ttl_or(LEAST) })))
            }
        };
        self.api.call(method, &path, &headers, body.as_ref()).await.map(drop)
    }
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut provider) = (Words::new(line), Gandi::default());
    super::set(&mut provider.bearer_token, &mut words)?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "bearer_token" if !provider.bearer_token.is_empty() => {
                return Err(sub.error("Bearer token already set"));
            }
            "bearer_token" => {
                provider.bearer_token = sub.text().into();
                sub.none().map_err(|error| error.hint("write it on one line: gandi <bearer_token>"))?;
            }
            other => return Err(sub.error(format!("unrecognized subdirective '{other}'"))),
        }
    }
    if provider.bearer_token.is_empty() {
        return Err(words.error("missing API token"));
    }
    Ok(fields(&provider))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        dns::simulated::{Simulated, ok, record, status},
        tls::DnsProvider,
    };

    #[tokio::test]
    async fn records_of_others_stay() {
        let set = std::sync::Mutex::new(vec!["\"another\"".to_owned()]);
        let server = Simulated::start(move |asked| {
            assert_eq!(asked.path, "/domains/example.com/records/_acme-challenge/TXT");
            let mut set = set.lock().unwrap();
            match (asked.header("authorization"), asked.method.as_str()) {
                ("Bearer t", "GET") if set.is_empty() => status(404, json!({"message": "not found"})),
                ("Bearer t", "GET") => ok(json!({"rrset_values": *set, "rrset_ttl": 300})),
                ("Bearer t", "PUT") => {
                    assert_eq!(asked.json()["rrset_ttl"], 300);
                    *set = texts(asked.json().get("rrset_values"));
                    status(201, json!({"message": "DNS Record Created"}))
                }
                ("Bearer t", "DELETE") => {
                    set.clear();
                    status(204, "")
                }
                _ => status(403, json!({"message": "no access"})),
            }
        })
        .await;
        let client = Client::new(&Gandi { bearer_token: "t".into() }, &server.url).unwrap();
        let [ours, another] = ["proof", "another"].map(|value| record("_acme-challenge", value));
        client.append(&ours).await.unwrap();
        client.delete(&another, "").await.unwrap();
        client.delete(&ours, "").await.unwrap();
        client.append(&ours).await.unwrap();
        let methods: Vec<String> =
            server.lines().iter().map(|line| line.split(' ').next().unwrap().into()).collect();
        assert_eq!(methods, ["GET", "PUT", "GET", "PUT", "GET", "DELETE", "GET", "PUT"]);
    }
}
