//! What looks at a connection before TLS and HTTP do: `listener_wrappers`.
use super::socket::Socket;
use crate::{
    config::{ListenerWrapper, ProxyPolicy, ProxyProtocol},
    net::proxy_protocol::{Beginning, Ends, beginning},
};
use ipnet::IpNet;
use std::{io, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{sleep, timeout},
};

/// The wrappers of a server, in the order in which they see a connection's bytes.
#[derive(Debug, Default)]
pub(super) struct Wrappers(Box<[Wrapper]>);
#[derive(Debug)]
enum Wrapper {
    Proxied(Proxied),
    /// And the longest head that it reads, in bytes.
    Redirect(usize),
}
#[derive(Debug)]
struct Proxied {
    timeout: Duration,
    allow: Vec<IpNet>,
    deny: Vec<IpNet>,
    fallback: ProxyPolicy,
}
const TIMEOUT: Duration = Duration::from_secs(5);
const LONGEST_HEAD: usize = 1 << 20;
/// What is looked at without being taken: more than any header needs, options aside.
const GLANCE: usize = 512;
/// How often a beginning is looked at that has come in part. Rare: headers are short and sent at once.
const AGAIN: Duration = Duration::from_millis(5);

impl Wrappers {
    /// # Errors
    /// A wrapper that is none, or in a place where it does not run.
    pub(super) fn build(wrappers: &[serde_json::Value]) -> Result<Self, String> {
        let mut built = vec![];
        for (at, wrapper) in wrappers.iter().enumerate() {
            let placed = |why: String| format!("loading listener wrapper modules: position {at}: {why}");
            let wrapper = crate::config::decode::<ListenerWrapper, _>(wrapper)
                .map_err(|error| placed(error.to_string()))?;
            let has_tls = wrappers[..at].iter().any(|before| before["wrapper"] == "tls");
            match wrapper {
                ListenerWrapper::Tls(_) if at == 0 => {
                    return Err(
                        "it is unnecessary to specify the TLS listener wrapper in the first position \
                                because that is the default"
                            .into(),
                    );
                }
                ListenerWrapper::Tls(_) if has_tls => {
                    return Err("TLS listener wrapper can only be specified once".into());
                }
                ListenerWrapper::Tls(_) => {}
                // In the clear there is no more to be seen.
                ListenerWrapper::HttpRedirect(_) if has_tls => {}
                ListenerWrapper::ProxyProtocol(_) if has_tls => {
                    return Err(placed("proxy_protocol within TLS is not supported".into()));
                }
                ListenerWrapper::HttpRedirect(redirect) => {
                    let longest = usize::try_from(redirect.max_header_bytes).ok().filter(|&bytes| bytes > 0);
                    built.push(Wrapper::Redirect(longest.unwrap_or(LONGEST_HEAD)));
                }
                ListenerWrapper::ProxyProtocol(config) => {
                    built.push(Wrapper::Proxied(Proxied::build(&config).map_err(placed)?));
                }
            }
        }
        Ok(Self(built.into()))
    }
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Lets all of them see a connection; then the addresses that are to be believed, if they are others than the
    /// socket's.
    ///
    /// # Errors
    /// The connection is to be closed.
    pub(super) async fn unwrap(&self, socket: &mut Socket, speaks_tls: bool) -> io::Result<Option<Ends>> {
        let mut ends = None;
        for wrapper in &self.0 {
            match wrapper {
                Wrapper::Proxied(proxied) => ends = proxied.read(socket).await?.or(ends),
                // Without TLS there is nowhere to send anyone.
                Wrapper::Redirect(longest) if speaks_tls => redirect(socket, *longest).await?,
                Wrapper::Redirect(_) => {}
            }
        }
        Ok(ends)
    }
}
impl Proxied {
    fn build(config: &ProxyProtocol) -> Result<Self, String> {
        let range = |text: &String| {
            text.parse::<IpNet>().map_err(|_| {
                let why = if text.contains('/') { "no valid range" } else { "no '/'" };
                format!("loading module 'proxy_protocol': provision caddy.listeners.proxy_protocol: netip.ParsePrefix({text:?}): {why}")
            })
        };
        Ok(Self {
            timeout: config.timeout.some().unwrap_or(TIMEOUT),
            allow: config.allow.iter().map(range).collect::<Result<_, _>>()?,
            deny: config.deny.iter().map(range).collect::<Result<_, _>>()?,
            fallback: config.fallback_policy,
        })
    }
    fn policy(&self, peer: Option<SocketAddr>) -> ProxyPolicy {
        // Whoever can reach a Unix socket is trusted.
        let Some(peer) = peer.map(|peer| peer.ip()) else { return ProxyPolicy::Use };
        let among = |ranges: &[IpNet]| ranges.iter().any(|range| range.contains(&peer));
        match () {
            () if among(&self.deny) => ProxyPolicy::Reject,
            () if among(&self.allow) => ProxyPolicy::Use,
            () => self.fallback,
        }
    }
    /// Takes the header, if there is one.
    async fn read(&self, socket: &mut Socket) -> io::Result<Option<Ends>> {
        let policy = self.policy(socket.ends(None).0);
        if policy == ProxyPolicy::Skip {
            return Ok(None);
        }
        let found =
            match timeout(self.timeout, settled(socket, beginning, |found| *found == Beginning::Unclear))
                .await
            {
                Ok(found) => found?,
                Err(_) => return Err(io::ErrorKind::TimedOut.into()),
            };
        match (found, policy) {
            (Beginning::Header { .. }, ProxyPolicy::Reject)
            | (Beginning::Broken | Beginning::Unclear, _)
            | (Beginning::Other, ProxyPolicy::Require) => Err(io::ErrorKind::InvalidData.into()),
            (Beginning::Other, _) => Ok(None),
            (Beginning::Header { length, ends }, policy) => {
                let mut header = vec![0; length];
                match timeout(self.timeout, socket.read_exact(&mut header)).await {
                    Ok(read) => _ = read?,
                    Err(_) => return Err(io::ErrorKind::TimedOut.into()),
                }
                Ok(ends.filter(|_| policy != ProxyPolicy::Ignore))
            }
        }
    }
}
/// Looks at what has come, without taking it, until that tells enough or nothing more comes.
async fn settled<T>(
    socket: &Socket,
    look: impl Fn(&[u8]) -> T,
    unclear: impl Fn(&T) -> bool,
) -> io::Result<T> {
    let (mut glance, mut seen) = (vec![0; GLANCE], 0);
    loop {
        let length = socket.peek(&mut glance).await?;
        let found = look(&glance[..length]);
        if !unclear(&found) || length == 0 || length == glance.len() {
            return Ok(found);
        }
        // There is always something to look at from here on, so that waiting for it would not wait.
        if length == seen {
            sleep(AGAIN).await;
        }
        seen = length;
    }
}
/// Sends whoever speaks plain HTTP to HTTPS.
///
/// # Errors
/// It has been sent there: the connection ends.
async fn redirect(socket: &mut Socket, longest: usize) -> io::Result<()> {
    const BEGINNINGS: [&[u8]; 5] = [b"GET /", b"HEAD ", b"POST ", b"PUT /", b"OPTIO"];
    let begins = |bytes: &[u8]| match bytes.get(..5) {
        Some(first) => Some(BEGINNINGS.contains(&first)),
        None if BEGINNINGS.iter().any(|known| known.starts_with(bytes)) => None,
        None => Some(false),
    };
    let first = timeout(TIMEOUT, settled(socket, begins, Option::is_none)).await;
    if first.map_err(|_| io::ErrorKind::TimedOut)?? != Some(true) {
        return Ok(());
    }
    let answer = timeout(TIMEOUT, head(socket, longest)).await.map_err(|_| io::ErrorKind::TimedOut)??;
    socket.write_all(answer.as_bytes()).await?;
    socket.shutdown().await?;
    Err(io::Error::other("redirected HTTP request on HTTPS listener"))
}
/// Reads the head of a request, and says where it should go instead.
async fn head(socket: &mut Socket, longest: usize) -> io::Result<String> {
    let mut head = vec![];
    loop {
        let mut fields = [httparse::EMPTY_HEADER; 100];
        let mut request = httparse::Request::new(&mut fields);
        let parsed = request.parse(&head).map_err(|_| io::ErrorKind::InvalidData)?;
        if parsed.is_complete() {
            let host = request.headers.iter().find(|field| field.name.eq_ignore_ascii_case("host"));
            let host = host.map_or("", |host| std::str::from_utf8(host.value).unwrap_or_default());
            let path = request.path.unwrap_or_default();
            return Ok(format!(
                "HTTP/1.0 308 Permanent Redirect\r\nLocation: https://{host}{path}\r\nContent-Length: 0\r\n\r\n"
            ));
        }
        if head.len() > longest || socket.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
}
