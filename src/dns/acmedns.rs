//! ACME-DNS, a small name server for ACME challenges alone (github.com/joohoi/acme-dns).
//!
//! ```caddyfile
//! dns acmedns <config_file>
//! dns acmedns {
//!     config_file_path <file>
//! }
//! dns acmedns {
//!     username   <name>
//!     password   <password>
//!     subdomain  <subdomain>
//!     server_url <url>
//! }
//! dns acmedns {
//!     config {
//!         <domain> {
//!             username   <name>
//!             password   <password>
//!             subdomain  <subdomain>
//!             fulldomain <domain>
//!             server_url <url>
//!         }
//!     }
//! }
//! ```
use super::{
    NAMESPACE,
    api::{Api, read},
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
use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "acmedns",
    docs: "acmedns <config_file> | { config_file_path <file> } | { username …; password …; subdomain …; \
           server_url … } | { config { <domain> { … } } }: challenge records at an ACME-DNS server.",
    parse,
    support: Support::Full,
};
/// `dns.providers.acmedns`: exactly one of a file, one account, or accounts by domain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AcmeDns {
    /// JSON in the form of `config`.
    #[serde(skip_serializing_if = "is_default")]
    pub config_file_path: String,
    #[serde(skip_serializing_if = "is_default")]
    pub username: String,
    #[serde(skip_serializing_if = "is_default")]
    pub password: String,
    #[serde(skip_serializing_if = "is_default")]
    pub subdomain: String,
    #[serde(skip_serializing_if = "is_default")]
    pub server_url: String,
    /// By domain.
    #[serde(rename = "config", skip_serializing_if = "is_default")]
    pub accounts: BTreeMap<String, Account>,
}
/// What the server's `/register` answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Account {
    #[serde(skip_serializing_if = "is_default")]
    pub username: String,
    #[serde(skip_serializing_if = "is_default")]
    pub password: String,
    #[serde(skip_serializing_if = "is_default")]
    pub subdomain: String,
    #[serde(skip_serializing_if = "is_default")]
    pub fulldomain: String,
    #[serde(skip_serializing_if = "is_default")]
    pub server_url: String,
}
pub const MODULE: DnsModule =
    DnsModule { name: "acmedns", build: |fields| Ok(Arc::new(Client::new(read(fields)?)?)) };
/// One account a domain, or one for all.
#[derive(Debug)]
struct Client(Vec<(Option<String>, Server)>);
struct Server {
    api: Api,
    account: Account,
}
impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.api.fmt(f)
    }
}
impl Client {
    fn new(mut config: AcmeDns) -> Result<Self, String> {
        if !config.config_file_path.is_empty() {
            let path = &config.config_file_path;
            let text = fs::read(path).map_err(|_| format!("Failed to read config file {path}"))?;
            let by_domain =
                serde_json::from_slice(&text).map(|accounts| AcmeDns { accounts, ..AcmeDns::default() });
            let one = || serde_json::from_slice::<AcmeDns>(&text);
            config = by_domain.or_else(|_| one()).map_err(|_| "Failed to unmarshall config".to_owned())?;
        }
        let server = |account: Account| {
            for (name, value) in [
                ("Username", &account.username),
                ("Password", &account.password),
                ("Subdomain", &account.subdomain),
                ("ServerURL", &account.server_url),
            ] {
                if value.is_empty() {
                    return Err(format!("{name} cannot be empty"));
                }
            }
            let api = Api::new(&account.server_url, &[&account.username, &account.password])?;
            Ok(Server { api, account })
        };
        if config.accounts.is_empty() {
            let AcmeDns { username, password, subdomain, server_url, .. } = config;
            let account = Account { username, password, subdomain, server_url, ..Account::default() };
            return Ok(Self(vec![(None, server(account)?)]));
        }
        let accounts = config.accounts.into_iter();
        Ok(Self(
            accounts
                .map(|(domain, account)| Ok((Some(domain), server(account)?)))
                .collect::<Result<_, String>>()?,
        ))
    }
    /// By the domain, or, where its CNAME was followed, by what it leads to.
    fn server(&self, record: &TxtRecord) -> Result<&Server, String> {
        let full = record.full_name();
        let domain = full.strip_prefix("_acme-challenge.").unwrap_or(&full);
        let found = self.0.iter().find(|(of, server)| match of {
            None => true,
            Some(of) => {
                let led = full.split('.').next() == Some(&server.account.subdomain);
                of.eq_ignore_ascii_case(domain) || led
            }
        });
        found.map(|(_, server)| server).ok_or_else(|| format!("Config for domain {domain} not found"))
    }
}
impl DnsProvider for Client {
    fn append<'a>(&'a self, record: &'a TxtRecord) -> Working<'a, String> {
        Box::pin(async move {
            let Server { api, account } = self.server(record)?;
            let body = json!({ "subdomain": account.subdomain, "txt": record.value });
            let headers = [("X-Api-User", account.username.as_str()), ("X-Api-Key", &account.password)];
            api.call(Method::POST, "/update", &headers, Some(&body)).await.map(|_| String::new())
        })
    }
    /// The server keeps the last two texts, and forgets the older ones by itself.
    fn delete<'a>(&'a self, _: &'a TxtRecord, _: &'a str) -> Working<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut provider) = (Words::new(line), AcmeDns::default());
    super::set(&mut provider.config_file_path, &mut words)?;
    let (mut block, mut by_domain) = (words.block(), false);
    while let Some(sub) = block.next() {
        let (field, what) = match sub.text() {
            "config_file_path" => (&mut provider.config_file_path, "config_file_path"),
            "username" => (&mut provider.username, "username"),
            "password" => (&mut provider.password, "password"),
            "subdomain" => (&mut provider.subdomain, "subdomain"),
            "server_url" => (&mut provider.server_url, "server_url"),
            "config" => {
                by_domain = true;
                provider.accounts = accounts(sub)?;
                continue;
            }
            other => return Err(sub.error(format!("unrecognized subdirective '{other}'"))),
        };
        if !field.is_empty() {
            return Err(sub.error(format!("{what} already set")));
        }
        super::set(field, sub)?;
    }
    let account = [&provider.username, &provider.password, &provider.subdomain, &provider.server_url];
    let account = account.iter().all(|field| !field.is_empty());
    let forms = [account, !provider.config_file_path.is_empty(), by_domain];
    if forms.iter().filter(|form| **form).count() != 1 {
        return Err(words.error(
            "Failed to parse acmedns configuration. You must use exactly one of these directives/directive \
             combinations: 1) config, 2) config_file_path, 3) username, password, subdomain and server_url \
             combination",
        ));
    }
    if by_domain && provider.accounts.is_empty() {
        return Err(words.error("config section must have at least one domain"));
    }
    Ok(fields(&provider))
}
/// `config { <domain> { … } … }`.
fn accounts(config: &mut Words<'_>) -> Parsed<BTreeMap<String, Account>> {
    let (mut found, mut domains) = (BTreeMap::new(), config.block());
    while let Some(domain) = domains.next() {
        let (name, mut account) = (domain.text().to_owned(), Account::default());
        let mut block = domain.block();
        while let Some(sub) = block.next() {
            let field = match sub.text() {
                "username" => &mut account.username,
                "password" => &mut account.password,
                "subdomain" => &mut account.subdomain,
                "fulldomain" => &mut account.fulldomain,
                "server_url" => &mut account.server_url,
                other => return Err(sub.error(format!("unrecognized subdirective: '{other}'"))),
            };
            super::set(field, sub)?;
        }
        found.insert(name, account);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::simulated::{Simulated, ok, record, status, there_and_back};

    #[tokio::test]
    async fn each_domain_has_its_account_wherever_its_name_leads() {
        let server = Simulated::start(|asked| {
            let right = asked.header("x-api-user") == "u" && asked.header("x-api-key") == "p";
            assert_eq!(asked.json(), json!({"subdomain": "sub", "txt": "proof"}));
            if right { ok(json!({"txt": "proof"})) } else { status(401, json!({"error": "forbidden"})) }
        })
        .await;
        let account = |password: &str| json!({"username": "u", "password": password, "subdomain": "sub", "server_url": server.url});
        let client = |config: Value| Client::new(serde_json::from_value(config).unwrap()).unwrap();
        let one = client(account("p"));
        let many = client(json!({"config": {"www.example.com": account("p")}}));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts.json");
        fs::write(&path, json!({"www.example.com": account("p")}).to_string()).unwrap();
        let file = client(json!({"config_file_path": path}));
        for client in [&one, &many, &file] {
            there_and_back(client, &record("_acme-challenge.www", "proof")).await;
            let led = TxtRecord { zone: "auth.acme-dns.io".into(), ..record("sub", "proof") };
            there_and_back(client, &led).await;
        }
        let other = many.append(&record("_acme-challenge", "proof")).await;
        assert_eq!(other.unwrap_err(), "Config for domain example.com not found");
        let error = client(account("wrong")).append(&record("_acme-challenge", "proof")).await.unwrap_err();
        assert!(error.ends_with("HTTP 401: forbidden"), "{error}");
    }
}
