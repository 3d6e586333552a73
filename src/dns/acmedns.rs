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
use super::NAMESPACE;
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{fields, is_default},
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

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
