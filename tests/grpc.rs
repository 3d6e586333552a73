//! gRPC through `proxy`: all four kinds of calls, metadata and trailers, over TLS and in the clear, and what becomes of
//! calls that fail or are given up.
mod common;
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "common/server.rs"]
mod server;
use futures_util::{Stream, StreamExt, stream};
use http::uri::PathAndQuery;
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use server::Server;
use std::{
    convert::Infallible,
    future::{Future, ready},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;
use tonic::{
    Code, Request, Response, Status, Streaming,
    client::Grpc as Caller,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    metadata::MetadataValue,
    server::{ClientStreamingService, Grpc, ServerStreamingService, StreamingService, UnaryService},
    transport::{Channel, Endpoint},
};

/// Messages are numbers of eight bytes.
#[derive(Clone, Copy, Default)]
struct Numbers;
impl Codec for Numbers {
    type Encode = u64;
    type Decode = u64;
    type Encoder = Self;
    type Decoder = Self;
    fn encoder(&mut self) -> Self {
        Self
    }
    fn decoder(&mut self) -> Self {
        Self
    }
}
impl Encoder for Numbers {
    type Item = u64;
    type Error = Status;
    fn encode(&mut self, item: u64, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        bytes::BufMut::put_u64(to, item);
        Ok(())
    }
}
impl Decoder for Numbers {
    type Item = u64;
    type Error = Status;
    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<u64>, Status> {
        Ok(Some(bytes::Buf::get_u64(from)))
    }
}
type Many = Pin<Box<dyn Stream<Item = Result<u64, Status>> + Send>>;
type Soon<T> = Pin<Box<dyn Future<Output = Result<Response<T>, Status>> + Send>>;

/// What the upstream can do.
#[derive(Clone)]
struct Arithmetic(Arc<AtomicUsize>);
impl UnaryService<u64> for Arithmetic {
    type Response = u64;
    type Future = Soon<u64>;
    /// Doubles; has nothing to say to zero.
    fn call(&mut self, request: Request<u64>) -> Soon<u64> {
        let tag = request.metadata().get("x-tag").cloned();
        let number = request.into_inner();
        Box::pin(ready(if number == 0 {
            Err(Status::invalid_argument("zero"))
        } else {
            let mut response = Response::new(2 * number);
            if let Some(tag) = tag {
                response.metadata_mut().insert("x-tag", tag);
            }
            Ok(response)
        }))
    }
}
impl ServerStreamingService<u64> for Arithmetic {
    type Response = u64;
    type ResponseStream = Many;
    type Future = Soon<Many>;
    /// Counts; without end from 1000 on.
    fn call(&mut self, request: Request<u64>) -> Soon<Many> {
        let end = request.into_inner();
        let (end, gone) = if end < 1000 { (end, None) } else { (u64::MAX, Some(Gone(self.0.clone()))) };
        let numbers = stream::iter(0..end).then(move |number| {
            let _held = &gone;
            async move {
                // Without a pause many small frames wait for a reader, which HTTP/2 clients take for an attack.
                if end == u64::MAX {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                Ok(number)
            }
        });
        Box::pin(ready(Ok(Response::new(Box::pin(numbers) as Many))))
    }
}
/// Of a stream without end: counts when it is dropped.
struct Gone(Arc<AtomicUsize>);
impl Drop for Gone {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
impl ClientStreamingService<u64> for Arithmetic {
    type Response = u64;
    type Future = Soon<u64>;
    /// Adds up.
    fn call(&mut self, request: Request<Streaming<u64>>) -> Soon<u64> {
        Box::pin(async move {
            let mut numbers = request.into_inner();
            let mut sum = 0;
            while let Some(number) = numbers.message().await? {
                sum += number;
            }
            Ok(Response::new(sum))
        })
    }
}
impl StreamingService<u64> for Arithmetic {
    type Response = u64;
    type ResponseStream = Many;
    type Future = Soon<Many>;
    /// Squares each as it comes; fails at zero.
    fn call(&mut self, request: Request<Streaming<u64>>) -> Soon<Many> {
        let squares = request.into_inner().map(|number| match number? {
            0 => Err(Status::aborted("zero")),
            number => Ok(number * number),
        });
        Box::pin(ready(Ok(Response::new(Box::pin(squares) as Many))))
    }
}
async fn answer(
    service: Arithmetic,
    request: http::Request<Incoming>,
) -> Result<http::Response<tonic::body::Body>, Infallible> {
    let mut grpc = Grpc::new(Numbers);
    Ok(match request.uri().path() {
        "/Arithmetic/Double" => grpc.unary(service, request).await,
        "/Arithmetic/Count" => grpc.server_streaming(service, request).await,
        "/Arithmetic/Sum" => grpc.client_streaming(service, request).await,
        _ => grpc.streaming(service, request).await,
    })
}
async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, service: Arithmetic) {
    let service = service_fn(move |request| answer(service.clone(), request));
    // Ends when the proxy closes.
    let _ = http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}
/// Listens in the clear and over TLS; gives the ports, and counts endless streams that have ended.
async fn upstream() -> (u16, u16, Arc<AtomicUsize>) {
    let ended = Arc::<AtomicUsize>::default();
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = signing_key.serialize_der().try_into().unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut tls = builder.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key).unwrap();
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let (clear, secure) =
        (TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let ports = (clear.local_addr().unwrap().port(), secure.local_addr().unwrap().port());
    let service = Arithmetic(ended.clone());
    let other = service.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = clear.accept().await {
            tokio::spawn(serve(stream, service.clone()));
        }
    });
    tokio::spawn(async move {
        while let Ok((stream, _)) = secure.accept().await {
            let (acceptor, service) = (acceptor.clone(), other.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    serve(stream, service).await;
                }
            });
        }
    });
    (ports.0, ports.1, ended)
}
async fn caller(channel: &Channel) -> Caller<Channel> {
    let mut caller = Caller::new(channel.clone());
    caller.ready().await.unwrap();
    caller
}
fn to(method: &str) -> PathAndQuery {
    format!("/Arithmetic/{method}").parse().unwrap()
}
async fn all_kinds_of_calls(channel: &Channel) {
    let mut request = Request::new(21);
    request.metadata_mut().insert("x-tag", MetadataValue::from_static("t"));
    let response = caller(channel).await.unary(request, to("Double"), Numbers).await.unwrap();
    assert_eq!(response.metadata().get("x-tag").unwrap(), "t");
    assert_eq!(response.into_inner(), 42);

    let counted =
        caller(channel).await.server_streaming(Request::new(500), to("Count"), Numbers).await.unwrap();
    let counted: Vec<u64> = counted.into_inner().map(Result::unwrap).collect().await;
    assert_eq!(counted, (0..500).collect::<Vec<_>>());

    let numbers = Request::new(stream::iter(0..500));
    let sum = caller(channel).await.client_streaming(numbers, to("Sum"), Numbers).await.unwrap();
    assert_eq!(sum.into_inner(), 124_750);

    // One at a time: each answer is there before the next question is asked.
    let (ask, asked) = tokio::sync::mpsc::channel(1).split_stream();
    let mut squares = caller(channel)
        .await
        .streaming(Request::new(asked), to("Square"), Numbers)
        .await
        .unwrap()
        .into_inner();
    for number in 1..50 {
        ask.send(number).await.unwrap();
        assert_eq!(squares.message().await.unwrap(), Some(number * number));
    }
    ask.send(0).await.unwrap();
    let failure = squares.message().await.unwrap_err();
    assert_eq!((failure.code(), failure.message()), (Code::Aborted, "zero"), "trailers behind messages");
    let failure = caller(channel).await.unary(Request::new(0), to("Double"), Numbers).await.unwrap_err();
    assert_eq!((failure.code(), failure.message()), (Code::InvalidArgument, "zero"), "trailers alone");
}
/// A channel whose receiver is a stream.
trait SplitStream<T> {
    fn split_stream(self) -> (tokio::sync::mpsc::Sender<T>, Pin<Box<dyn Stream<Item = T> + Send>>);
}
impl<T: Send + 'static> SplitStream<T> for (tokio::sync::mpsc::Sender<T>, tokio::sync::mpsc::Receiver<T>) {
    fn split_stream(self) -> (tokio::sync::mpsc::Sender<T>, Pin<Box<dyn Stream<Item = T> + Send>>) {
        let (sender, receiver) = self;
        let items =
            stream::unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) });
        (sender, Box::pin(items))
    }
}
#[tokio::test]
async fn calls_pass_in_the_clear_and_over_tls() {
    let (clear, secure, ended) = upstream().await;
    let ports = [common::free_port(), common::free_port()];
    let config = format!(
        "{{\n\tadmin off\n}}
http://:{} {{
	reverse_proxy h2c://127.0.0.1:{clear}
}}
http://:{} {{
	reverse_proxy https://127.0.0.1:{secure} {{
		transport http {{
			tls_insecure_skip_verify
		}}
	}}
}}
",
        ports[0], ports[1]
    );
    let server = tokio::task::spawn_blocking(move || {
        Server::start(env!("CARGO_BIN_EXE_proxy"), &(config, false), ports[0]).unwrap()
    });
    let server = server.await.unwrap();
    for (at, port) in ports.into_iter().enumerate() {
        let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{port}")).unwrap();
        let channel = endpoint.connect().await.unwrap();
        all_kinds_of_calls(&channel).await;
        // A client that goes away takes its call with it.
        let endless = Request::new(1000);
        let before = ended.load(Ordering::SeqCst);
        let mut numbers = caller(&channel)
            .await
            .server_streaming(endless, to("Count"), Numbers)
            .await
            .unwrap()
            .into_inner();
        assert_eq!(numbers.message().await.unwrap(), Some(0));
        assert_eq!(ended.load(Ordering::SeqCst), before, "{at}: it is still counting");
        drop(numbers);
        while ended.load(Ordering::SeqCst) == before {
            tokio::task::yield_now().await;
        }
    }
    tokio::task::spawn_blocking(move || server.stop()).await.unwrap();
}
