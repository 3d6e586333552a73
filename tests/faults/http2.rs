//! The same requests from a client that speaks HTTP/2.
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request,
    client::conn::http2::{Builder, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{net::TcpStream, runtime::Runtime};

pub(crate) struct Client {
    runtime: Runtime,
    sender: SendRequest<Full<Bytes>>,
    port: u16,
}
impl Client {
    pub(crate) fn new(port: u16) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let sender = runtime.block_on(async {
            let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let mut builder = Builder::new(TokioExecutor::new());
            // As much as upstreams of HTTP/1.1 may say.
            builder.max_header_list_size(1 << 20);
            let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            sender
        });
        Self { runtime, sender, port }
    }
    /// Whether a request can be said in HTTP/2, with all of its body.
    pub(crate) fn can(request: &str) -> bool {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        !head.contains("Upgrade")
            && !head.contains("HTTP/1.0")
            && !head.contains("chunked")
            && length.is_none_or(|length| length.parse() == Ok(body.len()))
    }
    /// What comes of a request, as the client of HTTP/1.1 shows it.
    pub(crate) fn ask(&mut self, request: &str) -> String {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let mut words = lines.next().unwrap().split(' ');
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let mut asked =
            Request::builder().method(method).uri(format!("http://127.0.0.1:{}{path}", self.port));
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap();
            if name != "Host" {
                asked = asked.header(name, value);
            }
        }
        let asked = asked.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).unwrap();
        let (sender, runtime) = (&mut self.sender, &self.runtime);
        runtime.block_on(async {
            let Ok(answer) = sender.send_request(asked).await else { return "(nothing)".into() };
            let mut shown = answer.status().as_str().to_owned();
            let (mut body, mut said, mut end) = (answer.into_body(), vec![], String::new());
            while let Some(frame) = body.frame().await {
                match frame.map(|frame| frame.into_data()) {
                    Ok(Ok(data)) => said.extend_from_slice(&data),
                    Ok(Err(frame)) => {
                        for (name, value) in &frame.into_trailers().unwrap() {
                            end += &format!("[{name}: {}]", value.to_str().unwrap());
                        }
                    }
                    Err(_) => {
                        end += if said.is_empty() { "(cut)" } else { " (cut)" };
                        break;
                    }
                }
            }
            let said = String::from_utf8_lossy(&said).into_owned() + &end;
            if !said.is_empty() {
                shown += &format!(" {said}");
            }
            shown
        })
    }
}
