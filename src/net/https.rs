//! Requests of our own to the outside: certificate authorities, DNS providers. One connection each, a deadline each,
//! the system's roots (as Go takes them, `SSL_CERT_FILE` and `SSL_CERT_DIR` too), and `HTTPS_PROXY`.
use crate::environment;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

/// More than any answer that is meant well, in bytes.
const LONGEST: usize = 4 << 20;

/// Who asks.
#[derive(Clone, Debug)]
pub struct Client {
    tls: Arc<ClientConfig>,
    user_agent: String,
    deadline: Duration,
}
/// An answer, whatever its status.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}
impl Client {
    /// Trusts the system's roots and, beside them, `roots` (PEM).
    ///
    /// # Errors
    /// A root that cannot be read.
    pub fn new(roots: &[Vec<u8>], user_agent: impl Into<String>, deadline: Duration) -> Result<Self, String> {
        use rustls::pki_types::{CertificateDer, pem::PemObject};
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for pem in roots {
            for root in CertificateDer::pem_slice_iter(pem) {
                let root = root.map_err(|error| format!("trusted root: {error}"))?;
                store.add(root).map_err(|error| format!("trusted root: {error}"))?;
            }
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| error.to_string())?;
        let tls = Arc::new(builder.with_root_certificates(store).with_no_client_auth());
        Ok(Self::with_tls(tls, user_agent, deadline))
    }
    /// Trusts whom `tls` trusts, and shows what it has to show.
    pub fn with_tls(tls: Arc<ClientConfig>, user_agent: impl Into<String>, deadline: Duration) -> Self {
        Self { tls, user_agent: user_agent.into(), deadline }
    }
    pub async fn get(&self, url: &str) -> Result<Answer, String> {
        self.send(Method::GET, url, &[], Bytes::new()).await
    }
    /// One request, to the end of its answer.
    ///
    /// # Errors
    /// No answer within the deadline, or none at all: with the host, never with the path or the body, which may hold
    /// secrets.
    pub async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer, String> {
        let uri: Uri = url.parse().map_err(|error| format!("not a URL: {error}"))?;
        let host = uri.host().ok_or("not a URL: it has no host")?.to_owned();
        let at = |error: String| format!("{host}: {error}");
        let mut request =
            Request::builder().method(method).uri(uri.path_and_query().map_or("/", |p| p.as_str()));
        request = request.header(header::HOST, uri.authority().map_or(host.as_str(), |a| a.as_str()));
        request = request.header(header::USER_AGENT, &self.user_agent);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).map_err(|error| at(error.to_string()))?;
        match timeout(self.deadline, self.exchange(&uri, &host, request)).await {
            Ok(answer) => answer.map_err(at),
            Err(_) => Err(at(format!("no answer within {} s", self.deadline.as_secs()))),
        }
    }
    async fn exchange(&self, uri: &Uri, host: &str, request: Request<Full<Bytes>>) -> Result<Answer, String> {
        let plain = uri.scheme_str() == Some("http");
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(if plain { 80 } else { 443 });
        let stream = match proxy_for(bare, plain) {
            Some(proxy) => through(&proxy, host, port).await?,
            None => TcpStream::connect((bare, port)).await.map_err(|error| error.to_string())?,
        };
        if plain {
            return talk(stream, request).await;
        }
        let name = ServerName::try_from(bare.to_owned()).map_err(|error| error.to_string())?;
        let stream = TlsConnector::from(self.tls.clone()).connect(name, stream).await;
        talk(stream.map_err(|error| error.to_string())?, request).await
    }
}
async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Answer, String> {
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, LONGEST).collect().await.map_err(|error| error.to_string())?;
        Ok(Answer { status: head.status, headers: head.headers, body: body.to_bytes() })
    };
    tokio::pin!(exchange);
    tokio::select! {
        biased;
        answer = &mut exchange => answer,
        // The connection may end with the last byte of the answer.
        _ = connection => exchange.await,
    }
}
/// What `HTTPS_PROXY` (or `HTTP_PROXY`) says of a host, unless `NO_PROXY` speaks against it.
fn proxy_for(host: &str, plain: bool) -> Option<Uri> {
    let set = |name: &str| {
        [name.to_owned(), name.to_lowercase()]
            .into_iter()
            .filter_map(|name| environment::var(&name))
            .find(|v| !v.is_empty())
    };
    let exempt = set("NO_PROXY").unwrap_or_default();
    let is_exempt = |entry: &str| {
        let entry = entry.trim().trim_start_matches('.');
        entry == "*" || host == entry || host.strip_suffix(entry).is_some_and(|rest| rest.ends_with('.'))
    };
    let local =
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    if local || exempt.split(',').filter(|entry| !entry.trim().is_empty()).any(is_exempt) {
        return None;
    }
    set(if plain { "HTTP_PROXY" } else { "HTTPS_PROXY" })?.parse().ok()
}
/// A tunnel through an HTTP proxy.
async fn through(proxy: &Uri, host: &str, port: u16) -> Result<TcpStream, String> {
    let at = (proxy.host().unwrap_or_default(), proxy.port_u16().unwrap_or(80));
    let failed = |error: std::io::Error| format!("proxy: {error}");
    let mut stream = TcpStream::connect(at).await.map_err(failed)?;
    let ask = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n");
    stream.write_all(ask.as_bytes()).await.map_err(failed)?;
    let mut head = vec![];
    while !head.ends_with(b"\r\n\r\n") && head.len() < 8192 {
        head.push(stream.read_u8().await.map_err(failed)?);
    }
    if head.starts_with(b"HTTP/1.1 200") || head.starts_with(b"HTTP/1.0 200") {
        return Ok(stream);
    }
    Err(format!("proxy: {}", String::from_utf8_lossy(&head).lines().next().unwrap_or_default()))
}
#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    /// Answers one request with `answer`; gives the URL and what will have been asked.
    async fn server(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/path?q=1", listener.local_addr().unwrap());
        let asked = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = vec![0; 4096];
            let read = stream.read(&mut asked).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&asked[..read]).into_owned()
        });
        (url, asked)
    }
    fn client(deadline: Duration) -> Client {
        Client::new(&[], "test/1", deadline).unwrap()
    }
    #[tokio::test]
    async fn a_request_is_sent_and_its_answer_read() {
        let (url, asked) =
            server("HTTP/1.1 201 Created\r\nContent-Length: 2\r\nLocation: /x\r\n\r\nok").await;
        let answer =
            client(Duration::from_secs(20)).send(Method::POST, &url, &[("X-A", "1")], "body").await.unwrap();
        assert_eq!(
            (answer.status.as_u16(), &answer.body[..], &answer.headers["location"]),
            (201, &b"ok"[..], &"/x".parse::<http::HeaderValue>().unwrap())
        );
        let asked = asked.await.unwrap();
        assert!(
            asked.starts_with("POST /path?q=1 HTTP/1.1\r\n") && asked.contains("user-agent: test/1"),
            "{asked}"
        );
    }
    #[tokio::test]
    async fn silence_ends_at_the_deadline() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/secret", listener.local_addr().unwrap());
        let error = client(Duration::from_millis(50)).get(&url).await.unwrap_err();
        assert_eq!(error, "127.0.0.1: no answer within 0 s");
    }
    #[tokio::test]
    async fn who_cannot_be_reached_is_named_without_the_path() {
        let error = client(Duration::from_secs(20)).get("http://127.0.0.1:1/secret").await.unwrap_err();
        assert!(error.starts_with("127.0.0.1: ") && !error.contains("secret"), "{error}");
    }
}
