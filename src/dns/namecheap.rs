//! Namecheap.
//!
//! ```caddyfile
//! dns namecheap {
//!     api_key      <key>
//!     user         <name>
//!     api_endpoint <url>
//!     client_ip    <ip>
//! }
//! ```
use super::{
    NAMESPACE,
    api::{Api, escape, read},
    xml,
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
use tokio::sync::Mutex;

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "namecheap",
    docs: "namecheap { api_key <key>; user <name>; api_endpoint <url>; client_ip <ip> }: \
           DNS records at Namecheap.",
    parse,
    support: Support::Full,
};
/// `dns.providers.namecheap`. All of it may hold placeholders.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Namecheap {
    #[serde(skip_serializing_if = "is_default")]
    pub api_key: String,
    #[serde(skip_serializing_if = "is_default")]
    pub user: String,
    /// Default: `https://api.namecheap.com/xml.response`.
    #[serde(skip_serializing_if = "is_default")]
    pub api_endpoint: String,
    /// This machine's public address, which the API's allow list must name.
    #[serde(skip_serializing_if = "is_default")]
    pub client_ip: String,
}
pub const MODULE: DnsModule = DnsModule {
    name: "namecheap",
    build: |fields| Ok(Arc::new(Client::new(read(fields)?, "https://icanhazip.com")?)),
};
const ENDPOINT: &str = "https://api.namecheap.com/xml.response";
/// The shortest lifetime of a record, in seconds.
const LEAST: u64 = 60;

/// A record, as the API names its parts.
type Host = Vec<(String, String)>;
struct Client {
    api: Api,
    config: Namecheap,
    /// Says what our public address is.
    discovery: Api,
    /// The API knows all records of a domain only: what is read must still be true when it is written.
    writing: Mutex<()>,
}
impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.api.fmt(f)
    }
}
impl Client {
    fn new(config: Namecheap, discovery: &str) -> Result<Self, String> {
        let endpoint = if config.api_endpoint.is_empty() { ENDPOINT } else { &config.api_endpoint };
        let (api, discovery) = (Api::new(endpoint, &[&config.api_key])?, Api::new(discovery, &[])?);
        Ok(Self { api, config, discovery, writing: Mutex::default() })
    }
    async fn address(&self) -> Result<String, String> {
        if !self.config.client_ip.is_empty() {
            return Ok(self.config.client_ip.clone());
        }
        let answer = self.discovery.send(Method::GET, "/", &[], String::new()).await?;
        Ok(String::from_utf8_lossy(&answer.body).trim().to_owned())
    }
    /// Everything that is asked for goes in the body: a URL has an end.
    async fn call(&self, command: &str, zone: &str, hosts: &[(String, String)]) -> Result<String, String> {
        let (name, top) =
            zone.split_once('.').ok_or_else(|| format!("domain: {zone} is not a valid domain"))?;
        let address = self.address().await?;
        let fixed = [
            ("ApiUser", self.config.user.as_str()),
            ("ApiKey", &self.config.api_key),
            ("UserName", &self.config.user),
            ("ClientIp", &address),
            ("Command", command),
            ("SLD", name),
            ("TLD", top),
        ];
        let hosts = hosts.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let pairs = fixed.into_iter().chain(hosts).map(|(key, value)| format!("{key}={}", escape(value)));
        let body = pairs.collect::<Vec<_>>().join("&");
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        let answer = self.api.send(Method::POST, "", &headers, body).await?;
        let answer = String::from_utf8_lossy(&answer.body).into_owned();
        match xml::attributes(&answer, "ApiResponse").first() {
            Some(head) if head.iter().any(|(name, value)| name == "Status" && value == "OK") => Ok(answer),
            _ => {
                let errors = xml::within(&answer, "Error").join("; ");
                Err(self.api.without_secrets(format!("{command}: {errors}")))
            }
        }
    }
    async fn change(&self, zone: &str, change: impl FnOnce(&mut Vec<Host>)) -> Result<(), String> {
        let _alone = self.writing.lock().await;
        let answer = self.call("namecheap.domains.dns.getHosts", zone, &[]).await?;
        let result = xml::attributes(&answer, "DomainDNSGetHostsResult");
        let result = result.first().ok_or("getHosts: an answer without a result")?;
        let mut hosts = xml::attributes(&answer, "host");
        change(&mut hosts);
        // What is not written again is gone, mail included.
        let mail = result.iter().find(|(name, _)| name == "EmailType");
        let mut fields: Vec<(String, String)> = mail.cloned().into_iter().collect();
        for (at, host) in hosts.iter().enumerate() {
            for (name, value) in host {
                let name = match name.as_str() {
                    "Name" => "HostName",
                    "Type" => "RecordType",
                    name @ ("Address" | "MXPref" | "TTL") => name,
                    _ => continue,
                };
                fields.push((format!("{name}{}", at + 1), value.clone()));
            }
        }
        self.call("namecheap.domains.dns.setHosts", zone, &fields).await.map(drop)
    }
}
fn is(host: &Host, record: &TxtRecord) -> bool {
    let has = |name: &str, value: &str| host.iter().any(|(known, is)| known == name && is == value);
    has("Type", "TXT") && has("Name", record.relative()) && has("Address", &record.value)
}
impl DnsProvider for Client {
    fn append<'a>(&'a self, record: &'a TxtRecord) -> Working<'a, String> {
        Box::pin(async move {
            let ttl = record.ttl_or(LEAST).to_string();
            let host =
                [("Name", record.relative()), ("Type", "TXT"), ("Address", &record.value), ("TTL", &ttl)];
            let host: Host =
                host.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            self.change(&record.zone, |hosts| hosts.push(host)).await.map(|()| String::new())
        })
    }
    fn delete<'a>(&'a self, record: &'a TxtRecord, _: &'a str) -> Working<'a, ()> {
        Box::pin(self.change(&record.zone, |hosts| hosts.retain(|host| !is(host, record))))
    }
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut provider) = (Words::new(line), Namecheap::default());
    words.none()?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        let (field, what) = match sub.text() {
            "api_key" => (&mut provider.api_key, "API key"),
            "user" => (&mut provider.user, "user"),
            "api_endpoint" => (&mut provider.api_endpoint, "API endpoint"),
            "client_ip" => (&mut provider.client_ip, "client IP"),
            other => return Err(sub.error(format!("unrecognized subdirective '{other}'"))),
        };
        if !field.is_empty() {
            return Err(sub.error(format!("{what} already set")));
        }
        *field = sub.need()?.into();
        sub.none()?;
    }
    if provider.api_key.is_empty() {
        return Err(words.error("missing API key"));
    }
    if provider.user.is_empty() {
        return Err(words.error("missing user"));
    }
    Ok(fields(&provider))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::simulated::{Simulated, ok, record, there_and_back};
    use serde_json::json;

    const HOSTS: &str =
        "<host HostId=\"1\" Name=\"@\" Type=\"A\" Address=\"1.2.3.4\" MXPref=\"10\" TTL=\"1800\"/>";

    #[tokio::test]
    async fn all_that_a_domain_has_is_written_again() {
        let discovery = Simulated::start(|_| ok("192.0.2.7\n")).await;
        let server = Simulated::start(|asked| {
            let has = |text: &str| asked.body.contains(text);
            assert!(has("ClientIp=192.0.2.7&") && has("SLD=example&TLD=com"), "{}", asked.body);
            if !has("ApiKey=k3y&") {
                return ok("<ApiResponse Status=\"ERROR\"><Errors><Error Number=\"1\">bad k3x</Error></Errors></ApiResponse>");
            }
            if has("Command=namecheap.domains.dns.setHosts") {
                assert!(has("EmailType=FWD&HostName1=%40&RecordType1=A&Address1=1.2.3.4&MXPref1=10&TTL1=1800"));
            }
            let ours = "<host HostId=\"2\" Name=\"_acme-challenge\" Type=\"TXT\" Address=\"proof\" TTL=\"60\"/>";
            ok(format!("<ApiResponse Status=\"OK\"><DomainDNSGetHostsResult EmailType=\"FWD\">{HOSTS}{ours}</DomainDNSGetHostsResult></ApiResponse>"))
        })
        .await;
        let client = |key: &str| {
            let config = json!({"api_key": key, "user": "u", "api_endpoint": server.url});
            Client::new(serde_json::from_value(config).unwrap(), &discovery.url).unwrap()
        };
        there_and_back(&client("k3y"), &record("_acme-challenge", "proof")).await;
        let bodies = server.bodies();
        assert_eq!(bodies.len(), 4);
        assert!(bodies[1].ends_with("&HostName3=_acme-challenge&RecordType3=TXT&Address3=proof&TTL3=60"));
        assert!(!bodies[3].contains("HostName2"), "{}", bodies[3]);
        let error = client("k3x").append(&record("x", "y")).await.unwrap_err();
        assert_eq!(error, "namecheap.domains.dns.getHosts: bad REDACTED");
    }
}
