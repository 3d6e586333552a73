//! Who says whether a name may have a certificate on demand.
//!
//! ```caddyfile
//! {
//!     on_demand_tls {
//!         ask <url>
//!         permission http <url>
//!     }
//! }
//! ```
//! The answer to `GET <url>?domain=<name>` is a yes if its status is 2xx. The two forms mean the same.
use super::AGENT;
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{
        fields,
        placeholder::{Unknown, expand_global},
    },
    net::https::Client,
    tls::{Asking, Permission, PermissionModule},
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{sync::Arc, time::Duration};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: "tls.permission",
    name: "http",
    docs: "http <url>: asks a server whether a name may have a certificate.",
    parse,
    support: Support::Full,
};
/// `tls.permission.http`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// A URL; placeholders are allowed.
    pub endpoint: String,
}
pub const MODULE: PermissionModule = PermissionModule {
    name: "http",
    build: |fields| {
        let config: Http = crate::config::decode(Value::Object(fields)).map_err(|error| error.to_string())?;
        let client = Client::new(&[], AGENT, DEADLINE)?;
        Ok(Arc::new(Asked { endpoint: config.endpoint, client }))
    },
};
const DEADLINE: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct Asked {
    endpoint: String,
    client: Client,
}
impl Permission for Asked {
    fn ask<'a>(&'a self, name: &'a str) -> Asking<'a, ()> {
        Box::pin(async move {
            let endpoint = expand_global(&self.endpoint, Unknown::Fail)
                .map_err(|why| format!("preparing 'ask' endpoint: {why}"))?;
            let url = super::with_query(&endpoint, &[("domain", name)])?;
            let answer = self.client.get(&url).await.map_err(|error| {
                format!("checking {endpoint} to determine if certificate for hostname '{name}' should be allowed: {error}")
            })?;
            match answer.status.is_success() {
                true => Ok(()),
                false => Err(format!(
                    "{name}: certificate not allowed by permission module {endpoint} - non-2xx status code {}",
                    answer.status.as_u16()
                )),
            }
        })
    }
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let endpoint = Words::new(line).one()?.into();
    Ok(fields(&Http { endpoint }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    #[tokio::test]
    async fn a_status_of_success_is_a_yes() {
        for (status, permitted) in
            [("200 OK", true), ("204 No Content", true), ("302 Found", false), ("404 No", false)]
        {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let endpoint = format!("http://{}/check?k=1", listener.local_addr().unwrap());
            let fields = serde_json::json!({"endpoint": endpoint});
            let Value::Object(fields) = fields else { unreachable!() };
            let permission = (MODULE.build)(fields).unwrap();
            let answering = async {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut asked = vec![0; 4096];
                let read = stream.read(&mut asked).await.unwrap();
                let asked = String::from_utf8_lossy(&asked[..read]).into_owned();
                assert!(asked.starts_with("GET /check?domain=a.ok.test&k=1 HTTP/1.1\r\n"), "{asked}");
                stream
                    .write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes())
                    .await
                    .unwrap();
            };
            let (answer, ()) = tokio::join!(permission.ask("a.ok.test"), answering);
            assert_eq!(answer.is_ok(), permitted, "{status}: {answer:?}");
        }
    }
}
