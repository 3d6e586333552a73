//! Requests to the admin API of a process that runs.
use super::failure::Failure;
use crate::{
    admin::default_address,
    config::placeholder::{Unknown, expand_global},
    server::Address,
};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::io;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
};

/// Where the API is: what was named, else what the configuration says, else the default.
pub(super) fn address(named: Option<&str>, config: &Value) -> String {
    let configured = config.get("admin").and_then(|admin| admin.get("listen")?.as_str());
    let address = named.filter(|named| !named.is_empty()).or(configured.filter(|listen| !listen.is_empty()));
    address.map_or_else(default_address, |address| {
        expand_global(address, Unknown::Stay).unwrap_or_else(|_| address.to_owned())
    })
}
/// One request, to the end of its answer.
///
/// # Errors
/// In Caddy's words; an answer of 400 and above is one.
pub(super) fn request(
    address: &str,
    method: Method,
    path: &str,
    headers: &[(&'static str, &str)],
    body: Option<String>,
) -> Result<Bytes, Failure> {
    let invalid = |why: String| Failure::new(format!("invalid admin address {address}: {why}"));
    let parsed = Address::parse(address, 0).map_err(invalid)?;
    let [place] = <[Address; 1]>::try_from(parsed).map_err(|_| invalid("it is a range".into()))?;
    let host = match &place {
        Address::Tcp { .. } => place.place(),
        // Nobody looks at it, but there has to be one.
        _ => "127.0.0.1".to_owned(),
    };
    let name = method.as_str();
    let shown =
        format!("{}{}", name.chars().take(1).collect::<String>(), name.get(1..).unwrap_or("").to_lowercase());
    let performing =
        |error: String| Failure::new(format!("performing request: {shown} \"http://{host}{path}\": {error}"));
    let mut request = Request::builder().method(method.clone()).uri(path).header(header::HOST, &host);
    if matches!(place, Address::Tcp { .. }) {
        request = request.header(header::ORIGIN, format!("http://{host}"));
    }
    if body.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    for (name, value) in headers {
        // A file's name may hold what a header may not.
        let value = HeaderValue::from_str(value).unwrap_or(HeaderValue::from_static(""));
        request = request.header(*name, value);
    }
    let request = request.body(Full::from(body.unwrap_or_default()));
    let request = request.map_err(|error| Failure::new(format!("making request: {error}")))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| performing(error.to_string()))?;
    let (status, answer) = runtime.block_on(send(&place, request)).map_err(performing)?;
    if status >= 400 {
        let text = String::from_utf8_lossy(&answer);
        return Err(Failure::new(format!("caddy responded with error: HTTP {status}: {text}")));
    }
    Ok(answer)
}
async fn send(place: &Address, request: Request<Full<Bytes>>) -> Result<(u16, Bytes), String> {
    let dialled = |network: &str, error: io::Error| {
        let text = error.to_string();
        let text = text.split(" (os error").next().unwrap_or(&text).to_lowercase();
        format!("dial {network} {}: connect: {text}", place.place())
    };
    match place {
        Address::Tcp { host, port, .. } => {
            let host = if host.is_empty() { "localhost" } else { host };
            let stream = TcpStream::connect((host, *port)).await;
            exchange(stream.map_err(|error| dialled("tcp", error))?, request).await
        }
        Address::Unix { path, .. } => {
            let stream = UnixStream::connect(path).await;
            exchange(stream.map_err(|error| dialled("unix", error))?, request).await
        }
        Address::Inherited { .. } => Err("a socket that another process has opened cannot be dialled".into()),
    }
}
async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<(u16, Bytes), String> {
    let text = |error: hyper::Error| error.to_string();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(text)?;
    // Its errors are the request's.
    tokio::spawn(async move { drop(connection.await) });
    let response = sender.send_request(request).await.map_err(text)?;
    let status = response.status().as_u16();
    Ok((status, response.into_body().collect().await.map_err(text)?.to_bytes()))
}
