//! Google Cloud DNS.
//!
//! ```caddyfile
//! dns googleclouddns {
//!     gcp_project             <id>
//!     gcp_application_default <service_account_file>
//! }
//! ```
//! Without `gcp_application_default` the application default credentials of the machine sign in.
use super::{
    NAMESPACE,
    api::{Api, RecordSets, Secret, escape, now, read, texts},
};
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{fields, is_default},
    environment,
    tls::{DnsModule, TxtRecord},
};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use grammar::Line;
use http::Method;
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::fs;
use std::sync::Arc;
use tokio::sync::Mutex;

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "googleclouddns",
    docs: "googleclouddns { gcp_project <id>; gcp_application_default <file> }: \
           DNS records at Google Cloud.",
    parse,
    support: Support::Full,
};
/// `dns.providers.googleclouddns`. All of it may hold placeholders.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GoogleCloudDns {
    #[serde(skip_serializing_if = "is_default")]
    pub gcp_project: String,
    /// The file with a service account's JSON.
    #[serde(skip_serializing_if = "is_default")]
    pub gcp_application_default: String,
}
pub const MODULE: DnsModule =
    DnsModule { name: "googleclouddns", build: |fields| Ok(Arc::new(Client::new(read(fields)?, &PLACES)?)) };
/// Where the API is, and where a machine of Google's signs in.
struct Places<'a> {
    api: &'a str,
    machine: &'a str,
}
const PLACES: Places<'static> =
    Places { api: "https://dns.googleapis.com/dns/v1", machine: "http://metadata.google.internal" };
const SCOPE: &str = "https://www.googleapis.com/auth/ndev.clouddns.readwrite";
/// What records get that have no lifetime of their own, in seconds.
const TTL: u64 = 60;
/// A token is not used in its last minutes.
const MARGIN: u64 = 300;

/// A file of credentials, as far as it is that of a service account.
#[derive(Deserialize)]
struct ServiceAccount {
    client_email: String,
    /// PEM.
    private_key: String,
    token_uri: String,
}
struct Client {
    api: Api,
    machine: Api,
    project: String,
    account: Option<ServiceAccount>,
    /// A token, and the second until which it is used. Also held while a set is changed: the API knows sets only.
    token: Mutex<Option<(Secret, u64)>>,
}
impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.api.fmt(f)
    }
}
impl Client {
    fn new(config: GoogleCloudDns, places: &Places<'_>) -> Result<Self, String> {
        let file = match config.gcp_application_default.as_str() {
            "" => environment::var("GOOGLE_APPLICATION_CREDENTIALS").filter(|path| !path.is_empty()),
            path => Some(path.to_owned()),
        };
        let read = |path: String| {
            let text = fs::read(&path).map_err(|error| format!("{path}: {error}"))?;
            serde_json::from_slice::<ServiceAccount>(&text)
                .map_err(|_| format!("{path}: not the credentials of a service account"))
        };
        Ok(Self {
            api: Api::new(places.api, &[])?,
            machine: Api::new(places.machine, &[])?,
            project: config.gcp_project,
            account: file.map(read).transpose()?,
            token: Mutex::default(),
        })
    }
    async fn sign_in(&self) -> Result<(Secret, u64), String> {
        let answer = match &self.account {
            None => {
                let path = "/computeMetadata/v1/instance/service-accounts/default/token";
                self.machine.call(Method::GET, path, &[("Metadata-Flavor", "Google")], None).await?
            }
            Some(account) => {
                let grant = escape("urn:ietf:params:oauth:grant-type:jwt-bearer");
                let body = format!("grant_type={grant}&assertion={}", account.assertion(now())?);
                let headers = [("Content-Type", "application/x-www-form-urlencoded")];
                let login = Api::new(&account.token_uri, &[&account.private_key])?;
                let answer = login.send(Method::POST, "", &headers, body).await?;
                serde_json::from_slice(&answer.body)
                    .map_err(|_| "signing in: an answer that is no JSON".to_owned())?
            }
        };
        let token = answer["access_token"].as_str().ok_or("signing in: an answer without a token")?;
        let until = now() + answer["expires_in"].as_u64().unwrap_or(0).saturating_sub(MARGIN);
        Ok((Secret(format!("Bearer {token}")), until))
    }
}
impl ServiceAccount {
    /// What a service account signs in with: a JWT (RFC 7523), RS256.
    fn assertion(&self, now: u64) -> Result<String, String> {
        let bad_key = || "the service account's private key cannot be used".to_owned();
        let der = PrivateKeyDer::from_pem_slice(self.private_key.as_bytes()).map_err(|_| bad_key())?;
        let key = match &der {
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            other => RsaKeyPair::from_der(other.secret_der()),
        };
        let key = key.map_err(|_| bad_key())?;
        let header = BASE64.encode(json!({ "alg": "RS256", "typ": "JWT" }).to_string());
        let claims = json!({
            "iss": self.client_email, "scope": SCOPE, "aud": self.token_uri, "iat": now, "exp": now + 3600,
        });
        let text = format!("{header}.{}", BASE64.encode(claims.to_string()));
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .map_err(|_| bad_key())?;
        Ok(format!("{text}.{}", BASE64.encode(signature)))
    }
}
impl RecordSets for Client {
    async fn change(
        &self,
        record: &TxtRecord,
        change: impl FnOnce(&mut Vec<String>) + Send,
    ) -> Result<(), String> {
        let mut token = self.token.lock().await;
        if token.as_ref().is_none_or(|(_, until)| *until <= now()) {
            *token = Some(self.sign_in().await?);
        }
        let headers = [("Authorization", token.as_ref().map_or("", |(bearer, _)| bearer.0.as_str()))];
        let zones = format!("/projects/{}/managedZones", escape(&self.project));
        let by_name = format!("{zones}?dnsName={}", escape(&format!("{}.", record.zone)));
        let found = self.api.call(Method::GET, &by_name, &headers, None).await?;
        let mut all = found["managedZones"].as_array().into_iter().flatten();
        let zone = all.find(|zone| zone["visibility"] != "private").and_then(|zone| zone["name"].as_str());
        let zone =
            zone.ok_or_else(|| format!("unable to find Google managed zone for domain {}", record.zone))?;
        let name = format!("{}.", record.full_name());
        let set = format!("{zones}/{zone}/rrsets?type=TXT&name={}", escape(&name));
        let sets = self.api.call(Method::GET, &set, &headers, None).await?;
        let old = sets["rrsets"].get(0).cloned();
        let mut values = texts(old.as_ref().and_then(|set| set.get("rrdatas")));
        change(&mut values);
        let mut body = json!({});
        if let Some(old) = old {
            body["deletions"] = json!([old]);
        }
        if !values.is_empty() {
            let new = json!({ "name": name, "type": "TXT", "ttl": record.ttl_or(TTL), "rrdatas": values });
            body["additions"] = json!([new]);
        }
        self.api.call(Method::POST, &format!("{zones}/{zone}/changes"), &headers, Some(&body)).await.map(drop)
    }
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut provider) = (Words::new(line), GoogleCloudDns::default());
    words.none()?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        let field = match sub.text() {
            "gcp_project" => &mut provider.gcp_project,
            "gcp_application_default" => &mut provider.gcp_application_default,
            other => return Err(sub.error(format!("unrecognized subdirective '{other}'"))),
        };
        super::set(field, sub)?;
    }
    if provider.gcp_project.is_empty() {
        return Err(words.error("missing Google Cloud project ID"));
    }
    Ok(fields(&provider))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        dns::simulated::{Simulated, ok, record, status},
        tls::{DnsProvider, KeyType, key_to_pem},
    };
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    #[tokio::test]
    async fn a_service_account_signs_in_and_replaces_the_set() {
        let key = KeyType::Rsa2048.generate().unwrap();
        let public = key.public_key_raw().to_vec();
        let set = std::sync::Mutex::new(json!(["\"another\""]));
        let server = Simulated::start(move |asked| {
            let mut set = set.lock().unwrap();
            if asked.path == "/token" {
                let assertion = asked.body.split("assertion=").nth(1).unwrap();
                let (text, signature) = assertion.rsplit_once('.').unwrap();
                let signature = BASE64.decode(signature).unwrap();
                let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &public);
                public.verify(text.as_bytes(), &signature).unwrap();
                let claims = BASE64.decode(text.split('.').nth(1).unwrap()).unwrap();
                let claims: Value = serde_json::from_slice(&claims).unwrap();
                assert_eq!((&claims["iss"], &claims["scope"]), (&json!("me@project"), &json!(SCOPE)));
                return ok(json!({"access_token": "T", "expires_in": 3600}));
            }
            if asked.header("authorization") != "Bearer T" {
                return status(401, json!({"error": {"message": "unauthenticated"}}));
            }
            match asked.line().as_str() {
                "GET /projects/p/managedZones?dnsName=example.com." => {
                    ok(json!({"managedZones": [{"name": "inner", "visibility": "private"}, {"name": "z", "visibility": "public"}]}))
                }
                "GET /projects/p/managedZones/z/rrsets?type=TXT&name=_acme-challenge.example.com." => {
                    ok(json!({"rrsets": [{"name": "_acme-challenge.example.com.", "rrdatas": *set}]}))
                }
                "POST /projects/p/managedZones/z/changes" => {
                    let body = asked.json();
                    assert_eq!(body["deletions"][0]["rrdatas"], *set);
                    *set = body["additions"][0]["rrdatas"].clone();
                    ok("{}")
                }
                other => status(404, other),
            }
        })
        .await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("account.json");
        let account = json!({"client_email": "me@project", "private_key": key_to_pem(&key), "token_uri": format!("{}/token", server.url)});
        fs::write(&file, account.to_string()).unwrap();
        let config = json!({"gcp_project": "p", "gcp_application_default": file});
        let places = Places { api: &server.url, machine: &server.url };
        let client = Client::new(serde_json::from_value(config).unwrap(), &places).unwrap();
        let [ours, another] = ["proof", "another"].map(|value| record("_acme-challenge", value));
        client.append(&ours).await.unwrap();
        client.delete(&another, "").await.unwrap();
        client.delete(&ours, "").await.unwrap();
        assert_eq!(server.lines().iter().filter(|line| line.contains("/token")).count(), 1);
        fs::write(&file, "{}").unwrap();
        let config = json!({"gcp_project": "p", "gcp_application_default": file});
        let error = Client::new(serde_json::from_value(config).unwrap(), &places).unwrap_err();
        assert!(error.ends_with("not the credentials of a service account"), "{error}");
    }
}
