//! A name server that takes signed updates (RFC 2136, RFC 8945): BIND, Knot, PowerDNS, …
//!
//! ```caddyfile
//! dns rfc2136 {
//!     key_name <name>
//!     key      <base64>
//!     key_alg  <algorithm>
//!     server   <host:port>
//! }
//! ```
//! Example: `key_alg hmac-sha256`, `server ns1.example.com:53`.
use super::{
    NAMESPACE,
    api::{now, read},
};
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{fields, is_default},
    net::dns::{Message, Question, Record, exchange_over, kind, rcode, tsig},
    tls::{DnsModule, DnsProvider, TxtRecord, Working},
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;
use tokio::net::lookup_host;

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "rfc2136",
    docs: "rfc2136 { key_name <name>; key <base64>; key_alg <algorithm>; server <host:port> }: \
           DNS records by signed updates (RFC 2136).",
    parse,
    support: Support::Full,
};
/// `dns.providers.rfc2136`. All of it may hold placeholders.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rfc2136 {
    #[serde(skip_serializing_if = "is_default")]
    pub key_name: String,
    /// Such as `hmac-sha256`.
    #[serde(skip_serializing_if = "is_default")]
    pub key_alg: String,
    /// In base64.
    #[serde(skip_serializing_if = "is_default")]
    pub key: String,
    /// `host:port`.
    #[serde(skip_serializing_if = "is_default")]
    pub server: String,
}
pub const MODULE: DnsModule = DnsModule {
    name: "rfc2136",
    build: |fields| {
        let mut config: Rfc2136 = read(fields)?;
        if !config.server.contains(':') {
            config.server += ":53";
        }
        let key = tsig::Key::new(&config.key_name, &config.key_alg, &config.key)?;
        Ok(Arc::new(Server { address: config.server, key }))
    },
};
/// RFC 2136, section 2.2.
const UPDATE: u16 = 5 << 11;
const INTERNET: u16 = 1;
/// The class of a record that is to go (section 2.5.4).
const NONE: u16 = 254;

#[derive(Debug)]
struct Server {
    /// `host:port`.
    address: String,
    key: tsig::Key,
}
impl Server {
    async fn update(&self, zone: &str, record: Record) -> Result<(), String> {
        let question = Question { name: zone.to_owned(), kind: kind::SOA, class: INTERNET };
        let message = Message {
            id: fastrand::u16(..),
            flags: UPDATE,
            questions: vec![question],
            authorities: vec![record],
            ..Message::default()
        };
        let (signed, code) = self.key.sign(&message, now())?;
        let found = lookup_host(&self.address).await.map_err(|error| format!("{}: {error}", self.address))?;
        let mut failed = format!("{}: no address", self.address);
        for address in found {
            match exchange_over(address, message.id, &signed).await {
                Ok(answer) => return self.judge(&answer, &code),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }
    fn judge(&self, answer: &[u8], code: &[u8]) -> Result<(), String> {
        match self.key.verify(answer, code, now())?.code() {
            rcode::SUCCESS => Ok(()),
            code => Err(format!("dns response error code \"{}\" ({code})", rcode::name(code))),
        }
    }
}
impl DnsProvider for Server {
    fn append<'a>(&'a self, record: &'a TxtRecord) -> Working<'a, String> {
        let ttl = u32::try_from(record.ttl.as_secs()).unwrap_or(u32::MAX);
        let added = Record::text(&record.full_name(), &record.value, ttl);
        Box::pin(async move { self.update(&record.zone, added).await.map(|()| String::new()) })
    }
    fn delete<'a>(&'a self, record: &'a TxtRecord, _: &'a str) -> Working<'a, ()> {
        let mut gone = Record::text(&record.full_name(), &record.value, 0);
        gone.class = NONE;
        Box::pin(self.update(&record.zone, gone))
    }
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut provider) = (Words::new(line), Rfc2136::default());
    words.rest();
    let mut block = words.block();
    while let Some(sub) = block.next() {
        let field = match sub.text() {
            "key_name" => &mut provider.key_name,
            "key" => &mut provider.key,
            "key_alg" => &mut provider.key_alg,
            "server" => &mut provider.server,
            other => return Err(sub.error(format!("unrecognized subdirective '{other}'"))),
        };
        super::set(field, sub)?;
    }
    let needed = [
        ("key", &provider.key),
        ("key_name", &provider.key_name),
        ("key_alg", &provider.key_alg),
        ("server", &provider.server),
    ];
    match needed.into_iter().find(|(_, value)| value.is_empty()) {
        Some((name, _)) => Err(words.error(format!("rfc2136: missing {name}"))),
        None => Ok(fields(&provider)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::simulated::{record, refused};
    use serde_json::json;
    use std::{
        fs,
        process::{Child, Command, Stdio},
        time::Duration,
    };

    #[test]
    fn what_cannot_sign_is_refused() {
        let with = |algorithm: &str, key: &str| json!({"key_name": "k.", "key_alg": algorithm, "key": key, "server": "127.0.0.1"});
        assert_eq!(refused(&MODULE, with("hmac-x", "")), "unknown TSIG algorithm: hmac-x");
        assert_eq!(refused(&MODULE, with("hmac-sha256", "not base64!")), "TSIG key: not base64");
    }
    struct Knot(Child);
    impl Drop for Knot {
        fn drop(&mut self) {
            self.0.kill().ok();
            self.0.wait().ok();
        }
    }
    /// A server of `example.com` that takes updates by one key.
    async fn knot(folder: &std::path::Path, secret: &str) -> (Knot, std::net::SocketAddr) {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let at = folder.display();
        let zone =
            "$ORIGIN example.com.\n@ 60 SOA ns hostmaster 1 60 60 600 60\n@ 60 NS ns\nns 60 A 127.0.0.1\n";
        fs::write(folder.join("example.com.zone"), zone).unwrap();
        let config = format!(
            "server:\n  listen: 127.0.0.1@{port}\n  rundir: {at}\ndatabase:\n  storage: {at}\nkey:\n  - id: acme\n    algorithm: hmac-sha256\n    secret: {secret}\nacl:\n  - id: acme\n    key: acme\n    action: update\nzone:\n  - domain: example.com\n    storage: {at}\n    acl: acme\n"
        );
        fs::write(folder.join("knot.conf"), config).unwrap();
        let mut command = Command::new("/usr/sbin/knotd");
        command.arg("-c").arg(folder.join("knot.conf")).stdout(Stdio::null()).stderr(Stdio::null());
        let knot = Knot(command.spawn().unwrap());
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
        let served = async {
            let zone = async || crate::net::dns::query(address, "example.com", kind::SOA).await;
            while !zone().await.is_ok_and(|answer| answer.found(kind::SOA).next().is_some()) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), served).await.expect("knot serves its zone");
        (knot, address)
    }
    fn client(address: &std::net::SocketAddr, secret: &str) -> Arc<dyn DnsProvider> {
        let config = json!({"key_name": "acme", "key_alg": "hmac-sha256", "key": secret, "server": address.to_string()});
        let Value::Object(fields) = config else { unreachable!() };
        (MODULE.build)(fields).unwrap()
    }
    #[tokio::test]
    #[ignore = "needs knot: /usr/sbin/knotd"]
    async fn a_server_takes_updates_that_are_signed_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let secret = "Zm9ydHktdHdvIGJ5dGVzIGFyZSBtb3JlIHRoYW4gZW5vdWdo";
        let (_knot, address) = knot(folder.path(), secret).await;
        let texts = async || {
            let answer =
                crate::net::dns::query(address, "_acme-challenge.example.com", kind::TXT).await.unwrap();
            let mut texts: Vec<_> = answer.found(kind::TXT).map(Record::joined).collect();
            texts.sort();
            texts
        };
        let provider = client(&address, secret);
        let [one, two] = ["one", "two"].map(|value| record("_acme-challenge", value));
        for added in [&one, &two] {
            provider.append(added).await.unwrap();
        }
        assert_eq!(texts().await, [b"one", b"two"]);
        provider.delete(&one, "").await.unwrap();
        assert_eq!(texts().await, [b"two"]);
        provider.delete(&two, "").await.unwrap();
        assert!(texts().await.is_empty());
        let error = client(&address, "d3Jvbmc=").append(&one).await.unwrap_err();
        assert_eq!(error, "the server refuses the key: BADSIG (wrong secret)");
        let elsewhere = TxtRecord { zone: "example.net".into(), ..one };
        let error = provider.append(&elsewhere).await.unwrap_err();
        assert_eq!(error, "an answer that is not signed: NOTAUTH");
    }
}
