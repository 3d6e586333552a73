//! Duck DNS.
//!
//! ```caddyfile
//! dns duckdns [<api_token>] {
//!     api_token       <token>
//!     override_domain <domain>
//!     resolver        <address>
//! }
//! ```
use super::{
    NAMESPACE,
    api::{Api, escape, read},
};
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{fields, is_default},
    tls::{DnsModule, DnsProvider, TxtRecord, Working},
};
use grammar::Line;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "duckdns",
    docs: "duckdns [<api_token>] { api_token <token>; override_domain <domain>; resolver <address> }: \
           DNS records at Duck DNS.",
    parse,
    support: Support::Full,
};
/// `dns.providers.duckdns`. All of it may hold placeholders.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DuckDns {
    #[serde(skip_serializing_if = "is_default")]
    pub api_token: String,
    /// The domain at Duck DNS to write to, instead of the one that the certificate is for.
    #[serde(skip_serializing_if = "is_default")]
    pub override_domain: String,
    /// Whom to ask for the present record, `host:port`.
    #[serde(skip_serializing_if = "is_default")]
    pub resolver: String,
}
pub const MODULE: DnsModule = DnsModule {
    name: "duckdns",
    build: |fields| Ok(Arc::new(Client::new(read(fields)?, "https://www.duckdns.org")?)),
};
const ZONE: &str = "duckdns.org";

/// A domain has one text, which all of its names show.
struct Client {
    api: Api,
    config: DuckDns,
}
impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.api.fmt(f)
    }
}
impl Client {
    fn new(config: DuckDns, base: &str) -> Result<Self, String> {
        if config.api_token.len() != 36 {
            return Err("DuckDNS API token must be a 36 characters long UUID".into());
        }
        Ok(Self { api: Api::new(base, &[&config.api_token])?, config })
    }
    async fn update(&self, record: &TxtRecord, more: &str) -> Result<(), String> {
        let domain = match self.config.override_domain.as_str() {
            "" => main_domain(&record.full_name()),
            own => own.to_owned(),
        };
        let (token, text) = (escape(&self.config.api_token), escape(&record.value));
        let path = format!("/update?domains={}&token={token}&txt={text}&verbose=true{more}", escape(&domain));
        let answer = self.api.send(Method::GET, &path, &[], String::new()).await?;
        let answer = String::from_utf8_lossy(&answer.body);
        match answer.lines().next() {
            Some("OK") => Ok(()),
            first => {
                let first = first.unwrap_or_default();
                Err(self
                    .api
                    .without_secrets(format!("DuckDNS request failed, expected (OK) but got ({first})")))
            }
        }
    }
}
/// The domain that is registered: three labels below duckdns.org.
fn main_domain(name: &str) -> String {
    let Some(below) = name.strip_suffix(ZONE) else {
        return name.rsplit('.').next().unwrap_or_default().to_owned();
    };
    let own = below.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    format!("{own}.{ZONE}")
}
impl DnsProvider for Client {
    fn append<'a>(&'a self, record: &'a TxtRecord) -> Working<'a, String> {
        Box::pin(async { self.update(record, "").await.map(|()| String::new()) })
    }
    fn delete<'a>(&'a self, record: &'a TxtRecord, _: &'a str) -> Working<'a, ()> {
        Box::pin(self.update(record, "&clear=true"))
    }
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut provider) = (Words::new(line), DuckDns::default());
    super::set(&mut provider.api_token, &mut words)?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "api_token" => super::set_once(&mut provider.api_token, sub, "API token already set")?,
            "override_domain" => {
                super::set_once(&mut provider.override_domain, sub, "Override domain already set")?;
            }
            "resolver" => {
                let resolver = sub.need()?;
                if !provider.resolver.is_empty() {
                    return Err(sub.error("Resolver already set"));
                }
                provider.resolver = resolver.into();
            }
            other => return Err(sub.error(format!("unrecognized subdirective '{other}'"))),
        }
    }
    if provider.api_token.is_empty() {
        return Err(words.error("DuckDNS missing API token"));
    }
    Ok(fields(&provider))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::simulated::{Simulated, ok, refused, there_and_back};
    use serde_json::json;
    use std::time::Duration;

    const TOKEN: &str = "a7c4d0ad-114e-40ef-ba1d-d217904a50f2";

    #[tokio::test]
    async fn a_domain_has_one_text() {
        let server = Simulated::start(|asked| match asked.path.contains(&format!("&token={TOKEN}&")) {
            true => ok("OK\nproof\nUPDATED"),
            false => ok("KO"),
        })
        .await;
        let config = |token: &str| DuckDns { api_token: token.into(), ..DuckDns::default() };
        let record = TxtRecord {
            zone: ZONE.into(),
            name: "_acme-challenge.www.mine".into(),
            value: "proof".into(),
            ttl: Duration::ZERO,
        };
        there_and_back(&Client::new(config(TOKEN), &server.url).unwrap(), &record).await;
        let line = format!("GET /update?domains=mine.duckdns.org&token={TOKEN}&txt=proof&verbose=true");
        assert_eq!(server.lines(), [line.clone(), line + "&clear=true"]);
        let stranger = Client::new(config(&"x".repeat(36)), &server.url).unwrap();
        let error = stranger.append(&record).await.unwrap_err();
        assert_eq!(error, "DuckDNS request failed, expected (OK) but got (KO)");
        let short = refused(&MODULE, json!({"api_token": "short"}));
        assert_eq!(short, "DuckDNS API token must be a 36 characters long UUID");
    }
}
