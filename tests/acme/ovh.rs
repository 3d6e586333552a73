//! OVH's API as far as its DNS records are concerned: over TLS, behind an HTTP proxy, and for those who sign alone. What
//! is written there is served by a [`Zone`] once it is refreshed, as OVH has it.
use crate::{pebble::signed, zone::Zone};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use proxy::net::dns::Record;
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::{Value, json};
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::SystemTime,
};

pub(crate) const HOST: &str = "api.ovh.test";
pub(crate) const KEYS: [&str; 3] = ["application-key-1", "application-secret-2", "consumer-key-3"];

pub(crate) struct Ovh {
    /// For `HTTPS_PROXY`.
    pub(crate) proxy: String,
    /// For `SSL_CERT_FILE`.
    pub(crate) root: String,
    /// What was asked: method, path and status.
    pub(crate) log: Arc<Mutex<Vec<String>>>,
}
#[derive(Default)]
struct Records {
    written: Vec<(u64, Record)>,
    next: u64,
}
impl Ovh {
    pub(crate) fn start(zone: Zone) -> Self {
        let certificate = signed(&[HOST]);
        let chain = CertificateDer::from_pem_slice(certificate.certificate.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![chain], key)
            .unwrap();
        let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
        let address = listener.local_addr().unwrap();
        let (log, records) = (Arc::new(Mutex::new(vec![])), Arc::new(Mutex::new(Records::default())));
        let asked = log.clone();
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let session = ServerConnection::new(config.clone()).unwrap();
                let line = serve(StreamOwned::new(session, socket), &records, &zone);
                asked.lock().unwrap().push(line.unwrap_or_else(|error| error.to_string()));
            }
        });
        Self { proxy: format!("http://{}", tunnel(address.to_string())), root: certificate.root, log }
    }
}
/// An HTTP proxy that knows one host.
fn tunnel(to: String) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut head = vec![];
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                client.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
            assert!(head.starts_with(format!("CONNECT {HOST}:443 HTTP/1.1\r\n").as_bytes()));
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            let server = TcpStream::connect(&to).unwrap();
            for (mut from, mut to) in [
                (client.try_clone().unwrap(), server.try_clone().unwrap()),
                (server.try_clone().unwrap(), client.try_clone().unwrap()),
            ] {
                thread::spawn(move || {
                    io::copy(&mut from, &mut to).ok();
                    to.shutdown(std::net::Shutdown::Write).ok();
                });
            }
        }
    });
    address
}
fn serve(
    mut stream: StreamOwned<ServerConnection, TcpStream>,
    records: &Mutex<Records>,
    zone: &Zone,
) -> io::Result<String> {
    let (mut reader, mut head) = (BufReader::new(&mut stream), vec![]);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let header = |name: &str| {
        let found = head.iter().filter_map(|line| line.split_once(": "));
        found.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).next()
    };
    let length = header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = String::from_utf8(body).unwrap();
    let request = head[0].strip_suffix(" HTTP/1.1").unwrap().to_owned();
    let (method, path) = request.split_once(' ').unwrap();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let [application, secret, consumer] = KEYS;
    let time = header("x-ovh-timestamp").unwrap_or_default();
    let text = format!("{secret}+{consumer}+{method}+https://{HOST}{path}+{body}+{time}");
    let sum: String = digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes())
        .as_ref()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let signed = header("x-ovh-signature") == Some(format!("$1${sum}"))
        && header("x-ovh-application").as_deref() == Some(application)
        && header("x-ovh-consumer").as_deref() == Some(consumer)
        && time.parse::<u64>().is_ok_and(|time| time.abs_diff(now) < 30);
    let (status, answer) = match path == "/1.0/auth/time" || signed {
        true => act(method, path, &body, now, &mut records.lock().unwrap(), zone),
        false => (400, json!({"message": "Invalid signature"})),
    };
    let text = if answer.is_null() { String::new() } else { answer.to_string() };
    write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    )?;
    stream.conn.send_close_notify();
    stream.flush()?;
    Ok(format!("{request} {status}"))
}
fn act(method: &str, path: &str, body: &str, now: u64, records: &mut Records, zone: &Zone) -> (u16, Value) {
    let Some(path) = path.strip_prefix("/1.0/domain/zone/example.org/") else {
        return match path {
            "/1.0/auth/time" => (200, now.into()),
            _ => (404, json!({"message": "This service does not exist"})),
        };
    };
    match (method, path) {
        ("POST", "record") => {
            let asked: Value = serde_json::from_str(body).unwrap();
            assert_eq!(asked["fieldType"], "TXT");
            let name = format!("{}.example.org", asked["subDomain"].as_str().unwrap());
            records.next += 1;
            records.written.push((records.next, Record::text(&name, asked["target"].as_str().unwrap(), 1)));
            (200, json!({"id": records.next}))
        }
        ("POST", "refresh") => {
            *zone.records.lock().unwrap() =
                records.written.iter().map(|(_, record)| record.clone()).collect();
            (200, Value::Null)
        }
        ("DELETE", path) => {
            let id: u64 = path.strip_prefix("record/").unwrap().parse().unwrap();
            let before = records.written.len();
            records.written.retain(|(known, _)| *known != id);
            if records.written.len() < before {
                (200, Value::Null)
            } else {
                (404, json!({"message": "no record"}))
            }
        }
        _ => (405, Value::Null),
    }
}
