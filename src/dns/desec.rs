//! deSEC.
//!
//! ```caddyfile
//! dns desec {
//!     token <token>
//! }
//! ```
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
    name: "desec",
    docs: "desec { token <token> }: DNS records at deSEC.",
    parse,
    support: Support::Full,
};
/// `dns.providers.desec`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Desec {
    /// Placeholders are allowed.
    #[serde(skip_serializing_if = "is_default")]
    pub token: String,
}
pub const MODULE: DnsModule = DnsModule {
    name: "desec",
    build: |fields| Ok(Arc::new(Client::new(&read(fields)?, "https://desec.io/api/v1")?)),
};
/// The shortest lifetime of a record, in seconds.
const LEAST: u64 = 3600;

#[derive(Debug)]
struct Client {
    api: Api,
    authorization: Secret,
    /// The API knows sets of records only: what is read must still be true when it is written.
    writing: Mutex<()>,
}
impl Client {
    fn new(config: &Desec, base: &str) -> Result<Self, String> {
        let token = &config.token;
        let api = Api::new(base, &[token])?;
        Ok(Self { api, authorization: Secret(format!("Token {token}")), writing: Mutex::default() })
    }
}
impl RecordSets for Client {
    async fn change(
        &self,
        record: &TxtRecord,
        change: impl FnOnce(&mut Vec<String>) + Send,
    ) -> Result<(), String> {
        let _alone = self.writing.lock().await;
        let headers = [("Authorization", self.authorization.0.as_str())];
        let sets = format!("/domains/{}/rrsets/", record.zone);
        let found = self.api.find(&format!("{sets}{}/TXT/", record.relative()), &headers).await?;
        let mut records = texts(found.unwrap_or_default().get("records"));
        change(&mut records);
        // A set without records is deleted.
        let body = json!([{ "subname": record.name, "type": "TXT", "records": records, "ttl": record.ttl_or(LEAST) }]);
        self.api.call(Method::PUT, &sets, &headers, Some(&body)).await.map(drop)
    }
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut provider) = (Words::new(line), Desec::default());
    words.none()?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "token" => super::set_once(&mut provider.token, sub, "token already set")?,
            other => return Err(sub.error(format!("unrecognized subdirective '{other}'"))),
        }
    }
    if provider.token.is_empty() {
        return Err(words.error("missing token"));
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
        let set = Arc::new(std::sync::Mutex::new(vec!["\"another\"".to_owned()]));
        let known = set.clone();
        let server = Simulated::start(move |asked| {
            let mut set = known.lock().unwrap();
            match (asked.header("authorization"), asked.line().as_str()) {
                ("Token t", "GET /domains/example.com/rrsets/_acme-challenge/TXT/") => match set.is_empty() {
                    true => status(404, json!({"detail": "Not found."})),
                    false => ok(json!({"records": *set})),
                },
                ("Token t", "PUT /domains/example.com/rrsets/") => {
                    let new = asked.json();
                    assert_eq!(
                        (&new[0]["subname"], &new[0]["ttl"]),
                        (&json!("_acme-challenge"), &json!(3600))
                    );
                    *set = texts(new[0].get("records"));
                    ok("[]")
                }
                _ => status(401, json!({"detail": "Invalid token."})),
            }
        })
        .await;
        let client = Client::new(&Desec { token: "t".into() }, &server.url).unwrap();
        let [ours, another] = ["proof", "another"].map(|value| record("_acme-challenge", value));
        client.append(&ours).await.unwrap();
        assert_eq!(*set.lock().unwrap(), ["\"another\"", "\"proof\""]);
        client.delete(&ours, "").await.unwrap();
        client.delete(&another, "").await.unwrap();
        assert!(set.lock().unwrap().is_empty());
        client.append(&ours).await.unwrap();
        assert_eq!(*set.lock().unwrap(), ["\"proof\""]);
    }
}
