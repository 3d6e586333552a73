//! `tailscale`: the Tailscale of this machine has certificates for its `*.ts.net` names.
//!
//! ```caddyfile
//! get_certificate tailscale
//! ```
use super::NAMESPACE;
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    tls::{Asking, Certificate, CertificateManager, ManagerModule, Wanted},
};
use grammar::Line;
use serde_json::{Map, Value};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    time::timeout,
};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "tailscale",
    docs: "tailscale: certificates of `*.ts.net` names from this machine's Tailscale.",
    parse,
    support: Support::Full,
};
pub const MODULE: ManagerModule = ManagerModule {
    name: "tailscale",
    build: |fields| match fields.keys().find(|key| *key != "optional") {
        Some(unknown) => Err(format!("json: unknown field \"{unknown}\"")),
        None => Ok(Arc::new(Daemon { socket: SOCKET.into() })),
    },
};
const SOCKET: &str = "/var/run/tailscale/tailscaled.sock";
const DEADLINE: Duration = Duration::from_secs(60);
/// More than any chain with its key, in bytes.
const LONGEST: u64 = 1 << 20;

#[derive(Debug)]
struct Daemon {
    socket: PathBuf,
}
impl Daemon {
    /// The daemon's answer in HTTP/1.0, which ends with the connection.
    async fn ask(&self, name: &str) -> std::io::Result<Vec<u8>> {
        let mut stream = UnixStream::connect(&self.socket).await?;
        let request =
            format!("GET /localapi/v0/cert/{name}?type=pair HTTP/1.0\r\nHost: local-tailscaled.sock\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = vec![];
        stream.take(LONGEST).read_to_end(&mut answer).await?;
        Ok(answer)
    }
}
impl CertificateManager for Daemon {
    fn get<'a>(&'a self, wanted: &'a Wanted) -> Asking<'a, Option<Certificate>> {
        Box::pin(async move {
            if !wanted.name.ends_with(".ts.net") {
                return Ok(None);
            }
            let answer = timeout(DEADLINE, self.ask(&wanted.name)).await;
            let answer = answer.map_err(|_| "tailscaled does not answer".to_owned())?;
            let answer = answer.map_err(|error| format!("tailscaled: {error}"))?;
            let first = answer.split(|byte| *byte == b'\r').next().unwrap_or_default();
            if !String::from_utf8_lossy(first).contains(" 200 ") {
                return Err(format!("tailscaled: {}", String::from_utf8_lossy(first)));
            }
            Certificate::from_pem(&answer, &answer, vec![]).map(Some)
        })
    }
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    Words::new(line).none()?;
    Ok(Map::new())
}
