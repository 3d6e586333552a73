//! Sends requests as the fixture writes them, in the clear and over TLS.
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedCipherSuite,
    crypto::aws_lc_rs::{self, cipher_suite},
    version::{TLS12, TLS13},
};
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    sync::Arc,
    time::Duration,
};

pub(crate) struct Client {
    site: u16,
    secure: u16,
    roots: Arc<RootCertStore>,
}
impl Client {
    /// Leaves a certificate for `localhost` in `folder`.
    pub(crate) fn new(folder: &Path, site: u16, secure: u16) -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(folder.join("cert.pem"), cert.pem()).unwrap();
        fs::write(folder.join("key.pem"), signing_key.serialize_pem()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone()).unwrap();
        Self { site, secure, roots: Arc::new(roots) }
    }
    /// Sends a request and reads until the server closes the connection.
    pub(crate) fn ask(&self, text: &str) {
        let (how, text) = match text.split_once(' ') {
            Some((how @ ("tls12" | "tls13" | "http10"), rest)) => (how, rest),
            _ => ("", text),
        };
        let port = if how.starts_with("tls") { self.secure } else { self.site };
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
        let request = self.request(text, how == "http10");
        match how {
            "tls12" | "tls13" => exchange(StreamOwned::new(self.connection(how), stream), &request),
            _ => exchange(stream, &request),
        }
    }
    fn request(&self, text: &str, is_http10: bool) -> Vec<u8> {
        let (head, body) = text.split_once(" < ").unwrap_or((text, ""));
        let body = body.replace("\\r\\n", "\r\n");
        let mut parts = head.split(" | ");
        let line = parts.next().unwrap();
        let mut lines = vec![format!("{line} HTTP/1.{}", if is_http10 { 0 } else { 1 })];
        let mut fields: Vec<String> = parts.map(str::to_owned).collect();
        if !is_http10 && !fields.iter().any(|field| field.starts_with("Host:")) {
            fields.insert(0, format!("Host: localhost:{}", self.site));
        }
        if !body.is_empty() && !head.contains("Transfer-Encoding") {
            fields.push(format!("Content-Length: {}", body.len()));
        }
        fields.push("Connection: close".into());
        lines.extend(fields);
        (lines.join("\r\n") + "\r\n\r\n" + &body).into_bytes()
    }
    /// One suite each, so that every server chooses it.
    fn connection(&self, how: &str) -> ClientConnection {
        let (suite, version): (SupportedCipherSuite, _) = match how {
            "tls12" => (cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, &TLS12),
            _ => (cipher_suite::TLS13_AES_128_GCM_SHA256, &TLS13),
        };
        let mut provider = aws_lc_rs::default_provider();
        provider.cipher_suites = vec![suite];
        let config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap()
    }
}
fn exchange(mut stream: impl Read + Write, request: &[u8]) {
    stream.write_all(request).unwrap();
    let mut chunk = vec![0; 1 << 16];
    // Time out, reset, end: nothing more comes.
    while let Ok(1..) = stream.read(&mut chunk) {}
}
