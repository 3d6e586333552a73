//! A provider's API for tests: a closure that answers what it is asked, over a real socket.
use crate::tls::{DnsModule, DnsProvider, TxtRecord};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, sync::Arc, sync::Mutex, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) method: String,
    /// With its query.
    pub(super) path: String,
    /// Names in lower case.
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}
impl Asked {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
    /// `GET /path?query`.
    pub(super) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}
pub(super) struct Answered(u16, String);
pub(super) fn status(code: u16, body: impl ToString) -> Answered {
    Answered(code, body.to_string())
}
pub(super) fn ok(body: impl ToString) -> Answered {
    status(200, body)
}
pub(super) struct Simulated {
    pub(super) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}
impl Simulated {
    pub(super) async fn start(answer: impl Fn(&Asked) -> Answered + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(vec![]));
        let log = asked.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = receive(&mut stream).await;
                let Answered(code, body) = answer(&request);
                log.lock().unwrap().push(request);
                let head = format!(
                    "HTTP/1.1 {code} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
            }
        });
        Self { url, asked }
    }
    pub(super) fn lines(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(Asked::line).collect()
    }
    pub(super) fn bodies(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|asked| asked.body.clone()).collect()
    }
}
async fn receive(stream: &mut TcpStream) -> Asked {
    let mut bytes = vec![];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "a whole request");
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let mut first = lines.next().unwrap().split(' ');
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    while bytes.len() < end + 4 + length {
        assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "a whole body");
    }
    Asked {
        method: first.next().unwrap().into(),
        path: first.next().unwrap().into(),
        headers,
        body: String::from_utf8(bytes[end + 4..].to_vec()).unwrap(),
    }
}
pub(super) fn record(name: &str, value: &str) -> TxtRecord {
    TxtRecord { zone: "example.com".into(), name: name.into(), value: value.into(), ttl: Duration::ZERO }
}
/// Writes a record and takes it away again; gives its id.
pub(super) async fn there_and_back(provider: &dyn DnsProvider, record: &TxtRecord) -> String {
    let id = provider.append(record).await.unwrap();
    provider.delete(record, &id).await.unwrap();
    id
}
/// Why a module does not build.
pub(super) fn refused(module: &DnsModule, fields: Value) -> String {
    let Value::Object(fields) = fields else { return (module.build)(Map::new()).unwrap_err() };
    (module.build)(fields).unwrap_err()
}
