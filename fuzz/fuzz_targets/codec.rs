//! Whatever an upstream says over HTTP/1.1, and however its bytes are cut: it is understood in one way or not at all, and
//! no body is longer than its frame.
#![no_main]
use http_body_util::BodyExt;
use libfuzzer_sys::fuzz_target;
use proxy::{
    config,
    http::{self, Body, Connection, Exchange, answer},
    state::State,
    table,
};
use std::{cell::OnceCell, path::PathBuf, sync::Arc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixListener,
    runtime::Runtime,
    task::yield_now,
};

/// A proxy and its upstream's socket, on one thread.
struct Stage {
    runtime: Runtime,
    listener: UnixListener,
    server: http::Server,
}
thread_local! { static STAGE: OnceCell<Stage> = const { OnceCell::new() } }

/// What a client gets.
#[derive(Debug, PartialEq)]
struct Got {
    interim: Vec<u8>,
    status: u16,
    fields: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    trailers: Option<::http::HeaderMap>,
    is_whole: bool,
}
impl Stage {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let path: PathBuf = std::env::temp_dir().join(format!("proxy-fuzz-{}", std::process::id()));
        // It is there if a process of the same number has crashed.
        let _ = std::fs::remove_file(&path);
        let _entered = runtime.enter();
        let listener = UnixListener::bind(&path).unwrap();
        let config = serde_json::json!({ "routes": [{ "handle": [{
            "handler": "reverse_proxy",
            "transport": { "protocol": "http", "compression": false, "keep_alive": { "enabled": false } },
            "upstreams": [{ "dial": format!("unix/{}", path.display()) }],
        }] }] });
        let config: config::Server = serde_json::from_value(config).unwrap();
        let server = http::build(config, &table::MODULES, Arc::new(State::default())).unwrap().server;
        drop(_entered);
        Self { runtime, listener, server }
    }
    /// Asks once; the upstream's answer is cut at these places.
    fn ask(&self, is_head: bool, said: &[u8], cuts: &[usize]) -> Got {
        self.runtime.block_on(async {
            let upstream = async {
                let (mut stream, _) = self.listener.accept().await.unwrap();
                let mut heard = vec![];
                while !heard.ends_with(b"\r\n\r\n") {
                    heard.push(stream.read_u8().await.unwrap());
                }
                let mut from = 0;
                for &to in cuts.iter().chain([&said.len()]) {
                    // Who has heard enough closes.
                    if stream.write_all(&said[from..to]).await.is_err() {
                        return;
                    }
                    from = to;
                    // Until the other side has read it.
                    for _ in 0..3 {
                        yield_now().await;
                    }
                }
                let _ = stream.shutdown().await;
                while let Ok(1..) = stream.read(&mut [0; 64]).await {}
            };
            tokio::join!(self.got(is_head), upstream).0
        })
    }
    async fn got(&self, is_head: bool) -> Got {
        let method = if is_head { "HEAD" } else { "GET" };
        let request = ::http::Request::builder().method(method).uri("/").header("Host", "a");
        let (head, ()) = request.body(()).unwrap().into_parts();
        let connection = Arc::new(Connection::default());
        let mut x = Exchange::new(head, Body::Empty, connection.clone());
        let response = answer(&self.server, &mut x).await.response;
        let fields = x.headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
        let mut got = Got {
            interim: connection.interim.take(),
            status: response.status.as_u16(),
            fields: fields.collect(),
            body: vec![],
            trailers: None,
            is_whole: true,
        };
        let mut body = response.body;
        while let Some(frame) = body.frame().await {
            match frame.map(|frame| frame.into_data()) {
                Ok(Ok(data)) => got.body.extend_from_slice(&data),
                Ok(Err(frame)) => got.trailers = frame.into_trailers().ok(),
                Err(_) => {
                    got.is_whole = false;
                    break;
                }
            }
        }
        got
    }
}
impl Got {
    fn is_as_long_as_it_says(&self, is_head: bool) -> bool {
        let lengths = self.fields.iter().filter(|(name, _)| name == "content-length");
        let lengths: Vec<_> = lengths.map(|(_, length)| String::from_utf8_lossy(length).parse()).collect();
        match &lengths[..] {
            _ if is_head || [101, 204, 304].contains(&self.status) => self.body.is_empty(),
            [] => true,
            [Ok(length)] if self.is_whole => self.body.len() == *length,
            [Ok(length)] => self.body.len() < *length,
            _ => false,
        }
    }
}
// The first byte: whether it is HEAD, and how many of those behind it are places of cuts.
fuzz_target!(|input: &[u8]| {
    let Some((&first, rest)) = input.split_first() else { return };
    let is_head = first & 1 == 1;
    let Some((cuts, said)) = rest.split_at_checked(usize::from(first >> 1) % 8) else { return };
    let mut cuts: Vec<usize> = cuts.iter().map(|&at| usize::from(at) % (said.len() + 1)).collect();
    cuts.sort_unstable();
    STAGE.with(|stage| {
        let stage = stage.get_or_init(Stage::new);
        let whole = stage.ask(is_head, said, &[]);
        assert!(whole.is_as_long_as_it_says(is_head), "{whole:?}");
        assert_eq!(stage.ask(is_head, said, &cuts), whole, "cut at {cuts:?}");
    });
});
