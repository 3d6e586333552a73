//! OVH.
//!
//! ```caddyfile
//! dns ovh {
//!     endpoint           <name_or_url>
//!     application_key    <key>
//!     application_secret <secret>
//!     consumer_key       <key>
//! }
//! ```
//! Example: `dns ovh { endpoint ovh-eu … }`. What is missing is looked for in `OVH_*` variables and `ovh.conf` files.
use super::{
    NAMESPACE,
    api::{Api, hex, id, now, read},
};
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{fields, is_default},
    environment,
    tls::{DnsModule, DnsProvider, TxtRecord, Working},
};
use aws_lc_rs::digest;
use grammar::Line;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::{env, fs, sync::Arc};
use tokio::sync::OnceCell;

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "ovh",
    docs: "ovh { endpoint <name>; application_key <key>; application_secret <secret>; consumer_key <key> }: \
           DNS records at OVH.",
    parse,
    support: Support::Full,
};
/// `dns.providers.ovh`. All of it may hold placeholders.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ovh {
    /// Such as `ovh-eu`, or a URL.
    #[serde(skip_serializing_if = "is_default")]
    pub endpoint: String,
    #[serde(skip_serializing_if = "is_default")]
    pub application_key: String,
    #[serde(skip_serializing_if = "is_default")]
    pub application_secret: String,
    #[serde(skip_serializing_if = "is_default")]
    pub consumer_key: String,
}
pub const MODULE: DnsModule = DnsModule {
    name: "ovh",
    build: |fields| Ok(Arc::new(Client::new(read::<Ovh>(fields)?.completed(&Files::read()))?)),
};
/// By the names that OVH's own clients know.
const ENDPOINTS: &[(&str, &str)] = &[
    ("ovh-eu", "https://eu.api.ovh.com/1.0"),
    ("ovh-ca", "https://ca.api.ovh.com/1.0"),
    ("ovh-us", "https://api.us.ovhcloud.com/1.0"),
    ("kimsufi-eu", "https://eu.api.kimsufi.com/1.0"),
    ("kimsufi-ca", "https://ca.api.kimsufi.com/1.0"),
    ("soyoustart-eu", "https://eu.api.soyoustart.com/1.0"),
    ("soyoustart-ca", "https://ca.api.soyoustart.com/1.0"),
];
/// The files that OVH's own clients read, those that win first.
struct Files(Vec<String>);
impl Files {
    fn read() -> Self {
        let home = env::var("HOME").map(|home| format!("{home}/.ovh.conf"));
        let paths = ["./ovh.conf".to_owned(), home.unwrap_or_default(), "/etc/ovh.conf".into()];
        Self(paths.iter().filter_map(|path| fs::read_to_string(path).ok()).collect())
    }
    fn get(&self, section: &str, name: &str) -> Option<String> {
        self.0.iter().find_map(|text| {
            let mut within = "";
            text.lines().map(str::trim).find_map(|line| {
                if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                    within = header.trim();
                }
                let (key, value) = line.split_once('=')?;
                (within == section && key.trim() == name).then(|| value.trim().to_owned())
            })
        })
    }
}
impl Ovh {
    /// With what the environment and files say of what is missing.
    fn completed(mut self, files: &Files) -> Self {
        let look = |section: &str, name: &str| {
            let set = environment::var(&format!("OVH_{}", name.to_uppercase()));
            set.filter(|value| !value.is_empty()).or_else(|| files.get(section, name))
        };
        if self.endpoint.is_empty() {
            self.endpoint = look("default", "endpoint").unwrap_or_else(|| "ovh-eu".into());
        }
        for (name, field) in [
            ("application_key", &mut self.application_key),
            ("application_secret", &mut self.application_secret),
            ("consumer_key", &mut self.consumer_key),
        ] {
            if field.is_empty() {
                *field = look(&self.endpoint, name).unwrap_or_default();
            }
        }
        self
    }
}
#[derive(Debug)]
struct Client {
    api: Api,
    keys: Keys,
    missing: Option<&'static str>,
    /// How many seconds OVH's clock is ahead of ours.
    ahead: OnceCell<i64>,
}
struct Keys {
    application: String,
    secret: String,
    consumer: String,
}
impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}
impl Keys {
    /// `$1$` and SHA-1 over everything that a request is.
    fn sign(&self, method: &Method, url: &str, body: &str, time: i64) -> String {
        let text = format!("{}+{}+{method}+{url}+{body}+{time}", self.secret, self.consumer);
        let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
        format!("$1${}", hex(digest.as_ref()))
    }
}
impl Client {
    fn new(config: Ovh) -> Result<Self, String> {
        let named = ENDPOINTS.iter().find(|(name, _)| *name == config.endpoint);
        let url = match named {
            Some((_, url)) => url,
            None if config.endpoint.contains('/') => config.endpoint.as_str(),
            None => {
                let names: Vec<&str> = ENDPOINTS.iter().map(|(name, _)| *name).collect();
                let names = names.join(", ");
                return Err(format!("unknown endpoint '{}': a URL, or one of {names}", config.endpoint));
            }
        };
        let keys = [
            ("application_key", &config.application_key),
            ("application_secret", &config.application_secret),
            ("consumer_key", &config.consumer_key),
        ];
        let missing = keys.iter().find(|(_, value)| value.is_empty()).map(|(name, _)| *name);
        if let Some(name) = missing {
            // The plugin loads too; a file that is checked where its secrets are not is right all the same.
            tracing::warn!(target: "dns.providers.ovh", "missing {name}: no record can be written");
        }
        let secrets = [&*config.application_key, &*config.application_secret, &*config.consumer_key];
        Ok(Self {
            api: Api::new(url, &secrets)?,
            keys: Keys {
                application: config.application_key,
                secret: config.application_secret,
                consumer: config.consumer_key,
            },
            missing,
            ahead: OnceCell::new(),
        })
    }
    async fn signed(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, String> {
        if let Some(name) = self.missing {
            return Err(format!("missing {name}"));
        }
        let ours = || i64::try_from(now()).unwrap_or(i64::MAX);
        let ahead = self.ahead.get_or_try_init(|| async {
            let theirs = self.api.call(Method::GET, "/auth/time", &[], None).await?;
            theirs.as_i64().map(|theirs| theirs - ours()).ok_or_else(|| "no time in /auth/time".to_owned())
        });
        let time = ours() + *ahead.await?;
        let text = body.map(Value::to_string).unwrap_or_default();
        let signature = self.keys.sign(&method, &format!("{}{path}", self.api.base()), &text, time);
        let headers = [
            ("X-Ovh-Application", self.keys.application.as_str()),
            ("X-Ovh-Consumer", &self.keys.consumer),
            ("X-Ovh-Timestamp", &time.to_string()),
            ("X-Ovh-Signature", &signature),
        ];
        self.api.call(method, path, &headers, body).await
    }
    /// What is written is served only then.
    async fn refresh(&self, zone: &str) -> Result<(), String> {
        self.signed(Method::POST, &format!("/domain/zone/{zone}/refresh"), None).await.map(drop)
    }
}
impl DnsProvider for Client {
    fn append<'a>(&'a self, record: &'a TxtRecord) -> Working<'a, String> {
        Box::pin(async move {
            let body = json!({
                "fieldType": "TXT",
                "subDomain": record.name,
                "target": record.value,
                "ttl": record.ttl.as_secs(),
            });
            let path = format!("/domain/zone/{}/record", record.zone);
            let id = id(&self.signed(Method::POST, &path, Some(&body)).await?, "id")?;
            self.refresh(&record.zone).await?;
            Ok(id)
        })
    }
    fn delete<'a>(&'a self, record: &'a TxtRecord, id: &'a str) -> Working<'a, ()> {
        Box::pin(async move {
            let path = format!("/domain/zone/{}/record/{id}", record.zone);
            self.signed(Method::DELETE, &path, None).await?;
            self.refresh(&record.zone).await
        })
    }
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut provider) = (Words::new(line), Ovh::default());
    words.none()?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        let field = match sub.text() {
            "endpoint" => &mut provider.endpoint,
            "application_key" => &mut provider.application_key,
            "application_secret" => &mut provider.application_secret,
            "consumer_key" => &mut provider.consumer_key,
            other => return Err(sub.error(format!("unrecognized subdirective '{other}'"))),
        };
        super::set(field, sub)?;
    }
    Ok(fields(&provider))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::simulated::{Asked, Simulated, ok, record, refused, status, there_and_back};

    fn config(endpoint: &str) -> Ovh {
        let [application_key, application_secret, consumer_key] =
            ["AK", "EXEgWIz07P0HYwtQDs7cNIqCiQaWSuHF", "MtSwSrPpNjqfVSmJhLbPyr2i45lSwPU1"].map(str::to_owned);
        Ovh { endpoint: endpoint.into(), application_key, application_secret, consumer_key }
    }
    #[test]
    fn requests_are_signed_as_ovh_documents_it() {
        // The example of docs.ovh.com, "First Steps with the OVHcloud APIs".
        let client = Client::new(config("ovh-eu")).unwrap();
        let signature =
            client.keys.sign(&Method::GET, "https://eu.api.ovh.com/1.0/domains/", "", 1_366_560_945);
        assert_eq!(signature, "$1$d3705e8afb27a0d2970a322b96550abfc67bb798");
    }
    /// Answers as OVH does, and only who signs.
    fn answer(base: &str, asked: &Asked) -> crate::dns::simulated::Answered {
        let time = now() + 3_600;
        if asked.path == "/1.0/auth/time" {
            return ok(time);
        }
        let keys = Client::new(config("ovh-eu")).unwrap().keys;
        let said: i64 = asked.header("x-ovh-timestamp").parse().unwrap();
        let method: Method = asked.method.parse().unwrap();
        let url = format!("{base}{}", asked.path);
        let right = asked.header("x-ovh-signature") == keys.sign(&method, &url, &asked.body, said)
            && said.unsigned_abs().abs_diff(time) < 10
            && asked.header("x-ovh-application") == "AK"
            && asked.header("x-ovh-consumer") == keys.consumer;
        match (right, asked.line().as_str()) {
            (false, _) => status(400, r#"{"message": "Invalid signature"}"#),
            (_, "POST /1.0/domain/zone/example.com/record") => {
                let expected =
                    json!({"fieldType": "TXT", "subDomain": "_acme-challenge", "target": "proof", "ttl": 0});
                assert_eq!(asked.json(), expected);
                ok(json!({"id": 17, "zone": "example.com"}))
            }
            _ => ok(""),
        }
    }
    #[tokio::test]
    async fn a_record_is_there_once_the_zone_is_refreshed() {
        let base = Arc::new(std::sync::OnceLock::<String>::new());
        let known = base.clone();
        let server = Simulated::start(move |asked| answer(known.get().unwrap(), asked)).await;
        base.set(server.url.clone()).unwrap();
        let client = Client::new(config(&format!("{}/1.0/", server.url))).unwrap();
        assert_eq!(there_and_back(&client, &record("_acme-challenge", "proof")).await, "17");
        assert_eq!(
            server.lines(),
            [
                "GET /1.0/auth/time",
                "POST /1.0/domain/zone/example.com/record",
                "POST /1.0/domain/zone/example.com/refresh",
                "DELETE /1.0/domain/zone/example.com/record/17",
                "POST /1.0/domain/zone/example.com/refresh",
            ]
        );
        let mut wrong = config(&format!("{}/1.0", server.url));
        wrong.application_secret = "other".into();
        let error = Client::new(wrong).unwrap().append(&record("x", "y")).await.unwrap_err();
        assert!(error.ends_with("HTTP 400: Invalid signature"), "{error}");
    }
    #[test]
    fn what_is_missing_is_looked_for_in_files() {
        let files = Files(vec![
            "[default]\nendpoint = ovh-ca\n".into(),
            "; c\n[ovh-eu]\napplication_key=no\n[ovh-ca]\napplication_key = A\nconsumer_key=C\n".into(),
        ]);
        let own = Ovh { application_secret: "S".into(), ..Ovh::default() };
        let found = own.completed(&files);
        let expected = ["ovh-ca", "A", "S", "C"];
        let Ovh { endpoint, application_key, application_secret, consumer_key } = &found;
        assert_eq!([endpoint, application_key, application_secret, consumer_key], expected);
    }
    #[tokio::test]
    async fn what_cannot_work_is_refused_by_name() {
        let keys = |endpoint: &str, consumer: &str| json!({"endpoint": endpoint, "application_key": "a", "application_secret": "b", "consumer_key": consumer});
        assert!(
            refused(&MODULE, keys("ovh-fr", "c"))
                .starts_with("unknown endpoint 'ovh-fr': a URL, or one of ovh-eu, ")
        );
        let Value::Object(fields) = keys("ovh-eu", "{env.NOT_SET_ANYWHERE}") else { unreachable!() };
        let provider = (MODULE.build)(fields).unwrap();
        assert_eq!(provider.append(&record("x", "y")).await.unwrap_err(), "missing consumer_key");
    }
}
