//! `http`: another server knows the certificate.
//!
//! ```caddyfile
//! get_certificate http <url>
//! ```
//! The answer to `GET <url>?server_name=…` is the chain and the key in PEM, or 204 if that server has none.
use super::NAMESPACE;
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{fields, is_default},
    issuers::{AGENT, with_query},
    net::https::Client,
    tls::{Asking, Certificate, CertificateManager, ManagerModule, Wanted},
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{sync::Arc, time::Duration};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "http",
    docs: "http <url>: asks a server for the certificate.",
    parse,
    support: Support::Full,
};
/// `tls.get_certificate.http`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    #[serde(skip_serializing_if = "is_default")]
    pub url: String,
}
pub const MODULE: ManagerModule = ManagerModule {
    name: "http",
    build: |fields| {
        let config: Http = crate::config::decode(Value::Object(fields)).map_err(|error| error.to_string())?;
        if config.url.is_empty() {
            return Err("URL is required".into());
        }
        Ok(Arc::new(Asked { url: config.url, client: Client::new(&[], AGENT, DEADLINE)? }))
    },
};
const DEADLINE: Duration = Duration::from_secs(30);

#[derive(Debug)]
struct Asked {
    url: String,
    client: Client,
}
impl CertificateManager for Asked {
    fn get<'a>(&'a self, wanted: &'a Wanted) -> Asking<'a, Option<Certificate>> {
        Box::pin(async move {
            let hex =
                |codes: &[u16]| codes.iter().map(|code| format!("{code:x}")).collect::<Vec<_>>().join(",");
            let (schemes, suites) = (hex(&wanted.signature_schemes), hex(&wanted.cipher_suites));
            let local = wanted.local.map(|local| local.to_string()).unwrap_or_default();
            let mut query = vec![
                ("server_name", wanted.name.as_str()),
                ("signature_schemes", &schemes),
                ("cipher_suites", &suites),
            ];
            if !local.is_empty() {
                query.push(("local_ip", &local));
            }
            let answer = self.client.get(&with_query(&self.url, &query)?).await?;
            match answer.status.as_u16() {
                200 => Certificate::from_pem(&answer.body, &answer.body, vec![]).map(Some),
                204 => Ok(None),
                status => Err(format!("got HTTP {status}")),
            }
        })
    }
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let mut words = Words::new(line);
    let manager = Http { url: words.need()?.into() };
    words.none()?;
    match words.block().next() {
        Some(sub) => Err(sub.error("block not allowed here")),
        None => Ok(fields(&manager)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::{KeyType, key_to_pem};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    async fn asked(answer: String) -> (String, Result<Option<Certificate>, String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let Value::Object(fields) = fields_of(&listener) else { unreachable!() };
        let manager = (MODULE.build)(fields).unwrap();
        let answering = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = vec![0; 4096];
            let read = stream.read(&mut asked).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&asked[..read]).into_owned()
        };
        let wanted = Wanted {
            name: "a.test".into(),
            signature_schemes: vec![0x0403, 0x0804],
            cipher_suites: vec![0x1301],
            local: Some([127, 0, 0, 1].into()),
        };
        let (certificate, asked) = tokio::join!(manager.get(&wanted), answering);
        (asked, certificate)
    }
    fn fields_of(listener: &TcpListener) -> Value {
        serde_json::json!({"url": format!("http://{}/cert", listener.local_addr().unwrap())})
    }
    #[tokio::test]
    async fn the_answer_is_a_chain_with_its_key_or_nothing() {
        let key = KeyType::P256.generate().unwrap();
        let certificate =
            rcgen::CertificateParams::new(vec!["a.test".into()]).unwrap().self_signed(&key).unwrap();
        let body = certificate.pem() + &key_to_pem(&key);
        let (asked_for, found) =
            asked(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())).await;
        assert_eq!(found.unwrap().unwrap().names, ["a.test"]);
        let line = "GET /cert?cipher_suites=1301&local_ip=127.0.0.1&server_name=a.test&signature_schemes=403%2C804 HTTP/1.1";
        assert!(asked_for.starts_with(line), "{asked_for}");
        let (_, none) = asked("HTTP/1.1 204 No Content\r\n\r\n".into()).await;
        assert!(none.unwrap().is_none());
        let (_, failed) = asked("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n".into()).await;
        assert_eq!(failed.unwrap_err(), "got HTTP 500");
    }
}
