//! `cloudflare`: Cloudflare's ranges, fetched from Cloudflare (plugin `caddy-cloudflare-ip`).
//!
//! ```caddyfile
//! trusted_proxies cloudflare {
//!     interval <duration>
//!     timeout  <duration>
//! }
//! ```
//! No proxy is trusted before the lists have come; requests wait for the first attempt. What was fetched outlives
//! reloads, and an attempt that fails.
use super::NAMESPACE;
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{Duration, fields, is_default, parse_duration},
    http::{Build, BuildError, Changing, IpSourceConfig, IpSourceModule, Ranges, ip_range},
    net::https::Client,
};
use grammar::Line;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{sync::Arc, time};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "cloudflare",
    docs: "cloudflare { interval <duration>; timeout <duration> }: Cloudflare's own ranges.",
    parse,
    support: Support::Full,
};
pub const MODULE: IpSourceModule = IpSourceModule::of::<Cloudflare>();
const LISTS: [&str; 2] = ["https://www.cloudflare.com/ips-v4", "https://www.cloudflare.com/ips-v6"];
const HOUR: time::Duration = time::Duration::from_secs(3600);
/// Of a fetch without a limit of its own, and until the next one where one has failed.
const MINUTE: time::Duration = time::Duration::from_secs(60);
/// `http.ip_sources.cloudflare`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cloudflare {
    /// How often to fetch them; 0: hourly.
    #[serde(skip_serializing_if = "is_default")]
    pub interval: Duration,
    /// How long a fetch may take; 0: a minute.
    #[serde(skip_serializing_if = "is_default")]
    pub timeout: Duration,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut source) = (Words::new(line), Cloudflare::default());
    words.none()?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        let field = match sub.text() {
            "interval" => &mut source.interval,
            "timeout" => &mut source.timeout,
            _ => return Err(sub.arg_error()),
        };
        *field = parse_duration(sub.need()?).map_err(|why| sub.error(why))?;
    }
    Ok(fields(&source))
}
impl IpSourceConfig for Cloudflare {
    const NAME: &'static str = "cloudflare";
    fn build(self, cx: &mut Build) -> Result<Ranges, BuildError> {
        let ranges = cx.state().get_or("http.ip_sources.cloudflare", Changing::default);
        let limit = self.timeout.some().unwrap_or(MINUTE);
        let client = Client::new(&[], concat!("proxy/", env!("CARGO_PKG_VERSION")), limit)?;
        let interval = self.interval.some().unwrap_or(HOUR);
        cx.background(refresh(LISTS, client, interval, ranges.clone()));
        Ok(Ranges::Changing(ranges))
    }
}
/// Fetches for as long as it is polled.
async fn refresh<const N: usize>(
    lists: [impl AsRef<str>; N],
    client: Client,
    interval: time::Duration,
    ranges: Arc<Changing>,
) {
    loop {
        let fetched = fetch(&lists, &client).await;
        let wait = if fetched.is_ok() { interval } else { interval.min(MINUTE) };
        if let Err(error) = &fetched {
            tracing::warn!(target: "http.ip_sources.cloudflare", error, "the lists could not be fetched");
        }
        ranges.set(fetched.ok());
        tokio::time::sleep(wait).await;
    }
}
/// All of them, or else the first failure.
async fn fetch(lists: &[impl AsRef<str>], client: &Client) -> Result<Vec<IpNet>, String> {
    let mut ranges = vec![];
    for url in lists {
        let answer = client.get(url.as_ref()).await?;
        if !answer.status.is_success() {
            return Err(format!("{}: {}", url.as_ref(), answer.status));
        }
        let text = String::from_utf8_lossy(&answer.body);
        for line in text.lines() {
            ranges.push(ip_range(line.trim())?);
        }
    }
    Ok(ranges)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    /// A server of lists: each connection gets the next answer.
    async fn server(answers: &'static [&'static str]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/ips", listener.local_addr().unwrap());
        tokio::spawn(async move {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _ = stream.read(&mut [0; 4096]).await.unwrap();
                let length = answer.len();
                let whole = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{answer}");
                stream.write_all(whole.as_bytes()).await.unwrap();
            }
        });
        url
    }
    fn client() -> Client {
        Client::new(&[], "test", time::Duration::from_secs(20)).unwrap()
    }
    #[tokio::test]
    async fn both_lists_are_taken_or_none() {
        let url = server(&["10.0.0.0/8\n11.0.0.0/8\n", "fd00::/8\n", "10.0.0.0/8", "<html>"]).await;
        let shown = |ranges: Vec<IpNet>| ranges.iter().map(IpNet::to_string).collect::<Vec<_>>().join(" ");
        let fetched = fetch(&[&url, &url], &client()).await.unwrap();
        assert_eq!(shown(fetched), "10.0.0.0/8 11.0.0.0/8 fd00::/8");
        assert!(fetch(&[&url, &url], &client()).await.unwrap_err().contains("invalid IP address: '<html>'"));
        assert!(fetch(&[&url], &client()).await.is_err(), "nobody answers any more");
    }
    #[tokio::test]
    async fn the_lists_are_fetched_again_and_again() {
        let url = server(&["10.0.0.0/8", "11.0.0.0/8"]).await;
        let ranges = Arc::new(Changing::default());
        let (first, then) = (ranges.clone(), ranges.clone());
        let refresh = refresh([url], client(), time::Duration::from_millis(1), ranges);
        let seen = async move {
            first.known().await;
            while !then.contains("11.0.0.1".parse().unwrap()) {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! { () = refresh => {}, () = seen => {} }
    }
}
